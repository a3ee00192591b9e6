"""The ledger in the databases: append observations, keep the current rows, read them back.

`record` is the only way in. What changed is first appended to `records.observations` and
committed, then the order's rows are computed from its whole history and replaced in the mirror.
Killed in between, the next sync finds the newest observation already there and only computes
the rows again: recording the same facts twice changes nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy.engine import Connection

from ..domain.ledger import (
    DELIVERED_TO_DATE,
    OUTSTANDING,
    Movement,
    Observation,
    OrderFacts,
    ProjectFacts,
    movements,
    rows,
)
from .engine import Engines, reading, writing
from .schema import counters, ledger_rows, observations, orders, projects

_FACTS = TypeAdapter(OrderFacts)
_PROJECT = TypeAdapter(ProjectFacts)

OrderKey = tuple[str, str, str]  # account, order id, side
Visible = tuple[str, str, str]  # account, provider, mode


@dataclass(frozen=True, slots=True)
class Changes:
    """What recording a batch of orders did to the ledger."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0

    def __add__(self, other: Changes) -> Changes:
        return Changes(
            self.new + other.new, self.changed + other.changed, self.unchanged + other.unchanged
        )


class Ledger:
    """Reads and writes of the ledger, over both databases.

    `visible` are the (account, provider, mode) that this desk is set up with: what a demo, a
    removed or a renamed account left behind stays recorded, but counts in nothing. None means all.
    """

    def __init__(self, engines: Engines, visible: Sequence[Visible] | None = None) -> None:
        self._engines = engines
        self._visible = None if visible is None else list(visible)

    def record(
        self,
        facts: Sequence[OrderFacts],
        named_projects: Iterable[ProjectFacts],
        seen_at: datetime,
        *,
        read_from: datetime | None = None,
    ) -> Changes:
        """Take in what one sync read of some orders of one account.

        It was read between `read_from` (by default the same moment) and `seen_at`. What changes
        later did so after `read_from`, what is new now did so before `seen_at`.
        """
        read_from = read_from or seen_at
        if not facts:
            return Changes()
        account = facts[0].account
        by_key: dict[OrderKey, tuple[OrderFacts, str]] = {
            (f.account, f.order_id, f.side): (f, _digest(f)) for f in facts
        }
        with reading(self._engines.mirror) as mirror:
            known = _mirrored(mirror, by_key)
        changed = {
            key: found
            for key, found in by_key.items()
            if key not in known or known[key].digest != found[1]
        }
        histories = self._observe(changed, known, seen_at)
        with writing(self._engines.mirror) as mirror:
            project_changes = _store_projects(mirror, account, named_projects)
            if histories:
                _replace_rows(mirror, account, histories, by_key, read_from)
            _touch(mirror, [key for key in by_key if key not in changed], read_from)
            if histories or project_changes:
                bump(mirror, "rows", "version")
        new = sum(1 for history in histories.values() if len(history) == 1)
        return Changes(new, len(changed) - new, len(by_key) - len(changed))

    def _observe(
        self,
        changed: Mapping[OrderKey, tuple[OrderFacts, str]],
        known: Mapping[OrderKey, Any],
        seen_at: datetime,
    ) -> dict[OrderKey, list[Observation]]:
        """Append an observation of each changed order; returns the whole history of each."""
        if not changed:
            return {}
        with writing(self._engines.records) as records:
            histories = _histories(records, changed)
            fresh = []
            for key, (facts, digest) in changed.items():
                history = histories.setdefault(key, [])
                if history and _digest(history[-1].facts) == digest:
                    continue
                earlier_until = known[key].last_seen_at if key in known else None
                if history and earlier_until is None:
                    earlier_until = history[-1].seen_at
                history.append(Observation(facts, seen_at, earlier_until))
                fresh.append(
                    {
                        "account": facts.account,
                        "order_id": facts.order_id,
                        "side": facts.side,
                        "seen_at": seen_at,
                        "earlier_until": earlier_until,
                        "digest": digest,
                        "facts": _FACTS.dump_json(facts, exclude_defaults=True).decode(),
                    }
                )
            if fresh:
                records.execute(sa.insert(observations), fresh)
        return histories

    def history(self, account: str, order_id: str, side: str = "bought") -> list[Observation]:
        """All observations of one order, oldest first."""
        key = (account, order_id, side)
        with reading(self._engines.records) as records:
            return _histories(records, [key]).get(key, [])

    def movements(self, account: str, order_id: str, side: str = "bought") -> list[Movement]:
        """The journal entries of one order, oldest first."""
        return movements(self.history(account, order_id, side))

    def rows(self, *, once: bool = True, **equal: Any) -> list[dict[str, Any]]:
        """Ledger rows as dicts, newest orders first; `equal` filters columns by value or values.

        An order reached through several accounts is listed once, under the first account by name,
        unless `once` is False: then each account shows what it sees.
        """
        columns = [c for c in ledger_rows.c if c.name != "n"]
        query = (
            sa.select(*columns, orders.c.last_seen_at)
            .join(orders, _same_order(ledger_rows, orders))
            .where(*self._within(ledger_rows, equal, once=once))
            .order_by(ledger_rows.c.ordered_at.desc(), ledger_rows.c.order_id, ledger_rows.c.n)
        )
        return self._read(query)

    def orders(self, **equal: Any) -> list[dict[str, Any]]:
        """Orders with their grams by measure, newest first; `equal` filters columns."""
        query = (
            sa.select(orders, *_measures())
            .join(ledger_rows, _same_order(ledger_rows, orders), isouter=True)
            .where(*self._within(orders, equal))
            .group_by(orders.c.account, orders.c.order_id, orders.c.side)
            .order_by(orders.c.ordered_at.desc(), orders.c.order_id)
        )
        return self._read(query)

    def delivered(self, **equal: Any) -> list[dict[str, Any]]:
        """Grams by provider, project and vintage: what the picture shows."""
        keys = [
            ledger_rows.c.provider,
            ledger_rows.c.project_id,
            ledger_rows.c.project_name,
            ledger_rows.c.vintage_label,
            ledger_rows.c.vintage_year,
            ledger_rows.c.vintage_source,
        ]
        query = (
            sa.select(
                *keys,
                *_measures(),
                sa.func.count(sa.distinct(ledger_rows.c.order_id)).label("orders"),
            )
            .where(
                ledger_rows.c.stage.in_([s.value for s in DELIVERED_TO_DATE | OUTSTANDING]),
                *self._within(ledger_rows, equal),
            )
            .group_by(*keys)
        )
        return self._read(query)

    def projects(self) -> list[ProjectFacts]:
        """What the providers say of every project named by an order."""
        found = self._read(sa.select(projects.c.facts))
        return [_PROJECT.validate_json(row["facts"]) for row in found]

    def version(self) -> int:
        """A number that grows whenever rows, statements or the state of a sync change."""
        return self._counter("version")

    def rows_version(self) -> int:
        """A number that grows only when rows or projects change."""
        return self._counter("rows")

    def _counter(self, name: str) -> int:
        found = self._read(sa.select(counters.c.value).where(counters.c.name == name))
        return int(found[0]["value"]) if found else 0

    def _within(
        self, table: sa.Table, equal: Mapping[str, Any], *, once: bool = True
    ) -> list[sa.ColumnElement[bool]]:
        """The conditions of every reading: this desk's accounts, the filters, each order once."""
        conditions = [*self._seen(table), *_filters(table, equal)]
        if once:
            conditions.append(self._counted_once(table, equal))
        return conditions

    def _seen(self, table: sa.FromClause) -> list[sa.ColumnElement[bool]]:
        if self._visible is None:
            return []
        here = sa.tuple_(table.c.account, table.c.provider, table.c.mode)
        return [here.in_(self._visible)]

    def _counted_once(self, table: sa.Table, equal: Mapping[str, Any]) -> sa.ColumnElement[bool]:
        """No account earlier by name, among those looked at, has the same order too."""
        twin = orders.alias("twin")
        asked = {name: equal[name] for name in ("account", "provider") if name in equal}
        return ~sa.exists().where(
            twin.c.order_id == table.c.order_id,
            twin.c.provider == table.c.provider,
            twin.c.mode == table.c.mode,
            twin.c.side == table.c.side,
            twin.c.account < table.c.account,
            *self._seen(twin),
            *_filters(twin, asked),
        )

    def _read(self, query: sa.Select[Any]) -> list[dict[str, Any]]:
        with reading(self._engines.mirror) as mirror:
            return [dict(row) for row in mirror.execute(query).mappings()]


def bump(mirror: Connection, *names: str) -> None:
    """Let readers know that the mirror changed: the counter `version`, or those named."""
    for name in names or ("version",):
        grown = mirror.execute(
            sa.update(counters).where(counters.c.name == name).values(value=counters.c.value + 1)
        )
        if not grown.rowcount:
            mirror.execute(sa.insert(counters).values(name=name, value=1))


def _digest(facts: OrderFacts) -> str:
    return hashlib.sha256(_FACTS.dump_json(facts, exclude_defaults=True)).hexdigest()


def _mirrored(mirror: Connection, keys: Iterable[OrderKey]) -> dict[OrderKey, Any]:
    found: dict[OrderKey, Any] = {}
    for account, order_ids in _by_account(keys).items():
        query = sa.select(
            orders.c.account, orders.c.order_id, orders.c.side, orders.c.digest,
            orders.c.last_seen_at,
        ).where(orders.c.account == account, orders.c.order_id.in_(order_ids))  # fmt: skip
        for row in mirror.execute(query):
            found[row.account, row.order_id, row.side] = row
    return found


def _histories(records: Connection, keys: Iterable[OrderKey]) -> dict[OrderKey, list[Observation]]:
    histories: dict[OrderKey, list[Observation]] = {}
    wanted = set(keys)
    for account, order_ids in _by_account(wanted).items():
        query = (
            sa.select(observations)
            .where(observations.c.account == account, observations.c.order_id.in_(order_ids))
            .order_by(observations.c.seq)
        )
        for row in records.execute(query):
            key = (row.account, row.order_id, row.side)
            if key in wanted:
                facts = _FACTS.validate_json(row.facts)
                histories.setdefault(key, []).append(
                    Observation(facts, row.seen_at, row.earlier_until)
                )
    return histories


