"""The cache: private to an account, true after writes, bounded, and never in the way."""

from __future__ import annotations

import contextlib
import random
import sqlite3
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import stamina

from lib.clients import errors
from lib.clients.cache import LIFETIMES, Answer, Cache
from lib.clients.http import Reply, Session, identity_of

from .wire import Step, Wire, after, answer, drop


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=1):
        yield


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "cache.db"


@pytest.fixture
def cache(path: Path) -> Iterator[Cache]:
    cache = Cache(path)
    yield cache
    cache.close()


def session(wire: Wire, cache: Cache | None, key: str = "key-1") -> Session:
    return Session(
        base_url=wire.url,
        headers={"Authorization": f"Bearer {key}"},
        identity=identity_of("test", wire.url, key),
        cache=cache,
    )


def value(reply: Reply) -> int:
    found = reply.json()
    if not isinstance(found, dict) or "n" not in found:
        raise reply.malformed("has no n")
    return int(found["n"])


def counting() -> Wire:
    """A server whose answers count up, so that a cached one shows."""
    return Wire(*[answer(200, {"n": n}) for n in range(50)])


def test_an_answer_is_kept_for_its_lifetime_and_survives_a_restart(path: Path) -> None:
    now = [1000.0]
    with counting() as wire:
        first = Cache(path, clock=lambda: now[0])
        with session(wire, first) as api:
            assert [api.read("/x", value, keep="catalogue") for _ in range(3)] == [0, 0, 0]
            assert first.stats().hits == 2
        first.close()
        again = Cache(path, clock=lambda: now[0])
        with session(wire, again) as api:
            assert api.read("/x", value, keep="catalogue") == 0
            now[0] += LIFETIMES["catalogue"] + 1
            assert api.read("/x", value, keep="catalogue") == 1
        assert len(wire.requests) == 2
        again.close()


def test_what_is_not_to_be_kept_is_read_every_time(cache: Cache) -> None:
    with counting() as wire, session(wire, cache) as api:
        assert [api.read("/x", value) for _ in range(3)] == [0, 1, 2]
        assert cache.stats().entries == 0
        with pytest.raises(ValueError, match="no lifetime"):
            api.read("/x", value, keep="orders")


def test_parameters_and_scopes_have_answers_of_their_own(cache: Cache) -> None:
    with counting() as wire, session(wire, cache) as api:
        asked = [
            api.read("/x", value, params=params, headers=headers, keep="subaccounts")
            for _ in range(2)
            for params in ({}, {"limit": 1})
            for headers in ({}, {"X-Subaccount-Id": "a"}, {"X-Subaccount-Id": "b"})
        ]
    assert asked == [0, 1, 2, 3, 4, 5] * 2


@pytest.mark.parametrize("bad", [answer(500), answer(404), answer(200, b"<html>"), answer(200, {})])
def test_what_failed_or_cannot_be_read_is_never_kept(cache: Cache, bad: Step) -> None:
    with Wire(bad, answer(200, {"n": 7})) as wire, session(wire, cache) as api:
        with pytest.raises(errors.ApiError):
            api.read("/x", value, keep="projects")
        assert cache.stats().entries == 0
        assert api.read("/x", value, keep="projects") == 7


def test_what_its_reader_no_longer_understands_is_fetched_anew(cache: Cache) -> None:
    with Wire(answer(200, {"old": 1}), answer(200, {"n": 2})) as wire, session(wire, cache) as api:
        api.read("/x", lambda reply: reply.json(), keep="projects")
        assert api.read("/x", value, keep="projects") == 2
        assert api.read("/x", value, keep="projects") == 2


@pytest.mark.parametrize("step", [answer(200, {}), answer(403), answer(500), drop()])
def test_a_write_drops_its_resources_whatever_becomes_of_it(cache: Cache, step: Step) -> None:
    script = [answer(200, {"n": 0}), answer(200, {"n": 1}), step]
    with Wire(*script, answer(200, {"n": 9})) as wire, session(wire, cache) as api:
        assert api.read("/subs", value, keep="subaccounts") == 0
        assert api.read("/portfolios", value, keep="catalogue") == 1
        with contextlib.suppress(errors.ApiError):
            api.post("/subs", {"name": "x"}, drops=("subaccounts",))
        assert api.read("/portfolios", value, keep="catalogue") == 1
        assert api.read("/subs", value, keep="subaccounts") == 9


@pytest.mark.parametrize("verb", ["put", "patch", "delete"])
def test_every_kind_of_write_drops(cache: Cache, verb: str) -> None:
    script = [answer(200, {"n": 0}), answer(204), answer(200, {"n": 1})]
    with Wire(*script) as wire, session(wire, cache) as api:
        api.read("/subs", value, keep="subaccounts")
        body = [] if verb == "delete" else [{"name": "x"}]
        assert getattr(api, verb)("/subs/1", *body, drops=("subaccounts",)).status == 204
        assert api.read("/subs", value, keep="subaccounts") == 1


