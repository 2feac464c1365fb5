"""The strategy test kit: describe a vault by an adapter, get its tests; see docs/strategies.md."""

from tests.kit.adapter import Adapter, Reasons, StrategyAdapter
from tests.kit.strategy import StrategyKit
from tests.kit.vault import VaultKit

__all__ = ["Adapter", "Reasons", "StrategyAdapter", "StrategyKit", "VaultKit"]
