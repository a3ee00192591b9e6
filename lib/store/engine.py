"""Engines for the two databases: two SQLite files, or two schemas of one PostgreSQL.

`records.db` must survive power loss: rollback journal with `synchronous=EXTRA` (WAL can corrupt on
SQLite up to 3.51.2). `mirror.db` can be rebuilt and is read while it is written: WAL.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from ..domain.errors import StoreProblem
from . import (
    journal_tables,  # noqa: F401 (registers the journal's tables and triggers)
    schema,
)

_VERSION_TABLE = "CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)"


@dataclass(frozen=True, slots=True)
class Engines:
    """The two databases of one desk."""

    records: Engine
    mirror: Engine

    def dispose(self) -> None:
        """Close all connections."""
        self.records.dispose()
        self.mirror.dispose()


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that takes the write lock at once, so that what it read stays true.

    Raises StoreProblem when the database cannot be written; then nothing of it happened.
    """
    try:
        with engine.execution_options(carbon_desk_write=True).begin() as connection:
            if connection.dialect.name == "postgresql":
                # What BEGIN IMMEDIATE is on SQLite: one writer at a time in this schema.
                connection.exec_driver_sql(
                    "SELECT pg_advisory_xact_lock(727275, hashtext(current_schema()))"
                )
            yield connection
    except SQLAlchemyError as problem:
        raise store_problem(engine, problem) from problem


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection that only reads; raises StoreProblem when the database cannot be read."""
    try:
        with engine.connect() as connection:
            yield connection
    except SQLAlchemyError as problem:
        raise store_problem(engine, problem) from problem


def store_problem(engine: Engine, problem: SQLAlchemyError) -> StoreProblem:
    """The database's failure as a sentence for people, without SQL or credentials."""
    reason = str(getattr(problem, "orig", None) or type(problem).__name__).splitlines()[0]
    where = engine.url.database or "database"
    return StoreProblem(
        f"The local database ({Path(where).name}) cannot be used: {reason}. "
        "Check free disk space and permissions of the data folder."
    )


def open_engines(database_url: str | None, data_dir: Path) -> Engines:
    """Open or create both databases. Raises StoreProblem in one sentence when that fails.

    `database_url` None means SQLite files in `data_dir`; otherwise a PostgreSQL URL such as
    `postgresql+psycopg://user:password@host/name`, or a SQLite URL whose folder is used.
    """
    if database_url is not None:
        try:
            sa.make_url(database_url)
        except (ValueError, sa.exc.ArgumentError):
            # The library's own message may quote a part of the password.
            raise StoreProblem(
                "CARBON_DESK_DATABASE_URL cannot be read: write @, / and : of a password as "
                "%40, %2F and %3A."
            ) from None
    try:
        if database_url is None or database_url.startswith("sqlite"):
            folder = data_dir if database_url is None else _folder_of(database_url, data_dir)
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            engines = Engines(
                _sqlite(folder / "records.db", wal=False), _sqlite(folder / "mirror.db", wal=True)
            )
        else:
            engines = Engines(_postgres(database_url, "records"), _postgres(database_url, "mirror"))
    except OSError as problem:
        raise StoreProblem(f"The data folder cannot be opened: {problem}.") from problem
    _prepare(engines.records, schema.records, schema.RECORDS_VERSION, rebuildable=False)
    _prepare(engines.mirror, schema.mirror, schema.MIRROR_VERSION, rebuildable=True)
    return engines


def _folder_of(database_url: str, data_dir: Path) -> Path:
    database = sa.make_url(database_url).database
    return Path(database).parent if database and database != ":memory:" else data_dir


def _sqlite(path: Path, *, wal: bool) -> Engine:
    engine = sa.create_engine(
        f"sqlite:///{path}", connect_args={"timeout": 30, "check_same_thread": False}
    )

    @sa.event.listens_for(engine, "connect")
    def _durable(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        if wal:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
        else:
            connection.execute("PRAGMA journal_mode=DELETE")
            connection.execute("PRAGMA synchronous=EXTRA")

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("carbon_desk_write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _postgres(database_url: str, schema_name: str) -> Engine:
    engine = sa.create_engine(
        database_url,
        pool_pre_ping=True,
        connect_args={"options": f"-c search_path={schema_name}", "connect_timeout": 10},
    )
    try:
        with engine.begin() as connection:
            connection.execute(sa.schema.CreateSchema(schema_name, if_not_exists=True))
    except SQLAlchemyError as problem:
        raise store_problem(engine, problem) from problem
    return engine


def _prepare(engine: Engine, metadata: sa.MetaData, version: int, *, rebuildable: bool) -> None:
    """Create missing tables; a mirror of another version is emptied, records are refused."""
    with writing(engine) as connection:
        if connection.dialect.name == "postgresql":
            # Several processes may start at once: one creates, the others wait.
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(727274)")
        connection.exec_driver_sql(_VERSION_TABLE)
        found = connection.exec_driver_sql("SELECT version FROM schema_version").scalar()
        if found is not None and found != version:
            if not rebuildable:
                raise StoreProblem(
                    f"The records database has version {found}, this program knows {version}. "
                    "Use the program that wrote it, or a newer one."
                )
            metadata.drop_all(connection)
            connection.exec_driver_sql("DELETE FROM schema_version")
            found = None
        metadata.create_all(connection)
        if found is None:
            connection.execute(
                sa.text("INSERT INTO schema_version VALUES (:version)"), {"version": version}
            )
