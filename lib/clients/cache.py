"""The clients' cache of read answers: one SQLite file, bytes only, private to each account.

For `http`; a client takes a `Cache` and hands it on. Only answers that a reader has understood
are kept, never an error. A write drops the account's cached reads of what it changes, and an
answer whose request began before such a write is not kept afterwards. The cache may always be
lost: when its file fails it switches itself off, and reads go to the provider.
"""

from __future__ import annotations

import hashlib
import json
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

#: How long a resource's answers are kept, in seconds: the one place where this is decided.
#: Orders, deliveries, retirements, batches and quotes are not here: they are never cached.
LIFETIMES: Mapping[str, float] = {
    "catalogue": 3600.0,  # portfolios and bundles with their prices; a quote is always fresh
    "projects": 86400.0,
    "organisations": 3600.0,
    "subaccounts": 60.0,  # CNaught subaccounts, Lune client accounts, beneficiaries
    "settings": 60.0,  # bundle selection, hosted page
    "impact": 30.0,  # Lune analytics; figures that the ledger is held against are never kept
}

_log = logging.getLogger(__name__)

_TABLES = """
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY, identity TEXT NOT NULL, resource TEXT NOT NULL,
    status INTEGER NOT NULL, headers TEXT NOT NULL, content BLOB NOT NULL, size INTEGER NOT NULL,
    stored_at REAL NOT NULL, expires_at REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS answers_by_identity ON answers (identity, resource);
CREATE INDEX IF NOT EXISTS answers_by_age ON answers (stored_at);
CREATE TABLE IF NOT EXISTS writes (
    identity TEXT NOT NULL, resource TEXT NOT NULL, count INTEGER NOT NULL,
    PRIMARY KEY (identity, resource)
);
"""
_COUNT_WRITES = "SELECT coalesce(sum(count), 0) FROM writes WHERE identity = ? AND resource = ?"


@dataclass(frozen=True, slots=True)
class Answer:
    """What is kept of a reply."""

    status: int
    headers: Mapping[str, str]
    content: bytes


@dataclass(frozen=True, slots=True)
class Place:
    """Where an answer belongs, and how often its resource had been written when it was asked."""

    key: str
    identity: str
    resource: str
    writes: int


@dataclass(frozen=True, slots=True)
class Stats:
    """How much the file holds, and how often this process found what it looked for."""

    entries: int
    size_bytes: int
    hits: int
    misses: int


