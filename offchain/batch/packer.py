"""Packs waiting intents into batches by gas, size and deadline; it reads no clock and no chain.

The same intents in the same order always make the same batch with the same id, which the gateway
accepts once. Deposits and exits go into batches of their own, so that exits still settle when the
orchestrator only takes risk off.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from eth_utils.crypto import keccak

from offchain.batch.intents import Intent


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """Limits of one batch.

    Attributes:
        gas: most that a batch may need, by the estimates below.
        size: most intents.
        base_gas: of the settlement itself.
        deposit_gas: per deposit.
        exit_gas: per exit.
        margin: seconds of chain time that an intent must still be good for.
        patience: blocks that intents may wait for company before a small batch goes.
    """

    gas: int = 8_000_000
    size: int = 60
    base_gas: int = 120_000
    deposit_gas: int = 160_000
    exit_gas: int = 260_000
    margin: int = 60
    patience: int = 2

    def room(self, kind: str) -> int:
        """How many intents of a kind fit."""
        each = self.deposit_gas if kind == "deposit" else self.exit_gas
        return max(0, min(self.size, (self.gas - self.base_gas) // each))


def expired(intents: Iterable[Intent], now: int, margin: int) -> list[Intent]:
    """Those that would no longer settle."""
    return [intent for intent in intents if intent.deadline < now + margin]


def pack(intents: Iterable[Intent], kind: str, limits: BatchLimits) -> list[Intent]:
    """The next batch of a kind: in the order received, one per (owner, nonce)."""
    chosen: list[Intent] = []
    slots: set[tuple[str, int]] = set()
    room = limits.room(kind)
    for intent in intents:
        if len(chosen) == room:
            break
        if intent.kind == kind and intent.slot not in slots:
            slots.add(intent.slot)
            chosen.append(intent)
    return chosen


def batch_id(chain_id: int, gateway: str, intents: Sequence[tuple[str, int]]) -> str:
    """keccak256(tag ‖ chain id ‖ gateway ‖ (intent id ‖ tries so far) in order).

    NOTE: an intent that was turned away for a passing reason is packed again; the tries keep the
    new batch's id apart from the one that the gateway has seen.
    """
    parts = [b"breakwater.batch.1", chain_id.to_bytes(32, "big"), bytes.fromhex(gateway[2:])]
    for name, tries in intents:
        parts += [bytes.fromhex(name[2:]), tries.to_bytes(4, "big")]
    return "0x" + keccak(b"".join(parts)).hex()
