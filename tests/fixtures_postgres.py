"""A throw-away PostgreSQL for tests: one cluster per run, one empty database per test.

    def test_something(postgres_url): ...

The cluster listens on a Unix socket in its own folder only, and is gone when the run ends.
"""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

from tests.tools.needs import require

USER = "carbon"

#: Only for tests: what is lost in a crash is thrown away anyway, so nothing waits for the disk.
OPTIONS = "-c listen_addresses='' -c fsync=off -c full_page_writes=off -c max_connections=60"


@dataclass(frozen=True)
class Cluster:
    """A running server; `folder` holds its data and its socket."""

    folder: Path

    def url(self, database: str) -> str:
        """The database as a SQLAlchemy URL."""
        return f"postgresql+psycopg://{USER}@/{database}?host={quote(str(self.folder), safe='')}"

    def execute(self, statement: str) -> None:
        """Run one statement as the owner of everything."""
        with psycopg.connect(
            host=str(self.folder), user=USER, dbname="postgres", autocommit=True
        ) as connection:
            connection.execute(statement.encode())


def _unprivileged() -> str | None:
    """PostgreSQL refuses to run as root: the user to become, None when we are not root."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[Cluster]:
    """A PostgreSQL server that lives as long as the test run."""
    pg_ctl = require("postgresql")
    user = _unprivileged()
    # Not pytest's own folder: a socket's path may have 103 characters, and the server's user
    # must be able to reach it.
    folder = Path(tempfile.mkdtemp(prefix="carbon-desk-pg-", dir="/tmp"))
    data = folder / "data"

    def run(*arguments: str) -> None:
        command = [str(pg_ctl), "--pgdata", str(data), "--silent", *arguments]
        subprocess.run(command, check=True, user=user, cwd=folder, timeout=120)

    try:
        if user is not None:
            shutil.chown(folder, user)
        run("initdb", "--options", f"--username={USER} --auth=trust --no-sync --encoding=UTF8")
        log = str(folder / "log")
        run("start", "--wait", "--log", log, "--options", f"-k {folder} {OPTIONS}")
        try:
            yield Cluster(folder)
        finally:
            run("stop", "--mode", "immediate")
    finally:
        shutil.rmtree(folder)


_names = (f"test_{number}" for number in itertools.count(1))


@pytest.fixture
def postgres_url(postgres_cluster: Cluster) -> Iterator[str]:
    """The URL of a fresh, empty database."""
    name = next(_names)
    postgres_cluster.execute(f"CREATE DATABASE {name}")
    yield postgres_cluster.url(name)
    postgres_cluster.execute(f"DROP DATABASE {name} WITH (FORCE)")
