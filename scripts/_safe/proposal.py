"""A Safe transaction and its signatures as a JSON file; nothing in the file is believed.

    {"schema": 1, "chainId": 1, "safe": "0x…", "nonce": 7, "to": "0x…", "value": "0",
     "data": "0x…", "operation": 0, "safeTxHash": "0x…", "signatures": {"0xowner…": "0x…"}}

Gas refunds cannot be expressed. What the transaction does is decoded from `data` each time it is
shown.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from offchain import nested
from scripts._safe.errors import SafeError
from scripts._safe.signatures import recover
from scripts._safe.transaction import Operation, SafeTx, checked_address

SCHEMA = 1
Hex = Annotated[str, Field(pattern=r"^0x([0-9a-f]{2})*$")]
Amount = Annotated[str, Field(pattern=r"^(0|[1-9][0-9]{0,77})$")]
Text = Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{40}$")]


class _File(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, alias_generator=to_camel, populate_by_name=True
    )

    schema_version: Annotated[int, Field(alias="schema", ge=SCHEMA, le=SCHEMA)] = SCHEMA
    chain_id: Annotated[int, Field(gt=0)]
    safe: Text
    nonce: Annotated[int, Field(ge=0)]
    to: Text
    value: Amount
    data: Hex
    operation: Annotated[int, Field(ge=0, le=1)]
    safe_tx_hash: Annotated[str, Field(pattern=r"^0x[0-9a-f]{64}$")]
    signatures: dict[Text, Annotated[str, Field(pattern=r"^0x[0-9a-f]{130}$")]]


@dataclass(frozen=True)
class Proposal:
    """A transaction with the signatures that it has so far.

    Attributes:
        tx: what is proposed.
        signatures: by signer, each checked by recovery. Whether a signer is an owner, only the
            chain knows.
    """

    tx: SafeTx
    signatures: Mapping[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for owner, signature in self.signatures.items():
            if recover(self.tx.hash, signature) != owner:
                raise SafeError(f"the signature of {owner} is not its own over this transaction")

    @property
    def file_name(self) -> str:
        """`safe-<first of the Safe>-<nonce>-<first of the hash>.json`."""
        return f"safe-{self.tx.safe[2:8].lower()}-{self.tx.nonce}-{self.tx.hash.hex()[:8]}.json"

    def with_signatures(self, signatures: Mapping[str, bytes]) -> Proposal:
        """The same with more signatures."""
        return Proposal(self.tx, {**self.signatures, **signatures})

    def merged(self, other: Proposal) -> Proposal:
        """The signatures of both.

        Raises:
            SafeError: if the other proposes another transaction.
        """
        if other.tx != self.tx:
            mine, its = self.tx.hash.hex()[:8], other.tx.hash.hex()[:8]
            raise SafeError(f"two different transactions: 0x{mine}… and 0x{its}…")
        return self.with_signatures(other.signatures)

    @classmethod
    def load(cls, path: Path) -> Proposal:
        """Reads and checks a file: its shape, its hash, and every signature.

        Raises:
            SafeError: with one line, for every kind of damage.
        """
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            raise SafeError(f"proposal {path} does not exist") from None
        except (OSError, UnicodeDecodeError) as error:
            raise SafeError(f"proposal {path} cannot be read: {error}") from None
        try:
            raw = nested.loads(text, object_pairs_hook=_no_duplicates)
        except ValueError as error:
            raise SafeError(f"proposal {path} is not valid JSON: {error}") from None
        try:
            parsed = _File.model_validate(raw)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "top level"
            raise SafeError(f"proposal {path} is damaged at {where}: {first['msg']}") from None
        try:
            return cls._checked(parsed)
        except SafeError as error:
            raise SafeError(f"proposal {path} is damaged: {error}") from None

    @classmethod
    def _checked(cls, parsed: _File) -> Proposal:
        tx = SafeTx(
            chain_id=parsed.chain_id,
            safe=parsed.safe,
            nonce=parsed.nonce,
            to=parsed.to,
            data=bytes.fromhex(parsed.data[2:]),
            value=int(parsed.value),
            operation=Operation(parsed.operation),
        )
        if "0x" + tx.hash.hex() != parsed.safe_tx_hash:
            raise SafeError("its fields do not give its safeTxHash")
        tx.calls()
        signatures = {
            checked_address(owner, "a signer"): bytes.fromhex(signature[2:])
            for owner, signature in parsed.signatures.items()
        }
        return cls(tx, signatures)

    def save(self, path: Path) -> None:
        """Writes the file whole or not at all.

        Raises:
            SafeError: if the transaction asks for a gas refund, which the file cannot say.
        """
        tx = self.tx
        body = _File(
            chain_id=tx.chain_id,
            safe=tx.safe,
            nonce=tx.nonce,
            to=tx.to,
            value=str(tx.value),
            data="0x" + tx.data.hex(),
            operation=int(tx.operation),
            safe_tx_hash="0x" + tx.hash.hex(),
            signatures={owner: "0x" + s.hex() for owner, s in sorted(self.signatures.items())},
        )
        if self._checked(body).tx != tx:
            raise SafeError("a transaction with a gas refund cannot be proposed")
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            draft.write_text(json.dumps(body.model_dump(by_alias=True), indent=2) + "\n")
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """NOTE: parsers keep the last of two equal keys, which would swap a target silently."""
    body = dict(pairs)
    if len(body) != len(pairs):
        raise ValueError("a key appears twice")
    return body
