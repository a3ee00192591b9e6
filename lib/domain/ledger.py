"""The ledger: what a provider said of an order, what we observed, and the rows that follow.

A provider adapter turns each order into `OrderFacts`: the order and its lines, the smallest
quantities that the provider states. The store keeps an append-only history of `Observation`s,
one each time the facts of an order changed. `rows` computes the current view from that history
and `movements` the journal entries between two observations. Everything here is pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Literal

from .quantities import Money, apportion, minor_digits
from .serials import NOT_PROVIDED, Vintage

ProviderName = Literal["cnaught", "lune", "isometric"]
Mode = Literal["live", "test", "sandbox"]
Side = Literal["bought", "sold"]
DateSource = Literal["provider", "callback", "observed", "manual", "not provided"]
ImpactType = Literal["removal", "avoidance or reduction", "mixed", "not provided"]

#: How a provider is called on screens.
PROVIDER_TITLES: dict[str, str] = {"cnaught": "CNaught", "lune": "Lune", "isometric": "Isometric"}

UNASSIGNED_PROJECT = "project not yet assigned"


class Stage(StrEnum):
    """Where a tonne is. It is in exactly one stage."""

    ORDERED = "ordered"
    ALLOCATED = "allocated"
    DELIVERED = "delivered"
    RETIRED = "retired"
    TRANSFERRED_OUT = "transferred_out"
    ORDER_CANCELLED = "order_cancelled"


#: The measures of the screens, as sets of stages.
OUTSTANDING = frozenset({Stage.ORDERED, Stage.ALLOCATED})
DELIVERED_TO_DATE = frozenset({Stage.DELIVERED, Stage.RETIRED})
ORDERED = frozenset(set(Stage) - {Stage.ORDER_CANCELLED})


@dataclass(frozen=True, slots=True)
class Line:
    """The smallest quantity that a provider states of an order.

    `key` names it within the order and stays the same from sync to sync. `wire_quantity` is the
    provider's own decimal and unit, as text. Dates are the provider's; None where it gives none.
    """

    key: str
    stage: Stage
    quantity_g: int
    wire_quantity: str
    project_id: str | None = None
    serials: tuple[str, ...] = ()
    vintage: Vintage = NOT_PROVIDED
    delivery_id: str | None = None
    batch_id: str | None = None
    parent_batch_id: str | None = None
    delivered_at: datetime | None = None
    retired_at: datetime | None = None
    retirement_id: str | None = None
    retirement_purpose: str | None = None
    beneficiary: str | None = None
    beneficiary_source: str | None = None
    impact_type: ImpactType | None = None
    impact_type_source: str | None = None
    ccp: str | None = None
    registry_url: str | None = None
    certificate_url: str | None = None


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """One order as its provider states it now, with lines that sum to `quantity_g`.

    `state` is the provider's own word. `residue_g` is what rounding to whole grams cost:
    the wire's exact mass minus `quantity_g`. `price` is the order's total where there is one.
    """

    provider: ProviderName
    account: str
    subaccount: str | None
    mode: Mode
    side: Side
    order_id: str
    state: str
    ordered_at: datetime
    quantity_g: int
    lines: tuple[Line, ...]
    residue_g: Decimal = Decimal(0)
    price: Money | None = None
    reference: str | None = None
    description: str | None = None
    certificate_url: str | None = None

    def __post_init__(self) -> None:
        total = sum(line.quantity_g for line in self.lines)
        if total != self.quantity_g:
            raise ValueError(
                f"order {self.order_id}: lines sum to {total} g, the order is {self.quantity_g} g"
            )


@dataclass(frozen=True, slots=True)
class ProjectFacts:
    """What a provider says of a project. Absent statements are None, never filled in."""

    provider: ProviderName
    project_id: str
    name: str
    registry: str | None = None
    country: str | None = None
    location: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    methodology: str | None = None
    impact_type: ImpactType = "not provided"
    durability: str | None = None
    registry_url: str | None = None
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class Observation:
    """What an order looked like from `seen_at` on.

    `earlier_until` is the last time the order was still seen in its previous state; None for
    the first observation of the order.
    """

    facts: OrderFacts
    seen_at: datetime
    earlier_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One row of the ledger's current view; fields are the columns of `desk.ledger()`."""

    provider: str
    account: str
    subaccount: str | None
    mode: str
    side: str
    order_id: str
    delivery_id: str | None
    batch_id: str | None
    parent_batch_id: str | None
    project_id: str | None
    project_name: str
    registry: str | None
    country: str | None
    methodology: str | None
    impact_type: str
    impact_type_source: str
    ccp: str
    serials: tuple[str, ...]
    vintage_label: str
    vintage_year: int | None
    vintage_start: object | None
    vintage_end: object | None
    vintage_source: str
    quantity_g: int
    stage: str
    beneficiary: str | None
    beneficiary_source: str
    retirement_id: str | None
    retirement_purpose: str | None
    ordered_at: datetime
    delivered_at: datetime | None
    delivered_at_source: str
    retired_at: datetime | None
    retired_at_source: str
    not_before: datetime | None
    not_after: datetime | None
    registry_url: str | None
    certificate_url: str | None
    price: Decimal | None
    currency: str | None
    first_seen_at: datetime
    last_seen_at: datetime


