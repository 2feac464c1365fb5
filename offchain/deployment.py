"""Typed reader and writer of `deployments/<chain-id>.json`; it never talks to a chain.

The file says what was deployed where, from which constructor arguments and with which code:

    {"schema": 1, "chainId": 31337,
     "contracts": {"CapitalRouter": {"address": "0x…", "codeHash": "0x…", "constructorArgs": [],
                                     "deployBlock": 12, "artifact": "CapitalRouter"}},
     "roles": {"governance": "0x…"}, "external": {"USDC": "0x…"}, "permissioned": false}

`artifact` names the compiled contract when several instances share one (it defaults to the key);
`external` lists addresses that others deployed; `permissioned` says whether only investors with
credentials may enter. All three may be left out.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated, Any

from eth_utils.address import is_checksum_formatted_address, to_checksum_address
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    ValidationError,
    model_validator,
)
from pydantic.alias_generators import to_camel

from offchain import nested
from offchain.errors import OffchainError

SCHEMA = 1
ZERO_ADDRESS = "0x" + "00" * 20


class DeploymentError(OffchainError):
    """The deployment file is missing, damaged, or belongs to another chain."""


def _checksummed(value: str) -> str:
    checksummed = to_checksum_address(value)
    if is_checksum_formatted_address(value) and checksummed != value:
        raise ValueError("the address fails its own checksum")
    if checksummed == ZERO_ADDRESS:
        raise ValueError("the address is zero")
    return str(checksummed)


Address = Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{40}$"), AfterValidator(_checksummed)]
Hash32 = Annotated[str, Field(pattern=r"^0x[0-9a-f]{64}$")]
Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]


class _Model(BaseModel):
    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        alias_generator=to_camel,
        populate_by_name=True,
    )


class DeployedContract(_Model):
    """One contract: where it is, what it was built from, and what code it must carry."""

    address: Address
    code_hash: Hash32
    constructor_args: list[JsonValue]
    deploy_block: Annotated[int, Field(ge=0)]
    artifact: Name | None = None


class Deployment(_Model):
    """A whole deployment on one chain."""

    schema_version: Annotated[int, Field(alias="schema", ge=SCHEMA, le=SCHEMA)] = SCHEMA
    chain_id: Annotated[int, Field(gt=0)]
    contracts: Annotated[dict[Name, DeployedContract], Field(min_length=1)]
    roles: dict[Name, Address] = Field(default_factory=dict)
    external: dict[Name, Address] = Field(default_factory=dict)
    permissioned: bool = False

    @model_validator(mode="after")
    def _no_two_contracts_share_an_address(self) -> Deployment:
        seen: dict[str, str] = {}
        for name, contract in self.contracts.items():
            if contract.address in seen:
                raise ValueError(f"{seen[contract.address]} and {name} share an address")
            seen[contract.address] = name
        return self

    @classmethod
    def load(cls, path: Path, chain_id: int | None = None) -> Deployment:
        """Reads and checks a deployment file.

        Args:
            path: the file.
            chain_id: the chain that the caller is connected to, if it knows.

        Raises:
            DeploymentError: with one line, for every kind of damage.
        """
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            raise DeploymentError(f"deployment file {path} does not exist") from None
        except (OSError, UnicodeDecodeError) as error:
            raise DeploymentError(f"deployment file {path} cannot be read: {error}") from None
        try:
            raw = nested.loads(text, object_pairs_hook=_no_duplicates)
        except ValueError as error:
            raise DeploymentError(f"deployment file {path} is not valid JSON: {error}") from None
        try:
            deployment = cls.model_validate(raw)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "top level"
            raise DeploymentError(
                f"deployment file {path} is damaged at {where}: {first['msg']}"
            ) from None
        if chain_id is not None and deployment.chain_id != chain_id:
            raise DeploymentError(
                f"deployment file {path} is for chain {deployment.chain_id}, "
                f"the node is on chain {chain_id}"
            )
        return deployment

    def save(self, path: Path) -> None:
        """Writes the file whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        body = self.model_dump(mode="json", by_alias=True, exclude_none=True)
        try:
            with draft.open("w", encoding="utf-8") as handle:
                handle.write(json.dumps(body, indent=2) + "\n")
                handle.flush()
                os.fsync(handle.fileno())
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)

    def address(self, name: str) -> str:
        """The address of a contract.

        Raises:
            DeploymentError: if the deployment has no contract of that name.
        """
        try:
            return self.contracts[name].address
        except KeyError:
            raise DeploymentError(f"the deployment has no contract named {name}") from None

    def artifact(self, name: str) -> str:
        """The compiled contract that `name` is an instance of."""
        self.address(name)
        return self.contracts[name].artifact or name

    def named(self, artifact: str) -> tuple[str, ...]:
        """Names of every instance of a compiled contract, in file order."""
        return tuple(name for name in self.contracts if self.artifact(name) == artifact)

    @property
    def first_block(self) -> int:
        """The block from which the suite's events can exist."""
        return min(contract.deploy_block for contract in self.contracts.values())


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """NOTE: parsers keep the last of two equal keys, which would swap an address silently."""
    body = dict(pairs)
    if len(body) != len(pairs):
        raise ValueError("a key appears twice")
    return body
