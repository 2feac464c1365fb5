"""What a deployment is told: addresses of peers, holders of roles, limits; it asks no chain.

The file is TOML; `docs/deployment.md` explains every field. Amounts are in the token's own units.
"""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from offchain.deployment import Address
from scripts._deployment.errors import DeployError
from scripts._safe.abi import MULTI_SEND_CALL_ONLY

Bps = Annotated[int, Field(ge=0, le=10_000)]
Seconds = Annotated[int, Field(gt=0)]
Amount = Annotated[int, Field(gt=0, lt=2**128)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Safes(_Model):
    """The two real multisigs, and what they must at least be."""

    governance: Address
    governance_threshold: Annotated[int, Field(ge=2)]
    governance_owners: Annotated[int, Field(ge=2)]
    guardian: Address
    guardian_threshold: Annotated[int, Field(ge=2)]
    guardian_owners: Annotated[int, Field(ge=2)]
    multi_send: Address = MULTI_SEND_CALL_ONLY

    @model_validator(mode="after")
    def _consistent(self) -> Safes:
        if self.governance == self.guardian:
            raise ValueError("governance and guardian are the same Safe")
        for role in ("governance", "guardian"):
            if getattr(self, f"{role}_owners") < getattr(self, f"{role}_threshold"):
                raise ValueError(f"the {role} Safe's threshold exceeds its owners")
        return self


class Holders(_Model):
    """Who holds the operating roles."""

    allocator: Address
    keeper: Address
    batcher: Address
    compliance: Address
    sentinel: Address
    treasury: Address


class Feed(_Model):
    """One AggregatorV3 feed, the age at which its answer is too old, and the answers it refuses.

    The bounds are in the feed's own units and are refused themselves: a feed that its publisher
    clamps goes on answering at the clamp while the market is elsewhere.
    """

    address: Address
    max_age: Seconds
    min_answer: Annotated[int, Field(ge=0)] = 0
    max_answer: Amount = 10**24

    @model_validator(mode="after")
    def _some_answer_left(self) -> Feed:
        if self.min_answer >= self.max_answer:
            raise ValueError("min_answer is not below max_answer")
        return self


class Asset(_Model):
    """A token and the feeds that price it."""

    token: Address
    feeds: tuple[Feed, ...]
    max_spread_bps: Bps

    @model_validator(mode="after")
    def _enough_feeds(self) -> Asset:
        if len(self.feeds) < 3:
            raise ValueError("at least three feeds are needed per asset")
        return self


class Cap(_Model):
    """Most that a strategy may hold, absolute and as a part of total assets."""

    assets: Amount
    bps: Bps


class ForeignVault(_Model):
    """Somebody else's ERC-4626 vault, used as it is."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9]*$")]
    address: Address
    cap: Cap


class Aave(_Model):
    """Aave V3's market."""

    addresses_provider: Address
    cap: Cap


class Compound(_Model):
    """A market of Compound V3 whose base token is the asset."""

    comet: Address
    rewards: Address
    cap: Cap


class Curve(_Model):
    """A stable pool of Curve's, and what entering and leaving it may cost."""

    pool: Address
    lp_token: Address
    coins: Annotated[int, Field(ge=2, le=3)]
    entry_loss_bps: Bps
    exit_loss_bps: Bps
    imbalance_bps: Bps
    cap: Cap


class UniswapV3(_Model):
    """A range order in a Uniswap V3 pool; deviation and width in ticks."""

    pool: Address
    twap_period: Seconds
    max_deviation: Annotated[int, Field(gt=0, lt=2**24)]
    width: Annotated[int, Field(gt=0, lt=2**24)]
    max_slippage_bps: Bps
    cap: Cap


class GuardedPoolTerms(_Model):
    """Liquidity in the suite's own guarded pool."""

    twap_period: Seconds
    max_deviation_bps: Bps
    max_slippage_bps: Bps
    cap: Cap


class Sale(_Model):
    """A token that the suite sells for the asset, through the Uniswap V3 pool of this fee."""

    token: Address
    fee_pips: Annotated[int, Field(gt=0, lt=2**24)]
    max_slippage_bps: Bps


class Limits(_Model):
    """What the suite starts with; governance moves it later."""

    deposit_cap: Amount
    exit_limit: Amount
    exit_window: Seconds
    max_drawdown_bps: Bps
    max_price_drop_bps: Bps
    idle_floor_bps: Bps
    small_plan_bps: Bps
    epoch_loss_bps: Bps
    profit_unlock: Seconds
    max_gain_bps: Bps
    max_loss_bps: Bps
    performance_fee_bps: Bps
    management_fee_bps: Bps
    governance_delay: Annotated[int, Field(ge=0, lt=2**32)]
    freeze_duration: Seconds
    freeze_cooldown: Seconds
    guardian_heartbeat: Seconds


class PoolSeed(_Model):
    """The guarded pool's pair and first liquidity, paid by the deployer."""

    token0: Address
    token1: Address
    amount0: Amount
    amount1: Amount
    guard_window: Seconds


class Parameters(_Model):
    """Everything that a suite needs to know about its chain."""

    chain_id: Annotated[int, Field(gt=0)]
    share_name: str
    share_symbol: str
    asset: Address
    safes: Safes
    holders: Holders
    assets: tuple[Asset, ...]
    aave: Aave
    foreign_vaults: tuple[ForeignVault, ...] = ()
    compound: Compound | None = None
    curve: Curve | None = None
    uniswap_v3: UniswapV3 | None = None
    guarded_pool: GuardedPoolTerms | None = None
    sales: tuple[Sale, ...] = ()
    permissioned: bool = False
    kyc_providers: tuple[Address, ...] = ()
    uniswap_v3_router: Address
    pool: PoolSeed
    limits: Limits

    @model_validator(mode="after")
    def _somebody_may_enter(self) -> Parameters:
        if self.permissioned and not self.kyc_providers:
            raise ValueError("permissioned, but there is no KYC provider: nobody could deposit")
        if len({sale.token for sale in self.sales}) != len(self.sales):
            raise ValueError("a token has two ways to be sold")
        return self

    @classmethod
    def load(cls, path: Path) -> Parameters:
        """Reads a parameter file.

        Raises:
            DeployError: with one line, if it is missing or wrong.
        """
        try:
            raw = tomllib.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise DeployError(f"parameter file {path} does not exist") from None
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise DeployError(f"parameter file {path} cannot be read: {error}") from None
        try:
            return cls.model_validate_json(json.dumps(raw, default=str))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "top level"
            raise DeployError(
                f"parameter file {path} is wrong at {where}: {first['msg']}"
            ) from None
