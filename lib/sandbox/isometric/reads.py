"""The registry's GET operations. Isometric contract 4.1 and 5.

Imported only by this package's `create_api`. Function names are the contract's operation ids.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Query, Response
from pydantic import AfterValidator, AwareDatetime, BaseModel

from ..state import to_us
from . import access, schemas, tables
from .access import Caller, Session
from .paging import Listing, Paging, Window, page
from .register import Register
from .schemas import Id, ListResource, PaginatedListResource
from .section import section_of
from .wire import Refused, reply

router = APIRouter()


def _or_null(session: Session, find: Callable[[Register], BaseModel]) -> Response:
    """One object; an unknown one may be told by `null` instead of 404 (contract 1.2)."""
    with session.open() as register:
        try:
            return reply(find(register))
        except Refused as refusal:
            if refusal.status == 404 and section_of(session.world).unknown_single_object == "null":
                return reply(None)
            raise


def _listing(table: sa.Table, key: str, *conditions: Any, newest_first: bool = True) -> Listing:
    rows = sa.select(table).where(*conditions)
    return Listing(rows, table.c[key], table.c.id, newest_first=newest_first)


def _orders(register: Register, asked: Window, condition: Any) -> Response:
    listing = _listing(tables.orders, "placed_us", condition)
    return reply(page(register.connection, listing, asked, register.order))


def _deliveries(register: Register, asked: Window, *conditions: Any) -> Response:
    listing = _listing(tables.deliveries, "delivered_us", *conditions)
    return reply(page(register.connection, listing, asked, register.delivery))


def _issuances(register: Register, asked: Window, *conditions: Any) -> Response:
    listing = _listing(tables.issuances, "issued_us", *conditions)
    return reply(page(register.connection, listing, asked, register.issuance))


def _projects(register: Register, asked: Window, listing: Listing) -> Response:
    return reply(page(register.connection, listing, asked, lambda row: register.project(row.id)))


@router.get("/organisation", response_model=schemas.Organisation)
def get_current_organisation(session: Caller) -> Response:
    """The token's organisation."""
    with session.open() as register:
        return reply(register.organisation(register.caller_id))


@router.get("/organisations/{id}", response_model=schemas.Organisation | None)
def get_organisation(session: Caller, id: Id) -> Response:
    """Any organisation."""
    return _or_null(session, lambda register: register.organisation(id))


@router.get("/organisations/{id}/orders", response_model=PaginatedListResource[schemas.Order])
def list_organisation_orders(session: Caller, id: Id, asked: Paging) -> Response:
    """The orders placed by the caller's organisation, newest placement first."""
    with session.open() as register:
        buyer_id = access.own_organisation(register, id)
        return _orders(register, asked, tables.orders.c.buyer_id == buyer_id)


@router.get("/organisations/{id}/credit_balance", response_model=schemas.OrganisationCreditBalance)
def get_organisation_credit_balance(session: Caller, id: Id) -> Response:
    """What the caller's organisation owns; split batches and the buffer pool count nowhere."""
    with session.open() as register:
        return reply(register.balance(access.own_organisation(register, id)))


class _BatchFilters:
    """The filters of an organisation's batches, all combined by AND."""

    def __init__(
        self,
        supplier_id: Annotated[Id | None, Query()] = None,
        project_id: Annotated[Id | None, Query()] = None,
        issuance_id: Annotated[Id | None, Query()] = None,
        delivery_id: Annotated[Id | None, Query()] = None,
        order_id: Annotated[Id | None, Query()] = None,
        retirement_id: Annotated[Id | None, Query()] = None,
        status: Annotated[
            list[schemas.BatchStatus] | None, Query(), AfterValidator(schemas.unique)
        ] = None,
        issued_after: AwareDatetime | None = None,
        issued_before: AwareDatetime | None = None,
    ) -> None:
        self._equal = {
            "supplier_id": supplier_id,
            "project_id": project_id,
            "issuance_id": issuance_id,
            "delivery_id": delivery_id,
            "order_id": order_id,
            "retirement_id": retirement_id,
        }
        self._status = status or ["active", "retired"]
        self._after: datetime | None = issued_after
        self._before: datetime | None = issued_before

    def conditions(self) -> list[Any]:
        """The filters as SQL; both bounds are exclusive."""
        columns = tables.batches.c
        found: list[Any] = [
            columns[name] == wanted for name, wanted in self._equal.items() if wanted
        ]
        found.append(columns.status.in_(self._status))
        if self._after is not None:
            found.append(columns.issued_us > to_us(self._after))
        if self._before is not None:
            found.append(columns.issued_us < to_us(self._before))
        return found


