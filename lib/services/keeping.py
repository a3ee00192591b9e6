"""Keeping the ledger fresh in the background: one thread that syncs what can have changed.

Everything once at the start; then an account right after something was confirmed there, every
few seconds while that settles; accounts with open orders now and then; all of them rarely.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ..domain.errors import DeskError
from ..store.syncs import Syncs
from .syncing import Syncing

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds between syncs of an account."""

    just_ordered: float = 3.0
    with_open_orders: float = 30.0
    all: float = 900.0
    #: How long an account counts as just ordered from.
    settling: float = 120.0


class Keeper:
    """Syncs accounts when they are due. `paces` is by account, set by its mode.

    `filling()` tells whether a provider is still making up its history (the embedded sandbox).
    """

    def __init__(
        self,
        syncing: Syncing,
        syncs: Syncs,
        paces: Mapping[str, Pace],
        *,
        filling: Callable[[], bool] = lambda: False,
    ) -> None:
        self._syncing = syncing
        self._syncs = syncs
        self._paces = paces
        self._filling = filling
        self._was_filling = False
        self._wake = threading.Event()
        self._lock = threading.Lock()
        self._last: dict[str, float] = {}
        self._settling_until: dict[str, float] = {}

    def soon(self, account: str) -> None:
        """Something happened in the account: sync it at once and follow it for a while."""
        with self._lock:
            pace = self._paces[account]
            self._settling_until[account] = time.monotonic() + pace.settling
            self._last.pop(account, None)
        self._wake.set()

    def wake(self) -> None:
        """Look at once whether something is due or the thread is to stop."""
        self._wake.set()

    def run(self, stop: threading.Event) -> None:
        """Sync what is due until `stop` is set."""
        while not stop.is_set():
            try:
                due = self._due()
                if due:
                    # Asked before the sync: one that begins while history fills needs another.
                    self._was_filling = self._filling()
                    self._syncing.sync(due)
                    self._mark(due)
            except DeskError as problem:
                _log.warning("the ledger could not be brought up to date: %s", problem)
                stop.wait(5)
            except Exception:  # noqa: BLE001 (a ledger that silently stops growing is worse)
                _log.exception("the ledger could not be brought up to date and will be again")
                stop.wait(5)
            self._wake.wait(1.0)
            self._wake.clear()

    def _due(self) -> list[str]:
        with_open_orders = self._syncs.accounts_with_open_orders()
        now = time.monotonic()
        with self._lock:
            return [
                name
                for name, pace in self._paces.items()
                if now - self._last.get(name, float("-inf"))
                >= self._interval(name, pace, now, has_open_orders=name in with_open_orders)
            ]

    def _interval(self, name: str, pace: Pace, now: float, *, has_open_orders: bool) -> float:
        if self._was_filling or now < self._settling_until.get(name, 0):
            return pace.just_ordered
        return pace.with_open_orders if has_open_orders else pace.all

    def _mark(self, names: list[str]) -> None:
        now = time.monotonic()
        with self._lock:
            for name in names:
                self._last[name] = now
