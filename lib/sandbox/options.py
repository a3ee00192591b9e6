"""How a sandbox is to be run: one value made from the command line or by a test.

Imported by `app`, `serve` and `filling`; it exists so that they agree on names and defaults.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

History = Literal["demo", "none"] | int


class BadOption(ValueError):
    """An option that cannot be used; `str()` is one sentence that says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What `python -m lib sandbox` can be told.

    `port` 0 takes any free one. `history` is "demo", "none" or a number of CNaught orders. `clock`
    is where history ends and the clock starts (None: now). `allow_callbacks` are the hosts that
    callbacks may be sent to.
    """

    host: str = "127.0.0.1"
    port: int = 8787
    database: str = "sqlite://"
    history: History = "demo"
    seed: int = 1
    clock: datetime | None = None
    catalogue: Path | None = None
    latency_ms: int = 0
    rate_limits: Literal["provider", "off"] = "provider"
    allow_callbacks: frozenset[str] = frozenset()
