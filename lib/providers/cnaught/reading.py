"""CNaught's orders, projects and impact figures as facts for the ledger.

`fulfilled` means retired: CNaught has no other delivery and gives no date for it. Tonnes are the
allocation's `amount_kg`; a serial range is the block it was taken from, shared with other orders
(CNaught contract 2).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

from ...clients.cnaught import CNaughtClient
from ...clients.cnaught.models import Order, Project, ProjectAllocation
from ...clients.errors import ForbiddenError
from ...domain.ledger import ImpactType, Line, OrderFacts, ProjectFacts, Stage
from ...domain.quantities import Money, grams
from ...domain.serials import vintage_of_serials
from ...domain.statements import Statement, UnmatchedRetirement
from ..base import Account, OrderReading
from ..lines import Part, in_whole_grams, unassigned
from ..translate import translated

_STAGES = {"fulfilled": Stage.RETIRED, "cancelled": Stage.ORDER_CANCELLED}

_IMPACT_TYPES: dict[str, ImpactType] = {
    "removal": "removal",
    "removals": "removal",
    "avoided emissions": "avoidance or reduction",
    "avoidance": "avoidance or reduction",
    "reduction": "avoidance or reduction",
    "mixed": "mixed",
    "mix of both": "mixed",
}


class CNaughtReading:
    """The reading half of the CNaught adapter."""

    def __init__(self, account: Account, client: CNaughtClient) -> None:
        self.account = account
        self.client = client

    def orders(self) -> Iterator[OrderReading]:
        """Every order once: each subaccount's own list, then the unscoped one.

        The unscoped list is understood to hold the subaccounts' orders too; reading theirs as
        well costs a page each and does not rely on it.
        """
        with translated(self.account):
            names = self._beneficiaries()
            seen: set[str] = set()
            # Scoped lists first: they tell whose an order is even where the order does not.
            for scope in [*(scope for scope in names if scope is not None), None]:
                for order in self.client.orders.list(limit=100, subaccount_id=scope):
                    if order.id not in seen:
                        seen.add(order.id)
                        complete = self._with_allocations(order, scope)
                        facts = self._facts(complete, scope, names)
                        yield OrderReading(facts, _projects(complete))

    def statements(self, since: datetime) -> Iterator[Statement]:
        """`/impact/data`, whole and by calendar year (UTC): retired for all subaccounts."""
        with translated(self.account):
            whole = self.client.impact.data()
            yield Statement(
                "retired",
                "account",
                grams(whole.total_offset_kgs, "kg"),
                independent=True,
                source="CNaught /impact/data, whole account, subaccounts included",
            )
            for year in range(since.year, datetime.now(UTC).year + 1):
                start, end = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
                of_year = self.client.impact.data(from_=start, to=end)
                yield Statement(
                    "retired",
                    str(year),
                    grams(of_year.total_offset_kgs, "kg"),
                    independent=True,
                    source=f"CNaught /impact/data, {year} UTC, subaccounts included",
                    start=start,
                    end=end,
                )

    def unmatched_retirements(self) -> Iterator[UnmatchedRetirement]:
        """CNaught retires only for orders: there are none."""
        return iter(())

    def probe(self) -> str:
        """The name that the key's account carries."""
        with translated(self.account):
            return self.client.impact.data().name or "account without a name"

    def hosted_page(self) -> str | None:
        """The hosted impact page's URL; None while it is disabled."""
        with translated(self.account):
            config = self.client.impact.hosted_page_config()
            return config.url if config.enabled else None

    def _beneficiaries(self) -> dict[str | None, str | None]:
        """In whose name credits are retired: the account's (None) and each subaccount's."""
        names: dict[str | None, str | None] = {None: self.client.impact.data().name}
        try:
            names.update((found.id, found.name) for found in self.client.subaccounts.list())
        except ForbiddenError:
            # Most accounts are not provisioned for subaccounts (contract 1.4, case d).
            return names
        return names

    def _with_allocations(self, order: Order, scope: str | None) -> Order:
        """Some list answers leave the allocations out; the order itself has them."""
        if order.state == "fulfilled" and not order.project_allocations:
            return self.client.orders.get(order.id, subaccount_id=scope)
        return order

    def _facts(
        self, order: Order, scope: str | None, names: dict[str | None, str | None]
    ) -> OrderFacts:
        subaccount = order.subaccount_id or scope
        # An unknown subaccount (deleted, or not ours to list) is not the account: then nobody
        # is named rather than the wrong one.
        beneficiary = names.get(subaccount)
        source = "subaccount name" if subaccount else "account name"
        stage = _STAGES.get(order.state, Stage.ORDERED)
        quantity_g, lines, residue = in_whole_grams(
            order.amount_kg,
            "kg",
            list(_parts(order, stage, beneficiary, source)),
            rest=unassigned(Stage.ORDERED if stage == Stage.RETIRED else stage),
        )
        return OrderFacts(
            provider="cnaught",
            account=self.account.name,
            subaccount=(names.get(subaccount) or subaccount) if subaccount else None,
            mode=self.account.mode,
            side="bought",
            order_id=order.id,
            state=order.state,
            ordered_at=order.created_on,
            quantity_g=quantity_g,
            lines=lines,
            residue_g=residue,
            price=Money.from_minor(order.price_usd_cents, "USD"),
            reference=order.metadata,
            description=order.description,
            certificate_url=order.certificate_public_url,
        )


