"""The sandbox's state: one database, one clock, due events, effects and ids.

Everything that happens in the sandbox happens inside `World.transaction()`: it takes the write
lock, carries out the events that have fallen due by the sandbox's clock (each at its own due
time), and commits or rolls back as a whole. A reply is sent only after the commit. Transactions
do not nest.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

metadata = sa.MetaData()

meta = sa.Table(
    "meta",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)
events = sa.Table(
    "events",
    metadata,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("due_us", sa.BigInteger, nullable=False, index=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("ref", sa.Text, nullable=False),
)
effects = sa.Table(
    "effects",
    metadata,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("account", sa.Text, nullable=False),
    sa.Column("subaccount", sa.Text),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("id", sa.Text, nullable=False),
    sa.Column("key", sa.Text),
    sa.Column("reference", sa.Text),
    sa.Column("body_sha256", sa.Text),
    sa.Column("grams", sa.BigInteger, nullable=False),
    sa.Column("money", sa.Text),
    sa.Column("currency", sa.Text),
    sa.Column("at_us", sa.BigInteger, nullable=False),
)

# Built once: these run several times for every order of a long history.
_GET = sa.select(meta.c.value).where(meta.c.name == sa.bindparam("wanted"))
_COUNT_ON = (
    sa.update(meta)
    .where(meta.c.name == sa.bindparam("counter"))
    .values(value=sa.cast(sa.cast(meta.c.value, sa.BigInteger) + 1, sa.Text))
    .returning(meta.c.value)
)
_NEXT_DUE = (
    sa.select(events)
    .where(events.c.due_us > sa.bindparam("after"), events.c.due_us <= sa.bindparam("until"))
    .order_by(events.c.due_us, events.c.seq)
    .limit(1)
)
_DONE = sa.delete(events).where(events.c.seq == sa.bindparam("done"))

EventHandler = Callable[["World", Connection, str], None]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONG_AGO_US = -(10**17)
_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def to_us(moment: datetime) -> int:
    """Microseconds since 1970 UTC: how the database keeps every time."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def from_us(us: int) -> datetime:
    """The moment back from its microseconds."""
    return _EPOCH + timedelta(microseconds=us)


