"""Idempotency keys (CNaught contract 1.2).

Imported only inside this package.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from fastapi import Request
from sqlalchemy.engine import Connection
from starlette.responses import Response

from .. import wire
from ..state import World, to_us
from .problems import Problem
from .scope import Caller
from .section import section_of
from .tables import idempotency

_LONGEST_KEY = 512


@dataclass(frozen=True, slots=True)
class Call:
    """One call that changes something: by whom, with which key, to the byte."""

    caller: Caller
    path: str
    key: str | None
    body: bytes

    @property
    def fingerprint(self) -> str:
        """What must be the same when the key comes again."""
        payload = wire.dumps(_sorted(wire.loads(self.body))) if self.body else ""
        parts = [self.path, self.caller.subaccount_header, payload]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


async def call_of(request: Request, caller: Caller) -> Call:
    """The call of a request; raises a 400 problem for a key that is too long."""
    key = request.headers.get("idempotency-key")
    if key is not None and len(key) > _LONGEST_KEY:
        title = f"The idempotency key has more than {_LONGEST_KEY} characters"
        raise Problem(400, "idempotency-key-too-long", title)
    return Call(caller, f"{request.method} {request.url.path}", key, await request.body())


class Once:
    """Carries out each key once; one per API, for it knows which keys are being worked on."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._lock = threading.Lock()
        self._running: set[tuple[str, str, str]] = set()

    def __call__(
        self, call: Call, status: int, act: Callable[[Connection], dict[str, Any]]
    ) -> Response:
        """Answer with `status` and what `act` returns, or with the answer kept for the key.

        Kept are successes and the refusals 403 and 404; after other problems a key is free again.
        """
        if call.key is None:
            with self._world.transaction() as connection:
                return _reply(status, wire.dumps(act(connection)))
        with self._alone(call, call.key), self._world.transaction() as connection:
            kept = self._kept(connection, call)
            if kept is not None:
                return _reply(kept.status, kept.body, replay=True)
            try:
                body = act(connection)
            except Problem as problem:
                if problem.status not in (403, 404):
                    raise
                status, body = problem.status, problem.body
            text = wire.dumps(body)
            self._keep(connection, call, status, text)
            return _reply(status, text)

    @contextmanager
    def _alone(self, call: Call, key: str) -> Iterator[None]:
        mark = (call.caller.account.name, call.path, key)
        with self._lock:
            if mark in self._running:
                title = "A request with the same idempotency key is being processed"
                raise Problem(409, "idempotency-concurrent-requests", title)
            self._running.add(mark)
        try:
            yield
        finally:
            with self._lock:
                self._running.remove(mark)

    def _kept(self, connection: Connection, call: Call) -> Any:
        """The answer kept for the key; none once its life is over."""
        now = to_us(self._world.now(connection))
        oldest = now - section_of(self._world).idempotency_life_s * 1_000_000
        connection.execute(sa.delete(idempotency).where(idempotency.c.at_us < oldest))
        kept = connection.execute(
            sa.select(idempotency).where(
                idempotency.c.account == call.caller.account.name,
                idempotency.c.path == call.path,
                idempotency.c.key == call.key,
            )
        ).first()
        if kept is not None and kept.fingerprint != call.fingerprint:
            title = "Previous request submitted with same idempotency key had different payload"
            raise Problem(422, "idempotency-changed-payload", title)
        return kept

    def _keep(self, connection: Connection, call: Call, status: int, text: str) -> None:
        connection.execute(
            sa.insert(idempotency).values(
                account=call.caller.account.name,
                path=call.path,
                key=call.key,
                fingerprint=call.fingerprint,
                status=status,
                body=text,
                at_us=to_us(self._world.now(connection)),
            )
        )


def _reply(status: int, text: str, *, replay: bool = False) -> Response:
    media_type = "application/json" if status < 400 else "application/problem+json"
    headers = {"X-Idempotent-Replay": "true"} if replay else None
    return Response(text, status, headers=headers, media_type=media_type)


def _sorted(value: Any) -> Any:
    """The same JSON with the keys of every object in order."""
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value
