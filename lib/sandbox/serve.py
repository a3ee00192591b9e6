"""Running the sandbox: `python -m lib sandbox`, the app's embedded sandbox, and the tests' one.

`RunningSandbox` is a real server on a real socket in a thread of its own; `main` wraps it for the
command line.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import socket
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Literal, NoReturn, Self, cast

import sqlalchemy as sa
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from . import catalogue
from .app import create_app
from .cnaught.callbacks import CallbackSender
from .filling import Filling
from .options import BadOption, History, Options
from .providers import PROVIDERS
from .state import World


class _DroppableProtocol(H11Protocol):
    """HTTP that lets the app close the connection without a reply, for faults."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        self.app_state = {**self.app_state, "transport": transport}
        super().connection_made(transport)


class RunningSandbox:
    """A sandbox that serves from `with` until its end; `url` is where.

    Raises BadOption for whatever cannot be served: catalogue, database, port.
    """

    def __init__(self, options: Options) -> None:
        self._options = options
        self.world = _open_world(options)
        self.filling = Filling(self.world, options)
        self._socket = _listen(options)
        self.url = _url(self._socket)
        self.world.public_url = self.url
        self.world.callback_hosts = options.allow_callbacks
        self._callbacks = CallbackSender(self.world)
        self._server = uvicorn.Server(
            uvicorn.Config(
                create_app(self.world, self.filling, options=options),
                http=_DroppableProtocol,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                timeout_graceful_shutdown=2,
            )
        )
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, name="sandbox", daemon=True
        )

    def __enter__(self) -> Self:
        try:
            self.filling.start()
            self._thread.start()
            self._wait_until_served()
            if self._options.allow_callbacks:
                self._callbacks.start()
        except BaseException:
            self.close()
            raise
        return self

    def _wait_until_served(self) -> None:
        while not self._server.started:
            if not self._thread.is_alive():
                raise BadOption(f"The sandbox could not be served at {self.url}.")
            time.sleep(0.005)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop serving and let go of socket and database."""
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join()
        self.filling.stop()
        self._callbacks.stop()
        self._socket.close()
        self.world.close()


def _open_world(options: Options) -> World:
    sections = catalogue.load(options.catalogue)
    try:
        world = World(options.database, catalogue=sections, seed=options.seed)
        world.create_tables()
    except (sa.exc.SQLAlchemyError, ImportError) as problem:
        raise BadOption(
            "The database cannot be opened: check --database, its folder and its server."
        ) from problem
    for provider in PROVIDERS.values():
        provider.register(world)
    return world


def _listen(options: Options) -> socket.socket:
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    try:
        listening = socket.create_server((options.host, options.port), family=family, backlog=2048)
    except (OSError, OverflowError) as problem:
        raise BadOption(
            f"Port {options.port} on {options.host} cannot be used ({problem}): "
            "choose another with --port or --host."
        ) from problem
    # asyncio does this only for sockets that name their protocol; without it replies wait 40 ms.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def _url(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 (a comparison)
    return f"http://[{reachable}]:{port}" if ":" in reachable else f"http://{reachable}:{port}"


def main(argv: list[str]) -> int:
    """The command line; returns the exit code: 2 for options that cannot be used."""
    arguments = _parser().parse_args(argv)
    given = vars(arguments)
    until_parent_ends = given.pop("exit_with_parent")
    options = Options(**given | {"allow_callbacks": frozenset(arguments.allow_callbacks)})
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if until_parent_ends:
        threading.Thread(target=_set_when_stdin_closes, args=(stop,), daemon=True).start()
    try:
        with RunningSandbox(options) as sandbox:
            print(f"Sandbox ready at {sandbox.url}", flush=True)
            stop.wait()
    except BadOption as problem:
        print(f"sandbox: {problem}", file=sys.stderr)
        return 2
    return 0


def _set_when_stdin_closes(stop: threading.Event) -> None:
    # Past sys.stdin: its lock, held by a thread that waits, would break the interpreter's end.
    while os.read(0, 1024):
        pass
    stop.set()


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence, without the usage before it."""

    def error(self, message: str) -> NoReturn:
        """Exit with code 2."""
        self.exit(2, f"sandbox: {message} (--help explains every option)\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m lib sandbox",
        description="Serve the CNaught, Lune and Isometric APIs on this machine, with sample data.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add(
        "--host",
        default="127.0.0.1",
        help="address to listen on; the control plane answers loopback clients whatever it is",
    )
    add("--port", type=_whole, default=8787, help="port to listen on; 0 takes any free one")
    add(
        "--database",
        default="sqlite://",
        metavar="URL",
        help="SQLAlchemy URL that keeps the state; the default forgets it at the end",
    )
    add(
        "--history",
        type=_history,
        default="demo",
        metavar="demo|none|N",
        help="three believable years, nothing, or N CNaught orders with proportionate others",
    )
    add("--seed", type=_whole, default=1, metavar="N", help="same seed and clock, same history")
    add(
        "--clock",
        type=_moment,
        default=None,
        metavar="ISO",
        help="where history ends and the clock starts; the default is now",
    )
    add(
        "--catalogue",
        type=Path,
        default=None,
        metavar="FILE",
        help="JSON with portfolios, bundles, projects, prices and emission factors; the "
        "default is the built-in one",
    )
    add("--latency-ms", type=_whole, default=0, metavar="N", help="delay before every answer")
    add(
        "--rate-limits",
        choices=("provider", "off"),
        default="provider",
        help="answer 429 as the providers do, or never",
    )
    add(
        "--allow-callbacks",
        action="append",
        default=[],
        metavar="HOST",
        help="a host that order callbacks may be sent to; may be repeated",
    )
    add(
        "--exit-with-parent",
        action="store_true",
        help="stop when standard input closes, as it does when the parent process ends",
    )
    return parser


def _whole(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number")
    return int(text)


def _history(text: str) -> History:
    if text in ("demo", "none"):
        return cast("Literal['demo', 'none']", text)
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is neither demo, none nor a number of orders")
    return int(text)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as problem:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a moment such as 2026-11-01T00:00:00Z"
        ) from problem
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
