"""What is in the registry, read and written out as the wire's objects.

Imported only inside this package. A `Register` lives for one transaction; looking up something
unknown raises 404. Who may see what is decided in access.py, not here.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..state import from_us
from ..wire import loads
from . import schemas, tables
from .batches import serial_number, size_kg
from .schemas import quantity
from .wire import not_found


class Register:
    """The registry within one transaction, as the organisation `caller_id` asks for it.

    `base_url` is the sandbox's own, for links.
    """

    def __init__(self, connection: Connection, *, base_url: str, caller_id: str) -> None:
        self.connection = connection
        self.caller_id = caller_id
        self._base_url = base_url
        self._organisations: dict[str, schemas.Organisation] = {}
        self._suppliers: dict[str, schemas.Supplier] = {}
        self._projects: dict[str, sa.Row[Any]] = {}

    def row(self, table: sa.Table, id: str, what: str) -> sa.Row[Any]:
        """The row with this id; 404 if there is none."""
        found = self.connection.execute(sa.select(table).where(table.c.id == id)).first()
        if found is None:
            raise not_found(what)
        return found

    def organisation(self, id: str) -> schemas.Organisation:
        """An organisation as anyone may see it."""
        if id not in self._organisations:
            row = self.row(tables.organisations, id, "organisation")
            self._organisations[id] = schemas.Organisation(
                id=row.id, name=row.name, domain=row.domain
            )
        return self._organisations[id]

    def supplier(self, id: str) -> schemas.Supplier:
        """A supplier with its organisation."""
        if id not in self._suppliers:
            row = self.row(tables.suppliers, id, "supplier")
            self._suppliers[id] = schemas.Supplier(
                id=row.id,
                short_description=row.short_description,
                long_description=row.long_description,
                organisation=self.organisation(row.organisation_id),
                location=_location(row.location),
            )
        return self._suppliers[id]

    def project(self, id: str) -> schemas.Project:
        """A project with its totals to date."""
        row = self._project_row(id)
        issued, buffer, retired = self._project_totals(id)
        return schemas.Project(
            id=row.id,
            name=row.name,
            supplier=self.supplier(row.supplier_id),
            status=row.status,
            short_code=row.short_code,
            url=self._page("projects", row.id),
            process_key=row.process_key,
            pathway=row.pathway,
            protocol_slug=row.protocol_slug,
            country_code=row.country_code,
            validator_name=row.validator_name,
            current_verifier_name=row.current_verifier_name,
            crediting_period_start=row.crediting_period_start,
            crediting_period_end=row.crediting_period_end,
            issued_credits_total=quantity(issued),
            retired_credits_total=quantity(retired),
            issued_buffer_pool_credits_total=quantity(buffer),
            # Nothing here reverses a removal, so the buffer pool is never drawn on.
            retired_buffer_pool_credits_total=quantity(0),
            location=_location(row.location),
        )

    def order(self, row: sa.Row[Any]) -> schemas.Order:
        """An order; its status follows from what has been delivered."""
        return schemas.Order(
            id=row.id,
            effective_contract_date=row.effective_contract_date,
            fulfilled_at=None if row.fulfilled_us is None else from_us(row.fulfilled_us),
            buyer_organisation=self.organisation(row.buyer_id),
            supplier=self.supplier(row.supplier_id),
            status=order_status(row),
            credits_ordered=quantity(row.ordered_kg),
            credits_delivered=quantity(row.delivered_kg),
        )

    def delivery(self, row: sa.Row[Any]) -> schemas.Delivery:
        """A delivery."""
        return schemas.Delivery(
            id=row.id,
            delivered_at=from_us(row.delivered_us),
            order_id=row.order_id,
            from_supplier=self.supplier(row.supplier_id),
            to_organisation=self.organisation(row.to_organisation_id),
            credit_batch_size_total=quantity(row.kg),
            url=self._page("deliveries", row.id),
            notes=row.notes,
        )

    def retirement(self, row: sa.Row[Any]) -> schemas.Retirement:
        """A retirement."""
        return schemas.Retirement(
            id=row.id,
            retired_at=from_us(row.retired_us),
            purposes=json.loads(row.purposes),
            beneficiary=self.organisation(row.beneficiary_id),
            owner=self.organisation(row.owner_id),
            credit_batch_size_total=quantity(row.kg),
            url=self._page("retirements", row.id),
            notes=row.notes,
        )

    def issuance(self, row: sa.Row[Any]) -> schemas.Issuance:
        """An issuance."""
        return schemas.Issuance(
            id=row.id,
            issued_at=from_us(row.issued_us),
            supplier=self.supplier(row.supplier_id),
            project_id=row.project_id,
            reporting_period_start_at=row.reporting_period_start_at,
            reporting_period_end_at=row.reporting_period_end_at,
            supplier_credit_batch_size_total=quantity(row.supplier_kg),
            buffer_pool_credit_batch_size_total=quantity(row.buffer_kg),
            credit_batch_size_total=quantity(row.supplier_kg + row.buffer_kg),
        )

    def batch(self, row: sa.Row[Any]) -> schemas.CreditBatch:
        """A credit batch."""
        project = self._project_row(row.project_id)
        beneficiary = row.beneficiary_id
        return schemas.CreditBatch(
            id=row.id,
            serial_number=serial_number(row, project),
            status=row.status,
            size=quantity(size_kg(row)),
            issued_at=from_us(row.issued_us),
            retired_at=None if row.retired_us is None else from_us(row.retired_us),
            delivered_at=None if row.delivered_us is None else from_us(row.delivered_us),
            sequestered_on=row.sequestered_on,
            country_of_issue=project.country_code,
            supplier_id=row.supplier_id,
            parent_id=row.parent_id,
            left_child_id=row.left_child_id,
            right_child_id=row.right_child_id,
            issuance_id=row.issuance_id,
            delivery_id=row.delivery_id,
            beneficiary=None if beneficiary is None else self.organisation(beneficiary),
            retirement_id=row.retirement_id,
            removal_id=row.removal_id,
            owner=self.organisation(row.owner_id),
            project_id=row.project_id,
            carbon_removal_data=_removal_data(row),
            ccp_approved=row.ccp_approved,
        )

    def batch_list(self, rows: Iterable[sa.Row[Any]]) -> schemas.ListResource[schemas.CreditBatch]:
        """A list of batches, not paged."""
        nodes = [self.batch(row) for row in rows]
        return schemas.ListResource(nodes=nodes, total_count=len(nodes))

    def issuance_batches(self, row: sa.Row[Any]) -> schemas.IssuanceCreditBatches:
        """The batches of an issuance as they came into being, before any split."""
        batches = tables.batches
        originals = self.connection.execute(
            sa.select(batches)
            .where(batches.c.issuance_id == row.id, batches.c.parent_id.is_(None))
            .order_by(batches.c.first_unit)
        ).all()
        return schemas.IssuanceCreditBatches(
            issuance_id=row.id,
            supplier_credit_batches=[self.batch(b) for b in originals if not b.buffer],
            supplier_credit_batch_size_total=quantity(row.supplier_kg),
            buffer_pool_credit_batches=[self.batch(b) for b in originals if b.buffer],
            buffer_pool_credit_batch_size_total=quantity(row.buffer_kg),
            credit_batch_size_total=quantity(row.supplier_kg + row.buffer_kg),
        )

    def balance(self, organisation_id: str) -> schemas.OrganisationCreditBalance:
        """What the organisation owns, in all and by supplier, project and order."""
        columns = tables.batches.c
        owned = self.connection.execute(
            sa.select(tables.batches).where(
                columns.owner_id == organisation_id, columns.status != "split", ~columns.buffer
            )
        ).all()
        suppliers, projects, orders = (
            _balances(owned, column) for column in ("supplier_id", "project_id", "order_id")
        )
        return schemas.OrganisationCreditBalance(
            total=_balance(owned),
            supplier_balances=[
                schemas.SupplierCreditBalance(supplier_id=key, total=total)
                for key, total in suppliers
            ],
            project_balances=[
                schemas.ProjectCreditBalance(project_id=key, total=total) for key, total in projects
            ],
            order_balances=[
                schemas.OrderCreditBalance(order_id=key, total=total) for key, total in orders
            ],
        )

    def _page(self, kind: str, id: str) -> str:
        return f"{self._base_url}/pages/isometric/{kind}/{id}"

    def _project_row(self, id: str) -> sa.Row[Any]:
        if id not in self._projects:
            self._projects[id] = self.row(tables.projects, id, "project")
        return self._projects[id]

    def _project_totals(self, id: str) -> tuple[int, int, int]:
        issuances, batches = tables.issuances.c, tables.batches.c
        issued = self.connection.execute(
            sa.select(sa.func.sum(issuances.supplier_kg), sa.func.sum(issuances.buffer_kg)).where(
                issuances.project_id == id
            )
        ).one()
        retired = self.connection.execute(
            sa.select(sa.func.sum(batches.last_unit - batches.first_unit + 1)).where(
                batches.project_id == id, batches.status == "retired"
            )
        ).scalar_one()
        supplier_kg, buffer_kg = int(issued[0] or 0), int(issued[1] or 0)
        return supplier_kg + buffer_kg, buffer_kg, int(retired or 0)


def order_status(order: sa.Row[Any]) -> schemas.OrderStatus:
    """`placed`, `in_progress` or `completed`: nothing, part or all delivered."""
    if order.delivered_kg == 0:
        return "placed"
    return "completed" if order.delivered_kg == order.ordered_kg else "in_progress"


def _balances(owned: Iterable[sa.Row[Any]], column: str) -> list[tuple[str, schemas.CreditBalance]]:
    """The balance of each supplier, project or order; batches that have none are left out."""
    groups = defaultdict(list)
    for batch in owned:
        groups[getattr(batch, column)].append(batch)
    return [(key, _balance(groups[key])) for key in sorted(groups.keys() - {None})]


def _balance(owned: Iterable[sa.Row[Any]]) -> schemas.CreditBalance:
    sums = {"active": 0, "retired": 0}
    for batch in owned:
        sums[batch.status] += size_kg(batch)
    return schemas.CreditBalance(
        active_credits_total=quantity(sums["active"]),
        retired_credits_total=quantity(sums["retired"]),
    )


def _location(text: str | None) -> schemas.Location | None:
    if text is None:
        return None
    return schemas.Location.model_validate(loads(text))


def _removal_data(row: sa.Row[Any]) -> schemas.CarbonRemovalData | None:
    if row.emissions_kg is None:
        return None
    net = size_kg(row)
    return schemas.CarbonRemovalData(
        gross_carbon_removed_kg=net + row.emissions_kg + row.counterfactuals_kg + row.losses_kg,
        net_carbon_removed_kg=net,
        emissions_kg=row.emissions_kg,
        counterfactuals_kg=row.counterfactuals_kg,
        losses_kg=row.losses_kg,
    )
