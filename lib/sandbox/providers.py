"""The provider packages by name, and what each of them offers to the sandbox's core.

The packages are modules; `Provider` writes down the functions that the core calls.
"""

from __future__ import annotations

import random
from datetime import datetime
from typing import Any, Protocol

from fastapi import FastAPI
from sqlalchemy.engine import Connection

from . import cnaught, isometric, lune
from .options import History
from .state import World


class Provider(Protocol):
    """What `cnaught`, `lune` and `isometric` expose."""

    def create_api(self, world: World) -> FastAPI:
        """The API below its root path."""
        ...

    def register(self, world: World) -> None:
        """Say which function carries out which kind of event."""
        ...

    def seed(self, world: World, connection: Connection) -> None:
        """Create accounts and catalogue entities; may be called again."""
        ...

    def history(
        self,
        world: World,
        connection: Connection,
        *,
        size: History,
        start: datetime,
        end: datetime,
        rng: random.Random,
    ) -> None:
        """Make orders between `start` and `end`: believable ones, or as many as `size` asks."""
        ...

    def truth(self, world: World, connection: Connection) -> list[dict[str, Any]]:
        """What each account holds: the ground truth that tests reconcile against."""
        ...

    def check_catalogue(self, section: Any) -> None:
        """Raise ValueError with the path of the first wrong value."""
        ...


PROVIDERS: dict[str, Provider] = {"cnaught": cnaught, "lune": lune, "isometric": isometric}
ROOTS = {
    "cnaught": "/cnaught/v1",
    "lune": "/lune/v1",
    "isometric": "/isometric/registry/v0",
}