@router.get(
    "/organisations/{id}/credit_batches", response_model=PaginatedListResource[schemas.CreditBatch]
)
def list_organisation_credit_batches(
    session: Caller,
    id: Id,
    filters: Annotated[_BatchFilters, Depends()],
    asked: Paging,
    sort_field: Literal["issued_at"] = "issued_at",  # noqa: ARG001 (the only field there is)
    sort_direction: Literal["asc", "desc"] = "desc",
) -> Response:
    """Batches owned by the caller's organisation or retired for it; split ones only if asked."""
    columns = tables.batches.c
    with session.open() as register:
        access.own_organisation(register, id)
        listing = _listing(
            tables.batches,
            "issued_us",
            (columns.owner_id == id) | (columns.beneficiary_id == id),
            *filters.conditions(),
            newest_first=sort_direction == "desc",
        )
        return reply(page(register.connection, listing, asked, register.batch))


@router.get("/supplier", response_model=schemas.Supplier)
def get_current_supplier(session: Caller) -> Response:
    """The supplier that the token's organisation is."""
    with session.open() as register:
        return reply(register.supplier(access.current_supplier_id(register)))


@router.get("/suppliers", response_model=PaginatedListResource[schemas.Supplier])
def list_suppliers(session: Caller, asked: Paging) -> Response:
    """All suppliers."""
    listing = _listing(tables.suppliers, "id", newest_first=False)
    with session.open() as register:
        found = page(register.connection, listing, asked, lambda row: register.supplier(row.id))
        return reply(found)


@router.get("/suppliers/{id}", response_model=schemas.Supplier | None)
def get_supplier(session: Caller, id: Id) -> Response:
    """One supplier."""
    return _or_null(session, lambda register: register.supplier(id))


@router.get("/suppliers/{id}/projects", response_model=PaginatedListResource[schemas.Project])
def list_supplier_projects(session: Caller, id: Id, asked: Paging) -> Response:
    """A supplier's projects, most recently created first."""
    listing = _listing(tables.projects, "created_us", tables.projects.c.supplier_id == id)
    with session.open() as register:
        register.supplier(id)
        return _projects(register, asked, listing)


@router.get("/suppliers/{id}/orders", response_model=PaginatedListResource[schemas.Order])
def list_supplier_orders(session: Caller, id: Id, asked: Paging) -> Response:
    """The orders the caller sells, most recently placed first."""
    with session.open() as register:
        supplier_id = access.own_supplier(register, id)
        return _orders(register, asked, tables.orders.c.supplier_id == supplier_id)


@router.get("/suppliers/{id}/deliveries", response_model=PaginatedListResource[schemas.Delivery])
def list_supplier_deliveries(session: Caller, id: Id, asked: Paging) -> Response:
    """A supplier's deliveries, most recently delivered first."""
    with session.open() as register:
        register.supplier(id)
        return _deliveries(register, asked, tables.deliveries.c.supplier_id == id)


@router.get("/suppliers/{id}/issuances", response_model=PaginatedListResource[schemas.Issuance])
def list_supplier_issuances(session: Caller, id: Id, asked: Paging) -> Response:
    """A supplier's issuances, most recently created first."""
    with session.open() as register:
        register.supplier(id)
        return _issuances(register, asked, tables.issuances.c.supplier_id == id)


@router.get("/projects", response_model=PaginatedListResource[schemas.Project])
def list_projects(session: Caller, asked: Paging) -> Response:
    """All projects by name."""
    with session.open() as register:
        listing = _listing(tables.projects, "name", newest_first=False)
        return _projects(register, asked, listing)


@router.get("/projects/{id}", response_model=schemas.Project | None)
def get_project(session: Caller, id: Id) -> Response:
    """One project."""
    return _or_null(session, lambda register: register.project(id))


@router.get("/issuances", response_model=PaginatedListResource[schemas.Issuance])
def list_issuances(session: Caller, asked: Paging) -> Response:
    """All issuances, most recently issued first."""
    with session.open() as register:
        return _issuances(register, asked)


@router.get("/issuances/{id}", response_model=schemas.Issuance)
def get_issuance(session: Caller, id: Id) -> Response:
    """One issuance."""
    with session.open() as register:
        return reply(register.issuance(register.row(tables.issuances, id, "issuance")))


@router.get("/issuances/{id}/credit_batches", response_model=schemas.IssuanceCreditBatches)
def get_issuance_credit_batches(session: Caller, id: Id) -> Response:
    """The batches of an issuance as originally issued."""
    with session.open() as register:
        return reply(register.issuance_batches(access.visible_issuance(register, id)))


