"""Subaccounts: create, read, replace, delete (CNaught contract 4.9).

Imported only inside this package. Logos are never fetched: the sandbox shows a placeholder.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..state import World, from_us, rfc3339, to_us
from .impact import logo_url
from .problems import forbidden, invalid
from .schemas import SubaccountCreateRequest, SubaccountUpdateRequest
from .scope import find_subaccount
from .section import Account, section_of
from .tables import orders, subaccounts


def require_provisioned(account: Account) -> None:
    """Raise 403 where the account may not use subaccounts at all."""
    if not account.subaccounts:
        raise forbidden(
            "User is not allowed to use subaccounts. Contact support to request access."
        )


def create(
    world: World, connection: Connection, account: Account, body: SubaccountCreateRequest
) -> dict[str, Any]:
    """A new subaccount."""
    new_id = world.new_id(connection, 8)
    connection.execute(
        sa.insert(subaccounts).values(
            id=new_id,
            account=account.name,
            logo_source=body.logo_url,
            created_us=to_us(world.now(connection)),
            **_values(world, body),
        )
    )
    return view(world, find_subaccount(connection, account, new_id))


def update(
    world: World, connection: Connection, account: Account, id: str, body: SubaccountUpdateRequest
) -> dict[str, Any]:
    """Replace everything but the logo; what is left out becomes null."""
    found = find_subaccount(connection, account, id)
    connection.execute(
        sa.update(subaccounts).where(subaccounts.c.seq == found.seq).values(**_values(world, body))
    )
    return view(world, find_subaccount(connection, account, id))


def delete(connection: Connection, account: Account, id: str) -> None:
    """Delete a subaccount; raises 403 where it has orders."""
    found = find_subaccount(connection, account, id)
    if connection.execute(sa.select(orders.c.id).where(orders.c.subaccount_id == id)).first():
        raise forbidden("A subaccount with orders cannot be deleted")
    connection.execute(
        sa.update(subaccounts).where(subaccounts.c.seq == found.seq).values(deleted=True)
    )


def view(world: World, row: Any) -> dict[str, Any]:
    """A subaccount as the API shows it."""
    return {
        "id": row.id,
        "name": row.name,
        "email": row.email,
        "created_on": rfc3339(from_us(row.created_us)),
        "default_portfolio_id": row.default_portfolio_id,
        "logo_url": logo_url(world, row),
    }


def _values(world: World, body: SubaccountUpdateRequest) -> dict[str, Any]:
    default = body.default_portfolio_id
    if default is not None and default not in section_of(world).portfolios_by_id:
        raise invalid("default_portfolio_id", "is not a portfolio")
    return {"name": body.name, "email": body.email, "default_portfolio_id": default}