LEDGER_COLUMNS: tuple[str, ...] = tuple(LedgerRow.__dataclass_fields__)


@dataclass(frozen=True, slots=True)
class Movement:
    """A journal entry: `quantity_g` grams (negative when leaving) of a line in a stage.

    Movements of one order at one moment sum to zero once the order exists; the first ones bring
    it in. What the sum over all movements says per line and stage is the current view.
    """

    order_id: str
    line_key: str
    stage: Stage
    quantity_g: int
    moved_at: datetime
    not_before: datetime | None


def keep_what_was_cancelled(history: Sequence[Observation]) -> OrderFacts:
    """The latest facts; a cancelled order keeps its last seen projects and serials.

    Cancelling a fulfilled order withdraws the claim, not the registry's retirement: providers
    empty the allocations, we keep them, in stage `order_cancelled`.
    """
    latest = history[-1].facts
    cancelled = all(line.stage == Stage.ORDER_CANCELLED for line in latest.lines)
    if not cancelled or any(line.project_id for line in latest.lines):
        return latest
    for earlier in reversed(history[:-1]):
        if any(line.project_id for line in earlier.facts.lines):
            kept = tuple(replace(x, stage=Stage.ORDER_CANCELLED) for x in earlier.facts.lines)
            if sum(x.quantity_g for x in kept) == latest.quantity_g:
                return replace(latest, lines=kept)
    return latest


def rows(
    history: Sequence[Observation],
    projects: dict[str, ProjectFacts],
    last_seen_at: datetime,
) -> list[LedgerRow]:
    """The current view of one order from its observations, oldest first."""
    facts = keep_what_was_cancelled(history)
    prices = _prices(facts)
    return [
        _row(history, facts, line, price, projects, last_seen_at)
        for line, price in zip(facts.lines, prices, strict=True)
        if line.quantity_g
    ]


def _prices(facts: OrderFacts) -> list[Money | None]:
    """The order's price shared over its lines by mass, to the cent, so that rows add up to it."""
    if facts.price is None:
        return [None] * len(facts.lines)
    price = facts.price
    # A provider may state fractions of a cent: then the shares have as many decimals.
    exponent = price.amount.as_tuple().exponent
    finest = -exponent if isinstance(exponent, int) else 0
    digits = max(minor_digits(price.currency), finest)
    whole = int(price.amount.scaleb(digits))
    parts = apportion(whole, [line.quantity_g for line in facts.lines])
    return [Money(Decimal(part).scaleb(-digits), price.currency) for part in parts]


def _row(
    history: Sequence[Observation],
    facts: OrderFacts,
    line: Line,
    price: Money | None,
    projects: dict[str, ProjectFacts],
    last_seen_at: datetime,
) -> LedgerRow:
    project = projects.get(line.project_id) if line.project_id else None
    dates = _dates(history, line)
    impact_type, impact_source = _impact(line, project)
    return LedgerRow(
        provider=facts.provider,
        account=facts.account,
        subaccount=facts.subaccount,
        mode=facts.mode,
        side=facts.side,
        order_id=facts.order_id,
        delivery_id=line.delivery_id,
        batch_id=line.batch_id,
        parent_batch_id=line.parent_batch_id,
        project_id=line.project_id,
        project_name=_project_name(line, project),
        registry=project.registry if project else None,
        country=project.country if project else None,
        methodology=project.methodology if project else None,
        impact_type=impact_type,
        impact_type_source=impact_source,
        ccp=line.ccp or "unknown",
        serials=line.serials,
        vintage_label=line.vintage.label,
        vintage_year=line.vintage.year,
        vintage_start=line.vintage.start,
        vintage_end=line.vintage.end,
        vintage_source=line.vintage.source,
        quantity_g=line.quantity_g,
        stage=line.stage.value,
        beneficiary=line.beneficiary,
        beneficiary_source=line.beneficiary_source or "not provided",
        retirement_id=line.retirement_id,
        retirement_purpose=line.retirement_purpose,
        ordered_at=facts.ordered_at,
        delivered_at=dates.delivered_at,
        delivered_at_source=dates.delivered_at_source,
        retired_at=dates.retired_at,
        retired_at_source=dates.retired_at_source,
        not_before=dates.not_before,
        not_after=dates.not_after,
        registry_url=line.registry_url or (project.registry_url if project else None),
        certificate_url=line.certificate_url or facts.certificate_url,
        price=price.amount if price else None,
        currency=price.currency if price else None,
        first_seen_at=_first_seen(history, line).seen_at,
        last_seen_at=last_seen_at,
    )


def _project_name(line: Line, project: ProjectFacts | None) -> str:
    if line.project_id is None:
        return UNASSIGNED_PROJECT
    return project.name if project else line.project_id


