"""Isometric's orders, deliveries and batches as facts for the ledger.

Rows are leaf batches. A delivery lists its batches as delivered; some have been split since, so
their children are followed down to the leaves that are active or retired now. A child inherits
delivery and sequestration date from its ancestor; a leaf that is gone has left the account
(Isometric contract 2).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Literal

from ...clients.errors import ForbiddenError, NotFoundError
from ...clients.isometric import IsometricClient
from ...clients.isometric.models import (
    CreditBatch,
    CreditQuantity,
    Delivery,
    Order,
    Organisation,
    Project,
    Retirement,
    Supplier,
)
from ...domain.ledger import ImpactType, Line, OrderFacts, ProjectFacts, Side, Stage
from ...domain.serials import vintage_of_removal
from ...domain.statements import Statement, UnmatchedRetirement
from ..base import Account, OrderReading
from ..lines import Part, in_whole_grams, unassigned
from ..translate import translated

_KG = 1_000


@dataclass(frozen=True, slots=True)
class Leaf:
    """A quantity of a delivered batch as it stands now; `batch` None when it left the account."""

    key: str
    credit_kgs: int
    delivery: Delivery
    delivered: CreditBatch
    batch: CreditBatch | None


class _Registry:
    """What one sync has read so far of batches, projects and retirements, each once."""

    def __init__(self, client: IsometricClient, me: Organisation) -> None:
        self._client = client
        self.me = me
        self._batches: dict[str, CreditBatch | None] = {
            batch.id: batch
            for batch in client.organisations.credit_batches(
                me.id, where={"status": ("active", "retired", "split")}
            )
        }
        self._projects: dict[str, Project] = {}
        self.retirements: Mapping[str, Retirement] = {
            found.id: found for found in client.retirements.list(owner_org_id=me.id)
        }

    def batch(self, batch_id: str) -> CreditBatch | None:
        """The batch as it is now; None when the registry no longer shows it to us."""
        if batch_id not in self._batches:
            try:
                self._batches[batch_id] = self._client.credit_batches.get(batch_id)
            except (NotFoundError, ForbiddenError):
                self._batches[batch_id] = None
        return self._batches[batch_id]

    def project(self, project_id: str) -> Project:
        """The project, read once."""
        if project_id not in self._projects:
            self._projects[project_id] = self._client.projects.get(project_id)
        return self._projects[project_id]

    def leaves(self, delivery: Delivery, delivered: CreditBatch) -> Iterator[Leaf]:
        """The leaves of one batch as delivered; they sum to its size."""
        now = self.batch(delivered.id)
        if now is None:
            yield Leaf(f"{delivered.id}:gone", delivered.size.credit_kgs, delivery, delivered, None)
        else:
            yield from self._below(delivery, delivered, now)

    def _below(
        self, delivery: Delivery, delivered: CreditBatch, now: CreditBatch
    ) -> Iterator[Leaf]:
        if now.status != "split":
            yield Leaf(now.id, now.size.credit_kgs, delivery, delivered, now)
            return
        left = now.size.credit_kgs
        for child_id in (now.left_child_id, now.right_child_id):
            child = self.batch(child_id) if child_id else None
            if child is not None:
                left -= child.size.credit_kgs
                yield from self._below(delivery, delivered, child)
        if left > 0:
            yield Leaf(f"{now.id}:gone", left, delivery, delivered, None)


class IsometricReading:
    """The reading half of the Isometric adapter."""

    def __init__(self, account: Account, client: IsometricClient) -> None:
        self.account = account
        self.client = client

    def orders(self) -> Iterator[OrderReading]:
        """Orders bought by the token's organisation, and sold by it where it is a supplier."""
        with translated(self.account):
            registry = _Registry(self.client, self.client.organisations.current())
            for order in self.client.organisations.orders(registry.me.id):
                yield self._reading(order, "bought", registry)
            supplier = self._supplier()
            if supplier is not None:
                for order in self.client.suppliers.orders(supplier.id):
                    yield self._reading(order, "sold", registry)

    def statements(self, since: datetime) -> Iterator[Statement]:
        """`credit_balance`, for buyers: a supplier's balance holds stock that was never ordered."""
        with translated(self.account):
            if self._supplier() is not None:
                return
            me = self.client.organisations.current()
            total = self.client.organisations.credit_balance(me.id).total
            yield _balance("held", total.active_credits_total)
            yield _balance("retired", total.retired_credits_total)

    def unmatched_retirements(self) -> Iterator[UnmatchedRetirement]:
        """Retirements that name us as beneficiary but were made by somebody else."""
        with translated(self.account):
            me = self.client.organisations.current()
            for found in self.client.retirements.list(beneficiary_org_id=me.id):
                if found.owner.id != me.id:
                    yield UnmatchedRetirement(
                        found.id,
                        found.retired_at,
                        found.owner.name,
                        found.beneficiary.name,
                        found.credit_batch_size_total.credit_kgs * _KG,
                        found.url,
                    )

    def probe(self) -> str:
        """The organisation that the token acts as."""
        with translated(self.account):
            return self.client.organisations.current().name

    def _supplier(self) -> Supplier | None:
        try:
            return self.client.suppliers.current()
        except (NotFoundError, ForbiddenError):
            return None

    def _reading(self, order: Order, side: Side, registry: _Registry) -> OrderReading:
        parts: list[Part] = []
        statements = [
            Statement(
                "delivered to date",
                order.id,
                order.credits_delivered.credit_kgs * _KG,
                independent=True,
                source="Isometric order, credits_delivered",
            )
        ]
        for delivery in self.client.orders.deliveries(order.id):
            statements.append(
                Statement(
                    "delivery size",
                    delivery.id,
                    delivery.credit_batch_size_total.credit_kgs * _KG,
                    independent=True,
                    source="Isometric delivery, credit_batch_size_total",
                )
            )
            for delivered in self.client.deliveries.credit_batches(delivery.id):
                for leaf in registry.leaves(delivery, delivered):
                    parts.append((_line(leaf, side, registry), Decimal(leaf.credit_kgs)))
        facts = self._facts(order, side, parts)
        named = {line.project_id for line, _quantity in parts if line.project_id}
        projects = tuple(project_facts(registry.project(name)) for name in sorted(named))
        return OrderReading(facts, projects, tuple(statements))

    def _facts(self, order: Order, side: Side, parts: list[Part]) -> OrderFacts:
        quantity_g, lines, residue = in_whole_grams(
            Decimal(order.credits_ordered.credit_kgs), "kg", parts, rest=unassigned(Stage.ORDERED)
        )
        return OrderFacts(
            provider="isometric",
            account=self.account.name,
            subaccount=None,
            mode=self.account.mode,
            side=side,
            order_id=order.id,
            state=order.status,
            ordered_at=_midnight(order.effective_contract_date),
            quantity_g=quantity_g,
            lines=lines,
            residue_g=residue,
        )