def _by_account(keys: Iterable[OrderKey]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for account, order_id, _side in keys:
        grouped.setdefault(account, []).append(order_id)
    return grouped


def _store_projects(
    mirror: Connection, account: str, named: Iterable[ProjectFacts]
) -> list[ProjectFacts]:
    """Keep what is said of projects; rows that name a changed one are corrected. Returns those."""
    by_id = {project.project_id: project for project in named}
    if not by_id:
        return []
    found = mirror.execute(
        sa.select(projects.c.project_id, projects.c.facts).where(
            projects.c.account == account, projects.c.project_id.in_(list(by_id))
        )
    )
    known = {row.project_id: row.facts for row in found}
    changed = []
    for project in by_id.values():
        facts = _PROJECT.dump_json(project, exclude_defaults=True).decode()
        before = known.get(project.project_id)
        bare = project == ProjectFacts(project.provider, project.project_id, project.name)
        if before == facts or (before is not None and bare):
            continue
        changed.append(project)
        here = (projects.c.account == account) & (projects.c.project_id == project.project_id)
        mirror.execute(sa.delete(projects).where(here))
        mirror.execute(
            sa.insert(projects).values(
                account=account, project_id=project.project_id,
                provider=project.provider, facts=facts,
            )
        )  # fmt: skip
        if before is not None:
            _rename_in_rows(mirror, account, project)
    return changed


def _rename_in_rows(mirror: Connection, account: str, project: ProjectFacts) -> None:
    mirror.execute(
        sa.update(ledger_rows)
        .where(ledger_rows.c.account == account, ledger_rows.c.project_id == project.project_id)
        .values(
            project_name=project.name,
            registry=project.registry,
            country=project.country,
            methodology=project.methodology,
        )
    )
    mirror.execute(
        sa.update(ledger_rows)
        .where(
            ledger_rows.c.account == account,
            ledger_rows.c.project_id == project.project_id,
            ledger_rows.c.impact_type_source.in_(["project", "not provided"]),
        )
        .values(
            impact_type=project.impact_type,
            impact_type_source="not provided"
            if project.impact_type == "not provided"
            else "project",
        )
    )


def _replace_rows(
    mirror: Connection,
    account: str,
    histories: Mapping[OrderKey, Sequence[Observation]],
    by_key: Mapping[OrderKey, tuple[OrderFacts, str]],
    last_seen_at: datetime,
) -> None:
    named = {
        line.project_id
        for history in histories.values()
        for observation in history
        for line in observation.facts.lines
        if line.project_id
    }
    found = mirror.execute(
        sa.select(projects.c.project_id, projects.c.facts).where(
            projects.c.account == account, projects.c.project_id.in_(list(named))
        )
    )
    known_projects = {row.project_id: _PROJECT.validate_json(row.facts) for row in found}
    new_rows: list[dict[str, Any]] = []
    new_orders: list[dict[str, Any]] = []
    for key, history in histories.items():
        for n, row in enumerate(rows(history, known_projects, last_seen_at)):
            values = asdict(row)
            del values["last_seen_at"]
            values["price"] = None if row.price is None else str(row.price)
            values["serials"] = list(row.serials)
            new_rows.append({**values, "n": n})
        new_orders.append(_order_row(history, by_key[key][1], last_seen_at))
    for table in (ledger_rows, orders):
        for side in {key[2] for key in histories}:
            mirror.execute(
                sa.delete(table).where(
                    table.c.account == account,
                    table.c.side == side,
                    table.c.order_id.in_([key[1] for key in histories if key[2] == side]),
                )
            )
    if new_rows:
        mirror.execute(sa.insert(ledger_rows), new_rows)
    mirror.execute(sa.insert(orders), new_orders)


def _order_row(
    history: Sequence[Observation], digest: str, last_seen_at: datetime
) -> dict[str, Any]:
    facts = history[-1].facts
    return {
        "account": facts.account,
        "order_id": facts.order_id,
        "side": facts.side,
        "provider": facts.provider,
        "subaccount": facts.subaccount,
        "mode": facts.mode,
        "state": facts.state,
        "ordered_at": facts.ordered_at,
        "quantity_g": facts.quantity_g,
        "residue_g": str(facts.residue_g),
        "price": None if facts.price is None else str(facts.price.amount),
        "currency": None if facts.price is None else facts.price.currency,
        "reference": facts.reference,
        "description": facts.description,
        "certificate_url": facts.certificate_url,
        "open": any(line.quantity_g and line.stage in OUTSTANDING for line in facts.lines),
        "digest": digest,
        "first_seen_at": history[0].seen_at,
        "last_seen_at": last_seen_at,
    }


def _touch(mirror: Connection, keys: Sequence[OrderKey], seen_at: datetime) -> None:
    for account, order_ids in _by_account(keys).items():
        mirror.execute(
            sa.update(orders)
            .where(orders.c.account == account, orders.c.order_id.in_(order_ids))
            .values(last_seen_at=seen_at)
        )


def _same_order(left: sa.Table, right: sa.Table) -> sa.ColumnElement[bool]:
    return sa.and_(
        left.c.account == right.c.account,
        left.c.order_id == right.c.order_id,
        left.c.side == right.c.side,
    )


def _measures() -> list[sa.ColumnElement[Any]]:
    def grams(name: str, *stages: str) -> sa.ColumnElement[Any]:
        held = sa.case((ledger_rows.c.stage.in_(stages), ledger_rows.c.quantity_g), else_=0)
        return sa.cast(sa.func.coalesce(sa.func.sum(held), 0), sa.BigInteger).label(name)

    return [
        grams("outstanding_g", *(s.value for s in OUTSTANDING)),
        grams("delivered_g", *(s.value for s in DELIVERED_TO_DATE)),
        grams("held_g", "delivered"),
        grams("retired_g", "retired"),
        grams("transferred_out_g", "transferred_out"),
        grams("cancelled_g", "order_cancelled"),
    ]


def _filters(table: sa.FromClause, equal: Mapping[str, Any]) -> list[sa.ColumnElement[bool]]:
    conditions = []
    for name, value in equal.items():
        if value is None:
            continue
        column = table.c[name]
        many = isinstance(value, list | tuple | set | frozenset)
        conditions.append(column.in_(list(value)) if many else column == value)
    return conditions
