"""A signer's desk: shows a Safe transaction, collects signatures, executes; it picks none."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click
from web3.types import TxReceipt

from offchain.chain.client import ChainClient
from offchain.deployment import Deployment
from offchain.errors import OffchainError
from scripts._brake import Brake
from scripts._deployment.signer import ApeSigner
from scripts._safe import AddressBook, Proposal, SafeAccount, SafeError, SafeTx, describe, sign
from scripts._safe.abi import MULTI_SEND_CALL_ONLY
from scripts._safe.transaction import ZERO_ADDRESS

if TYPE_CHECKING:
    from ape.api import ProviderAPI

SAFES = ("governance", "guardian")
PROPOSALS = Path("run/proposals")


@contextmanager
def one_line_errors(command: str) -> Iterator[None]:
    """Turns what a person can act on into one line and exit status 1."""
    try:
        yield
    except OffchainError as error:
        click.echo(f"{command}: {error}", err=True)
        sys.exit(1)


def deployments_option(function: Callable[..., None]) -> Callable[..., None]:
    """`--deployments FOLDER`."""
    return click.option(
        "--deployments",
        type=click.Path(path_type=Path, file_okay=False),
        default=Path("deployments"),
        show_default=True,
        help="Folder of the deployment files.",
    )(function)


def signing_options(function: Callable[..., None]) -> Callable[..., None]:
    """`--account`, `--executor` and `--out`."""
    for option in (
        click.option(
            "--out",
            type=click.Path(path_type=Path, file_okay=False),
            default=PROPOSALS,
            show_default=True,
            help="Folder in which the proposal is kept for the other signers.",
        ),
        click.option("--executor", help="Ape account that pays for the execution; needs no right."),
        click.option(
            "--account",
            "accounts",
            multiple=True,
            help="Ape account of an owner who signs now; may be given several times.",
        ),
    ):
        function = option(function)
    return function


@dataclass(frozen=True)
class Desk:
    """A chain, a deployment, and ape's accounts."""

    provider: ProviderAPI
    client: ChainClient
    deployment: Deployment
    brake: Brake
    book: AddressBook

    @classmethod
    def open(cls, provider: ProviderAPI, deployments: Path) -> Desk:
        """Connects to the chain of the provider and reads its deployment file.

        Raises:
            OffchainError: if the file is missing or damaged, or the node does not answer.
        """
        client = ChainClient(provider.web3)
        path = deployments / f"{client.chain_id}.json"
        deployment = Deployment.load(path, client.chain_id)
        brake = Brake(client, deployment)
        book = AddressBook.of(deployment)
        safes = {str(brake.read(role)): f"{role} Safe" for role in SAFES}
        return cls(
            provider, client, deployment, brake, AddressBook({**book.names, **safes}, book.abis)
        )

    def safe(self, role: str) -> SafeAccount:
        """The Safe that holds a role on the gate, as the chain says.

        Raises:
            SafeError: if the role is empty or its holder is no Safe.
        """
        holder = str(self.brake.read(role))
        if holder == ZERO_ADDRESS:
            raise SafeError(f"the gate has no {role}")
        return self.safe_at(holder)

    def safe_at(self, address: str) -> SafeAccount:
        """A Safe by its address."""
        batches = self.deployment.external.get("SafeMultiSendCallOnly", MULTI_SEND_CALL_ONLY)
        return SafeAccount(self.client, address, batches)

    def show(self, tx: SafeTx) -> None:
        """Prints what is to be signed.

        Raises:
            SafeError: if a part of it cannot be decoded: nobody should sign that.
        """
        description = describe(tx, self.book)
        for line in description.lines:
            click.echo(line)
        if not description.understood:
            raise SafeError("a part of this transaction cannot be read: do not sign it")

    def handle(
        self,
        safe: SafeAccount,
        proposal: Proposal,
        accounts: Sequence[str],
        executor: str | None,
        path: Path,
    ) -> TxReceipt | None:
        """Shows, signs, keeps, and executes once there are enough signatures and an executor.

        Args:
            safe: whose transaction it is.
            proposal: the transaction and the signatures that it already has.
            accounts: ape accounts of owners who sign now.
            executor: ape account that executes; None leaves that to a later command.
            path: where the proposal is kept.

        Returns:
            The receipt, or None if it was not executed.

        Raises:
            SafeError: if anything about it is not as it should be.
        """
        tx = proposal.tx
        safe.check(tx)
        self.show(tx)
        state = safe.state()
        strangers = [owner for owner in proposal.signatures if owner not in state.owners]
        if strangers:
            raise SafeError(f"{strangers[0]} signed but is not an owner of {tx.safe}")
        signers = [ApeSigner(alias, self.provider) for alias in accounts]
        for signer in signers:
            if signer.address not in state.owners:
                raise SafeError(f"{signer.address} is not an owner of {tx.safe}")
        for signer in signers:
            proposal = proposal.with_signatures({signer.address: sign(tx, signer)})
        proposal.save(path)
        click.echo(
            f"signatures   {len(proposal.signatures)} of {state.threshold} needed, in {path}"
        )
        if executor is None or len(proposal.signatures) < state.threshold:
            click.echo(f"next         {_next_step(proposal, state.threshold, path)}")
            return None
        receipt = safe.execute(tx, proposal.signatures, ApeSigner(executor, self.provider))
        block, gas = receipt["blockNumber"], receipt["gasUsed"]
        click.echo(f"executed     in block {block}, {gas:,} gas".replace(",", " "))
        return receipt


def _next_step(proposal: Proposal, threshold: int, path: Path) -> str:
    if len(proposal.signatures) < threshold:
        return f"another owner: ape run multisig sign {path} --account ALIAS"
    return f"anyone: ape run multisig execute {path} --executor ALIAS"
