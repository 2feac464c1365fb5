"""The gates in the order in which they run: the quick ones first; runs none."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from tools.audit.gate import Gate

NAMES: tuple[str, ...] = ("dependencies", "slither")
# Run only when they are named, in this order: none of them was seen to end green on this code yet,
# and a gate that is red for its own reasons hides what the others say.
ON_DEMAND: tuple[str, ...] = (
    "contracts",
    "proofs",
    "fuzz",
    "mythril",
    "coverage",
    "mutation",
    "properties",
)
KNOWN = NAMES + ON_DEMAND


def load(name: str) -> Gate:
    """The gate of that name.

    Raises:
        KeyError: there is none.
    """
    if name not in KNOWN:
        raise KeyError(f"no gate is named {name} (known: {', '.join(KNOWN)})")
    return cast(Gate, import_module(f"tools.audit.gates.{name}"))
