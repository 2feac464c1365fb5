"""Names that `ape console` opens with (docs/console.md); it builds worlds on local chains only."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from scripts._console.opening import open_names


def ape_init_extras(accounts: Any, chain: Any) -> dict[str, Any]:
    """`suite`, `peers`, `safes` and `by_role` of the connected chain.

    Args:
        accounts: ape's accounts.
        chain: ape's chain.
    """
    return open_names(accounts, chain)
