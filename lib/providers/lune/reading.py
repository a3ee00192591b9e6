"""Lune's orders and projects as facts for the ledger.

An order tells tonnes per project and whether each part is allocated or retired; it carries no
vintage, serial or date (Lune contract 2.1), so none is derived. Before projects are allotted the
smallest quantity stated is the bundle's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal

from ...clients.errors import NotFoundError
from ...clients.lune import LuneClient
from ...clients.lune.catalogue import ProjectSummary
from ...clients.lune.models import Order
from ...domain.ledger import ImpactType, Line, OrderFacts, ProjectFacts, Stage
from ...domain.quantities import Money
from ...domain.statements import Statement, UnmatchedRetirement
from ..base import Account, OrderReading, Recipient
from ..lines import Part, in_whole_grams, unassigned
from ..translate import translated

_VOID = {"cancelled", "failed"}
_PART_STAGES = {"allocated": Stage.ALLOCATED, "retired": Stage.RETIRED}

OFFSET_TYPES: dict[str | None, ImpactType] = {
    "emissions_reduction": "avoidance or reduction",
    "carbon_removal": "removal",
}


#: Impact type by bundle id, as the bundle states it.
BundleTypes = Mapping[str, ImpactType]


class LuneReading:
    """The reading half of the Lune adapter."""

    def __init__(self, account: Account, client: LuneClient) -> None:
        self.account = account
        self.client = client

    def orders(self) -> Iterator[OrderReading]:
        """Every order of the key's account and of each of its client accounts, once."""
        with translated(self.account):
            kinds = {
                bundle.id: OFFSET_TYPES.get(bundle.offset_type, "not provided")
                for bundle in self.client.bundles.list(recently_disabled=True)
            }
            known: dict[str, ProjectSummary] = {
                project.id: project for project in self.client.projects.list()
            }
            seen: set[str] = set()
            for recipient in self._scopes():
                scope = recipient.recipient_id or None
                for order in self.client.orders.list(limit=100, account_id=scope):
                    if order.id not in seen:
                        seen.add(order.id)
                        facts = self._facts(order, recipient, kinds)
                        yield OrderReading(facts, self._projects(order, known))

    def statements(self, since: datetime) -> Iterator[Statement]:
        """None: Lune states no total of retired tonnes.

        Its orders' own quantities are held against their lines order by order (the residue).
        """
        return iter(())

    def unmatched_retirements(self) -> Iterator[UnmatchedRetirement]:
        """Lune retires only for orders: there are none."""
        return iter(())

    def probe(self) -> str:
        """The name of the key's account."""
        with translated(self.account):
            return self.client.accounts.me().name

    def hosted_page(self) -> str | None:
        """The API of Lune does not tell the address of a sustainability page."""
        return None

    def _scopes(self) -> list[Recipient]:
        """The key's own account (empty id) and its client accounts."""
        me = self.client.accounts.me()
        own = Recipient("", me.name, me.beneficiary)
        return [own] + [
            Recipient(client.id, client.name, client.beneficiary)
            for client in self.client.accounts.clients()
        ]

    def _facts(self, order: Order, recipient: Recipient, kinds: BundleTypes) -> OrderFacts:
        void = order.status in _VOID
        parts = list(_parts(order, recipient, kinds))
        stated = order.quantity or order.requested_quantity
        if stated is None:
            stated = sum((quantity for _line, quantity in parts), Decimal(0))
        quantity_g, lines, residue = in_whole_grams(
            stated,
            "t",
            parts,
            rest=unassigned(Stage.ORDER_CANCELLED if void else Stage.ORDERED),
        )
        price = None
        if order.total_cost is not None:
            price = Money(order.total_cost, order.currency)
        return OrderFacts(
            provider="lune",
            account=self.account.name,
            subaccount=recipient.name if recipient.recipient_id else None,
            mode=self.account.mode,
            side="bought",
            order_id=order.id,
            state=order.status,
            ordered_at=order.created_at,
            quantity_g=quantity_g,
            lines=lines,
            residue_g=residue,
            price=price,
            reference=(order.metadata or {}).get("reference"),
            description=(order.metadata or {}).get("description"),
            certificate_url=order.public_certificate_url,
        )

    def _projects(self, order: Order, known: dict[str, ProjectSummary]) -> tuple[ProjectFacts, ...]:
        facts = []
        for part in order.projects or ():
            if part.project_id not in known:
                try:
                    known[part.project_id] = self.client.projects.get(part.project_id)
                except NotFoundError:
                    # No longer listed. A bare name never replaces what was said of it before.
                    facts.append(ProjectFacts("lune", part.project_id, part.project_name))
                    continue
            facts.append(project_facts(known[part.project_id]))
        return tuple(facts)


def _parts(order: Order, recipient: Recipient, kinds: BundleTypes) -> Iterator[Part]:
    """The smallest quantities stated: per project and status, or per bundle before that."""
    if order.projects:
        yield from _project_parts(order, recipient, kinds)
        return
    stage = Stage.ORDER_CANCELLED if order.status in _VOID else Stage.ORDERED
    for bundle in order.bundles or ():
        kind = _stated(kinds.get(bundle.bundle_id))
        line = Line(
            key=f"bundle:{bundle.bundle_id}",
            stage=stage,
            quantity_g=0,
            wire_quantity="",
            impact_type=kind,
            impact_type_source="bundle" if kind else None,
        )
        yield line, bundle.quantity


def _project_parts(order: Order, recipient: Recipient, kinds: BundleTypes) -> Iterator[Part]:
    # No part says which bundle it is from: only a type that all bundles share is known for it.
    shared = {kinds.get(bundle.bundle_id) for bundle in order.bundles or ()}
    kind = _stated(shared.pop()) if len(shared) == 1 else None
    # Several parts of one project in one stage have nothing that tells them apart from sync to
    # sync: they are one quantity, or one would be given the other's dates.
    sums: dict[tuple[str, Stage], Decimal] = {}
    for part in order.projects or ():
        stage = _PART_STAGES.get(part.status, Stage.ALLOCATED)
        if order.status in _VOID:
            stage = Stage.ORDER_CANCELLED
        key = (part.project_id, stage)
        sums[key] = sums.get(key, Decimal(0)) + part.quantity
    for (project_id, stage), quantity in sums.items():
        retired = stage == Stage.RETIRED
        line = Line(
            key=f"{project_id}:{stage.value}",
            stage=stage,
            quantity_g=0,
            wire_quantity="",
            project_id=project_id,
            impact_type=kind,
            impact_type_source="bundle" if kind else None,
            beneficiary=recipient.beneficiary if retired else None,
            beneficiary_source=_named_by(recipient) if retired else None,
        )
        yield line, quantity


def _named_by(recipient: Recipient) -> str:
    # Without a beneficiary Lune retires in its organisation's name, which the API does not tell.
    return "account beneficiary" if recipient.beneficiary else "organisation, name not stated"


def _stated(kind: ImpactType | None) -> ImpactType | None:
    return None if kind == "not provided" else kind


def project_facts(project: ProjectSummary) -> ProjectFacts:
    """What Lune says of a project; its impact type stands on bundles only."""
    return ProjectFacts(
        provider="lune",
        project_id=project.id,
        name=project.name,
        registry=project.registry_name or None,
        country=project.country_code,
        location=project.region or project.country_name,
        latitude=_degrees(project.latitude),
        longitude=_degrees(project.longitude),
        methodology=project.methodology,
        durability=project.durability,
        registry_url=project.registry_link,
        kind=project.project_type,
    )


def _degrees(value: Decimal | None) -> float | None:
    return None if value is None else float(value)
