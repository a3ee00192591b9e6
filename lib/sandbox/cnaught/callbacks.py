"""Callbacks to customers (CNaught contract 5): queued with the change, sent by a thread.

`CallbackSender` is run by the server, and only where hosts to call were allowed; otherwise
nothing is queued and nothing leaves the machine.
"""

from __future__ import annotations

import http.client
import logging
import threading
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from .. import wire
from ..state import World, to_us
from .tables import callbacks
from .urls import is_https, parts_of

_log = logging.getLogger(__name__)

_PAUSES = [timedelta(minutes=minutes) for minutes in (1, 5, 15)] + [timedelta(hours=1)] * 24
"""Between attempts: soon at first, then hourly until 24 hours are over."""

_TIMEOUT_S = 10
_POLL_S = 0.25


def is_callable(world: World, url: str) -> bool:
    """Whether a URL may be stored as callback: absolute https, or http to an allowed host."""
    parts = parts_of(url)
    allowed = parts.scheme == "http" and parts.hostname in world.callback_hosts
    return allowed or is_https(url)


def announce(world: World, connection: Connection, url: str, body: dict[str, Any]) -> None:
    """Queue a callback, if its host may be called."""
    if parts_of(url).hostname in world.callback_hosts:
        due = to_us(world.now(connection))
        connection.execute(
            sa.insert(callbacks).values(url=url, body=wire.dumps(body), due_us=due, attempts=0)
        )


class CallbackSender:
    """Sends queued callbacks as they fall due by the sandbox's clock."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sandbox-callbacks", daemon=True)

    def start(self) -> None:
        """Begin sending in the background."""
        self._thread.start()

    def stop(self) -> None:
        """Stop after the current attempt."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(_POLL_S):
            for callback in self._due():
                delivered = post(callback.url, callback.body.encode())
                self._settle(callback, delivered=delivered)

    def _due(self) -> list[Any]:
        with self._world.transaction() as connection:
            now = to_us(self._world.now(connection))
            due = sa.select(callbacks).where(callbacks.c.due_us <= now).order_by(callbacks.c.seq)
            return list(connection.execute(due.limit(20)))

    def _settle(self, callback: Any, *, delivered: bool) -> None:
        """Forget what was delivered or tried often enough; else plan the next attempt."""
        this = callbacks.c.seq == callback.seq
        with self._world.transaction() as connection:
            if delivered or callback.attempts >= len(_PAUSES):
                connection.execute(sa.delete(callbacks).where(this))
                return
            due = self._world.now(connection) + _PAUSES[callback.attempts]
            connection.execute(
                sa.update(callbacks)
                .where(this)
                .values(attempts=callback.attempts + 1, due_us=to_us(due))
            )


def post(url: str, body: bytes) -> bool:
    """POST a JSON body; only status 200 counts, and no redirect is followed."""
    parts = parts_of(url)
    connect = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = connect(parts.netloc, timeout=_TIMEOUT_S)
    path = parts.path or "/"
    try:
        target = f"{path}?{parts.query}" if parts.query else path
        connection.request("POST", target, body, {"Content-Type": "application/json"})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException, ValueError) as problem:
        _log.warning("A callback could not be delivered: %s", type(problem).__name__)
        return False
    finally:
        connection.close()
