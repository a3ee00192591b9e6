"""Accounts and projects of the catalogue, written into the database.

Imported only inside this package.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from .. import wire
from ..state import World, to_us
from .section import section_of
from .tables import accounts, projects


def seed(world: World, connection: Connection) -> None:
    """Write what is missing, and bring projects up to date; may be called again."""
    section = section_of(world)
    known = set(connection.execute(sa.select(accounts.c.name)).scalars())
    for account in section.accounts:
        if account.name not in known:
            created = to_us(world.now(connection))
            connection.execute(sa.insert(accounts).values(name=account.name, created_us=created))
    for stocked in section.projects:
        project = stocked.project
        connection.execute(sa.delete(projects).where(projects.c.id == project.id))
        body = wire.dumps(project.model_dump())
        connection.execute(sa.insert(projects).values(id=project.id, body=body))
