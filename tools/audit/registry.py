"""The gates in the order in which they run; runs none."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from tools.audit.gate import Gate

NAMES: tuple[str, ...] = (
    "dependencies",
    "contracts",
    "slither",
    "proofs",
    "fuzz",
    "mythril",
    "coverage",
    "properties",
)
# Runs only when it is named: it was not seen to end green, and a gate that is red for its own
# reasons hides what the others say.
ON_DEMAND: tuple[str, ...] = ("mutation",)
KNOWN = (*NAMES, *ON_DEMAND)


def load(name: str) -> Gate:
    """The gate of that name.

    Raises:
        KeyError: there is none.
    """
    if name not in KNOWN:
        raise KeyError(f"no gate is named {name} (known: {', '.join(KNOWN)})")
    return cast(Gate, import_module(f"tools.audit.gates.{name}"))
