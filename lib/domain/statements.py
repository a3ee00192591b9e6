"""What providers say beside their orders: totals to hold the ledger against, loose retirements."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, slots=True)
class Statement:
    """An independent figure of the provider that the ledger is held against.

    `measure` names what it counts. `subject` is "account", an order id, a delivery id, or a
    period; `start` and `end` bound a period, the end excluded.
    """

    measure: Literal["retired", "delivered to date", "held", "delivery size", "ordered quantity"]
    subject: str
    quantity_g: int
    independent: bool
    source: str
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class UnmatchedRetirement:
    """Retired on our behalf without an order of ours: outside totals until a person matches it."""

    retirement_id: str
    retired_at: datetime
    owner: str
    beneficiary: str
    quantity_g: int
    url: str | None
