"""What a Safe signs: the transaction, its EIP-712 hash, batches of calls; never asks a chain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from eth_abi.abi import encode
from eth_utils.address import is_address, is_checksum_formatted_address, to_checksum_address
from eth_utils.crypto import keccak

from scripts._safe.errors import SafeError

ZERO_ADDRESS = "0x" + "00" * 20
UINT256_MAX = 2**256 - 1
DOMAIN_TYPEHASH = keccak(text="EIP712Domain(uint256 chainId,address verifyingContract)")
SAFE_TX_FIELDS = (
    ("to", "address"),
    ("value", "uint256"),
    ("data", "bytes"),
    ("operation", "uint8"),
    ("safeTxGas", "uint256"),
    ("baseGas", "uint256"),
    ("gasPrice", "uint256"),
    ("gasToken", "address"),
    ("refundReceiver", "address"),
    ("nonce", "uint256"),
)
SAFE_TX_TYPEHASH = keccak(
    text="SafeTx(" + ",".join(f"{kind} {name}" for name, kind in SAFE_TX_FIELDS) + ")"
)
MULTI_SEND_SELECTOR = keccak(text="multiSend(bytes)")[:4]
PACKED_HEAD = 1 + 20 + 32 + 32


class Operation(IntEnum):
    """How the Safe reaches the target."""

    CALL = 0
    DELEGATECALL = 1


def checked_address(value: str, what: str) -> str:
    """The address with its checksum; a wrong checksum is refused, not repaired.

    Raises:
        SafeError: if it is no address.
    """
    if not isinstance(value, str) or not is_address(value) or not value.startswith("0x"):
        raise SafeError(f"{what} is not an address: {value!r}")
    checksummed = str(to_checksum_address(value))
    if is_checksum_formatted_address(value) and value != checksummed:
        raise SafeError(f"{what} fails its checksum: {value}")
    return checksummed


def _checked_amount(value: int, what: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= UINT256_MAX:
        raise SafeError(f"{what} is not a uint256: {value!r}")


@dataclass(frozen=True)
class Call:
    """One call that the Safe makes.

    Attributes:
        to: target.
        data: calldata.
        value: wei.
    """

    to: str
    data: bytes
    value: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "to", checked_address(self.to, "the target of a call"))
        _checked_amount(self.value, "the value of a call")


@dataclass(frozen=True)
class SafeTx:
    """A Safe transaction, complete with the chain and the Safe it belongs to.

    Attributes:
        chain_id: chain.
        safe: the Safe.
        nonce: the Safe's nonce at which it executes, once.
        to: target.
        data: calldata.
        value: wei.
        operation: call, or delegate call (only ever to MultiSendCallOnly).
        safe_tx_gas: 0: if the inner call fails, everything reverts and the nonce stays.
        base_gas: 0: no refund.
        gas_price: 0: no refund.
        gas_token: zero: no refund.
        refund_receiver: zero: no refund.
    """

    chain_id: int
    safe: str
    nonce: int
    to: str
    data: bytes
    value: int = 0
    operation: Operation = Operation.CALL
    safe_tx_gas: int = 0
    base_gas: int = 0
    gas_price: int = 0
    gas_token: str = ZERO_ADDRESS
    refund_receiver: str = ZERO_ADDRESS

    def __post_init__(self) -> None:
        for name in ("safe", "to", "gas_token", "refund_receiver"):
            object.__setattr__(self, name, checked_address(getattr(self, name), f"{name}"))
        for name in ("chain_id", "nonce", "value", "safe_tx_gas", "base_gas", "gas_price"):
            _checked_amount(getattr(self, name), name)
        object.__setattr__(self, "operation", Operation(self.operation))

    def arguments(self) -> tuple[Any, ...]:
        """The ten signed fields, in the order of the Safe's functions."""
        return (
            self.to,
            self.value,
            self.data,
            int(self.operation),
            self.safe_tx_gas,
            self.base_gas,
            self.gas_price,
            self.gas_token,
            self.refund_receiver,
            self.nonce,
        )

    @property
    def domain_hash(self) -> bytes:
        """EIP-712 domain separator: what a hardware wallet shows as "domain hash"."""
        kinds = ["bytes32", "uint256", "address"]
        return bytes(keccak(encode(kinds, [DOMAIN_TYPEHASH, self.chain_id, self.safe])))

    @property
    def message_hash(self) -> bytes:
        """EIP-712 hash of the message alone: what a hardware wallet shows as "message hash"."""
        kinds = ["bytes32"] + ["bytes32" if kind == "bytes" else kind for _, kind in SAFE_TX_FIELDS]
        values = [keccak(v) if isinstance(v, bytes) else v for v in self.arguments()]
        return bytes(keccak(encode(kinds, [SAFE_TX_TYPEHASH, *values])))

    @property
    def hash(self) -> bytes:
        """The safeTxHash: what the owners sign."""
        return bytes(keccak(b"\x19\x01" + self.domain_hash + self.message_hash))

    def typed_data(self) -> dict[str, Any]:
        """The same as EIP-712 typed data, for wallets that show it."""
        message = dict(zip((n for n, _ in SAFE_TX_FIELDS), self.arguments(), strict=True))
        return {
            "types": {
                "EIP712Domain": [
                    {"name": "chainId", "type": "uint256"},
                    {"name": "verifyingContract", "type": "address"},
                ],
                "SafeTx": [{"name": name, "type": kind} for name, kind in SAFE_TX_FIELDS],
            },
            "primaryType": "SafeTx",
            "domain": {"chainId": self.chain_id, "verifyingContract": self.safe},
            "message": message,
        }

    def calls(self) -> tuple[Call, ...]:
        """The calls that the Safe makes, with a batch taken apart.

        Raises:
            SafeError: for a delegate call that is no well-formed batch of plain calls.
        """
        if self.operation is Operation.CALL:
            return (Call(self.to, self.data, self.value),)
        return unpack_batch(self.data)


def pack_batch(calls: Sequence[Call]) -> bytes:
    """Calldata of `multiSend` for plain calls.

    Raises:
        SafeError: if there is nothing to send.
    """
    if not calls:
        raise SafeError("a batch needs at least one call")
    packed = b"".join(
        bytes([Operation.CALL])
        + bytes.fromhex(call.to[2:])
        + call.value.to_bytes(32, "big")
        + len(call.data).to_bytes(32, "big")
        + call.data
        for call in calls
    )
    return bytes(MULTI_SEND_SELECTOR + encode(["bytes"], [packed]))


def unpack_batch(data: bytes) -> tuple[Call, ...]:
    """The calls inside `multiSend` calldata.

    Raises:
        SafeError: for anything that `pack_batch` would not have written, delegate calls included.
    """
    size = int.from_bytes(data[36:68], "big")
    packed = data[68 : 68 + size]
    calls = []
    at = 0
    while at < len(packed):
        head = packed[at : at + PACKED_HEAD]
        length = int.from_bytes(head[53:85], "big")
        body = packed[at + PACKED_HEAD : at + PACKED_HEAD + length]
        if len(head) < PACKED_HEAD or len(body) < length:
            raise SafeError("the batch is cut off")
        if head[0] != Operation.CALL:
            raise SafeError("the batch holds something other than plain calls")
        to = str(to_checksum_address(head[1:21]))
        calls.append(Call(to, body, int.from_bytes(head[21:53], "big")))
        at += PACKED_HEAD + length
    # NOTE: one way to write a batch, so that nothing can hide in padding or behind the end.
    if not calls or pack_batch(calls) != data:
        raise SafeError("a delegate call is not a well-formed batch of calls")
    return tuple(calls)
