"""Filling a new sandbox with history, in the background and in steps that survive a kill.

The same seed, clock and size give the same history: every step draws from its own random numbers,
and its mark is committed together with what it made.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.engine import Connection

from .options import BadOption, History, Options
from .providers import PROVIDERS
from .state import World, rfc3339

_log = logging.getLogger(__name__)

YEARS = 3
"""How far back history reaches from the clock."""

_ORDERS_PER_STEP = 100
"""Keeps the write lock free often enough for the sandbox to answer while it fills."""


@dataclass(frozen=True, slots=True)
class _Step:
    provider: str
    size: History
    start: datetime
    end: datetime
    number: int


class Filling:
    """One filling of history: begun with `start`, watched with `report`, ended with `stop`."""

    def __init__(self, world: World, options: Options) -> None:
        self._world = world
        self._options = options
        self._stop = threading.Event()
        self._done = 0
        self._steps: list[_Step] = []
        self._problem: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="sandbox-history", daemon=True)

    def start(self) -> None:
        """Seed accounts and catalogue, then fill history in the background.

        Raises BadOption where the database already holds a history that was asked for otherwise.
        """
        with self._world.transaction() as connection:
            end = _adopt(self._world, connection, self._options)
            for provider in PROVIDERS.values():
                provider.seed(self._world, connection)
            self._done = int(self._world.get(connection, "history_steps_done") or 0)
        self._steps = list(_steps(self._options.history, end))
        self._thread.start()

    def report(self) -> dict[str, Any]:
        """How far it is: `history` is filling, ready, none or failed; steps done and in all."""
        return {
            "history": self._state(),
            "history_steps": len(self._steps),
            "history_steps_done": self._done,
        }

    def _state(self) -> str:
        if self._problem is not None:
            return "failed"
        if self._options.history == "none":
            return "none"
        return "ready" if self._done == len(self._steps) else "filling"

    def wait(self, timeout: float | None = None) -> None:
        """Wait until history is there; raises what stopped it, or TimeoutError."""
        self._thread.join(timeout)
        if self._problem is not None:
            raise self._problem
        if self._thread.is_alive():
            raise TimeoutError("History is still being filled.")

    def stop(self) -> None:
        """Stop after the current step; a later start with the same database goes on from there."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        try:
            if self._steps:
                with self._world.filling_until(self._steps[-1].end):
                    self._fill()
        except Exception as problem:  # noqa: BLE001 (kept, shown by report and raised by wait)
            self._problem = problem
            _log.error("History could not be filled: %s", problem)

    def _fill(self) -> None:
        for step in self._steps[self._done :]:
            if self._stop.is_set():
                return
            with self._world.transaction() as connection:
                PROVIDERS[step.provider].history(
                    self._world,
                    connection,
                    size=step.size,
                    start=step.start,
                    end=step.end,
                    rng=random.Random(f"{self._options.seed}:{step.number}"),  # noqa: S311 (not secret)
                )
                self._world.put(connection, "history_steps_done", str(self._done + 1))
            self._done += 1


def _adopt(world: World, connection: Connection, options: Options) -> datetime:
    """Start the clock of a new database, or go on with an old one; returns where history ends."""
    wanted = {"seed": str(options.seed), "history": str(options.history)}
    known = {name: world.get(connection, name) for name in wanted}
    end = world.get(connection, "history_end")
    if end is None:
        moment = options.clock or datetime.now(UTC)
        if options.clock is not None:
            world.set_now(connection, moment)
        for name, value in (wanted | {"history_end": moment.isoformat()}).items():
            world.put(connection, name, value)
        return moment
    if known != wanted or options.clock not in (None, datetime.fromisoformat(end)):
        raise BadOption(
            f"The database already holds history {known['history']} of seed {known['seed']} "
            f"ending {rfc3339(datetime.fromisoformat(end))}: start with the same values or with "
            "another database."
        )
    return datetime.fromisoformat(end)


def _steps(history: History, end: datetime) -> Iterator[_Step]:
    """The demo in one step per provider; a number of orders in slices of the three years."""
    if history == "none":
        return
    slices = 1 if history == "demo" else -(-history // _ORDERS_PER_STEP)
    begin = end - timedelta(days=365 * YEARS)
    length = (end - begin) / max(slices, 1)
    number = 0
    for index in range(slices):
        size: History = "demo"
        if isinstance(history, int):
            size = min(_ORDERS_PER_STEP, history - index * _ORDERS_PER_STEP)
        for provider in PROVIDERS:
            yield _Step(
                provider, size, begin + index * length, begin + (index + 1) * length, number
            )
            number += 1
