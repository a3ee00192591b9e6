"""Reporting periods: which year a moment or an interval belongs to, in the reporting time zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from ..domain.ledger import Stage

NOT_PROVEN = "date not proven"


@dataclass(frozen=True, slots=True)
class Calendar:
    """A reporting time zone and the first day of the fiscal year, as `MM-DD`."""

    timezone: str = "UTC"
    fiscal_year_start: str = "01-01"

    def year_of(self, moment: datetime) -> str:
        """`2025`, or `2025/26` where the fiscal year does not start in January."""
        local = moment.astimezone(ZoneInfo(self.timezone))
        month, day = (int(part) for part in self.fiscal_year_start.split("-"))
        year = local.year if (local.month, local.day) >= (month, day) else local.year - 1
        if (month, day) == (1, 1):
            return str(year)
        return f"{year}/{(year + 1) % 100:02d}"

    def retired_in(
        self, stage: str, not_before: datetime | None, not_after: datetime | None
    ) -> str | None:
        """The year of the claim: that of the retirement, None for what is not retired.

        "date not proven" where the retirement may have been in one year or another.
        """
        if stage != Stage.RETIRED:
            return None
        if not_before is None or not_after is None:
            return NOT_PROVEN
        first, last = self.year_of(not_before), self.year_of(not_after)
        return first if first == last else NOT_PROVEN

    def describe(self) -> str:
        """How figures per year are to be read, for screens and exports."""
        start = "" if self.fiscal_year_start == "01-01" else f", from {self.fiscal_year_start}"
        return f"retirement year, {self.timezone}{start}"
