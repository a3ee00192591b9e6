"""Numbers and dates as people read them: rounding happens here, once, at display."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, tzinfo
from decimal import Decimal

import pandas as pd

from ..charts.style import UNIT_TITLES, VINTAGE_SOURCES, MassUnit, in_unit, mass_text
from ..domain.ledger import PROVIDER_TITLES
from ..domain.quantities import Money

__all__ = [
    "UNIT_TITLES", "MassUnit", "account_title", "ago", "headline_mass", "in_unit", "mass_text",
    "moment", "money", "provider", "rounding_note", "total_g", "vintage_source",
]  # fmt: skip


def money(amount: Money | None) -> str:
    """Money with its currency, or a dash where there is none."""
    return str(amount) if amount is not None else "–"


def provider(name: str) -> str:
    """How a provider is called."""
    return PROVIDER_TITLES.get(name, name)


def account_title(provider_name: str, account: str) -> str:
    """The provider, with the account's name where it says more."""
    title = provider(provider_name)
    return title if account.casefold() == title.casefold() else f"{title} ({account})"


def vintage_source(source: str) -> str:
    """Where a vintage comes from, in words."""
    return VINTAGE_SOURCES.get(source, source)


def moment(at: datetime | None, zone: tzinfo = UTC) -> str:
    """A moment to the minute with its zone, or a dash."""
    if at is None or pd.isna(at):
        return "–"
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M %Z")


def headline_mass(mass_g: int, unit: MassUnit) -> str:
    """A mass for a large figure: as everywhere, but whole kilograms from a tonne on."""
    if unit == "kg" and abs(mass_g) >= 1_000_000:
        return f"{round(in_unit(mass_g, unit)):,} kg"
    return mass_text(mass_g, unit)


def ago(at: datetime, now: datetime) -> str:
    """How long ago, in one unit."""
    seconds = max(0, int((now - at).total_seconds()))
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit} ago"
    return "just now"


def total_g(masses_g: Iterable[int]) -> int:
    """The exact sum of grams."""
    return sum(int(mass) for mass in masses_g)


def rounding_note(masses_g: Iterable[int], unit: MassUnit) -> str | None:
    """A sentence when the rows, as displayed, do not add up to the displayed total."""
    masses = [int(mass) for mass in masses_g]
    rows = sum((_shown(mass, unit) for mass in masses), Decimal(0))
    if rows == _shown(sum(masses), unit):
        return None
    return "Rows are rounded for display and do not add up; totals are exact before rounding."


def _shown(mass_g: int, unit: MassUnit) -> Decimal:
    return round(in_unit(mass_g, unit), 3)
