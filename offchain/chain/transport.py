"""JSON-RPC over one kept-alive connection per thread; never retries a request the node answered.

`connect` is the one way in which scripts, the orchestrator and tests open a chain. The provider
speaks plain HTTP(S) POST as any node expects; it skips the per-request session work of the
general-purpose client, which on a local node costs more than the node's own answer.
"""

from __future__ import annotations

import base64
import http.client
import socket
import threading
from typing import Any
from urllib.parse import unquote, urlsplit

from web3 import Web3
from web3.providers.base import JSONBaseProvider
from web3.types import RPCEndpoint, RPCResponse

from offchain.errors import OffchainError

_BROKEN = (http.client.HTTPException, OSError)


class ChainUnreachable(OffchainError, ConnectionError):
    """The node did not answer; the message is one line and names the host, never its key."""


class KeepAliveProvider(JSONBaseProvider):
    """A web3 provider with one persistent connection per thread.

    Args:
        url: `http://` or `https://` address of the node.
        timeout: seconds to wait for one answer.

    Raises:
        ValueError: if the address has another scheme or no host.
    """

    def __init__(self, url: str, timeout: float = 30.0) -> None:
        super().__init__()
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("an RPC address must look like http://host:port")
        self.endpoint_uri = url
        self._tls = parts.scheme == "https"
        self._host = parts.hostname
        self._port = parts.port or (443 if self._tls else 80)
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._timeout = timeout
        self._headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if parts.username is not None:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            self._headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        self._local = threading.local()

    @property
    def peer(self) -> str:
        """Host and port, without path or credentials, for messages."""
        return f"{self._host}:{self._port}"

    def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        """Posts one request and returns the decoded response."""
        return self.decode_rpc_response(self._post(self.encode_rpc_request(method, params)))

    def make_batch_request(
        self, requests: list[tuple[RPCEndpoint, Any]]
    ) -> list[RPCResponse] | RPCResponse:
        """Posts several requests at once; the answers come back in the order asked."""
        raw = self._post(self.encode_batch_rpc_request(requests))
        decoded: Any = self.decode_rpc_response(raw)
        if not isinstance(decoded, list):
            answer: RPCResponse = decoded
            return answer
        ordered: list[RPCResponse] = sorted(decoded, key=lambda answer: int(answer["id"] or 0))
        return ordered

    def is_connected(self, show_traceback: bool = False) -> bool:
        """Whether the node answers at all."""
        try:
            return "result" in self.make_request(RPCEndpoint("web3_clientVersion"), [])
        except ChainUnreachable:
            if show_traceback:
                raise
            return False

    def _connection(self) -> http.client.HTTPConnection:
        held: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
        if held is None:
            kind = http.client.HTTPSConnection if self._tls else http.client.HTTPConnection
            held = kind(self._host, self._port, timeout=self._timeout)
            held.connect()
            held.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._local.connection = held
        return held

    def _drop(self) -> None:
        held = getattr(self._local, "connection", None)
        if held is not None:
            held.close()
        self._local.connection = None

    def _post(self, body: bytes) -> bytes:
        # NOTE: a kept connection may have been closed by the node while idle, so a break before
        # any byte of an answer is tried once more on a new one. A raw transaction sent twice is
        # the same transaction.
        for attempt in (0, 1):
            fresh = getattr(self._local, "connection", None) is None
            try:
                connection = self._connection()
                connection.request("POST", self._path, body, self._headers)
                response = connection.getresponse()
                payload = response.read()
            except TimeoutError as error:
                self._drop()
                raise ChainUnreachable(
                    f"no answer from {self.peer} in {self._timeout:g} s"
                ) from error
            except _BROKEN as error:
                self._drop()
                if fresh or attempt:
                    raise ChainUnreachable(f"no chain answers at {self.peer}") from error
                continue
            if response.status >= 300:
                raise ChainUnreachable(f"{self.peer} answered HTTP {response.status}")
            return payload
        raise ChainUnreachable(f"no chain answers at {self.peer}")


def connect(url: str, timeout: float = 30.0) -> Web3:
    """Opens a chain by its HTTP address.

    Raises:
        ChainUnreachable: if nothing answers there.
        ValueError: if the address is not an HTTP address.
    """
    provider = KeepAliveProvider(url, timeout)
    web3 = Web3(provider)
    if not provider.is_connected():
        raise ChainUnreachable(f"no chain answers at {provider.peer}")
    return web3