def _parts(order: Order, stage: Stage, beneficiary: str | None, source: str) -> Iterator[Part]:
    times: Counter[str] = Counter()
    for allocation in sorted(order.project_allocations or (), key=_allocation_order):
        project_id = allocation.project.id
        times[project_id] += 1
        serials = _serials(allocation)
        unnamed = any(not r.serial_number_range for r in allocation.retirements or ())
        line = Line(
            key=f"{project_id}#{times[project_id]}",
            stage=stage,
            quantity_g=0,
            wire_quantity="",
            project_id=project_id,
            serials=serials,
            # A range without a number could be of any year: then nothing is proven.
            vintage=vintage_of_serials((*serials, "") if unnamed else serials),
            beneficiary=beneficiary if stage == Stage.RETIRED else None,
            beneficiary_source=source if stage == Stage.RETIRED and beneficiary else None,
            registry_url=_registry_url(allocation),
        )
        yield line, allocation.amount_kg


def _serials(allocation: ProjectAllocation) -> tuple[str, ...]:
    return tuple(
        sorted(r.serial_number_range for r in allocation.retirements or () if r.serial_number_range)
    )


def _allocation_order(allocation: ProjectAllocation) -> tuple[str, Decimal, tuple[str, ...]]:
    """Several allocations from one project are numbered the same however they are listed."""
    return allocation.project.id, allocation.amount_kg, _serials(allocation)


def _registry_url(allocation: ProjectAllocation) -> str | None:
    for retirement in allocation.retirements or ():
        if retirement.url:
            return retirement.url
    return allocation.project.registry_url


def _projects(order: Order) -> tuple[ProjectFacts, ...]:
    return tuple(project_facts(part.project) for part in order.project_allocations or ())


def project_facts(project: Project) -> ProjectFacts:
    """What CNaught says of a project; its location is free text, so no country is derived."""
    return ProjectFacts(
        provider="cnaught",
        project_id=project.id,
        name=project.name,
        registry=project.registry_name,
        location=project.location_name,
        latitude=_degrees(project.location_latitude),
        longitude=_degrees(project.location_longitude),
        methodology=project.methodology,
        impact_type=impact_type(project.impact_type),
        durability=project.permanence,
        registry_url=project.registry_url,
        kind=project.type,
    )


def impact_type(text: str | None) -> ImpactType:
    """CNaught's free text as one of the desk's words; unknown texts are "not provided"."""
    return _IMPACT_TYPES.get((text or "").strip().lower(), "not provided")


def _degrees(value: Decimal | None) -> float | None:
    return None if value is None else float(value)
