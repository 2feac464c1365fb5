"""The real Safe: its code is the canonical one, and k of n owners move it, never fewer."""

from __future__ import annotations

import dataclasses

import pytest
from web3.contract import Contract

from offchain.chain.client import ChainClient, KeySigner, TransactionReverted
from tests.peers.npm import deploy, load
from tests.peers.safe import (
    CANONICAL_CODE_HASHES,
    PACKAGE,
    ZERO,
    create_safe,
    deploy_safe_suite,
    not_canonical,
)
from tests.peers.tokens import balance, fund
from tests.peers.world import Peers

pytestmark = pytest.mark.peers
CALL = 0
AMOUNT = 1_000_000


@pytest.fixture
def owners(governance: KeySigner, guardian: KeySigner, keeper: KeySigner) -> list[KeySigner]:
    return [governance, guardian, keeper]


@pytest.fixture
def safe(client: ChainClient, peers: Peers, owners: list[KeySigner], whale: KeySigner) -> Contract:
    """A funded 2-of-3 Safe that somebody else paid for."""
    made = create_safe(client, whale, peers.safe, [o.address for o in owners], 2, salt=7)
    fund(client, whale, peers.tokens.usdc, made.address, AMOUNT)
    return made


def execute(
    client: ChainClient,
    payer: KeySigner,
    safe: Contract,
    call: tuple[str, bytes],
    signers: list[KeySigner],
) -> None:
    """Executes a call with these owners' signatures over the hash that the Safe itself gives."""
    to, data = call
    fixed = (to, 0, data, CALL, 0, 0, 0, ZERO, ZERO)
    nonce = client.call(safe.functions.nonce())
    digest = client.call(safe.functions.getTransactionHash(*fixed, nonce))
    ordered = sorted(signers, key=lambda one: int(one.address, 16))
    signatures = b"".join(one.sign_hash(digest) for one in ordered)
    client.transact(payer, safe.functions.execTransaction(*fixed, signatures))


def payment(peers: Peers, to: str, amount: int = AMOUNT) -> tuple[str, bytes]:
    usdc = peers.tokens.usdc
    return usdc.address, bytes.fromhex(usdc.encode_abi("transfer", [to, amount])[2:])


def test_deploy_safe_suite__from_the_package__has_the_canonical_code(
    client: ChainClient, peers: Peers
) -> None:
    assert set(peers.safe.by_name()) == set(CANONICAL_CODE_HASHES)
    assert not_canonical(client, peers.safe) == []


def test_not_canonical__another_contract_in_its_place__is_named(
    client: ChainClient, peers: Peers, whale: KeySigner
) -> None:
    batcher = deploy(client, whale, load(f"{PACKAGE}/libraries/MultiSend.sol/MultiSend"))
    swapped = dataclasses.replace(
        peers.safe, singleton=peers.safe.singleton_l2, multi_send_call_only=batcher
    )
    assert not_canonical(client, swapped) == ["Safe", "MultiSendCallOnly"]


def test_create_safe__paid_by_a_stranger__gives_the_stranger_nothing(
    client: ChainClient, safe: Contract, owners: list[KeySigner], whale: KeySigner
) -> None:
    assert client.call(safe.functions.getOwners()) == tuple(o.address for o in owners)
    assert client.call(safe.functions.getThreshold()) == 2
    assert client.call(safe.functions.isOwner(whale.address)) is False
    assert client.call(safe.functions.VERSION()) == "1.4.1"


@pytest.mark.usefixtures("safe")
def test_create_safe__same_owners_and_salt_again__reverts(
    client: ChainClient, peers: Peers, owners: list[KeySigner], whale: KeySigner
) -> None:
    with pytest.raises(TransactionReverted, match="Create2 call failed"):
        create_safe(client, whale, peers.safe, [o.address for o in owners], 2, salt=7)


def test_create_safe__threshold_above_owners__reverts(
    client: ChainClient, peers: Peers, owners: list[KeySigner], whale: KeySigner
) -> None:
    with pytest.raises(TransactionReverted):
        create_safe(client, whale, peers.safe, [o.address for o in owners], 4, salt=8)


@pytest.mark.parametrize("pair", [(0, 1), (0, 2), (1, 2)])
def test_exec__any_two_of_three__pays(
    client: ChainClient,
    peers: Peers,
    safe: Contract,
    owners: list[KeySigner],
    attacker: KeySigner,
    pair: tuple[int, int],
) -> None:
    signers = [owners[place] for place in pair]
    execute(client, attacker, safe, payment(peers, owners[0].address), signers)
    assert balance(client, peers.tokens.usdc, owners[0].address) == AMOUNT
    assert balance(client, peers.tokens.usdc, safe.address) == 0
    assert client.call(safe.functions.nonce()) == 1


@pytest.mark.parametrize(
    ("who", "reason"),
    [
        ((), "GS020"),
        ((0,), "GS020"),
        ((0, 0), "GS026"),
        ((0, 3), "GS026"),
        ((3, 4), "GS026"),
    ],
)
def test_exec__too_few_or_foreign_signatures__reverts_and_moves_nothing(
    client: ChainClient,
    peers: Peers,
    safe: Contract,
    owners: list[KeySigner],
    attacker: KeySigner,
    whale: KeySigner,
    who: tuple[int, ...],
    reason: str,
) -> None:
    everybody = [*owners, attacker, whale]
    with pytest.raises(TransactionReverted, match=reason):
        execute(
            client,
            attacker,
            safe,
            payment(peers, attacker.address),
            [everybody[place] for place in who],
        )
    assert balance(client, peers.tokens.usdc, safe.address) == AMOUNT


def test_exec__same_signatures_twice__reverts_the_second_time(
    client: ChainClient, peers: Peers, safe: Contract, owners: list[KeySigner], attacker: KeySigner
) -> None:
    call = payment(peers, attacker.address, AMOUNT // 2)
    fixed = (*call[:1], 0, call[1], CALL, 0, 0, 0, ZERO, ZERO)
    digest = client.call(safe.functions.getTransactionHash(*fixed, 0))
    ordered = sorted(owners[:2], key=lambda one: int(one.address, 16))
    signatures = b"".join(one.sign_hash(digest) for one in ordered)
    client.transact(attacker, safe.functions.execTransaction(*fixed, signatures))
    with pytest.raises(TransactionReverted, match="GS026"):
        client.transact(attacker, safe.functions.execTransaction(*fixed, signatures))
    assert balance(client, peers.tokens.usdc, safe.address) == AMOUNT - AMOUNT // 2


def test_deploy_safe_suite__second_time__is_canonical_at_other_addresses(
    client: ChainClient, peers: Peers, whale: KeySigner
) -> None:
    again = deploy_safe_suite(client, whale)
    assert not_canonical(client, again) == []
    assert again.singleton.address != peers.safe.singleton.address
