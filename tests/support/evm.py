"""An in-process EVM (pyrevm) for unit, fuzz and stateful tests; never a chain: no mempool, no fees.

    evm = Evm()
    token = evm.deploy("TestToken", "Dollar", "USD", 6)
    token.mint(evm.account("whale"), 10**6)
    with reverts("ERC20InsufficientBalance"):
        token.transfer(evm.account("attacker"), 1, sender=evm.account("investor"))

What pyrevm cannot do: the base fee is always 0, and state stays warm from call to call. Exact gas,
as a real transaction pays it, is computed in metered mode only (`Evm(metered=True)` or
`with evm.metered():`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

import pyrevm
from eth_account import Account as EthAccount
from eth_account.signers.local import LocalAccount
from eth_utils.crypto import keccak

from offchain.abi import Event, checksum
from tests.support import build, gas
from tests.support.evm_calls import (
    DEFAULT_GAS,
    Contract,
    Interface,
    NotMeteredError,
    Receipt,
    RejectedError,
    Revert,
    interface,
    known_abis,
    reverts,
)

__all__ = [
    "CHAIN_ID",
    "DEFAULT_GAS",
    "Address",
    "Contract",
    "Evm",
    "Interface",
    "NotMeteredError",
    "Receipt",
    "RejectedError",
    "Revert",
    "interface",
    "known_abis",
    "labelled",
    "reverts",
]

BLOCK_GAS = 1_000_000_000
FUNDING = 1_000_000 * 10**18
CHAIN_ID = 31_337

# pyrevm takes an unknown name for "latest", silently: only these are let through.
SPECS = {"PARIS": "Merge", "SHANGHAI": "Shanghai", "CANCUN": "Cancun"}
REVERTED = re.compile(r"Revert \{ gas_used: (\d+), output: 0x([0-9a-f]*) \}")
HALTED = re.compile(r"Halt \{ reason: (.+), gas_used: (\d+) \}")
FAUCET = checksum(keccak(text="faucet")[12:])
# revm pads analysed code with this many zero bytes.
CODE_PADDING = 33


class Address(str):
    """A labelled account: its address, usable wherever an address is, and its key to sign with."""

    label: str
    key: bytes
    __slots__ = ("key", "label")

    @property
    def signer(self) -> LocalAccount:
        return cast(LocalAccount, EthAccount.from_key(self.key))


@cache
def labelled(label: str) -> Address:
    """The account of that label: the same in every run, and on every chain."""
    key = keccak(text=f"breakwater test account {label}")
    account = Address(EthAccount.from_key(key).address)
    account.label, account.key = label, key
    return account


@dataclass(frozen=True)
class _Frame:
    """What a snapshot restores beside the journal."""

    checkpoint: Any
    number: int
    timestamp: int
    funded: frozenset[str]
    etched: int
    last: Receipt | None


def _address(value: Any) -> str:
    return str(getattr(value, "address", value))


class Evm:
    """One world: accounts, contracts, a block number and a clock.

    Args:
        timestamp: of the first block.
        block_number: of the first block.
        block_time: seconds that `mine` adds per block.
        spec: 'SHANGHAI' (what ships), 'PARIS' or 'CANCUN'.
        metered: compute the exact gas of every committed call (slow: each is traced).
        chain_id: what contracts see of the chain.

    Attributes:
        calls: how many were executed, reads and failures included.
    """

    def __init__(
        self,
        timestamp: int = 1_700_000_000,
        block_number: int = 18_000_000,
        block_time: int = 12,
        spec: str = "SHANGHAI",
        metered: bool = False,
        chain_id: int = CHAIN_ID,
    ) -> None:
        if spec.upper() not in SPECS:
            raise ValueError(f"unknown spec {spec}: one of {', '.join(SPECS)}")
        self._spec = spec.upper()
        self.timestamp = timestamp
        self.block_number = block_number
        self.block_time = block_time
        self._metered = metered
        self._frames: list[_Frame] = []
        self._funded: set[str] = set()
        self._etched: list[tuple[str, bytes]] = []
        self.last: Receipt | None = None
        self.calls = 0
        env = pyrevm.Env(cfg=pyrevm.CfgEnv(chain_id=chain_id), block=self._block())
        self._evm = pyrevm.EVM(env=env, gas_limit=DEFAULT_GAS, spec_id=SPECS[self._spec])
        self._evm.set_balance(FAUCET, 2**200)
        self.default_sender = self.account("deployer")

    # --- accounts and blocks

    def account(self, label: str) -> Address:
        """The labelled account, funded with ETH when first asked for."""
        account = labelled(label)
        if label not in self._funded:
            self._funded.add(label)
            self.set_balance(account, FUNDING)
        return account

    def _block(self) -> pyrevm.BlockEnv:
        return pyrevm.BlockEnv(
            number=self.block_number, timestamp=self.timestamp, gas_limit=BLOCK_GAS
        )

    def mine(self, blocks: int = 1, seconds: int | None = None) -> None:
        """Moves on by so many blocks, and by so many seconds (default: `block_time` per block)."""
        self.block_number += blocks
        self.timestamp += blocks * self.block_time if seconds is None else seconds
        self._evm.set_block_env(self._block())

    def warp(self, timestamp: int) -> None:
        """Moves the clock to a time, and on by one block."""
        self.mine(1, timestamp - self.timestamp)

    # --- contracts

    def deploy(
        self, name: str, *args: Any, sender: Any = None, value: int = 0, gas: int = DEFAULT_GAS
    ) -> Contract:
        """Deploys a contract from contracts/ or tests/ by name."""
        found = interface(name)
        if not found.artifact.bytecode:
            raise ValueError(f"{name} is an interface or abstract: nothing to deploy")
        code = found.artifact.bytecode + found.constructor.encode(args)
        return Contract(self, found, self.create(code, sender=sender, value=value, gas=gas))

    def create(
        self, code: bytes, sender: Any = None, value: int = 0, gas: int = DEFAULT_GAS
    ) -> str:
        """Runs creation code; returns the new contract's address."""
        account = self.default_sender if sender is None else sender
        origin = _address(account)

        def run() -> str:
            return checksum(self._evm.deploy(origin, code, value, gas))

        with self._sending_from(account):
            return str(self._commit(origin, "", value, run, _identity, code))

    def at(self, name: str, address: Any) -> Contract:
        """An existing contract, seen through the ABI of that name."""
        return Contract(self, interface(name), _address(address))

    # --- calls

    def transact(
        self,
        sender: Any,
        to: Any,
        data: bytes = b"",
        value: int = 0,
        gas: int = DEFAULT_GAS,
        decode: Callable[[bytes], Any] | None = None,
    ) -> Any:
        """Executes and commits a call. A contract may be the sender, but has no code meanwhile.

        Raises:
            Revert: the call failed; nothing changed.
        """
        origin, target = _address(sender), _address(to)
        if origin == target and self.code(target):
            raise ValueError("a contract cannot be the sender of a call to itself")

        def run() -> bytes:
            return bytes(self._evm.message_call(origin, target, data, value, gas))

        self.calls += 1
        with self._sending_from(sender):
            return self._commit(origin, target, value, run, decode or _identity, data)

    def static(self, sender: Any, to: Any, data: bytes, gas: int = DEFAULT_GAS) -> bytes:
        """A read: nothing is committed, and an attempt to write fails."""
        origin, target = _address(sender), _address(to)

        def run() -> bytes:
            return bytes(self._evm.message_call(origin, target, data, None, gas, None, True))

        self.calls += 1
        with self._sending_from(sender):
            return cast(bytes, self._guarded(run))

    def raw(
        self, sender: str, to: str, data: bytes, value: int = 0, gas: int = DEFAULT_GAS
    ) -> tuple[bool, bytes]:
        """Executes and commits as fast as it goes: (success, returned or revert data).

        Nothing is decoded and `last` stays as it was. The sender must not be a contract.
        """
        self.calls += 1
        try:
            returned = self._evm.message_call(sender, to, data, value, gas)
        except RuntimeError as error:
            found = REVERTED.match(str(error))
            if found is None and not str(error).startswith("Halt"):
                raise RejectedError(str(error)) from error
            return False, bytes.fromhex(found[2]) if found else b""
        if self._spec == "CANCUN":
            self._evm.reset_transient_storage()
        return True, bytes(returned)

    def events(self, name: str | None = None) -> list[Event]:
        """Events of the last committed call, all or those of a name."""
        logs = self.last.logs if self.last else []
        return [event for event in logs if name is None or event.name == name]

    def told(self, name: str, by: Any = None) -> list[tuple[Any, ...]]:
        """Arguments of the events of a name, in the last committed call, of any contract or one."""
        found = self.events(name)
        return [tuple(e.args.values()) for e in found if by is None or e.address == _address(by)]

    def _logs(self) -> Sequence[Any]:
        result = self._evm.result
        return result.logs if result else ()

    def _guarded(self, run: Callable[[], Any]) -> Any:
        try:
            return run()
        except RuntimeError as error:
            text = str(error)
            if found := REVERTED.match(text):
                raise Revert(bytes.fromhex(found[2])) from None
            if found := HALTED.match(text):
                raise Revert(b"", halt=found[1]) from None
            raise RejectedError(text) from error
        finally:
            if self._spec == "CANCUN":
                self._evm.reset_transient_storage()

    def _commit(
        self,
        origin: str,
        target: str,
        value: int,
        run: Callable[[], Any],
        decode: Callable[[Any], Any],
        data: bytes,
    ) -> Any:
        meter = None
        if self._metered:
            checkpoint = self._evm.snapshot()
            trace = gas.traced(self._evm, lambda: self._guarded(run))
            self._evm.revert(checkpoint)
            meter = gas.measure(self._evm, trace, origin, target, data)
        try:
            returned = self._guarded(run)
        except Revert as error:
            error.gas_used = meter.total if meter else None
            raise
        self.last = Receipt(origin, target, value, returned, self._logs(), meter)
        self.last.returned = decode(returned)
        return self.last.returned

    @contextmanager
    def metered(self) -> Iterator[None]:
        """Inside, every committed call carries its exact gas; each runs twice, once traced."""
        before, self._metered = self._metered, True
        try:
            yield
        finally:
            self._metered = before

    @contextmanager
    def traces(self, sink: Callable[[Mapping[str, Any]], None]) -> Iterator[None]:
        """At the end, `sink` gets every step that ran inside (pc, op, depth, stack, gas, …)."""
        with gas.tracing(self._evm, sink):
            yield

    # --- snapshots

    def snapshot(self) -> int:
        """Marks the state; the id may be restored any number of times, until an older one is."""
        self._frames.append(self._frame())
        return len(self._frames) - 1

    def _frame(self) -> _Frame:
        return _Frame(
            self._evm.snapshot(),
            self.block_number,
            self.timestamp,
            frozenset(self._funded),
            len(self._etched),
            self.last,
        )

    def restore(self, snapshot: int) -> None:
        """Back to the mark: state, block, clock and `last`. Newer marks are gone."""
        if not 0 <= snapshot < len(self._frames):
            raise ValueError(f"snapshot {snapshot} does not exist (any more)")
        self._unwind(snapshot)
        self._frames.append(self._frame())

    def _unwind(self, snapshot: int) -> None:
        # From the newest on: each revert gives back one level of call depth.
        while len(self._frames) > snapshot:
            frame = self._frames.pop()
            self._evm.revert(frame.checkpoint)
        self.block_number, self.timestamp = frame.number, frame.timestamp
        self._funded, self.last = set(frame.funded), frame.last
        while len(self._etched) > frame.etched:
            address, code = self._etched.pop()
            self._set_code(address, code)
        self._evm.set_block_env(self._block())

    @contextmanager
    def rollback(self) -> Iterator[None]:
        """Whatever happens inside is undone at the end."""
        mark = self.snapshot()
        try:
            yield
        finally:
            self._unwind(mark)

    # --- the state itself

    def balance(self, account: Any) -> int:
        """ETH of the account in wei."""
        return int(self._evm.get_balance(_address(account)))

    def set_balance(self, account: Any, amount: int) -> None:
        """Sets the ETH of an account, in wei, by a forced transfer that runs none of its code."""
        address = _address(account)
        delta = amount - self.balance(address)
        if delta > 0:
            # PUSH20 address SELFDESTRUCT: unlike pyrevm's own setter, snapshots undo it.
            self._evm.deploy(FAUCET, b"\x73" + bytes.fromhex(address[2:]) + b"\xff", delta)
        elif delta < 0:
            with self._sending_from(account):
                self._evm.message_call(address, FAUCET, b"", -delta)

    def storage(self, account: Any, slot: int) -> int:
        """One storage slot."""
        return int(self._evm.storage(_address(account), slot))

    def set_storage(self, account: Any, slot: int, value: int) -> None:
        """Overwrites one storage slot."""
        self._evm.insert_account_storage(_address(account), slot, value)

    def code(self, account: Any) -> bytes:
        """Deployed code of the account; empty for plain accounts."""
        address = _address(account)
        code = bytes(self._evm.get_code(address) or b"")
        if len(code) <= 1:
            return b""
        whole = keccak(code) == self._evm.basic(address).code_hash
        return code if whole else code[:-CODE_PADDING]

    def etch(self, account: Any, code: bytes | str) -> None:
        """Puts code at an address: runtime bytes, or the runtime of a contract by name."""
        address = _address(account)
        self._etched.append((address, self.code(address)))
        runtime = build.artifact(code).runtime if isinstance(code, str) else code
        self._set_code(address, runtime)

    def _set_code(self, address: str, code: bytes) -> None:
        info = self._evm.basic(address)
        kept: dict[str, Any] = {"balance": info.balance, "nonce": info.nonce}
        fresh = pyrevm.AccountInfo(**kept, code=code or None)
        self._evm.insert_account_info(address, fresh)

    @contextmanager
    def _sending_from(self, sender: Any) -> Iterator[None]:
        # The EVM rejects a sender that has code (EIP-3607): it has none while its call runs.
        code = b"" if isinstance(sender, Address) else self.code(sender)
        if code:
            self._set_code(_address(sender), b"")
        try:
            yield
        finally:
            if code:
                self._set_code(_address(sender), code)


def _identity(value: Any) -> Any:
    return value
