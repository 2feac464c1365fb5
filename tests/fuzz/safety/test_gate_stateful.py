"""The emergency gate against its model: many actors, hostile targets, and time."""

from __future__ import annotations

import pytest

from tests.fuzz.safety.gate_machine import GateMachine

pytestmark = pytest.mark.fuzz


class TestGate(GateMachine.TestCase):
    """Properties: S3, S4, S6"""