def rfc3339(moment: datetime) -> str:
    """`2022-08-01T18:00:00.000000Z`: six digits, as CNaught and Isometric print them."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class World:
    """The state behind all three APIs. `catalogue` is the whole catalogue, by provider."""

    def __init__(self, database_url: str, *, catalogue: dict[str, Any], seed: int = 0) -> None:
        self.catalogue = catalogue
        self.seed = seed
        self._engine = _engine(database_url)
        self._lock = threading.RLock()
        self._handlers: dict[str, EventHandler] = {}
        self._pinned: datetime | None = None
        self._floor: datetime | None = None
        self.public_url = ""
        """Where the sandbox is reached, for the links it hands out; set by the server."""
        self.callback_hosts: frozenset[str] = frozenset()
        """Hosts that callbacks may be sent to; none unless the server was told."""

    def on(self, kind: str, handler: EventHandler) -> None:
        """Carry out `handler(world, connection, ref)` when an event of this kind falls due."""
        self._handlers[kind] = handler

    def create_tables(self) -> None:
        """Create what is missing; call after all provider packages are imported."""
        metadata.create_all(self._engine)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """The one way to read or write: serialised, with all due events carried out first."""
        with self._lock, self._engine.begin() as connection:
            if self._pinned is None:
                self._carry_out_due(connection)
            yield connection

    @contextmanager
    def at(self, moment: datetime) -> Iterator[None]:
        """Pin the clock, so that what happens inside happens at `moment` (history, events)."""
        before, self._pinned = self._pinned, moment
        try:
            yield
        finally:
            self._pinned = before

    def carry_out_until(self, connection: Connection, moment: datetime) -> None:
        """Carry out everything due up to `moment`, in order: for history and clock advances.

        While history is being filled, what is due before its end is left to the filler, so that
        requests arriving meanwhile cannot change the order in which history happens.
        """
        floor = self._floor
        bounds = {
            "after": to_us(floor) if floor is not None and moment > floor else _LONG_AGO_US,
            "until": to_us(moment),
        }
        while (due := connection.execute(_NEXT_DUE, bounds).first()) is not None:
            connection.execute(_DONE, {"done": due.seq})
            with self.at(from_us(due.due_us)):
                self._handlers[due.kind](self, connection, due.ref)

    @contextmanager
    def filling_until(self, end: datetime) -> Iterator[None]:
        """Leave all events up to `end` to the one who fills history inside this block."""
        self._floor = end
        try:
            yield
        finally:
            self._floor = None

    def _carry_out_due(self, connection: Connection) -> None:
        self.carry_out_until(connection, self.now(connection))

    def now(self, connection: Connection) -> datetime:
        """The sandbox's time: the pinned moment, else real time plus the stored offset."""
        if self._pinned is not None:
            return self._pinned
        offset = int(self.get(connection, "clock_offset_us") or 0)
        return datetime.now(UTC) + timedelta(microseconds=offset)

    def set_now(self, connection: Connection, moment: datetime) -> None:
        """Let the clock run on from `moment`."""
        offset = to_us(moment) - to_us(datetime.now(UTC))
        self.put(connection, "clock_offset_us", str(offset))

    def advance(self, seconds: float) -> datetime:
        """Move the clock forward and carry out what falls due on the way; returns the new time."""
        with self.transaction() as connection:
            moment = self.now(connection) + timedelta(seconds=seconds)
            self.carry_out_until(connection, moment)
            self.set_now(connection, moment)
            return moment

    def schedule(self, connection: Connection, due: datetime, kind: str, ref: str) -> None:
        """Let an event of `kind` happen to `ref` at `due`."""
        connection.execute(sa.insert(events), {"due_us": to_us(due), "kind": kind, "ref": ref})

    def record_effect(
        self,
        connection: Connection,
        *,
        provider: str,
        account: str,
        kind: str,
        id: str,
        grams: int,
        subaccount: str | None = None,
        key: str | None = None,
        reference: str | None = None,
        body: bytes | None = None,
        money: str | None = None,
        currency: str | None = None,
    ) -> None:
        """Write down one effect for tests to reconcile against."""
        connection.execute(
            sa.insert(effects),
            {
                "provider": provider,
                "account": account,
                "subaccount": subaccount,
                "kind": kind,
                "id": id,
                "key": key,
                "reference": reference,
                "body_sha256": hashlib.sha256(body).hexdigest() if body is not None else None,
                "grams": grams,
                "money": money,
                "currency": currency,
                "at_us": to_us(self.now(connection)),
            },
        )

    def new_id(self, connection: Connection, length: int = 12, alphabet: str = _BASE62) -> str:
        """A fresh id: looks random, is the same for the same seed and history."""
        count = connection.execute(_COUNT_ON, {"counter": "id_count"}).scalar()
        if count is None:
            self.put(connection, "id_count", count := "1")
        digest = hashlib.sha256(f"{self.seed}:{count}".encode()).digest()
        number = int.from_bytes(digest + hashlib.sha256(digest).digest(), "big")
        letters = []
        for _ in range(length):
            number, index = divmod(number, len(alphabet))
            letters.append(alphabet[index])
        return "".join(letters)

    def get(self, connection: Connection, name: str) -> str | None:
        """A value kept under `name`, such as the clock's offset."""
        found = connection.execute(_GET, {"wanted": name}).first()
        return None if found is None else str(found.value)

    def put(self, connection: Connection, name: str, value: str) -> None:
        """Keep a value under `name`."""
        changed = connection.execute(
            sa.update(meta).where(meta.c.name == name).values(value=value)
        ).rowcount
        if not changed:
            connection.execute(sa.insert(meta).values(name=name, value=value))

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()


def _engine(database_url: str) -> sa.Engine:
    url = sa.make_url(database_url)
    if url.get_backend_name() != "sqlite":
        return sa.create_engine(url)
    if url.database in (None, "", ":memory:"):
        engine = sa.create_engine(
            url, poolclass=sa.StaticPool, connect_args={"check_same_thread": False}
        )
    else:
        engine = sa.create_engine(url, connect_args={"check_same_thread": False, "timeout": 30})

    @sa.event.listens_for(engine, "connect")
    def _quick_but_safe(connection: Any, _record: Any) -> None:
        # The sandbox may be killed at any moment by tests: rollback journal, no WAL.
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.isolation_level = None

    @sa.event.listens_for(engine, "begin")
    def _take_the_write_lock(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine
