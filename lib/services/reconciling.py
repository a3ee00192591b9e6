"""Holding the ledger against what the providers say independently of it, to the gram."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from ..domain.ledger import DELIVERED_TO_DATE, Stage

Status = Literal["agrees", "differs", "not independently verifiable", "incomplete"]


@dataclass(frozen=True, slots=True)
class Check:
    """One figure of a provider beside ours, in grams; difference = provider minus ledger."""

    provider: str
    account: str
    measure: str
    subject: str
    provider_says_g: int
    ledger_says_g: int
    difference_g: int
    status: Status
    source: str
    as_of: datetime | None


def check_all(
    statements: Iterable[Mapping[str, Any]],
    rows: Sequence[Mapping[str, Any]],
    orders: Iterable[Mapping[str, Any]],
    syncs: Iterable[Mapping[str, Any]],
) -> list[Check]:
    """Every statement of every account against the ledger's rows of that account."""
    states = {sync["account"]: sync for sync in syncs}
    sums = _Sums(rows)
    checks = [_check(s, sums, states.get(s["account"])) for s in statements]
    return checks + _internal(orders, states)


def summarise(checks: Iterable[Check]) -> list[Check]:
    """Many checks of one kind (each order, each delivery, each year) as one line each."""
    groups: dict[tuple[str, str, str, str], list[Check]] = {}
    for check in checks:
        kind = check.subject if check.subject == "account" else _plural(check)
        groups.setdefault((check.provider, check.account, check.measure, kind), []).append(check)
    return [
        found[0] if kind == "account" else _together(found, kind)
        for (_provider, _account, _measure, kind), found in groups.items()
    ]


def _plural(check: Check) -> str:
    if check.measure == "delivery size":
        return "deliveries"
    return "years" if check.subject.isdigit() else "orders"


_WORST: tuple[Status, ...] = ("differs", "incomplete", "not independently verifiable", "agrees")


def _together(checks: Sequence[Check], kind: str) -> Check:
    first = checks[0]
    return Check(
        first.provider,
        first.account,
        first.measure,
        f"{len(checks)} {kind}",
        sum(c.provider_says_g for c in checks),
        sum(c.ledger_says_g for c in checks),
        # Differences of opposite sign must not hide each other.
        sum(abs(c.difference_g) for c in checks),
        min((c.status for c in checks), key=_WORST.index),
        first.source,
        first.as_of,
    )


class _Sums:
    """The ledger's grams by account and by what a statement can be about."""

    def __init__(self, rows: Sequence[Mapping[str, Any]]) -> None:
        self._retired: dict[str, list[Mapping[str, Any]]] = {}
        self._sums: dict[tuple[str, str, str], int] = {}
        for row in rows:
            self._add(row)

    def _add(self, row: Mapping[str, Any]) -> None:
        account, stage, grams = row["account"], row["stage"], row["quantity_g"]
        if stage == Stage.RETIRED:
            self._retired.setdefault(account, []).append(row)
        keys = []
        if row["side"] == "bought" and stage == Stage.RETIRED:
            keys.append(("retired", "account"))
        if row["side"] == "bought" and stage == Stage.DELIVERED:
            keys.append(("held", "account"))
        if stage in DELIVERED_TO_DATE or stage == Stage.TRANSFERRED_OUT:
            keys.append(("delivered to date", row["order_id"]))
            keys.append(("delivery size", row["delivery_id"] or ""))
        for measure, subject in keys:
            key = (account, measure, subject)
            self._sums[key] = self._sums.get(key, 0) + grams

    def of(self, account: str, measure: str, subject: str) -> int:
        return self._sums.get((account, measure, subject), 0)

    def retired_between(self, account: str, start: datetime, end: datetime) -> tuple[int, int]:
        """Grams proven to have been retired in [start, end), and grams that may have been."""
        proven = possible = 0
        for row in self._retired.get(account, ()):
            first, last = row["not_before"], row["not_after"]
            if first is None or last is None:
                possible += row["quantity_g"]
            elif start <= first and last < end:
                proven += row["quantity_g"]
            elif first < end and last >= start:
                possible += row["quantity_g"]
        return proven, possible


def _check(statement: Mapping[str, Any], sums: _Sums, sync: Mapping[str, Any] | None) -> Check:
    says = statement["quantity_g"]
    source = statement["source"]
    if statement["start"] is not None:
        ours, possible = sums.retired_between(
            statement["account"], statement["start"], statement["end"]
        )
        fits = ours <= says <= ours + possible
        if possible and fits:
            source += f"; of ours {Decimal(says - ours).scaleb(-6):,.3f} t have no proven date"
        # What may have been in the period explains as much as it can; the rest is a difference.
        ours = min(max(says, ours), ours + possible)
        status: Status = "agrees" if says == ours else "differs"
        if possible and fits:
            status = "not independently verifiable"
    else:
        ours = sums.of(statement["account"], statement["measure"], statement["subject"])
        status = "agrees" if says == ours else "differs"
    if status == "agrees" and not statement["independent"]:
        status = "not independently verifiable"
    reading = sync is not None and sync["state"] == "running"
    if sync is None or sync["state"] == "failed" or sync["complete_at"] is None:
        status = "incomplete"
    elif reading and status == "differs":
        # Rows are newer than the statement until the sync is through.
        status = "incomplete"
    return Check(
        statement["provider"],
        statement["account"],
        statement["measure"],
        statement["subject"],
        says,
        ours,
        says - ours,
        status,
        source,
        statement["as_of"],
    )


def _internal(
    orders: Iterable[Mapping[str, Any]], states: Mapping[str, Mapping[str, Any]]
) -> list[Check]:
    """Lune states no total: its orders' own quantities against their parts, marked as internal."""
    stated: dict[str, Decimal] = {}
    held: dict[str, int] = {}
    for order in orders:
        if order["provider"] == "lune":
            account = order["account"]
            residue = Decimal(order["residue_g"])
            if abs(residue) < 1:
                residue = Decimal(0)  # what rounding to whole grams cost is no contradiction
            stated[account] = stated.get(account, Decimal(0)) + order["quantity_g"] + residue
            held[account] = held.get(account, 0) + order["quantity_g"]
    checks = []
    for account, grams in stated.items():
        says = int(grams.to_integral_value())
        sync = states.get(account)
        complete = sync is not None and sync["state"] != "failed" and sync["complete_at"]
        differs = says != held[account]
        checks.append(
            Check(
                "lune",
                account,
                "ordered quantity",
                "account",
                says,
                held[account],
                says - held[account],
                "differs"
                if differs
                else "not independently verifiable"
                if complete
                else "incomplete",
                "Lune's own order quantities (internal check: Lune states no retired total)",
                sync["complete_at"] if sync else None,
            )
        )
    return checks
