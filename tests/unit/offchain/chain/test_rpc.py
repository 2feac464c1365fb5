"""Quorum reads over nodes that lie, lag, fail or vanish, each a real HTTP server."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from offchain.chain.rpc import Delivery, Node, NodeRefused, NoQuorum, Quorum
from offchain.chain.transport import ChainUnreachable
from offchain.errors import OffchainError

Answer = Callable[[str, list[Any]], Any]


class Refuse(Exception):
    """What the fake node answers as a JSON-RPC error."""


class FakeNode:
    """Answers JSON-RPC as a test tells it."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.gone = False
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                if fake.gone:
                    self.close_connection = True
                    return
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                reply: dict[str, Any] = {"jsonrpc": "2.0", "id": body["id"]}
                try:
                    reply["result"] = fake.answer(body["method"], body["params"])
                except Refuse as error:
                    reply["error"] = error.args[0]
                raw = json.dumps(reply).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def nodes() -> Iterator[Callable[..., list[FakeNode]]]:
    made: list[FakeNode] = []

    def make(*answers: Any) -> list[FakeNode]:
        fresh = [FakeNode(a if callable(a) else (lambda *_, value=a: value)) for a in answers]
        made.extend(fresh)
        return fresh

    yield make
    for node in made:
        node.close()


def quorum(made: list[FakeNode], need: int | None = None) -> Quorum:
    return Quorum.connect([node.url for node in made], need, timeout=5)


def refusing(message: str, data: str | None = None, code: int = -32000) -> Answer:
    def answer(*_: object) -> Any:
        raise Refuse({"code": code, "message": message} | ({"data": data} if data else {}))

    return answer


def test_describe__one_or_several__said_plainly() -> None:
    assert Quorum([Node("http://a")]).describe() == "quorum 1 of 1: a single node is trusted"
    three = Quorum([Node(f"http://{name}") for name in "abc"])
    assert three.describe() == "quorum 2 of 3"
    three.close()


@pytest.mark.parametrize("need", [0, 4])
def test_quorum__impossible__refused(need: int) -> None:
    with pytest.raises(OffchainError, match="impossible"):
        Quorum([Node(f"http://{name}") for name in "abc"], need)
    with pytest.raises(OffchainError, match="no RPC address"):
        Quorum([])
    with pytest.raises(OffchainError, match="RPC address must look like"):
        Node("ftp://host")


def test_agree__one_liar_of_three__outvoted(nodes: Any) -> None:
    honest = quorum(nodes("0x11", "0x22", "0x11"))
    assert honest.call("0x" + "00" * 20, b"") == b"\x11"
    honest.close()


def test_agree__all_differ__no_quorum(nodes: Any) -> None:
    split = quorum(nodes("0x11", "0x22", "0x33"))
    with pytest.raises(NoQuorum, match="fewer than 2 of 3"):
        split.call("0x" + "00" * 20, b"")
    split.close()


def test_agree__too_many_gone__unreachable(nodes: Any) -> None:
    made = nodes("0x1", "0x1", "0x1")
    three = quorum(made)
    assert three.chain_id() == 1
    made[0].gone = True
    assert three.chain_id() == 1
    made[1].gone = True
    with pytest.raises(ChainUnreachable, match=r"127\.0\.0\.1"):
        three.chain_id()
    three.close()


def test_agree__revert__all_nodes_word_it_differently_and_agree(nodes: Any) -> None:
    data = "0x08c379a0" + "00" * 32
    both = quorum(
        nodes(refusing("execution reverted", data, 3), refusing("VM Exception: revert", data))
    )
    with pytest.raises(NodeRefused) as caught:
        both.call("0x" + "00" * 20, b"")
    assert caught.value.reverted
    assert caught.value.data.hex() == data[2:]
    both.close()


@pytest.mark.parametrize("answer", [None, {}, "0xzz", 7, []])
def test_agree__junk__no_usable_answer(nodes: Any, answer: object) -> None:
    one = quorum(nodes(answer))
    with pytest.raises(ChainUnreachable):
        one.chain_id()


def test_head_number__nodes_lag__what_a_quorum_has_reached(nodes: Any) -> None:
    lagging = quorum(nodes("0x64", "0x62", "0x10"))
    assert lagging.head_number() == 0x62
    lagging.close()
    strict = quorum(nodes("0x64", "0x62", "0x10"), 3)
    assert strict.head_number() == 0x10
    strict.close()


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (["0xhash"], Delivery.ACCEPTED),
        ([refusing("already known")], Delivery.ACCEPTED),
        ([refusing("transaction already imported")], Delivery.ACCEPTED),
        ([refusing("nonce too low")], Delivery.REFUSED),
        ([refusing("nonce too low"), "0xhash"], Delivery.ACCEPTED),
    ],
)
def test_send__any_node_takes_it__accepted(
    nodes: Any, answers: list[Any], expected: Delivery
) -> None:
    over = quorum(nodes(*answers))
    assert over.send(b"raw")[0] is expected
    over.close()


def test_send__no_answer__unknown_not_refused(nodes: Any) -> None:
    made = nodes(refusing("nonce too low"), "0x1")
    over = quorum(made)
    made[1].gone = True
    delivery, why = over.send(b"raw")
    assert delivery is Delivery.UNKNOWN
    assert why
    over.close()


def test_receipt__fields_that_nodes_add__do_not_break_agreement(nodes: Any) -> None:
    receipt = {
        "transactionHash": "0xAA",
        "blockNumber": "0x5",
        "blockHash": "0xBB",
        "status": "0x1",
        "gasUsed": "0x5208",
        "effectiveGasPrice": "0x3",
    }
    both = quorum(nodes(receipt, receipt | {"l1Fee": "0x9", "transactionHash": "0xaa"}))
    found = both.receipt("0xaa")
    assert found is not None
    assert (found.block, found.success, found.gas_used) == (5, True, 21_000)
    both.close()
