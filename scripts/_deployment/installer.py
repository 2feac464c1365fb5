"""Deploys contracts one by one, each at most once; it decides nothing about the suite.

However often a run is cut off, the next one finds what the earlier ones did.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from eth_abi.abi import encode
from eth_utils.abi import get_abi_input_types
from eth_utils.crypto import keccak
from web3.contract import Contract
from web3.contract.contract import ContractFunction
from web3.utils.address import get_create_address

from offchain import artifacts
from offchain.chain.client import ChainClient, Signer
from offchain.deployment import DeployedContract, Deployment
from scripts._deployment.draft import Draft, Intent
from scripts._deployment.errors import DeployError

Say = Callable[[str], None]
IN_FLIGHT_TIMEOUT = 60.0
IN_FLIGHT_POLL = 0.5


class Installer:
    """One deployment run of one deployer on one chain.

    Args:
        client: the chain.
        signer: the deployer.
        path: where the finished deployment file goes; the draft lies beside it until then.
        say: told in one line what is being done.

    Raises:
        DeployError: if a draft of another deployer or another chain is in the way, or the
            deployer's last transactions are still unmined.
    """

    def __init__(self, client: ChainClient, signer: Signer, path: Path, say: Say) -> None:
        self.client = client
        self.signer = signer
        self.path = path
        self.draft_path = path.with_suffix(".draft.json")
        self._say = say
        self._records: dict[str, DeployedContract] = {}
        self._contracts: dict[str, Contract] = {}
        self._draft = self._open_draft()
        self._settle()

    @property
    def fresh(self) -> bool:
        """Whether this run has nothing of an earlier one to go on from."""
        return not self._draft.intents

    def deploy(self, name: str, *args: Any, artifact: str | None = None) -> Contract:
        """The contract `name`, deployed now or by an earlier run that was cut off.

        Args:
            name: unique in this deployment.
            args: constructor arguments.
            artifact: compiled contract, where its name differs from `name`.

        Raises:
            DeployError: if an earlier run put other code or other arguments there.
            TransactionReverted: if the constructor refuses.
        """
        if name in self._contracts:
            raise DeployError(f"{name} is deployed twice in one plan")
        compiled = artifacts.load(artifact or name)
        init_code = compiled.bytecode + encode_arguments(compiled.abi, args)
        digest = "0x" + keccak(init_code).hex()
        intent = self._draft.intents.get(name)
        if intent is not None and self.client.code(intent.address):
            if intent.init_code_hash != digest:
                raise DeployError(
                    f"{name} was deployed at {intent.address} from other code or arguments; "
                    f"remove {self.draft_path} to start a new deployment"
                )
            if not carries(self.client.code(intent.address), compiled):
                raise DeployError(
                    f"what stands at {intent.address} is not {name}: the deployer's key was used "
                    f"for something else; remove {self.draft_path} to start a new deployment"
                )
            self._say(f"{name} found at {intent.address}")
        else:
            intent = self._intend(name, digest)
            self._say(f"{name} at {intent.address}")
            pending = self.client.send_deploy(
                self.signer, compiled.abi, compiled.bytecode, *args, name=name
            )
            receipt = self.client.wait(pending)
            if receipt["contractAddress"] != intent.address:
                # Kept all the same, so that the next run finds it instead of deploying it again.
                landed = intent.model_copy(update={"address": str(receipt["contractAddress"])})
                self._draft.intents[name] = landed
                self._draft.save(self.draft_path)
                raise DeployError(
                    f"{name} landed at {receipt['contractAddress']} instead of {intent.address}: "
                    "the deployer's key is used by someone else at the same time"
                )
        return self.adopt(name, intent.address, *args, artifact=artifact)

    def adopt(self, name: str, address: str, *args: Any, artifact: str | None = None) -> Contract:
        """Records a contract of the suite that stands at `address`, whoever created it.

        Raises:
            DeployError: if there is no code.
        """
        code = self.client.code(address)
        if not code:
            raise DeployError(f"there is no code at {address}, where {name} should be")
        contract = self.client.contract(address, artifacts.load(artifact or name).abi)
        self._contracts[name] = contract
        self._records[name] = DeployedContract(
            address=contract.address,
            code_hash="0x" + keccak(code).hex(),
            constructor_args=[_plain(value) for value in args],
            deploy_block=self._draft.first_block,
            artifact=artifact,
        )
        return contract

    def ensure(self, sentence: str, done: bool, action: ContractFunction) -> None:
        """Makes `action` true on chain unless it is so already."""
        if done:
            return
        self._say(sentence)
        self.client.transact(self.signer, action)

    def record(
        self, roles: dict[str, str], external: dict[str, str], permissioned: bool
    ) -> Deployment:
        """What was deployed, not yet written."""
        return Deployment(
            chain_id=self.client.chain_id,
            contracts=self._records,
            roles=roles,
            external=external,
            permissioned=permissioned,
        )

    def finish(self, deployment: Deployment) -> None:
        """Writes the deployment file and removes the draft: the last step, after every check."""
        deployment.save(self.path)
        self.draft_path.unlink(missing_ok=True)

    def _settle(self) -> None:
        """Waits for what an earlier run has in flight, which this one would send twice."""
        deadline = time.monotonic() + IN_FLIGHT_TIMEOUT
        while self._nonce("pending") > self._nonce("latest"):
            if time.monotonic() > deadline:
                raise DeployError(
                    f"transactions of {self.signer.address} wait to be mined: "
                    "run again when they are"
                )
            time.sleep(IN_FLIGHT_POLL)

    def _nonce(self, block: str) -> int:
        address = self.client.web3.to_checksum_address(self.signer.address)
        return int(self.client.web3.eth.get_transaction_count(address, block))  # type: ignore[arg-type]

    def _intend(self, name: str, digest: str) -> Intent:
        nonce = self._nonce("pending")
        address = get_create_address(self.signer.address, nonce)  # type: ignore[arg-type]
        intent = Intent(address=str(address), nonce=nonce, init_code_hash=digest)
        self._draft.intents[name] = intent
        self._draft.save(self.draft_path)
        return intent

    def _open_draft(self) -> Draft:
        genesis = genesis_hash(self.client)
        draft = Draft.load(self.draft_path)
        if draft is None:
            return Draft(
                chain_id=self.client.chain_id,
                genesis_hash=genesis,
                deployer=self.signer.address,
                first_block=self.client.web3.eth.block_number,
            )
        if (draft.chain_id, draft.genesis_hash) != (self.client.chain_id, genesis):
            raise DeployError(
                f"draft {self.draft_path} belongs to another chain; remove it to start anew"
            )
        if draft.deployer != self.signer.address:
            raise DeployError(f"draft {self.draft_path} belongs to deployer {draft.deployer}")
        self._say(f"continuing a deployment with {len(draft.intents)} contracts in its draft")
        return draft


def genesis_hash(client: ChainClient) -> str:
    """Hash of block 0: tells two chains of one chain id apart."""
    return "0x" + bytes(client.web3.eth.get_block(0)["hash"]).hex()


def carries(code: bytes, compiled: artifacts.Artifact) -> bool:
    """Whether runtime code is that of a compiled contract, whatever its immutables are."""
    plain = compiled.runtime
    # An immutable is zero in the artifact; a Vyper contract carries its own behind its code.
    return len(code) >= len(plain) and all(a in (0, b) for a, b in zip(plain, code, strict=False))


def encode_arguments(abi: Any, args: Sequence[Any]) -> bytes:
    """Constructor arguments as they follow the creation code.

    Raises:
        DeployError: if there are too many or too few.
    """
    constructor = next((entry for entry in abi if entry["type"] == "constructor"), None)
    types = get_abi_input_types(constructor) if constructor else []
    if len(types) != len(args):
        raise DeployError(f"{len(types)} constructor arguments are needed, {len(args)} were given")
    return encode(types, args)


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool):
        # NOTE: JSON numbers lose digits beyond 2^53 in other readers.
        return str(value)
    return value
