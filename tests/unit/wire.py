"""A tiny HTTP server over real sockets that does what a script says, also what no server should.

For tests of the clients: `with Wire(answer(200, b"{}"), drop()) as wire`. Each request takes the
next step of the script; the last step serves all further requests.
"""

from __future__ import annotations

import gzip
import json
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

Step = Callable[[socket.socket], bool]  # True: the connection may serve another request


@dataclass(frozen=True)
class Received:
    """One request as it came off the wire; header names are lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


def answer(status: int = 200, body: bytes | Any = b"", **headers: str) -> Step:
    """A complete answer; anything but bytes is sent as JSON. `retry_after` is Retry-After."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    kind = {} if isinstance(body, bytes) else {"content-type": "application/json"}
    named = kind | {name.replace("_", "-"): value for name, value in headers.items()}
    return raw(_head(status, len(content), named) + content, close=False)


def gzipped(body: bytes, coding: str = "gzip") -> Step:
    content = gzip.compress(body)
    head = {"content-type": "application/json", "content-encoding": coding}
    return raw(_head(200, len(content), head) + content, close=False)


def raw(data: bytes, *, close: bool = True) -> Step:
    """Exactly these bytes."""

    def step(connection: socket.socket) -> bool:
        connection.sendall(data)
        return not close

    return step


def drop() -> Step:
    """Close after the request was read: it arrived, and no answer comes."""
    return lambda _connection: False


def reset() -> Step:
    """Tear the connection down with RST."""

    def step(connection: socket.socket) -> bool:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False

    return step


def truncate(body: bytes) -> Step:
    """Promise twice as many bytes as come."""
    return raw(_head(200, 2 * len(body), {"content-type": "application/json"}) + body)


def silence(seconds: float) -> Step:
    """Say nothing for a while, then hang up."""

    def step(_connection: socket.socket) -> bool:
        time.sleep(seconds)
        return False

    return step


def drip(pause: float, pieces: int) -> Step:
    """A body that comes a byte at a time."""

    def step(connection: socket.socket) -> bool:
        connection.sendall(_head(200, pieces, {"content-type": "application/json"}))
        for _ in range(pieces):
            time.sleep(pause)
            connection.sendall(b" ")
        return False

    return step


def after(event: threading.Event, then: Step) -> Step:
    """Answer only when the event has happened."""

    def step(connection: socket.socket) -> bool:
        event.wait(timeout=10)
        return then(connection)

    return step


def _head(status: int, length: int, headers: dict[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} -", *(f"{k}: {v}" for k, v in headers.items())]
    return "\r\n".join([*lines, f"content-length: {length}", "", ""]).encode()


class Wire:
    """The server; `requests` holds what came, `arrived` tells that something did."""

    def __init__(self, *script: Step) -> None:
        self.requests: list[Received] = []
        self.arrived = threading.Event()
        self._script = list(script)
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as stream:
            try:
                while (received := _receive(stream)) is not None and self._step(received)(
                    connection
                ):
                    pass
            except (OSError, ValueError):
                return  # the client hung up or speaks TLS, which some tests provoke

    def _step(self, received: Received) -> Step:
        with self._lock:
            self.requests.append(received)
            self.arrived.set()
            return self._script.pop(0) if len(self._script) > 1 else self._script[0]


def _receive(stream: Any) -> Received | None:
    first = stream.readline().decode()
    if not first:
        return None
    method, target, _ = first.split(" ")
    headers = {}
    while line := stream.readline().decode().strip():
        name, _, value = line.partition(": ")
        headers[name.lower()] = value
    body = stream.read(int(headers.get("content-length", 0)))
    return Received(method, target, headers, body)
