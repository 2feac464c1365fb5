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
    "mutation",
    "properties",
)


def load(name: str) -> Gate:
    """The gate of that name.

    Raises:
        KeyError: there is none.
    """
    if name not in NAMES:
        raise KeyError(f"no gate is named {name} (known: {', '.join(NAMES)})")
    return cast(Gate, import_module(f"tools.audit.gates.{name}"))
