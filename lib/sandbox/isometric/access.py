"""Who is asking, and what they may see. Isometric contract 1 (headers) and 5 (visibility).

Imported only inside this package. The register is public; orders, balances and the ownership of
batches are for the parties: what exists but is not theirs answers 403, what does not exist 404.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import Depends, Header, Request

from ..state import World
from . import tables
from .register import Register
from .section import BUYER, SELLER
from .wire import Refused, forbidden, not_found

CLIENT_SECRET = "sandbox-isometric-secret"  # noqa: S105 (published with the sandbox)
_ACCOUNTS = {f"sandbox-{account}": account for account in (BUYER, SELLER)}


class Session:
    """An authenticated request of one account's organisation."""

    def __init__(self, world: World, account: str) -> None:
        self.world = world
        self._account = account

    @contextmanager
    def open(self) -> Iterator[Register]:
        """The register within one transaction; it commits when the block ends well."""
        columns = tables.organisations.c
        with self.world.transaction() as connection:
            caller_id = connection.execute(
                sa.select(columns.id).where(columns.account == self._account)
            ).scalar_one()
            yield Register(connection, base_url=self.world.public_url, caller_id=caller_id)


def _authenticate(
    request: Request,
    x_client_secret: Annotated[str, Header()],
    authorization: Annotated[str | None, Header()] = None,
) -> Session:
    """Both headers are needed on every call; a missing secret is 422, all else wrong is 401."""
    if not secrets.compare_digest(x_client_secret.encode(), CLIENT_SECRET.encode()):
        raise Refused(401, "the client secret is not valid")
    scheme, _, token = (authorization or "").partition(" ")
    account = _ACCOUNTS.get(token.strip()) if scheme.lower() == "bearer" else None
    if account is None:
        raise Refused(401, "the access token is missing or not valid")
    return Session(request.app.state.world, account)


Caller = Annotated[Session, Depends(_authenticate)]


def own_organisation(register: Register, id: str) -> str:
    """The id, if it is the caller's own organisation."""
    register.organisation(id)
    if id != register.caller_id:
        raise forbidden("only the organisation itself may see this")
    return id


def own_supplier(register: Register, id: str) -> str:
    """The id, if this supplier belongs to the caller's organisation."""
    if register.supplier(id).organisation.id != register.caller_id:
        raise forbidden("only the supplier itself may see this")
    return id


def current_supplier_id(register: Register) -> str:
    """The caller's supplier; 404 for an organisation that supplies nothing."""
    columns = tables.suppliers.c
    found = register.connection.execute(
        sa.select(columns.id).where(columns.organisation_id == register.caller_id)
    ).scalar()
    if found is None:
        raise not_found("supplier of this organisation")
    return str(found)


def visible_order(register: Register, id: str) -> sa.Row[Any]:
    """The order, for its buyer and its supplier."""
    row = register.row(tables.orders, id, "order")
    _parties_only(register, row.buyer_id, supplier_id=row.supplier_id)
    return row


def visible_batch(register: Register, id: str) -> sa.Row[Any]:
    """The credit batch, for its owner, its beneficiary and its supplier."""
    row = register.row(tables.batches, id, "credit batch")
    _parties_only(register, row.owner_id, row.beneficiary_id, supplier_id=row.supplier_id)
    return row


def visible_delivery(register: Register, id: str) -> sa.Row[Any]:
    """The delivery, for those who may see its batches: the buyer and the supplier."""
    row = register.row(tables.deliveries, id, "delivery")
    _parties_only(register, row.to_organisation_id, supplier_id=row.supplier_id)
    return row


def visible_retirement(register: Register, id: str) -> tuple[sa.Row[Any], list[sa.Row[Any]]]:
    """The retirement with its batches, for the owner, the beneficiary and the supplier."""
    row = register.row(tables.retirements, id, "retirement")
    columns = tables.batches.c
    batches = register.connection.execute(
        sa.select(tables.batches)
        .where(columns.retirement_id == id)
        .order_by(columns.project_id, columns.first_unit)
    ).all()
    _parties_only(register, row.owner_id, row.beneficiary_id, supplier_id=batches[0].supplier_id)
    return row, list(batches)


def visible_issuance(register: Register, id: str) -> sa.Row[Any]:
    """The issuance, for those who may see a batch of it: its supplier, owners, beneficiaries."""
    row = register.row(tables.issuances, id, "issuance")
    columns = tables.batches.c
    caller = register.caller_id
    concerned = register.connection.execute(
        sa.select(columns.id).where(
            columns.issuance_id == id,
            (columns.owner_id == caller) | (columns.beneficiary_id == caller),
        )
    ).first()
    if concerned is None:
        _parties_only(register, supplier_id=row.supplier_id)
    return row


def _parties_only(register: Register, *organisation_ids: str | None, supplier_id: str) -> None:
    supplier = register.supplier(supplier_id)
    if register.caller_id not in (*organisation_ids, supplier.organisation.id):
        raise forbidden("only the parties to it may see this")
