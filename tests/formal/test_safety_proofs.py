"""Proofs of the bucket's and the median's libraries (halmos), and mutants that they refute."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import pytest

from tests.support.halmos import prove

BUCKET = "contracts/safety/lib/TokenBucket.sol"
MEDIAN = "contracts/safety/lib/Median.sol"
BUCKET_PROOFS = "tests/formal/TokenBucketProofs.sol"
MEDIAN_PROOFS = "tests/formal/MedianProofs.sol"
# The bucket's parameters take at most 40 rounds to encode, a sort at most 5.
BUCKET_OPTIONS = ("--loop", "45", "--solver-timeout-assertion", "120s")
MEDIAN_OPTIONS = ("--loop", "10")
