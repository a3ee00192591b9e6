"""What the Lune sandbox starts with: the catalogue's accounts and stock."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..state import World
from .accounts import seed_accounts
from .catalogue import catalogue_of
from .tables import stock


def seed(world: World, connection: Connection) -> None:
    """Create the catalogue's accounts and stock; may be called again."""
    catalogue = catalogue_of(world)
    seed_accounts(connection, catalogue)
    known = set(connection.scalars(sa.select(stock.c.bundle_id)))
    for bundle in catalogue.bundles:
        if bundle.id not in known:
            connection.execute(
                sa.insert(stock).values(bundle_id=bundle.id, available_g=bundle.stock_g)
            )
