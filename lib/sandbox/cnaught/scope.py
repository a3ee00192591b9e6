"""Who calls, and for which subaccount (CNaught contract 1).

Imported only inside this package.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..state import World
from .problems import Problem, not_found
from .section import Account, section_of
from .tables import subaccounts


@dataclass(frozen=True, slots=True)
class Caller:
    """An account and the raw X-Subaccount-Id header of one request."""

    account: Account
    subaccount_header: str | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """An account, or one subaccount of it (a row of the table)."""

    account: Account
    subaccount: Any = None

    @property
    def subaccount_id(self) -> str | None:
        """The subaccount's id, None for the whole account."""
        return None if self.subaccount is None else str(self.subaccount.id)

    def within(self, table: sa.Table) -> list[sa.ColumnElement[bool]]:
        """Conditions for the rows of a table that this scope may see."""
        conditions = [table.c.account == self.account.name]
        if self.subaccount is not None:
            conditions.append(table.c.subaccount_id == self.subaccount.id)
        return conditions


def authenticate(world: World, authorization: str | None) -> Account:
    """The account of a bearer key; raises a 401 problem."""
    scheme, _, key = (authorization or "").partition(" ")
    for account in section_of(world).accounts:
        if scheme.lower() == "bearer" and key.strip() == account.key:
            return account
    raise Problem(401, None, "Unauthorized")


def resolve(connection: Connection, caller: Caller) -> Scope:
    """The scope of a call; raises a 400 problem for a subaccount unknown to the account."""
    if caller.subaccount_header is None:
        return Scope(caller.account)
    try:
        found = find_subaccount(connection, caller.account, caller.subaccount_header)
    except Problem as problem:
        title = "The subaccount is not known to this account"
        raise Problem(400, "invalid-subaccount", title) from problem
    return Scope(caller.account, found)


def find_subaccount(connection: Connection, account: Account, id: str) -> Any:
    """A subaccount's row; raises a 404 problem when unknown or deleted."""
    found = connection.execute(
        sa.select(subaccounts).where(
            subaccounts.c.account == account.name,
            subaccounts.c.id == id,
            subaccounts.c.deleted.is_(False),
        )
    ).first()
    if found is None:
        raise not_found("subaccount")
    return found
