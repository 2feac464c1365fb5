"""Finds the ABI of what others deployed, by name in the deployment file; it asks no explorer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from scripts._deployment.bound import ERC4626, abi_of
from tests.peers.npm import load
from tests.support import build

SAFE = "@safe-global/safe-contracts/build/artifacts/contracts"
V2_CORE, V2_PERIPHERY = "@uniswap/v2-core/build", "@uniswap/v2-periphery/build"
V3_CORE = "@uniswap/v3-core/artifacts/contracts"
V3_PERIPHERY = "@uniswap/v3-periphery/artifacts/contracts"
AAVE = "@aave/core-v3/artifacts/contracts"

SAFE_ACCOUNT = f"{SAFE}/SafeL2.sol/SafeL2"
# Longest prefix first: the first that a name begins with counts.
PACKAGED: tuple[tuple[str, str], ...] = (
    ("SafeSingleton", SAFE_ACCOUNT),
    ("SafeProxyFactory", f"{SAFE}/proxies/SafeProxyFactory.sol/SafeProxyFactory"),
    ("SafeMultiSendCallOnly", f"{SAFE}/libraries/MultiSendCallOnly.sol/MultiSendCallOnly"),
    (
        "SafeFallbackHandler",
        f"{SAFE}/handler/CompatibilityFallbackHandler.sol/CompatibilityFallbackHandler",
    ),
    ("UniswapV2Factory", f"{V2_CORE}/UniswapV2Factory"),
    ("UniswapV2Pair", f"{V2_CORE}/UniswapV2Pair"),
    ("UniswapV2Router02", f"{V2_PERIPHERY}/UniswapV2Router02"),
    ("UniswapV3Factory", f"{V3_CORE}/UniswapV3Factory.sol/UniswapV3Factory"),
    ("UniswapV3Pool", f"{V3_CORE}/UniswapV3Pool.sol/UniswapV3Pool"),
    ("UniswapV3Router", f"{V3_PERIPHERY}/SwapRouter.sol/SwapRouter"),
    (
        "UniswapV3PositionManager",
        f"{V3_PERIPHERY}/NonfungiblePositionManager.sol/NonfungiblePositionManager",
    ),
    ("UniswapV3Quoter", f"{V3_PERIPHERY}/lens/QuoterV2.sol/QuoterV2"),
    (
        "AavePoolAddressesProvider",
        f"{AAVE}/protocol/configuration/PoolAddressesProvider.sol/PoolAddressesProvider",
    ),
    (
        "AaveAddressesProvider",
        f"{AAVE}/protocol/configuration/PoolAddressesProvider.sol/PoolAddressesProvider",
    ),
    ("AavePool", f"{AAVE}/protocol/pool/Pool.sol/Pool"),
    ("AaveOracle", f"{AAVE}/misc/AaveOracle.sol/AaveOracle"),
    ("AaveToken", f"{AAVE}/protocol/tokenization/AToken.sol/AToken"),
    ("WETH", "canonical-weth/build/contracts/WETH9"),
)
LOCAL_DOUBLES: tuple[tuple[str, str], ...] = (
    ("Feed", "FeedDouble"),
    ("USDT", "UsdtLikeToken"),
    ("USDC", "TestToken"),
    ("DAI", "TestToken"),
    ("WBTC", "TestToken"),
    ("CreditVault", "CreditVaultDouble"),
)


def peer_abi(name: str, local: bool) -> Sequence[Any]:
    """The ABI of a peer; an ERC-20 or ERC-4626 if its name says nothing else.

    Args:
        name: in the deployment file's `external`.
        local: whether the chain carries the doubles of tests/peers.
    """
    for prefix, path in PACKAGED:
        if name.startswith(prefix):
            return load(path).abi
    for prefix, double in LOCAL_DOUBLES if local else ():
        if name.startswith(prefix):
            return build.artifact(double).abi
    return abi_of(ERC4626)


def safe_abi() -> Sequence[Any]:
    """The ABI of a Safe 1.4.1."""
    return load(SAFE_ACCOUNT).abi
