"""Bringing orders, allocations, deliveries and batches of all accounts into the ledger.

Each account is read whole, in batches that are recorded as they arrive, so that a sync that is
interrupted has kept what it read. One account failing leaves the others fresh: its failure is
recorded as a sentence and its totals count as incomplete.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ..domain.errors import DeskError
from ..domain.statements import Statement
from ..providers.base import OrderReading, Source
from ..store.ledger import Changes, Ledger
from ..store.syncs import Syncs

_log = logging.getLogger(__name__)

_UNEXPECTED = "An answer of the provider could not be understood: see the log for its kind."

#: Orders recorded in one transaction: small enough to show progress, large enough to be quick.
BATCH = 50

Report = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class AccountSync:
    """What one account's sync did; `problem` is a sentence when it could not be completed."""

    account: str
    orders_read: int
    changes: Changes
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class SyncResult:
    """What a sync of several accounts did."""

    accounts: tuple[AccountSync, ...] = field(default_factory=tuple)

    @property
    def complete(self) -> bool:
        """Whether every account was read whole."""
        return all(account.problem is None for account in self.accounts)


class Syncing:
    """Reads providers into the ledger, one sync of an account at a time."""

    def __init__(
        self,
        sources: Mapping[str, Source],
        ledger: Ledger,
        syncs: Syncs,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._sources = sources
        self._ledger = ledger
        self._syncs = syncs
        self._now = now
        self._locks = {name: threading.Lock() for name in sources}
        self._interrupted = threading.Event()

    def sync(
        self, accounts: Sequence[str] | None = None, report: Report | None = None
    ) -> SyncResult:
        """Bring these accounts (all by default) up to date, side by side.

        `report(account, orders_read)` is called as batches arrive. Never raises for a provider:
        its problem stands in the result. Raises StoreProblem when the database fails.
        """
        names = list(self._sources) if accounts is None else list(accounts)
        with ThreadPoolExecutor(max_workers=max(len(names), 1), thread_name_prefix="sync") as pool:
            done = pool.map(lambda name: self._sync_account(name, report), names)
            try:
                return SyncResult(tuple(done))
            except BaseException:
                # Leaving the pool waits for its threads: they stop at their next batch.
                self.interrupt()
                raise

    def _sync_account(self, name: str, report: Report | None) -> AccountSync:
        with self._locks[name]:
            source = self._sources[name]
            began = self._now()
            self._syncs.begin(name, source.account.provider, began)
            orders_read, changes = 0, Changes()
            said: list[Statement] = []
            earliest = began
            try:
                for batch in _batches(source.orders(), BATCH):
                    self._heed_interruption()
                    changes += self._record(batch, began)
                    orders_read += len(batch)
                    said += [statement for reading in batch for statement in reading.statements]
                    earliest = min([earliest, *(r.facts.ordered_at for r in batch)])
                    self._syncs.progress(name, began, orders_read)
                    if report:
                        report(name, orders_read)
                said += source.statements(earliest)
                without_order = list(source.unmatched_retirements())
            except DeskError as problem:
                self._syncs.fail(name, began, self._now(), str(problem))
                return AccountSync(name, orders_read, changes, str(problem))
            except Exception:  # noqa: BLE001 (one odd answer must not stop every other account)
                _log.exception("account %s could not be read", name)
                self._syncs.fail(name, began, self._now(), _UNEXPECTED)
                return AccountSync(name, orders_read, changes, _UNEXPECTED)
            self._syncs.complete(
                name, source.account.provider, began, self._now(), said, without_order,
                orders_read=orders_read,
            )  # fmt: skip
            return AccountSync(name, orders_read, changes)

    def _record(self, batch: Sequence[OrderReading], began: datetime) -> Changes:
        projects = [project for reading in batch for project in reading.projects]
        facts = [reading.facts for reading in batch]
        return self._ledger.record(facts, projects, self._now(), read_from=began)

    def interrupt(self) -> None:
        """Let running syncs stop at their next batch; what they read so far is kept."""
        self._interrupted.set()

    def _heed_interruption(self) -> None:
        if self._interrupted.is_set():
            raise DeskError("The reading was interrupted: what was read so far is kept.")


def _batches(readings: Iterator[OrderReading], size: int) -> Iterator[list[OrderReading]]:
    batch: list[OrderReading] = []
    for reading in readings:
        batch.append(reading)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
