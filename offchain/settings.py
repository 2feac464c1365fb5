"""Every setting of the orchestrator, in one object, from `BREAKWATER_*`; it holds no other state.

Keys are read from the environment or from files named there, and are never printed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from offchain.batch.packer import BatchLimits
from offchain.chain.sender import GWEI, SendPolicy
from offchain.chain.signers import KeySigner
from offchain.errors import OffchainError
from offchain.keeper.jobs import Trigger


class SettingsError(OffchainError):
    """A setting is missing or makes no sense."""


class Settings(BaseSettings):
    """What an operator may set. Blocks and seconds are those of the chain unless said otherwise."""

    model_config = SettingsConfigDict(env_prefix="BREAKWATER_", frozen=True, extra="ignore")

    rpc_urls: Annotated[str, NoDecode] = "http://127.0.0.1:8545"
    """Comma-separated. One address means that one node is trusted."""
    quorum: Annotated[int, Field(ge=1)] | None = None
    """How many nodes must agree; a majority if unset."""
    rpc_timeout: Annotated[float, Field(gt=0)] = 30.0
    deployments: Path = Path("deployments")
    """Folder with `<chain-id>.json`."""
    deployment: Path | None = None
    """One deployment file instead of the folder."""
    journal: str = "run/journal.db"
    """A path, or a `postgresql://` address."""
    anchors: Path | None = None
    """File for checkpoints; it should lie on another disk than the journal."""

    keeper_key: SecretStr | None = None
    keeper_key_file: Path | None = None
    sentinel_key: SecretStr | None = None
    sentinel_key_file: Path | None = None

    poll_seconds: Annotated[float, Field(gt=0)] = 2.0
    backoff_seconds: Annotated[float, Field(gt=0)] = 60.0
    """Longest pause between two tries while the chain does not answer."""
    metrics_port: Annotated[int, Field(ge=0, le=65535)] = 0
    """On 127.0.0.1; 0 is off."""
    checkpoint_every: Annotated[int, Field(ge=1)] = 500
    anchor_every: Annotated[int, Field(ge=1)] = 5_000
    """Events after which the newest checkpoint goes on chain, if the suite has `AuditAnchor`."""
    anchor_age: Annotated[int, Field(ge=1)] = 24 * 3600
    """Seconds after which it goes there in any case."""

    max_fee_gwei: Annotated[int, Field(ge=1)] = 200
    brake_max_fee_gwei: Annotated[int, Field(ge=1)] | None = None
    """For what stops (poke, throttle); five times `max_fee_gwei` if unset, never less than it."""
    max_gas: Annotated[int, Field(ge=100_000)] = 15_000_000
    """Largest gas limit of a transaction."""
    tip_gwei: Annotated[int, Field(ge=0)] = 1
    confirmations: Annotated[int, Field(ge=1)] = 2
    finality: Annotated[int, Field(ge=1)] = 64
    deadline_blocks: Annotated[int, Field(ge=1)] = 50
    replace_after_blocks: Annotated[int, Field(ge=1)] = 3
    retry_after_blocks: Annotated[int, Field(ge=0)] = 10

    batch_size: Annotated[int, Field(ge=1, le=200)] = 60
    batch_gas: Annotated[int, Field(ge=1_000_000)] = 8_000_000
    batch_patience_blocks: Annotated[int, Field(ge=0)] = 2

    report_age: Annotated[int, Field(ge=1)] = 24 * 3600
    report_gain_bps: Annotated[int, Field(ge=1)] = 10
    report_loss_bps: Annotated[int, Field(ge=1)] = 1
    process_bps: Annotated[int, Field(ge=0, le=10_000)] = 10
    """Shares that can be paid out of the exit queue, of all, from which the keeper does it."""

    @model_validator(mode="after")
    def _quorum_fits(self) -> Self:
        urls = self.urls
        if not urls:
            raise ValueError("rpc_urls names no node")
        if len(set(urls)) != len(urls):
            raise ValueError("rpc_urls names a node twice")
        if self.quorum is not None and self.quorum > len(urls):
            raise ValueError(f"a quorum of {self.quorum} of {len(urls)} nodes is impossible")
        if self.finality < self.confirmations:
            raise ValueError("finality must not be below confirmations")
        if self.brake_max_fee_gwei is not None and self.brake_max_fee_gwei < self.max_fee_gwei:
            raise ValueError("brake_max_fee_gwei must not be below max_fee_gwei")
        if self.batch_gas > self.max_gas:
            raise ValueError("batch_gas must not be above max_gas")
        for name in ("keeper", "sentinel"):
            if getattr(self, f"{name}_key") and getattr(self, f"{name}_key_file"):
                raise ValueError(f"set {name}_key or {name}_key_file, not both")
        return self

    @classmethod
    def read(cls, **overrides: object) -> Settings:
        """Settings from the environment; overrides that are None are left out.

        Raises:
            SettingsError: with one line, for anything that makes no sense.
        """
        try:
            return cls(**{k: v for k, v in overrides.items() if v is not None})  # type: ignore[arg-type]
        except ValidationError as error:
            first = error.errors(include_input=False)[0]
            where = "".join(f" BREAKWATER_{str(part).upper()}" for part in first["loc"][:1])
            raise SettingsError(f"bad setting{where}: {first['msg']}") from None

    @property
    def urls(self) -> list[str]:
        """RPC addresses."""
        return [url.strip() for url in self.rpc_urls.split(",") if url.strip()]

    def deployment_file(self, chain_id: int) -> Path:
        """Where the deployment on a chain is described."""
        return self.deployment or self.deployments / f"{chain_id}.json"

    def signer(self, name: str) -> KeySigner | None:
        """The key of the keeper or the sentinel; None if it is not set.

        Raises:
            SettingsError: if it is set and is no key.
        """
        secret: SecretStr | None = getattr(self, f"{name}_key")
        path: Path | None = getattr(self, f"{name}_key_file")
        if secret is None and path is None:
            return None
        try:
            text = secret.get_secret_value() if secret else path.read_text().strip()  # type: ignore[union-attr]
        except (OSError, UnicodeDecodeError):
            raise SettingsError(f"the {name}'s key file cannot be read") from None
        try:
            return KeySigner(text)
        except Exception:  # noqa: BLE001 - the error's text could repeat the key
            raise SettingsError(f"the {name}'s key is not a private key") from None

    def send_policy(self) -> SendPolicy:
        """Limits of the senders."""
        return SendPolicy(
            max_fee=self.max_fee_gwei * GWEI,
            brake_max_fee=(self.brake_max_fee_gwei or 5 * self.max_fee_gwei) * GWEI,
            max_gas=self.max_gas,
            tip=self.tip_gwei * GWEI,
            replace_after=self.replace_after_blocks,
            deadline=self.deadline_blocks,
            retry_after=self.retry_after_blocks,
            confirmations=self.confirmations,
            finality=self.finality,
        )

    def batch_limits(self) -> BatchLimits:
        """Limits of a batch."""
        return BatchLimits(
            gas=self.batch_gas, size=self.batch_size, patience=self.batch_patience_blocks
        )

    def trigger(self) -> Trigger:
        """When a strategy calls for a report."""
        return Trigger(self.report_age, self.report_gain_bps, self.report_loss_bps)
