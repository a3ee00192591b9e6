"""The ledger as tidy DataFrames: what pages show, downloads hold and notebooks slice.

The only service that imports pandas, so that the command line can sync without it. Grams are
int64, money Decimal, times UTC; nothing is rounded here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

import pandas as pd

from ..domain.ledger import LEDGER_COLUMNS, Stage
from ..store.ledger import Ledger
from ..store.syncs import Syncs
from .alarms import Alarm, find_alarms
from .equivalents import Equivalent, equivalents
from .periods import NOT_PROVEN, Calendar
from .reconciling import Check, check_all, summarise

ORDER_COLUMNS = (
    "provider", "account", "subaccount", "mode", "side", "order_id", "state", "ordered_at",
    "quantity_g", "outstanding_g", "held_g", "retired_g", "transferred_out_g", "cancelled_g",
    "price", "currency", "description", "reference", "certificate_url", "first_seen_at",
    "last_seen_at", "balanced",
)  # fmt: skip
DELIVERED_COLUMNS = (
    "provider", "project_id", "project_name", "vintage_label", "vintage_year", "vintage_source",
    "delivered_g", "held_g", "retired_g", "outstanding_g", "orders", "serials", "serial_count",
)  # fmt: skip
_TIMES = (
    "ordered_at", "delivered_at", "retired_at", "not_before", "not_after", "first_seen_at",
    "last_seen_at", "started_at", "finished_at", "complete_at", "as_of",
)  # fmt: skip

#: Serials shown in a hover; the rows hold them all.
SERIALS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Impact:
    """What was retired, by type, year and beneficiary, with everyday comparisons.

    `retired_g` is the total in grams over the bought side; `per_year` says how years are meant.
    """

    retired_g: int
    per_year: str
    retired_by_type: pd.DataFrame
    by_year: pd.DataFrame
    by_beneficiary: pd.DataFrame
    equivalents: pd.DataFrame


class Reporting:
    """Questions to the ledger, answered as DataFrames."""

    def __init__(self, ledger: Ledger, syncs: Syncs, calendar: Calendar) -> None:
        self._ledger = ledger
        self._syncs = syncs
        self.calendar = calendar

    def ledger(self, **equal: Any) -> pd.DataFrame:
        """The ledger's rows; `equal` filters columns, as in `ledger(provider="lune")`."""
        rows = self._ledger.rows(**equal)
        for row in rows:
            if row["ccp"] == "not labelled":
                row["ccp"] = f"not labelled at {row['last_seen_at']:%Y-%m-%d}"
        return _frame(rows, LEDGER_COLUMNS)

    def orders(self, **equal: Any) -> pd.DataFrame:
        """Orders with their grams by measure; `balanced` says that the measures add up."""
        orders = self._ledger.orders(**equal)
        for order in orders:
            parts = sum(order[name] for name in _PARTS)
            order["balanced"] = order["quantity_g"] == parts
        return _frame(orders, ORDER_COLUMNS)

    def delivered(self, **equal: Any) -> pd.DataFrame:
        """Grams by provider, project and vintage, with some of the serials behind each."""
        serials: dict[tuple[Any, ...], list[str]] = {}
        for row in self._ledger.rows(stage=["delivered", "retired"], **equal):
            key = (row["provider"], row["project_id"], row["vintage_label"])
            serials.setdefault(key, []).extend(row["serials"])
        found = []
        for line in self._ledger.delivered(**equal):
            key = (line["provider"], line["project_id"], line["vintage_label"])
            texts = list(dict.fromkeys(serials.get(key, [])))
            shown = {"serials": texts[:SERIALS_SHOWN], "serial_count": len(texts)}
            found.append({**line, **shown})
        frame = _frame(found, DELIVERED_COLUMNS)
        return frame.sort_values(
            ["delivered_g", "outstanding_g", "project_name", "vintage_label"],
            ascending=[False, False, True, True],
            ignore_index=True,
        )

    def freshness(self) -> pd.DataFrame:
        """The state of each account's sync."""
        columns = (
            "account", "provider", "state", "started_at", "finished_at", "complete_at",
            "orders_read", "orders_expected", "message",
        )  # fmt: skip
        return _frame(self._syncs.all(), columns)

    def reconciliation(self, *, detail: bool = False) -> pd.DataFrame:
        """The providers' independent figures beside ours; every single one with `detail`."""
        checks = check_all(
            self._syncs.statements(),
            self._ledger.rows(once=False),
            self._ledger.orders(),
            self._syncs.all(),
        )
        shown = checks if detail else summarise(checks)
        return _frame([asdict(check) for check in shown], tuple(Check.__dataclass_fields__))

    def alarms(self) -> pd.DataFrame:
        """What needs a look; see services.alarms."""
        completed = {
            sync["account"]: sync["started_at"]
            for sync in self._syncs.all()
            if sync["state"] == "complete"
        }
        found = find_alarms(self._ledger.rows(), self._ledger.orders(), completed)
        return _frame([asdict(alarm) for alarm in found], tuple(Alarm.__dataclass_fields__))

    def unmatched(self) -> pd.DataFrame:
        """Retired on our behalf without an order of ours: outside all totals."""
        columns = (
            "account", "retirement_id", "retired_at", "owner", "beneficiary", "quantity_g", "url",
        )  # fmt: skip
        return _frame(self._syncs.unmatched(), columns)

    def projects(self) -> pd.DataFrame:
        """What the providers say of the projects named by orders."""
        found = [asdict(project) for project in self._ledger.projects()]
        columns = (
            "provider", "project_id", "name", "registry", "country", "location", "latitude",
            "longitude", "methodology", "impact_type", "durability", "registry_url", "kind",
        )  # fmt: skip
        return _frame(found, columns).drop_duplicates(["provider", "project_id"])

    def impact(self, **equal: Any) -> Impact:
        """What was retired for us, each tonne once: headlines count the bought side."""
        rows = self._ledger.rows(stage=Stage.RETIRED.value, side="bought", **equal)
        for row in rows:
            row["year_label"] = self.calendar.retired_in(
                row["stage"], row["not_before"], row["not_after"]
            )
            row["beneficiary"] = row["beneficiary"] or "not provided"
        total = sum(row["quantity_g"] for row in rows)
        by_year = _sum_by(rows, ("year_label", "provider"))
        by_year["proven"] = by_year["year_label"] != NOT_PROVEN
        return Impact(
            retired_g=total,
            per_year=self.calendar.describe(),
            retired_by_type=_sum_by(rows, ("impact_type", "impact_type_source")),
            by_year=by_year,
            by_beneficiary=_sum_by(rows, ("beneficiary", "provider")),
            equivalents=_frame(
                [asdict(found) for found in equivalents(total)],
                tuple(Equivalent.__dataclass_fields__),
            ),
        )


