"""The chain client: reasons by name before anything is sent, many transactions in one block."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from eth_account import Account
from web3 import HTTPProvider, Web3
from web3.contract import Contract

from offchain.chain.client import (
    ChainClient,
    ChainUnreachable,
    KeySigner,
    ReceiptTimeout,
    RpcRefused,
    TransactionReverted,
    connect,
)
from tests.peers.tokens import balance, deploy_token, fund
from tests.support.anvil import MNEMONIC, Anvil

KEY = "0x" + "11" * 32


@pytest.fixture
def token(client: ChainClient, keeper: KeySigner) -> Contract:
    return deploy_token(client, keeper, "Test", "TEST", 18)


def count(client: ChainClient, signer: KeySigner) -> int:
    return int(client.web3.eth.get_transaction_count(signer.address))


def test_transact__would_revert__names_the_error_and_sends_nothing(
    client: ChainClient, token: Contract, whale: KeySigner, keeper: KeySigner
) -> None:
    fund(client, keeper, token, whale.address, 5)
    before = count(client, whale)
    with pytest.raises(TransactionReverted) as caught:
        client.transact(whale, token.functions.transfer(keeper.address, 9))
    assert caught.value.error == "ERC20InsufficientBalance"
    assert caught.value.error_args == (whale.address, 5, 9)
    assert caught.value.tx_hash is None
    assert str(caught.value).startswith("transfer reverted: ERC20InsufficientBalance(")
    assert count(client, whale) == before


def test_transact__mined_and_reverted__names_the_error_and_the_transaction(
    client: ChainClient, token: Contract, whale: KeySigner, keeper: KeySigner
) -> None:
    before = count(client, whale)
    with pytest.raises(TransactionReverted) as caught:
        client.transact(whale, token.functions.transfer(keeper.address, 9), gas=100_000)
    assert caught.value.error == "ERC20InsufficientBalance"
    assert caught.value.tx_hash is not None
    receipt = client.web3.eth.get_transaction_receipt(caught.value.tx_hash)
    assert receipt["status"] == 0
    assert count(client, whale) == before + 1


def test_transact__sender_without_ether__is_refused_in_one_line(
    client: ChainClient, token: Contract
) -> None:
    poor = KeySigner(KEY)
    with pytest.raises(RpcRefused) as caught:
        client.transact(poor, token.functions.approve(poor.address, 1))
    assert "\n" not in str(caught.value)


def test_transact__plain_ether__arrives(client: ChainClient, whale: KeySigner) -> None:
    poor = KeySigner(KEY)
    receipt = client.transact(whale, {"to": poor.address, "value": 12_345})
    assert client.balance(poor.address) == 12_345
    assert receipt["gasUsed"] == 21_000


def test_send__forty_before_a_block__are_mined_together_in_order(
    chain: Anvil, client: ChainClient, token: Contract, whale: KeySigner, keeper: KeySigner
) -> None:
    chain.set_automine(False)
    mints = [
        client.send(signer, token.functions.mint(whale.address, 1), gas=200_000)
        for _ in range(20)
        for signer in (whale, keeper)
    ]
    chain.mine()
    receipts = client.wait_all(mints)
    assert len({receipt["blockNumber"] for receipt in receipts}) == 1
    assert [r["transactionHash"].to_0x_hex() for r in receipts] == [m.tx_hash for m in mints]
    assert balance(client, token, whale.address) == 40


def test_send__simulated_on_what_is_still_waiting__is_accepted(
    chain: Anvil, client: ChainClient, token: Contract, whale: KeySigner, keeper: KeySigner
) -> None:
    chain.set_automine(False)
    first = client.send(whale, token.functions.mint(whale.address, 7))
    second = client.send(whale, token.functions.transfer(keeper.address, 7))
    chain.mine()
    client.wait_all([first, second])
    assert balance(client, token, keeper.address) == 7


def test_send__another_process_used_the_key__takes_the_next_nonce(
    chain: Anvil, client: ChainClient, token: Contract, whale: KeySigner
) -> None:
    other = ChainClient(chain.web3)
    chain.set_automine(False)
    sent = [client.send(whale, token.functions.mint(whale.address, 1), gas=200_000)]
    sent.append(other.send(whale, token.functions.mint(whale.address, 1), gas=200_000))
    sent.append(client.send(whale, token.functions.mint(whale.address, 1), gas=200_000))
    chain.mine()
    client.wait_all(sent)
    assert balance(client, token, whale.address) == 3


def test_transact__after_the_chain_was_set_back__goes_on(
    chain: Anvil, client: ChainClient, token: Contract, whale: KeySigner
) -> None:
    snapshot = chain.snapshot()
    client.transact(whale, token.functions.mint(whale.address, 1))
    chain.revert(snapshot)
    client.transact(whale, token.functions.mint(whale.address, 2))
    assert balance(client, token, whale.address) == 2


def test_wait__never_mined__says_that_its_fate_is_unknown(
    chain: Anvil, token: Contract, whale: KeySigner
) -> None:
    impatient = ChainClient(chain.web3, timeout=0.05)
    chain.set_automine(False)
    with pytest.raises(ReceiptTimeout, match=r"not mined in 0\.05 s"):
        impatient.transact(whale, token.functions.mint(whale.address, 1), gas=200_000)


def test_deploy__constructor_reverts__names_the_error(
    client: ChainClient, peers: Any, keeper: KeySigner
) -> None:
    # A Safe proxy whose singleton is zero refuses in its constructor.
    factory = peers.safe.proxy_factory
    code = client.call(factory.functions.proxyCreationCode())
    abi = [{"type": "constructor", "inputs": [{"name": "singleton", "type": "address"}]}]
    with pytest.raises(TransactionReverted, match="Invalid singleton address"):
        client.deploy(keeper, abi, code, "0x" + "00" * 20, name="SafeProxy")


def test_events__two_emitters__only_the_asked_one_and_name(
    client: ChainClient, peers: Any, whale: KeySigner
) -> None:
    usdc, aave = peers.tokens.usdc, peers.aave
    fund(client, whale, usdc, whale.address, 10**6)
    client.transact(whale, usdc.functions.approve(aave.pool.address, 10**6))
    receipt = client.transact(
        whale, aave.pool.functions.supply(usdc.address, 10**6, whale.address, 0)
    )
    moved = client.events(receipt, usdc, "Transfer")
    assert [(e["from"], e["to"], e["value"]) for e in moved] == [
        (whale.address, aave.reserves["USDC"].a_token.address, 10**6)
    ]
    names = [e.name for e in client.events(receipt, aave.pool)]
    assert names == ["ReserveDataUpdated", "ReserveUsedAsCollateralEnabled", "Supply"]


def test_events__same_signature_in_two_abis__each_emitter_names_its_own_arguments(
    client: ChainClient, peers: Any, whale: KeySigner, keeper: KeySigner
) -> None:
    usdc, weth = peers.tokens.usdc, peers.tokens.weth
    for token in (usdc, weth):
        fund(client, whale, token, whale.address, 3)
    sent = client.transact(whale, usdc.functions.transfer(keeper.address, 3))
    wrapped = client.transact(whale, weth.functions.transfer(keeper.address, 3))
    assert client.events(sent, usdc)[0].args == {
        "from": whale.address,
        "to": keeper.address,
        "value": 3,
    }
    assert client.events(wrapped, weth)[0].args == {
        "src": whale.address,
        "dst": keeper.address,
        "wad": 3,
    }


def test_call__nobody_there__is_refused_in_one_line(client: ChainClient, token: Contract) -> None:
    nobody = client.contract("0x" + "99" * 20, token.abi)
    with pytest.raises(RpcRefused, match="totalSupply") as caught:
        client.call(nobody.functions.totalSupply())
    assert "\n" not in str(caught.value)


def test_call__at_an_earlier_block__sees_the_earlier_state(
    client: ChainClient, token: Contract, whale: KeySigner
) -> None:
    first = client.transact(whale, token.functions.mint(whale.address, 1))["blockNumber"]
    client.transact(whale, token.functions.mint(whale.address, 1))
    held = token.functions.balanceOf(whale.address)
    assert client.call(held, block=first) == 1
    assert client.call(held) == 2


def test_client__on_web3_s_own_provider__works_alike(
    chain: Anvil, token: Contract, whale: KeySigner
) -> None:
    client = ChainClient(Web3(HTTPProvider(chain.url)))
    mine = client.contract(token.address, token.abi)
    client.transact(whale, mine.functions.mint(whale.address, 3))
    assert client.call(mine.functions.balanceOf(whale.address)) == 3
    with pytest.raises(TransactionReverted) as caught:
        client.transact(whale, mine.functions.transfer(token.address, 4))
    assert caught.value.error == "ERC20InsufficientBalance"


@pytest.mark.parametrize("standard_provider", [False, True])
def test_client__the_chain_stops_in_the_middle__one_line(standard_provider: bool) -> None:
    chain = Anvil()
    web3 = Web3(HTTPProvider(chain.url)) if standard_provider else chain.web3
    client = ChainClient(web3)
    signer = chain.signer(0)
    client.transact(signer, {"to": signer.address, "value": 1})
    chain.stop()
    with pytest.raises(ChainUnreachable) as caught:
        client.transact(signer, {"to": signer.address, "value": 1})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("url", ["ws://127.0.0.1:1", "127.0.0.1:8545", "http://", ""])
def test_connect__not_an_http_address__is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="http://host:port"):
        connect(url)


@pytest.fixture
def broken_node() -> Iterator[str]:
    """A server that answers every request with a gateway error."""

    class Gateway(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_error(502)

        def log_message(self, *_: Any) -> None:
            """Stays quiet."""

    server = http.server.HTTPServer(("127.0.0.1", 0), Gateway)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    credentials = "user:hidden"
    yield f"http://{credentials}@127.0.0.1:{server.server_port}/a-key"
    server.shutdown()
    server.server_close()


def test_connect__node_behind_a_broken_gateway__one_line_without_the_key(broken_node: str) -> None:
    with pytest.raises(ChainUnreachable) as caught:
        connect(broken_node)
    assert "hidden" not in str(caught.value)
    assert "a-key" not in str(caught.value)


@pytest.mark.parametrize("to", [None, "0x" + "42" * 20])
@pytest.mark.parametrize("data", [b"", b"\x00" * 70])
def test_sign_transaction__any_shape__equals_the_reference_signer(
    to: str | None, data: bytes
) -> None:
    fields = {
        "type": 2,
        "chainId": 31_337,
        "nonce": 0,
        "gas": 21_000,
        "maxFeePerGas": 3 * 10**9,
        "maxPriorityFeePerGas": 10**9,
        "value": 0 if data else 10**18,
        "data": data,
    }
    if to:
        fields["to"] = to
    reference = Account.from_key(KEY)
    ours = KeySigner(KEY)
    assert ours.address == reference.address
    assert ours.sign_transaction(fields) == bytes(
        reference.sign_transaction(fields).raw_transaction
    )


def test_sign_hash__a_digest__recovers_to_the_signer() -> None:
    digest = bytes(range(32))
    signature = KeySigner(KEY).sign_hash(digest)
    assert len(signature) == 65
    assert signature[64] in (27, 28)
    reference = Account.unsafe_sign_hash(digest, KEY)
    assert signature == bytes(reference.signature)


def test_signer__printed__shows_its_address_and_never_its_key() -> None:
    signer = KeySigner.from_mnemonic(MNEMONIC, 0)
    assert signer.address == "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
    assert repr(signer) == f"KeySigner({signer.address})"
