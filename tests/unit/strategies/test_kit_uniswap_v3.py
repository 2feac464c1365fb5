"""The Uniswap V3 strategy through the kit: the asset is token0 with 6 decimals, token1 with 18."""

from __future__ import annotations

from tests.kit import Reasons, StrategyKit
from tests.kit.uniswap_v3 import UniswapV3


class TestUniswapV3(StrategyKit):
    adapter = UniswapV3
    cannot = Reasons({"pause": "a V3 pool has no pause"})