_PARTS = ("outstanding_g", "held_g", "retired_g", "transferred_out_g", "cancelled_g")


def _sum_by(rows: Iterable[Mapping[str, Any]], keys: tuple[str, ...]) -> pd.DataFrame:
    sums: dict[tuple[Any, ...], int] = {}
    for row in rows:
        key = tuple(row[name] for name in keys)
        sums[key] = sums.get(key, 0) + row["quantity_g"]
    found = [
        {**dict(zip(keys, key, strict=True)), "retired_g": grams}
        for key, grams in sorted(sums.items(), key=lambda item: tuple(map(str, item[0])))
    ]
    return _frame(found, (*keys, "retired_g"))


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _frame(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> pd.DataFrame:
    """A frame with fixed columns and types, also when there are no rows."""
    frame = pd.DataFrame.from_records(list(rows), columns=list(columns))
    for name in columns:
        if name.endswith("_g") or name in ("orders", "orders_read", "serial_count"):
            frame[name] = frame[name].astype("int64")
        elif name in ("vintage_year", "orders_expected"):
            frame[name] = frame[name].astype("Int64")
        elif name in _TIMES:
            frame[name] = pd.to_datetime(frame[name], utc=True)
        elif name == "price":
            frame[name] = frame[name].map(_decimal).astype(object)
    return frame
