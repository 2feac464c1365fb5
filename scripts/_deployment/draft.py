"""What a deployment has done so far, on disk before each transaction; it never talks to a chain.

A deployment that stops in the middle (a dead chain, a killed process) is continued from its draft:
every contract's address is fixed by the deployer's nonce and written down before the transaction
is signed, so that a second run looks there first and never deploys the same thing twice.
"""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from offchain import nested
from scripts._deployment.errors import DeployError

SCHEMA = 1


class Intent(BaseModel):
    """One contract: where it will be, and the hash of the code and arguments that go there."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    address: str
    nonce: int = Field(ge=0)
    init_code_hash: str


class Draft(BaseModel):
    """All intents of one deployment by one deployer on one chain."""

    model_config = ConfigDict(extra="forbid", strict=True)

    schema_version: int = SCHEMA
    chain_id: int
    genesis_hash: str
    deployer: str
    first_block: int
    intents: dict[str, Intent] = Field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> Draft | None:
        """The draft at `path`, or None if there is none.

        Raises:
            DeployError: if the file is damaged.
        """
        if not path.exists():
            return None
        try:
            text = path.read_text(encoding="utf-8")
            draft = cls.model_validate(nested.loads(text))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "top level"
            raise DeployError(
                f"deployment draft {path} is damaged at {where}: {first['msg']}"
            ) from None
        except (OSError, ValueError) as error:
            raise DeployError(f"deployment draft {path} is damaged: {error}") from None
        if draft.schema_version != SCHEMA:
            raise DeployError(
                f"deployment draft {path} has schema {draft.schema_version}, not {SCHEMA}"
            )
        return draft

    def save(self, path: Path) -> None:
        """Replaces the file whole, and only returns once it is on disk."""
        write_whole(path, self.model_dump_json(indent=2) + "\n")


def write_whole(path: Path, text: str) -> None:
    """Replaces a file whole, and only returns once it is on disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with fresh.open("w", encoding="utf-8") as handle:
            handle.write(text)
            handle.flush()
            os.fsync(handle.fileno())
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
