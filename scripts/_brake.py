"""What the emergency gate holds, and the calls that move it; it signs and sends nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hexbytes import HexBytes
from web3.types import TxReceipt

from offchain import artifacts
from offchain.artifacts import ArtifactError
from offchain.chain.client import ChainClient, RpcRefused, TransactionReverted
from offchain.deployment import Deployment
from scripts._safe.calls import text_word
from scripts._safe.describe import STATES
from scripts._safe.errors import SafeError
from scripts._safe.transaction import Call

THROTTLED, WITHDRAW_ONLY, FROZEN = 1, 2, 3
CAUSES = ("", "is not a target of the gate", "the ticket is not ready", "does not follow")
STATE_ABI = [
    {
        "type": "function",
        "name": "emergencyState",
        "inputs": [],
        "outputs": [{"type": "uint8", "name": ""}],
        "stateMutability": "view",
    }
]


@dataclass(frozen=True)
class TargetStatus:
    """One target.

    Attributes:
        name: in the deployment file, or the address.
        address: the target.
        recorded: state that the gate holds.
        expiry: Unix time from which it may lapse; 0 if it does not.
        shown: state that the target shows; None if it cannot be read.
        freeze_ready_at: Unix time from which the guardian may freeze it (again).
    """

    name: str
    address: str
    recorded: int
    expiry: int
    shown: int | None
    freeze_ready_at: int

    def due(self, now: int) -> bool:
        """Whether anyone may lapse it."""
        return self.expiry != 0 and now >= self.expiry


class Brake:
    """The gate of a deployment.

    Args:
        client: the chain.
        deployment: its file.

    Raises:
        DeploymentError: if the deployment has no EmergencyGate.
        SafeError: if the contracts are not compiled.
    """

    def __init__(self, client: ChainClient, deployment: Deployment) -> None:
        self.client = client
        self.deployment = deployment
        try:
            abi = artifacts.load("EmergencyGate").abi
        except ArtifactError as error:
            raise SafeError(str(error)) from None
        self.gate = client.contract(deployment.address("EmergencyGate"), abi)
        self._names = {c.address: name for name, c in deployment.contracts.items()}

    def read(self, function: str, *args: Any) -> Any:
        """A view of the gate."""
        return self.client.call(getattr(self.gate.functions, function)(*args))

    def name(self, address: str) -> str:
        """Its name in the deployment, or the address."""
        return self._names.get(address, address)

    def targets(self, names: Sequence[str] = ()) -> list[str]:
        """Addresses of the named targets; of all that the gate has if none is named.

        Raises:
            SafeError: if one is not under the gate, or there is none.
        """
        listed: list[str] = list(self.read("targets"))
        if not names:
            if not listed:
                raise SafeError("the gate has no targets")
            return listed
        chosen = [self.deployment.address(name) for name in dict.fromkeys(names)]
        for name, address in zip(dict.fromkeys(names), chosen, strict=True):
            if address not in listed:
                raise SafeError(f"{name} is not a target of the gate")
        return chosen

    def status(self) -> list[TargetStatus]:
        """Every target of the gate."""
        return [self._status(address) for address in self.read("targets")]

    def raise_call(self, targets: Sequence[str], level: int, seconds: int, reason: str) -> Call:
        """Raises all targets in one call.

        Raises:
            SafeError: if the duration exceeds what the gate allows.
        """
        longest = int(self.read("maxDuration"))
        if level != WITHDRAW_ONLY and not 0 < seconds <= longest:
            raise SafeError(f"a duration is 1 to {longest} seconds here, not {seconds}")
        return self._call("raiseMany", list(targets), level, seconds, text_word(reason))

    def resume_calls(self, targets: Sequence[str], reason: str) -> list[Call]:
        """One call per target back to NORMAL."""
        return [self._call("resume", target, text_word(reason)) for target in targets]

    def heartbeat_call(self) -> Call:
        """The guardian's sign of life."""
        return self._call("heartbeat")

    def rehearse(self, call: Call, sender: str, targets: Sequence[str], level: int) -> list[str]:
        """What a raise would leave undone now, one line per target; empty if all would follow.

        Raises:
            SafeError: if the gate would refuse the whole raise.
        """
        _function, arguments = self.gate.decode_function_input(HexBytes(call.data))
        function = self.gate.functions.raiseMany(*arguments.values())
        try:
            failed = self.client.call(function, sender=sender)
        except TransactionReverted as error:
            raise SafeError(f"the gate refuses: {error.revert.text}") from None
        return [f"{self.name(targets[i])} would not reach {STATES[level]}" for i in failed]

    def failures(self, receipt: TxReceipt) -> list[str]:
        """What an executed raise left undone, one line per target."""
        failed = [event.args for event in self.client.events(receipt, self.gate, "RaiseFailed")]
        return [
            f"{self.name(e['target'])} is not {STATES[e['level']]}: {CAUSES[e['cause']]}"
            for e in failed
        ]

    def _call(self, function: str, *args: Any) -> Call:
        return Call(self.gate.address, bytes(HexBytes(self.gate.encode_abi(function, list(args)))))

    def _status(self, address: str) -> TargetStatus:
        recorded, expiry = self.read("stateOf", address)
        target = self.client.contract(address, STATE_ABI)
        shown: int | None
        try:
            shown = int(self.client.call(target.functions.emergencyState()))
        except (TransactionReverted, RpcRefused):
            shown = None
        return TargetStatus(
            name=self.name(address),
            address=address,
            recorded=int(recorded),
            expiry=int(expiry),
            shown=shown if shown is None or shown < len(STATES) else None,
            freeze_ready_at=int(self.read("ticketReadyAt", address, FROZEN)),
        )
