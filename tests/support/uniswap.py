"""Uniswap v2, v3 and v4 from their npm artifacts on the in-process EVM; compiles nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from math import isqrt
from typing import Any

from offchain.artifacts import ROOT, Artifact
from tests.support.evm import Contract, Evm, Interface

NODE_MODULES = ROOT / "node_modules"
VENDOR = "@uniswap"
V3_FEE, V3_SPACING = 3_000, 60
FULL_RANGE = 887_220
NO_LIMIT_DOWN = 4_295_128_740
NO_LIMIT_UP = 1_461_446_703_485_210_103_287_273_052_203_988_822_378_723_970_341
NO_HOOKS = "0x" + "00" * 20
FOREVER = 2**64


@cache
def interface_of(path: str) -> Interface:
    """A contract as its authors compiled it, by its path below node_modules, without `.json`."""
    raw = json.loads((NODE_MODULES / f"{path}.json").read_text())
    code = raw["bytecode"]
    code = code["object"] if isinstance(code, dict) else code
    return Interface(
        Artifact(
            name=path.rsplit("/", 1)[-1],
            abi=raw["abi"],
            bytecode=bytes.fromhex(code.removeprefix("0x")),
            runtime=b"",
            source_id=path,
        )
    )


def deploy(evm: Evm, path: str, *args: Any, sender: Any = None) -> Contract:
    """Deploys a contract from node_modules."""
    found = interface_of(path)
    code = found.artifact.bytecode + found.constructor.encode(args)
    return Contract(evm, found, evm.create(code, sender=sender))


def at(evm: Evm, path: str, address: str) -> Contract:
    return Contract(evm, interface_of(path), address)


@dataclass(frozen=True)
class V2:
    """One pair of the real v2, and its router."""

    pair: Contract
    router: Contract
    weth: Contract


def v2(evm: Evm, tokens: tuple[Contract, Contract], reserves: tuple[int, int], lp: Any) -> V2:
    weth = deploy(evm, "canonical-weth/build/contracts/WETH9")
    factory = deploy(evm, f"{VENDOR}/v2-core/build/UniswapV2Factory", lp)
    router = deploy(evm, f"{VENDOR}/v2-periphery/build/UniswapV2Router02", factory, weth)
    pair = factory.createPair(*tokens)
    found = at(evm, f"{VENDOR}/v2-core/build/UniswapV2Pair", pair)
    for token, amount in zip(tokens, reserves, strict=True):
        token.transfer(found, amount, sender=lp)
    found.mint(lp, sender=lp)
    return V2(found, router, weth)


def v2_amount_out(reserve_in: int, reserve_out: int, amount_in: int) -> int:
    """What a v2 pair lets go for an input (its invariant, solved for the output)."""
    effective = amount_in * 997
    return effective * reserve_out // (reserve_in * 1_000 + effective)


def v2_sell(pool: V2, tokens: tuple[Contract, Contract], user: Any, amount: int, side: bool) -> int:
    """Sells straight through the pair; returns the output."""
    r0, r1, _ = pool.pair.getReserves()
    out = v2_amount_out(r0, r1, amount) if side else v2_amount_out(r1, r0, amount)
    tokens[0 if side else 1].transfer(pool.pair, amount, sender=user)
    pool.pair.swap(*((0, out) if side else (out, 0)), user, b"", sender=user)
    return out


@dataclass(frozen=True)
class V3:
    """One 0.3 % pool of the real v3 with full-range liquidity, and its router."""

    pool: Contract
    router: Contract


def v3(evm: Evm, tokens: tuple[Contract, Contract], reserves: tuple[int, int], lp: Any) -> V3:
    weth = deploy(evm, "canonical-weth/build/contracts/WETH9")
    core, periphery = f"{VENDOR}/v3-core/artifacts/contracts", f"{VENDOR}/v3-periphery/artifacts"
    factory = deploy(evm, f"{core}/UniswapV3Factory.sol/UniswapV3Factory")
    router = deploy(evm, f"{periphery}/contracts/SwapRouter.sol/SwapRouter", factory, weth)
    manager = deploy(
        evm,
        f"{periphery}/contracts/NonfungiblePositionManager.sol/NonfungiblePositionManager",
        factory,
        weth,
        lp,
    )
    factory.createPool(*tokens, V3_FEE)
    pool = at(evm, f"{core}/UniswapV3Pool.sol/UniswapV3Pool", factory.getPool(*tokens, V3_FEE))
    pool.initialize(_sqrt_price_x96(reserves))
    for token in tokens:
        token.approve(manager, 2**256 - 1, sender=lp)
    manager.mint(
        (*tokens, V3_FEE, -FULL_RANGE, FULL_RANGE, *reserves, 0, 0, lp, FOREVER), sender=lp
    )
    return V3(pool, router)


def v3_sell(peer: V3, tokens: tuple[Contract, Contract], user: Any, amount: int, side: bool) -> int:
    """Sells through the router; the user has approved it."""
    pair = tokens if side else tokens[::-1]
    out = peer.router.exactInputSingle((*pair, V3_FEE, user, FOREVER, amount, 0, 0), sender=user)
    return int(out)


@dataclass(frozen=True)
class V4:
    """One pool without hooks in the real v4 manager, and the leaner of the two routers."""

    manager: Contract
    router: Contract
    key: tuple[Any, ...]


def v4(evm: Evm, tokens: tuple[Contract, Contract], reserves: tuple[int, int], lp: Any) -> V4:
    """Needs an EVM with spec CANCUN."""
    out = f"{VENDOR}/v4-core/out"
    manager = deploy(evm, f"{out}/PoolManager.sol/PoolManager", lp)
    router = deploy(evm, f"{out}/SwapRouterNoChecks.sol/SwapRouterNoChecks", manager)
    liquidity = deploy(evm, f"{out}/PoolModifyLiquidityTest.sol/PoolModifyLiquidityTest", manager)
    key = (*(t.address for t in tokens), V3_FEE, V3_SPACING, NO_HOOKS)
    manager.initialize(key, _sqrt_price_x96(reserves))
    for token in tokens:
        token.approve(liquidity, 2**256 - 1, sender=lp)
    delta = isqrt(reserves[0] * reserves[1])
    modify = (
        "modifyLiquidity((address,address,uint24,int24,address),(int24,int24,int256,bytes32),bytes)"
    )
    liquidity[modify](key, (-FULL_RANGE, FULL_RANGE, delta, b"\0" * 32), b"", sender=lp)
    return V4(manager, router, key)


def v4_sell(peer: V4, user: Any, amount: int, side: bool) -> None:
    """Exact in through the router, plain ERC-20 in and out; the user has approved it."""
    limit = NO_LIMIT_DOWN if side else NO_LIMIT_UP
    peer.router.swap(peer.key, (side, -amount, limit), sender=user)


def _sqrt_price_x96(reserves: tuple[int, int]) -> int:
    return isqrt((reserves[1] << 192) // reserves[0])