def _balance(measure: Literal["held", "retired"], quantity: CreditQuantity) -> Statement:
    return Statement(
        measure,
        "account",
        quantity.credit_kgs * _KG,
        independent=True,
        source="Isometric /organisations/{id}/credit_balance",
    )


def _line(leaf: Leaf, side: Side, registry: _Registry) -> Line:
    batch, delivered = leaf.batch, leaf.delivered
    stage = _stage(leaf, side, registry.me)
    retirement = registry.retirements.get(batch.retirement_id or "") if batch else None
    gone = stage == Stage.TRANSFERRED_OUT
    shown = batch or delivered
    return Line(
        key=leaf.key,
        stage=stage,
        quantity_g=0,
        wire_quantity="",
        project_id=delivered.project_id,
        serials=(shown.serial_number,) if batch else (),
        vintage=vintage_of_removal(
            shown.sequestered_on or delivered.sequestered_on, shown.serial_number
        ),
        delivery_id=leaf.delivery.id,
        batch_id=batch.id if batch else None,
        parent_batch_id=batch.parent_id if batch else delivered.id,
        delivered_at=leaf.delivery.delivered_at,
        retired_at=batch.retired_at if batch and not gone else None,
        retirement_id=batch.retirement_id if batch else None,
        retirement_purpose=", ".join(retirement.purposes) if retirement else None,
        beneficiary=batch.beneficiary.name if batch and batch.beneficiary else None,
        beneficiary_source="retirement" if batch and batch.beneficiary else None,
        impact_type=_impact_type(registry.project(delivered.project_id)),
        impact_type_source="credit",
        ccp=_ccp(shown),
        registry_url=(retirement.url if retirement else None) or leaf.delivery.url,
        certificate_url=retirement.url if retirement else None,
    )


def _stage(leaf: Leaf, side: Side, me: Organisation) -> Stage:
    """A buyer's leaf that another owns has left the account; a seller's is the buyer's to hold."""
    batch = leaf.batch
    if batch is None or (side == "bought" and batch.owner.id != me.id):
        return Stage.TRANSFERRED_OUT
    return Stage.RETIRED if batch.status == "retired" else Stage.DELIVERED


def _impact_type(project: Project) -> ImpactType:
    # Isometric credits are removals by its standard, except for destroyed superpollutants.
    return "avoidance or reduction" if project.pathway == "superpollutants" else "removal"


def _ccp(batch: CreditBatch) -> str:
    if batch.ccp_approved is None:
        return "unknown"
    return "approved" if batch.ccp_approved else "not labelled"


def project_facts(project: Project) -> ProjectFacts:
    """What the registry says of a project."""
    location = project.location
    return ProjectFacts(
        provider="isometric",
        project_id=project.id,
        name=project.name,
        registry="Isometric",
        country=project.country_code,
        location=location.country_name if location else None,
        latitude=_degrees(location.latitude) if location else None,
        longitude=_degrees(location.longitude) if location else None,
        methodology=project.protocol_slug,
        impact_type=_impact_type(project),
        registry_url=project.url,
        kind=project.pathway,
    )


def _degrees(value: Decimal | None) -> float | None:
    return None if value is None else float(value)


def _midnight(day: date) -> datetime:
    # A plain date stays that date: it is never shifted by time zones.
    return datetime.combine(day, time(), UTC)
