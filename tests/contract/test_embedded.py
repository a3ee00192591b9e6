"""The embedded sandbox: one per data folder, shared, and back on its port with its history."""

from __future__ import annotations

import time

import httpx
import pytest

from lib.desk import open_desk
from lib.domain.errors import SettingsProblem
from lib.services.embedded import EmbeddedSandbox
from lib.settings import Settings


@pytest.fixture
def embedded(tmp_path):
    sandbox = EmbeddedSandbox(tmp_path)
    yield sandbox
    sandbox.stop()


def until_ready(sandbox):
    deadline = time.monotonic() + 60
    while not sandbox.ready():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_it_is_shared_by_all_who_use_the_folder(embedded, tmp_path):
    assert EmbeddedSandbox(tmp_path).url == embedded.url


def test_it_comes_back_on_the_same_port_with_the_same_history(embedded, tmp_path):
    url = embedded.url
    until_ready(embedded)
    before = httpx.get(f"{url}/_sandbox/ledger").json()
    embedded.stop()
    again = EmbeddedSandbox(tmp_path)
    try:
        assert again.url == url
        until_ready(again)
        assert (
            httpx.get(f"{url}/_sandbox/ledger").json()["accounts"][0]["orders"]
            == (before["accounts"][0]["orders"])
        )
    finally:
        again.stop()


def test_a_history_it_cannot_read_is_one_sentence_that_says_what_to_do(tmp_path):
    (tmp_path / "sandbox.db").write_bytes(b"not a database at all" * 200)
    with pytest.raises(SettingsProblem, match=r"sandbox\.db") as raised:
        _ = EmbeddedSandbox(tmp_path).url
    assert "Traceback" not in str(raised.value)


def test_a_desk_without_accounts_uses_it_and_says_so(tmp_path):
    with open_desk(Settings(data_dir=tmp_path)) as desk:
        assert desk.is_sandbox
        assert desk.embedded_sandbox_url
        assert {account.mode for account in desk.accounts} == {"sandbox"}
        assert desk.probe("isometric") == "Halden Logistics"
