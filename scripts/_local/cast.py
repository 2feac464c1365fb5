"""Who plays which role on a local chain: keys of anvil's published phrase, of no value."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from eth_utils.crypto import keccak

from offchain.chain.signers import KeySigner

MNEMONIC = "test test test test test test test test test test test junk"
INDEXES: dict[str, int] = {
    "deployer": 0,
    "governance_owner_1": 1,
    "governance_owner_2": 2,
    "governance_owner_3": 3,
    "governance_owner_4": 4,
    "governance_owner_5": 5,
    "guardian_owner_1": 6,
    "guardian_owner_2": 7,
    "guardian_owner_3": 8,
    "allocator": 9,
    "keeper": 10,
    "sentinel": 11,
    "compliance": 12,
    "treasury": 13,
    "attacker": 14,
    "whale": 15,
    "peers_deployer": 16,
    "trader": 17,
    "kyc_provider": 18,
}
GOVERNANCE_THRESHOLD = 3
GUARDIAN_THRESHOLD = 2


@dataclass(frozen=True)
class Cast:
    """Every role's key."""

    by_role: dict[str, KeySigner]

    def __getitem__(self, role: str) -> KeySigner:
        return self.by_role[role]

    @property
    def governance_owners(self) -> tuple[KeySigner, ...]:
        """Owners of the governance Safe."""
        return self._group("governance_owner_")

    @property
    def guardian_owners(self) -> tuple[KeySigner, ...]:
        """Owners of the guardian Safe."""
        return self._group("guardian_owner_")

    def _group(self, prefix: str) -> tuple[KeySigner, ...]:
        return tuple(key for role, key in self.by_role.items() if role.startswith(prefix))


@cache
def cast() -> Cast:
    """The cast of every local chain."""
    return Cast({role: KeySigner.from_mnemonic(MNEMONIC, index) for role, index in INDEXES.items()})


def investor(number: int) -> KeySigner:
    """One of the local investors: derived from its number, the same on every run."""
    return KeySigner(keccak(text=f"breakwater local investor {number}"))
