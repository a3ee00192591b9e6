"""`python -m lib`: every command explains itself, and bad input is one line and a non-zero code."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from tests.desks import account_settings


def run(*arguments, timeout=60, **environment):
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("CARBON_DESK_")}
    return subprocess.run(
        [sys.executable, "-m", "lib", *arguments],
        env={**inherited, **environment},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def accounts_of(url):
    return {
        f"CARBON_DESK_ACCOUNTS__{name}__{key.upper()}": value
        for name, account in account_settings(url).items()
        for key, value in account.items()
    }


def one_line(done):
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("carbon desk:")]
    assert len(lines) == 1, done.stderr
    return lines[0]


@pytest.mark.parametrize("command", [[], ["sync"], ["worker"], ["sandbox"]])
def test_help_explains_each_command(command):
    done = run(*command, "--help")
    assert done.returncode == 0
    assert "usage:" in done.stdout


def test_a_misspelt_setting_is_one_line(tmp_path):
    done = run("sync", CARBON_DESK_DATA_DIR=str(tmp_path), CARBON_DESK_READONLY="true")
    assert "CARBON_DESK_READONLY" in one_line(done)


def test_an_unknown_account_is_one_line(sandbox, tmp_path):
    done = run(
        "sync", "--account", "nobody", CARBON_DESK_DATA_DIR=str(tmp_path),
        **accounts_of(sandbox.url),
    )  # fmt: skip
    assert "nobody" in one_line(done)


def test_an_unreachable_provider_is_one_line_and_the_others_are_kept(sandbox, tmp_path):
    accounts = accounts_of(sandbox.url)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    accounts["CARBON_DESK_ACCOUNTS__lune__BASE_URL"] = f"http://127.0.0.1:{port}/lune/v1"
    done = run("sync", CARBON_DESK_DATA_DIR=str(tmp_path), **accounts)
    assert done.returncode == 1
    assert "lune" in one_line(done)
    assert "cnaught: 0 orders read" in done.stdout


def test_a_second_worker_on_one_journal_exits_with_the_holders_pid(sandbox, tmp_path):
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith("CARBON_DESK_")},
        "CARBON_DESK_DATA_DIR": str(tmp_path),
        **accounts_of(sandbox.url),
    }
    first = subprocess.Popen(
        [sys.executable, "-m", "lib", "worker"], env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        assert first.stdout is not None
        assert "worker runs" in first.stdout.readline()
        time.sleep(1)
        second = run("worker", CARBON_DESK_DATA_DIR=str(tmp_path), **accounts_of(sandbox.url))
        said = one_line(second)
        assert str(first.pid) in said
        assert "CARBON_DESK_WORKER" in said
    finally:
        first.send_signal(signal.SIGINT)
        first.wait(timeout=30)