def _impact(line: Line, project: ProjectFacts | None) -> tuple[str, str]:
    if line.impact_type:
        return line.impact_type, line.impact_type_source or "not provided"
    if project and project.impact_type != "not provided":
        return project.impact_type, "project"
    return "not provided", "not provided"


@dataclass(frozen=True, slots=True)
class _Dates:
    delivered_at: datetime | None
    delivered_at_source: DateSource
    retired_at: datetime | None
    retired_at_source: DateSource
    not_before: datetime | None
    not_after: datetime | None


_NO_DATES = _Dates(None, "not provided", None, "not provided", None, None)


def _dates(history: Sequence[Observation], line: Line) -> _Dates:
    """When the line's last event happened, and how we know (provider, observed, not provided)."""
    if line.stage == Stage.ORDER_CANCELLED:
        between = _interval(history, line.key, {Stage.ORDER_CANCELLED}, line.quantity_g)
        return replace(_NO_DATES, not_before=between[0], not_after=between[1])
    if line.stage not in DELIVERED_TO_DATE:
        return _NO_DATES
    retired = line.stage == Stage.RETIRED
    event = line.retired_at if retired else line.delivered_at
    if event is not None:
        return _Dates(
            line.delivered_at,
            "provider" if line.delivered_at else "not provided",
            line.retired_at,
            "provider" if line.retired_at else "not provided",
            event,
            event,
        )
    not_before, not_after, observed = _interval(history, line.key, {line.stage}, line.quantity_g)
    seen = not_after if observed else None
    source: DateSource = "observed" if observed else "not provided"
    # Retiring at once delivers at the same moment: CNaught and Lune know no other delivery.
    delivered, delivered_source = line.delivered_at, source
    if line.delivered_at is not None:
        delivered_source = "provider"
    else:
        delivered = seen
    return _Dates(
        delivered,
        delivered_source,
        seen if retired else None,
        source if retired else "not provided",
        not_before,
        not_after,
    )


def _interval(
    history: Sequence[Observation], key: str, stages: set[Stage], quantity_g: int
) -> tuple[datetime | None, datetime, bool]:
    """Between which moments the line came to hold `quantity_g` in one of `stages`.

    The third value tells whether an earlier sync saw the order not yet in that state. What was
    already so when first seen happened between the order and that first sight.
    """
    first: int | None = None
    full = len(history) - 1
    for index, observation in enumerate(history):
        held = sum(
            x.quantity_g
            for x in observation.facts.lines
            if x.stage in stages and (x.key == key or stages == {Stage.ORDER_CANCELLED})
        )
        if held and first is None:
            first = index
        if held >= quantity_g:
            full = index
            break
    if first is None:
        first = full
    if first == 0:
        return history[0].facts.ordered_at, history[full].seen_at, False
    return history[first].earlier_until, history[full].seen_at, True


def _first_seen(history: Sequence[Observation], line: Line) -> Observation:
    for observation in history:
        if any(x.key == line.key and x.stage == line.stage for x in observation.facts.lines):
            return observation
    return history[-1]


def movements(history: Sequence[Observation]) -> list[Movement]:
    """The journal of one order: what entered and left each line and stage, oldest first."""
    journal: list[Movement] = []
    balance: dict[tuple[str, Stage], int] = {}
    for index, observation in enumerate(history):
        facts = keep_what_was_cancelled(history[: index + 1])
        now: dict[tuple[str, Stage], int] = {}
        for line in facts.lines:
            now[line.key, line.stage] = now.get((line.key, line.stage), 0) + line.quantity_g
        for key, stage in sorted({*balance, *now}):
            change = now.get((key, stage), 0) - balance.get((key, stage), 0)
            if change:
                journal.append(
                    Movement(
                        facts.order_id,
                        key,
                        stage,
                        change,
                        observation.seen_at,
                        observation.earlier_until or facts.ordered_at,
                    )
                )
        balance = now
    return journal


@dataclass(frozen=True, slots=True)
class Balance:
    """Grams of one order (or of many) by measure; `ordered` is checked to be their sum."""

    ordered: int
    outstanding: int
    held: int
    retired: int
    transferred_out: int
    cancelled: int

    @property
    def delivered_to_date(self) -> int:
        """Delivered, whether retired since or still held."""
        return self.held + self.retired

    @property
    def balanced(self) -> bool:
        """ordered = outstanding + held + retired + transferred out."""
        parts = self.outstanding + self.held + self.retired + self.transferred_out
        return self.ordered == parts


def balance(lines: Iterable[Line | LedgerRow]) -> Balance:
    """The measures of a set of lines or rows, in grams."""
    by_stage = dict.fromkeys(Stage, 0)
    for line in lines:
        by_stage[Stage(line.stage)] += line.quantity_g
    return Balance(
        ordered=sum(by_stage[s] for s in ORDERED),
        outstanding=sum(by_stage[s] for s in OUTSTANDING),
        held=by_stage[Stage.DELIVERED],
        retired=by_stage[Stage.RETIRED],
        transferred_out=by_stage[Stage.TRANSFERRED_OUT],
        cancelled=by_stage[Stage.ORDER_CANCELLED],
    )
