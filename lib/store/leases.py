"""Leases: who may work the journal now. One holder at a time, across processes and machines.

Used by the worker. A lease runs out on its own, so that the next worker never waits for a
machine that is gone; on the same machine a dead holder is noticed at once by its process id.
"""

from __future__ import annotations

import os
import secrets
import socket
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Engine, Row

from .engine import writing
from .journal_tables import leases

#: Holders that live in this process: a row with our pid and another name is a leftover.
_OURS: set[str] = set()


@dataclass(frozen=True, slots=True)
class LeaseHolder:
    """Who holds a lease: `holder` is unique, host and pid tell a person where to look."""

    holder: str
    host: str
    pid: int


def new_holder() -> LeaseHolder:
    """A holder for this process, different from every other."""
    host, pid = socket.gethostname(), os.getpid()
    return LeaseHolder(f"{host}:{pid}:{secrets.token_hex(4)}", host, pid)


def acquire_lease(
    engine: Engine, name: str, me: LeaseHolder, *, ttl: timedelta, now: datetime
) -> LeaseHolder | None:
    """Take or renew the lease for `ttl`. None when it is mine now, else who holds it.

    Raises StoreProblem when the database cannot be written.
    """
    with writing(engine) as connection:
        if connection.dialect.name == "postgresql":
            # Two first-comers would both find no row.
            connection.execute(sa.text("LOCK TABLE leases IN EXCLUSIVE MODE"))
        row = connection.execute(sa.select(leases).where(leases.c.name == name)).one_or_none()
        if row is not None and row.holder != me.holder and _alive(row, now):
            return LeaseHolder(row.holder, row.host, row.pid)
        connection.execute(sa.delete(leases).where(leases.c.name == name))
        connection.execute(
            sa.insert(leases).values(
                name=name, holder=me.holder, host=me.host, pid=me.pid, expires_at=now + ttl
            )
        )
    _OURS.add(me.holder)
    return None


def release_lease(engine: Engine, name: str, me: LeaseHolder) -> None:
    """Give the lease back, if it is still mine."""
    with writing(engine) as connection:
        connection.execute(
            sa.delete(leases).where(leases.c.name == name, leases.c.holder == me.holder)
        )
    _OURS.discard(me.holder)


def lease_holder(engine: Engine, name: str, now: datetime) -> LeaseHolder | None:
    """Who holds the lease and is alive, as far as can be told from here."""
    with engine.connect() as connection:
        row = connection.execute(sa.select(leases).where(leases.c.name == name)).one_or_none()
    if row is None or not _alive(row, now):
        return None
    return LeaseHolder(row.holder, row.host, row.pid)


def _alive(row: Row[tuple[object, ...]], now: datetime) -> bool:
    if row.expires_at <= now:
        return False
    if row.host != socket.gethostname():
        return True
    if row.pid == os.getpid():
        return row.holder in _OURS
    try:
        os.kill(row.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
