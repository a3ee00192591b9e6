"""Facts of orders for tests: short ways to say what a provider states."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from lib.domain.ledger import Line, Observation, OrderFacts, ProjectFacts, Stage
from lib.domain.quantities import Money

ORDERED = datetime(2025, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def line(key: str, stage: Stage, quantity_g: int, **more: Any) -> Line:
    more.setdefault("project_id", None if stage in {Stage.ORDERED, Stage.ORDER_CANCELLED} else "p1")
    return Line(key=key, stage=stage, quantity_g=quantity_g, wire_quantity="", **more)


def order(*lines: Line, **more: Any) -> OrderFacts:
    values: dict[str, Any] = {
        "provider": "cnaught",
        "account": "acme",
        "subaccount": None,
        "mode": "sandbox",
        "side": "bought",
        "order_id": "o1",
        "state": "placed",
        "ordered_at": ORDERED,
        "quantity_g": sum(x.quantity_g for x in lines),
        "price": Money(Decimal("10.00"), "USD"),
    }
    return OrderFacts(**{**values, **more}, lines=lines)


def seen(facts: OrderFacts, day: int, earlier_until: int | None = None) -> Observation:
    until = None if earlier_until is None else ORDERED + earlier_until * DAY
    return Observation(facts, ORDERED + day * DAY, until)


PROJECT = ProjectFacts("cnaught", "p1", "Peat Bog North", registry="Verra", impact_type="removal")
