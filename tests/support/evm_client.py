"""The peers' deployers on the in-process EVM: a ChainClient without a chain; it signs nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from eth_utils.address import to_checksum_address
from hexbytes import HexBytes
from web3 import Web3
from web3.contract import Contract
from web3.contract.contract import ContractFunction
from web3.datastructures import AttributeDict
from web3.types import TxReceipt

from offchain.abi import AbiIndex, FunctionCodec
from offchain.chain.client import ChainClient, Signer, Transaction, TransactionReverted
from offchain.chain.reverts import Revert as Reason
from tests.support.evm import CHAIN_ID, DEFAULT_GAS, Evm, Revert


class EvmClient(ChainClient):
    """What tests/peers asks of a client, answered by an `Evm`; every transaction is its own call.

    Args:
        evm: the world to work in; its block and clock move only by its own `mine`.
    """

    def __init__(self, evm: Evm) -> None:
        self.evm = evm
        self.web3 = Web3()
        self.abis = AbiIndex()
        self.chain_id = CHAIN_ID
        self._codecs: dict[int, tuple[Any, FunctionCodec]] = {}
        self._known_abis = {}

    def deploy(
        self,
        signer: Signer,
        abi: Sequence[Any],
        bytecode: str | bytes,
        *args: Any,
        value: int = 0,
        name: str = "contract",
    ) -> Contract:
        """Deploys a contract."""
        self._known(abi)
        factory = self.web3.eth.contract(abi=abi, bytecode=HexBytes(bytecode))
        code = bytes(HexBytes(factory.constructor(*args).data_in_transaction))
        try:
            address = self.evm.create(code, sender=signer.address, value=value)
        except Revert as error:
            what = f"deployment of {name}"
            raise TransactionReverted(what, Reason.decode(error.data, self.abis)) from error
        return self.contract(address, abi)

    def transact(
        self,
        signer: Signer,
        transaction: Transaction,
        *,
        value: int = 0,
        gas: int | None = None,
    ) -> TxReceipt:
        """Executes and commits; the receipt has its logs and nothing else."""
        what, request = self._request(transaction, value)
        try:
            self.evm.transact(
                to_checksum_address(signer.address),
                request["to"],
                bytes(request["data"]),
                int(request["value"]),
                DEFAULT_GAS if gas is None else gas,
            )
        except Revert as error:
            raise TransactionReverted(what, Reason.decode(error.data, self.abis)) from error
        logs = [] if self.evm.last is None else self.evm.last.raw_logs
        entries = [
            AttributeDict(
                {
                    "address": to_checksum_address(log.address),
                    "topics": [HexBytes(topic) for topic in log.data[0]],
                    "data": HexBytes(log.data[1]),
                }
            )
            for log in logs
        ]
        return cast(TxReceipt, AttributeDict({"status": 1, "logs": entries}))

    def call(
        self,
        function: ContractFunction,
        *,
        sender: str | None = None,
        block: int | str = "latest",
        value: int = 0,
    ) -> Any:
        """Simulates a call on the state as it is; what it would change is undone."""
        if block != "latest":
            raise ValueError("the in-process EVM has no history")
        what, request = self._request(function, value)
        origin = sender or self.evm.default_sender
        try:
            with self.evm.rollback():
                answer = self.evm.transact(origin, request["to"], bytes(request["data"]), value)
        except Revert as error:
            raise TransactionReverted(what, Reason.decode(error.data, self.abis)) from error
        return self._codec(function).decode(bytes(answer))

    def code(self, address: str) -> bytes:
        """Runtime code at an address."""
        return self.evm.code(address)

    def balance(self, address: str) -> int:
        """Wei held by an address."""
        return self.evm.balance(address)

    def timestamp(self) -> int:
        """Timestamp of the block that is being built."""
        return self.evm.timestamp

    def forget(self) -> None:
        """Nothing is cached here."""
