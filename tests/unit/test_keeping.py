"""The thread that keeps the ledger fresh: what is due when, and that nothing ends it."""

from __future__ import annotations

import threading

import pytest

from lib.services.keeping import Keeper, Pace


class Scripted:
    """Stands in for syncing and its state: the thread's own timing is what is tested."""

    def __init__(self, *failures):
        self.failures = list(failures)
        self.calls = []
        self.called = threading.Semaphore(0)

    def sync(self, names):
        self.calls.append(sorted(names))
        self.called.release()
        if self.failures:
            raise self.failures.pop(0)

    def accounts_with_open_orders(self):
        return set()


@pytest.fixture
def running():
    stop, threads = threading.Event(), []

    def start(scripted, pace):
        keeper = Keeper(scripted, scripted, {"a": pace, "b": pace})
        threads.append(threading.Thread(target=keeper.run, args=(stop,)))
        threads[-1].start()
        return keeper

    yield start
    stop.set()
    for thread in threads:
        thread.join(timeout=10)
        assert not thread.is_alive()


def test_everything_is_read_once_at_the_start_and_then_only_what_is_due(running):
    scripted = Scripted()
    keeper = running(scripted, Pace(all=1000, with_open_orders=1000))
    assert scripted.called.acquire(timeout=10)
    keeper.soon("b")
    assert scripted.called.acquire(timeout=10)
    assert scripted.calls == [["a", "b"], ["b"]]


def test_an_account_just_ordered_from_is_followed_for_a_while(running):
    scripted = Scripted()
    keeper = running(scripted, Pace(just_ordered=0, all=1000, settling=60))
    assert scripted.called.acquire(timeout=10)
    keeper.soon("a")
    for _ in range(2):
        assert scripted.called.acquire(timeout=10)
    assert scripted.calls[1:3] == [["a"], ["a"]]


def test_no_failure_ends_the_thread(running):
    scripted = Scripted(RuntimeError("a bug"))
    keeper = running(scripted, Pace(all=1000, with_open_orders=1000))
    assert scripted.called.acquire(timeout=10)
    keeper.wake()
    assert scripted.called.acquire(timeout=15)
    assert scripted.calls == [["a", "b"], ["a", "b"]]