def test_send_once_drops_everything_of_its_account_and_nothing_of_others(cache: Cache) -> None:
    script = [answer(200, {"n": 0}), answer(200, {"n": 1}), drop(), answer(200, {"n": 2})]
    with Wire(*script) as wire, session(wire, cache) as api, session(wire, cache, "key-2") as other:
        assert api.read("/x", value, keep="catalogue") == 0
        assert other.read("/x", value, keep="catalogue") == 1
        with pytest.raises(errors.OutcomeUnknownError):
            api.send_once("POST", "/orders", body=b"{}")
        assert other.read("/x", value, keep="catalogue") == 1
        assert api.read("/x", value, keep="catalogue") == 2


def test_a_read_that_began_before_a_write_is_not_kept(cache: Cache) -> None:
    written = threading.Event()
    script = [after(written, answer(200, {"n": 0})), answer(201, {}), answer(200, {"n": 1})]
    with Wire(*script) as wire, session(wire, cache) as api:
        found: list[int] = []
        slow = threading.Thread(
            target=lambda: found.append(api.read("/subs", value, keep="subaccounts"))
        )
        slow.start()
        assert wire.arrived.wait(timeout=10)
        api.post("/subs", {"name": "x"}, drops=("subaccounts",))
        written.set()
        slow.join()
        assert found == [0]
        assert api.read("/subs", value, keep="subaccounts") == 1


def test_two_accounts_never_see_each_other(cache: Cache) -> None:
    """Many interleaved reads and writes of two accounts: no foreign row, ever."""
    with Wire(answer(200, {"n": 1})) as first, Wire(answer(200, {"n": 2})) as second:
        # The same URL for both, so that only the identity can tell them apart.
        sessions = {
            1: Session(base_url=first.url, headers={}, identity="one", cache=cache),
            2: Session(base_url=second.url, headers={}, identity="two", cache=cache),
        }
        foreign: list[tuple[int, int]] = []

        def work(seed: int) -> None:
            dice = random.Random(seed)
            for _ in range(150):
                who = dice.choice((1, 2))
                if dice.random() < 0.1:
                    cache.drop("one" if who == 1 else "two", ("catalogue",))
                place, kept = cache.look("one" if who == 1 else "two", "catalogue", "u", {})
                if kept is None:
                    cache.keep(place, Answer(200, {}, b'{"n":%d}' % who))
                elif kept.content != b'{"n":%d}' % who:
                    foreign.append((who, len(kept.content)))
                if dice.random() < 0.1:
                    assert sessions[who].read("/x", value, keep="projects") == who

        threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for api in sessions.values():
            api.close()
    assert foreign == []
    assert cache.stats().hits > 0


def test_two_processes_share_the_file_and_its_drops(path: Path) -> None:
    ours, theirs = Cache(path), Cache(path)
    place, _ = ours.look("me", "catalogue", "u", {})
    ours.keep(place, Answer(200, {"a": "b"}, b"x"))
    assert theirs.look("me", "catalogue", "u", {})[1] == Answer(200, {"a": "b"}, b"x")
    asked_before, _ = theirs.look("me", "catalogue", "v", {})
    ours.drop("me")
    assert theirs.look("me", "catalogue", "u", {})[1] is None
    theirs.keep(asked_before, Answer(200, {}, b"old"))
    assert theirs.look("me", "catalogue", "v", {})[1] is None
    ours.close()
    theirs.close()


def test_the_size_is_bounded_and_the_oldest_go_first(path: Path) -> None:
    now = [0.0]
    cache = Cache(path, max_bytes=1000, clock=lambda: now[0])
    for n in range(20):
        now[0] += 1
        place, _ = cache.look("me", "projects", f"u{n}", {})
        cache.keep(place, Answer(200, {}, b"x" * 100))
        assert cache.stats().size_bytes <= 1000
    assert cache.look("me", "projects", "u0", {})[1] is None
    assert cache.look("me", "projects", "u19", {})[1] is not None
    place, _ = cache.look("me", "projects", "big", {})
    cache.keep(place, Answer(200, {}, b"x" * 1001))
    assert cache.stats().entries == 10
    cache.close()


def test_the_file_is_ours_alone_and_holds_no_key(path: Path) -> None:
    cache = Cache(path)
    with Wire(answer(200, {"n": 1})) as wire, session(wire, cache, "canary-77") as api:
        api.read("/x", value, keep="catalogue")
    cache.close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert b"canary-77" not in path.read_bytes()


def test_a_broken_file_is_begun_again(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(b"not a database at all" * 100)
    cache = Cache(path)
    place, kept = cache.look("me", "catalogue", "u", {})
    assert kept is None
    cache.keep(place, Answer(200, {}, b"x"))
    assert cache.stats().entries == 1
    cache.close()


def test_a_cache_that_fails_switches_itself_off(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cache = Cache(path)
    with sqlite3.connect(path) as other:
        other.execute("DROP TABLE answers")
    with counting() as wire, session(wire, cache) as api:
        assert [api.read("/x", value, keep="catalogue") for _ in range(2)] == [0, 1]
        api.post("/x", {}, drops=("catalogue",))
    assert "switched off" in caplog.text
    assert cache.stats().entries == 0


def test_a_folder_that_cannot_be_written_only_costs_time(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    cache = Cache(tmp_path / "file" / "cache.db")
    with Wire(answer(200, {"n": 1})) as wire, session(wire, cache) as api:
        assert api.read("/x", value, keep="catalogue") == 1
