"""The CNaught API v1 on this machine (CNaught contract). The sandbox's core imports what is below.

The package's own reading of the contract: it shares no model with any client.
"""

from __future__ import annotations

from ..state import World
from . import orders
from .api import create_api
from .history import history
from .section import check_catalogue
from .seeding import seed
from .truth import truth

__all__ = ["check_catalogue", "create_api", "history", "register", "seed", "truth"]


def register(world: World) -> None:
    """Say which function carries out which kind of event."""
    world.on(orders.FULFIL, orders.fulfil)