class Cache:
    """One cache file for any number of accounts, threads and processes.

    `lifetimes` maps a resource to seconds; `max_bytes` bounds the kept contents, the oldest go
    first. An `identity` names an account without its credential (see `http.identity_of`).
    """

    def __init__(
        self,
        path: Path | str,
        *,
        lifetimes: Mapping[str, float] = LIFETIMES,
        max_bytes: int = 256 * 1024 * 1024,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._lifetimes = dict(lifetimes)
        self._max_bytes = max_bytes
        self._clock = clock
        self._lock = threading.Lock()
        self._hits = self._misses = 0
        self._connection: sqlite3.Connection | None = None
        try:
            self._connection = _open(Path(path))
        except (sqlite3.Error, OSError) as error:
            self._switch_off(error)

    def look(
        self, identity: str, resource: str, url: str, scope: Mapping[str, str]
    ) -> tuple[Place, Answer | None]:
        """Find a GET's answer; the place is for `keep`. Raises ValueError: unknown resource."""
        if resource not in self._lifetimes:
            raise ValueError(f"{resource!r} has no lifetime in the cache.")
        key = _key(identity, url, scope)
        writes, answer = 0, None
        with self._lock:
            if self._connection is not None:
                try:
                    writes, answer = self._read(self._connection, key, identity, resource)
                except sqlite3.Error as error:
                    self._switch_off(error)
            self._hits += answer is not None
            self._misses += answer is None
        return Place(key, identity, resource, writes), answer

    def keep(self, place: Place, answer: Answer) -> None:
        """Keep an answer, unless its resource was written meanwhile or it fills the cache."""
        now = self._clock()
        row = (
            *(place.key, place.identity, place.resource, answer.status),
            *(json.dumps(dict(answer.headers)), answer.content, len(answer.content)),
            *(now, now + self._lifetimes[place.resource]),
        )
        if len(answer.content) <= self._max_bytes:
            self._change(lambda connection: self._store(connection, place, row, now))

    def drop(self, identity: str, resources: Collection[str] | None = None) -> None:
        """Forget the account's answers of these resources; None stands for all of them."""
        names = sorted(self._lifetimes if resources is None else resources)

        def forget(connection: sqlite3.Connection) -> None:
            for name in names:
                connection.execute(
                    "DELETE FROM answers WHERE identity = ? AND resource = ?", (identity, name)
                )
                connection.execute(
                    "INSERT INTO writes VALUES (?, ?, 1) "
                    "ON CONFLICT (identity, resource) DO UPDATE SET count = count + 1",
                    (identity, name),
                )

        self._change(forget)

    def forget(self, place: Place) -> None:
        """Forget one answer, for instance one that its reader no longer understands."""
        self._change(lambda c: c.execute("DELETE FROM answers WHERE key = ?", (place.key,)))

    def stats(self) -> Stats:
        """Entries and bytes in the file, hits and misses of this process."""
        with self._lock:
            entries = size = 0
            if self._connection is not None:
                try:
                    entries, size = self._connection.execute(
                        "SELECT count(*), coalesce(sum(size), 0) FROM answers"
                    ).fetchone()
                except sqlite3.Error as error:
                    self._switch_off(error)
            return Stats(entries, size, self._hits, self._misses)

    def close(self) -> None:
        """Let go of the file; the cache is then empty and keeps nothing."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _read(
        self, connection: sqlite3.Connection, key: str, identity: str, resource: str
    ) -> tuple[int, Answer | None]:
        row = connection.execute(
            "SELECT status, headers, content FROM answers WHERE key = ? AND expires_at > ?",
            (key, self._clock()),
        ).fetchone()
        writes = connection.execute(_COUNT_WRITES, (identity, resource)).fetchone()[0]
        return writes, None if row is None else Answer(row[0], json.loads(row[1]), row[2])

    def _store(
        self, connection: sqlite3.Connection, place: Place, row: tuple[object, ...], now: float
    ) -> None:
        writes = connection.execute(_COUNT_WRITES, (place.identity, place.resource)).fetchone()[0]
        if writes != place.writes:
            return  # a write came in between: the answer may show what was before it
        marks = ", ".join("?" * len(row))
        connection.execute(f"INSERT OR REPLACE INTO answers VALUES ({marks})", row)  # noqa: S608 (only question marks)
        self._evict(connection, now)

    def _evict(self, connection: sqlite3.Connection, now: float) -> None:
        held = "SELECT coalesce(sum(size), 0) FROM answers"
        if connection.execute(held).fetchone()[0] <= self._max_bytes:
            return
        connection.execute("DELETE FROM answers WHERE expires_at <= ?", (now,))
        while connection.execute(held).fetchone()[0] > self._max_bytes:
            connection.execute(
                "DELETE FROM answers WHERE rowid = "
                "(SELECT rowid FROM answers ORDER BY stored_at, rowid LIMIT 1)"
            )

    def _change(self, change: Callable[[sqlite3.Connection], object]) -> None:
        with self._lock:
            if self._connection is None:
                return
            try:
                # The write lock first, so that counting and storing are one step for all processes.
                self._connection.execute("BEGIN IMMEDIATE")
                change(self._connection)
                self._connection.execute("COMMIT")
            except sqlite3.Error as error:
                self._switch_off(error)

    def _switch_off(self, error: Exception) -> None:
        # A cache that cannot forget would show what is no longer true; none only costs time.
        _log.warning("The cache of provider answers is switched off: %s", error)
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
        self._connection = None


def _key(identity: str, url: str, scope: Mapping[str, str]) -> str:
    named = sorted((name.lower(), value) for name, value in scope.items())
    return hashlib.sha256(json.dumps([identity, "GET", url, named]).encode()).hexdigest()


def _open(path: Path) -> sqlite3.Connection:
    try:
        return _connect(path)
    except sqlite3.OperationalError:
        raise  # locked, full or not allowed: the file may be sound
    except sqlite3.DatabaseError:
        path.unlink()  # not a database any more: a cache can be begun again
        return _connect(path)


def _connect(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    connection = sqlite3.connect(path, timeout=5.0, isolation_level=None, check_same_thread=False)
    try:
        # No WAL: the bundled SQLite may corrupt one when several processes reset it at once.
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.executescript(_TABLES)
    except sqlite3.Error:
        connection.close()
        raise
    return connection