@router.get("/deliveries", response_model=PaginatedListResource[schemas.Delivery])
def list_deliveries(
    session: Caller,
    asked: Paging,
    from_supplier_id: Annotated[Id | None, Query()] = None,
    to_organisation_id: Annotated[Id | None, Query()] = None,
) -> Response:
    """All deliveries, most recent first."""
    columns, conditions = tables.deliveries.c, []
    if from_supplier_id:
        conditions.append(columns.supplier_id == from_supplier_id)
    if to_organisation_id:
        conditions.append(columns.to_organisation_id == to_organisation_id)
    with session.open() as register:
        return _deliveries(register, asked, *conditions)


@router.get("/deliveries/{id}", response_model=schemas.Delivery)
def get_delivery(session: Caller, id: Id) -> Response:
    """One delivery."""
    with session.open() as register:
        return reply(register.delivery(register.row(tables.deliveries, id, "delivery")))


@router.get("/deliveries/{id}/credit_batches", response_model=ListResource[schemas.CreditBatch])
def list_delivery_credit_batches(session: Caller, id: Id) -> Response:
    """The batches as delivered: some may be split or retired by now, or owned by another."""
    batches, links = tables.batches, tables.delivered_batches
    with session.open() as register:
        access.visible_delivery(register, id)
        rows = register.connection.execute(
            sa.select(batches)
            .join(links, links.c.batch_id == batches.c.id)
            .where(links.c.delivery_id == id)
            .order_by(batches.c.project_id, batches.c.first_unit)
        )
        return reply(register.batch_list(rows))


@router.get("/retirements", response_model=PaginatedListResource[schemas.Retirement])
def list_retirements(
    session: Caller,
    asked: Paging,
    beneficiary_org_id: Annotated[Id | None, Query()] = None,
    owner_org_id: Annotated[Id | None, Query()] = None,
) -> Response:
    """All retirements, most recent first."""
    columns, conditions = tables.retirements.c, []
    if beneficiary_org_id:
        conditions.append(columns.beneficiary_id == beneficiary_org_id)
    if owner_org_id:
        conditions.append(columns.owner_id == owner_org_id)
    listing = _listing(tables.retirements, "retired_us", *conditions)
    with session.open() as register:
        return reply(page(register.connection, listing, asked, register.retirement))


@router.get("/retirements/{id}", response_model=schemas.Retirement)
def get_retirement(session: Caller, id: Id) -> Response:
    """One retirement."""
    with session.open() as register:
        return reply(register.retirement(register.row(tables.retirements, id, "retirement")))


@router.get("/retirements/{id}/credit_batches", response_model=ListResource[schemas.CreditBatch])
def list_retirement_credit_batches(session: Caller, id: Id) -> Response:
    """The batches a retirement made final."""
    with session.open() as register:
        _, batches = access.visible_retirement(register, id)
        return reply(register.batch_list(batches))


@router.get("/orders/{id}", response_model=schemas.Order)
def get_order(session: Caller, id: Id) -> Response:
    """One order, for its buyer and supplier."""
    with session.open() as register:
        return reply(register.order(access.visible_order(register, id)))


@router.get("/orders/{id}/deliveries", response_model=PaginatedListResource[schemas.Delivery])
def list_order_deliveries(session: Caller, id: Id, asked: Paging) -> Response:
    """An order's deliveries, most recently delivered first (contract 4.1)."""
    with session.open() as register:
        access.visible_order(register, id)
        return _deliveries(register, asked, tables.deliveries.c.order_id == id)


@router.get("/credit_batches/{id}", response_model=schemas.CreditBatch)
def get_credit_batch(session: Caller, id: Id) -> Response:
    """One batch, for its owner, beneficiary and supplier."""
    with session.open() as register:
        return reply(register.batch(access.visible_batch(register, id)))


@router.get("/beneficiaries", response_model=PaginatedListResource[schemas.Organisation])
def list_beneficiaries(session: Caller, asked: Paging) -> Response:
    """The organisations the caller may retire for besides itself, by name."""
    organisations, links = tables.organisations, tables.beneficiaries
    with session.open() as register:
        mine = sa.select(links.c.organisation_id).where(links.c.owner_id == register.caller_id)
        listing = _listing(organisations, "name", organisations.c.id.in_(mine), newest_first=False)
        found = page(register.connection, listing, asked, lambda row: register.organisation(row.id))
        return reply(found)
