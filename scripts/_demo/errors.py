"""The one error of the demo."""

from __future__ import annotations


class DemoError(RuntimeError):
    """The demo did not come to what it promises."""
