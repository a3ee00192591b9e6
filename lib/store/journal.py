"""The journal of intents: what a person confirmed, what was tried, what came of it.

Used by services only. A row is committed before its request leaves; every later step is a
compare-and-set, so two threads, tabs or processes can never take the same step twice. The
database's own triggers (journal_tables.py) refuse whatever is not in the table of moves.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, Row
from sqlalchemy.exc import SQLAlchemyError

from ..domain.errors import BadInput
from ..domain.intents import FINAL, Intent, IntentState, Receipt
from .engine import store_problem, writing
from .journal_rows import columns_of, intent_from, receipt_columns
from .journal_tables import attempts, audit, intents
from .leases import LeaseHolder, acquire_lease, lease_holder, release_lease
from .schema import Utc

#: A confirmed intent that could not be sent for this long is not sent at all.
QUEUED_FOR = timedelta(minutes=10)
#: The same order again within this time needs an explicit "again".
SAME_ORDER_WITHIN = timedelta(minutes=10)

Step = Literal["send", "look"]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One thing that was tried for an intent; `outcome` is None while it runs (or died)."""

    attempt_id: int
    intent_id: str
    what: str
    worker: str
    started_at: datetime
    finished_at: datetime | None
    outcome: str | None
    detail: str | None


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who did what to which subject, and when."""

    at: datetime
    who: str
    action: str
    subject: str
    detail: str


class Journal:
    """All reads and writes of intents. Raises StoreProblem when the database fails."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    # -- writing intents -------------------------------------------------------------------

    def add(self, intent: Intent) -> None:
        """Commit a new draft; any other state is refused by the database."""
        with writing(self._engine) as connection:
            connection.execute(sa.insert(intents).values(columns_of(intent)))
            _note(connection, intent.created_at, intent.who, "drafted", intent.intent_id)

    def enqueue(self, intent_id: str, *, who: str, now: datetime, again: bool) -> Intent | None:
        """Move a draft to the queue, once: a second click finds it queued and changes nothing.

        Unless `again`, an intent for the same account, recipient, offer and amount that was
        queued within the last ten minutes blocks it: that one is returned, and nothing moves.
        """
        with writing(self._engine) as connection:
            if connection.dialect.name == "postgresql":
                # Two drafts for the same thing must not both find no twin.
                connection.execute(sa.text("LOCK TABLE intents IN SHARE ROW EXCLUSIVE MODE"))
            row = connection.execute(sa.select(intents).where(_is(intent_id))).one()
            twin = None if again else _twin(connection, row, now)
            if twin is not None:
                return twin
            moved = connection.execute(
                sa.update(intents)
                .where(_is(intent_id), intents.c.state == IntentState.DRAFT)
                .where(intents.c.expires_at > now)
                .values(
                    state=IntentState.QUEUED,
                    queued_at=now,
                    due_at=now,
                    updated_at=now,
                    expires_at=now + QUEUED_FOR,
                    message="Waiting to be sent.",
                )
            )
            if moved.rowcount:
                _note(connection, now, who, "confirmed", intent_id)
            return None

    def move(
        self,
        intent_id: str,
        from_: IntentState,
        to: IntentState,
        *,
        now: datetime,
        message: str,
        receipt: Receipt | None = None,
        due_at: datetime | None = None,
    ) -> bool:
        """Compare and set: True when the intent stood in `from_` and now stands in `to`.

        `from_` and `to` may be the same to change the message or the time of the next step.
        """
        changes: dict[str, Any] = {"state": to, "message": message, "updated_at": now}
        if receipt is not None:
            changes |= receipt_columns(receipt)
        if due_at is not None:
            changes["due_at"] = due_at
        if to is IntentState.QUEUED:
            changes["first_sent_at"] = None  # back in the queue means that nothing was sent
        with writing(self._engine) as connection:
            done = connection.execute(
                sa.update(intents).where(_is(intent_id), intents.c.state == from_).values(**changes)
            )
            return bool(done.rowcount)

    def claim(self, intent_id: str, worker: str, now: datetime) -> int | None:
        """QUEUED -> SENDING and its attempt row, in one commit, before any byte leaves.

        Returns the attempt's id; None when somebody else was faster or the intent ran out.
        """
        with writing(self._engine) as connection:
            taken = connection.execute(
                sa.update(intents)
                .where(_is(intent_id), intents.c.state == IntentState.QUEUED)
                .where(intents.c.expires_at > now)
                .values(
                    state=IntentState.SENDING,
                    updated_at=now,
                    first_sent_at=sa.func.coalesce(intents.c.first_sent_at, sa.literal(now, Utc)),
                    message="Being sent.",
                )
            )
            if not taken.rowcount:
                return None
            return _begin(connection, intent_id, "send", worker, now)

    def expire(self, now: datetime) -> list[str]:
        """Drafts and queued intents that ran out: nothing of them was or will be sent."""
        waiting = (IntentState.DRAFT, IntentState.QUEUED)
        stale = sa.select(intents.c.intent_id).where(
            intents.c.state.in_(waiting), intents.c.expires_at <= now
        )
        if not self._rows(stale):
            return []
        with writing(self._engine) as connection:
            ids = list(connection.execute(stale).scalars())
            connection.execute(
                sa.update(intents)
                .where(intents.c.intent_id.in_(ids), intents.c.state.in_(waiting))
                .values(
                    state=IntentState.EXPIRED,
                    updated_at=now,
                    message="Not sent in time, so it was dropped. Nothing was ordered.",
                )
            )
        return ids

    def recover(self, now: datetime) -> int:
        """What a worker that died left in SENDING may or may not have arrived: IN_DOUBT.

        Only for the holder of the worker's lease. Returns how many there were.
        """
        with writing(self._engine) as connection:
            done = connection.execute(
                sa.update(intents)
                .where(intents.c.state == IntentState.SENDING)
                .values(
                    state=IntentState.IN_DOUBT,
                    updated_at=now,
                    due_at=now,
                    message="The program stopped while sending. Looking for the outcome.",
                )
            )
            return done.rowcount

    # -- attempts --------------------------------------------------------------------------

    def begin(self, intent_id: str, what: Step, worker: str, now: datetime) -> int:
        """Commit that something is about to be tried; returns the attempt's id."""
        with writing(self._engine) as connection:
            return _begin(connection, intent_id, what, worker, now)

    def finish(self, attempt_id: int, *, outcome: str, detail: str, now: datetime) -> None:
        """Write down what came of an attempt, once."""
        with writing(self._engine) as connection:
            connection.execute(
                sa.update(attempts)
                .where(attempts.c.attempt_id == attempt_id, attempts.c.finished_at.is_(None))
                .values(finished_at=now, outcome=outcome, detail=detail[:4000])
            )

    def attempts(self, intent_id: str) -> list[Attempt]:
        """Everything that was tried for an intent, oldest first."""
        query = sa.select(attempts).where(attempts.c.intent_id == intent_id)
        return [
            Attempt(**row._mapping) for row in self._rows(query.order_by(attempts.c.attempt_id))
        ]

    # -- reading ---------------------------------------------------------------------------

    def get(self, intent_id: str) -> Intent:
        """The intent as it stands now; raises BadInput for an id that is not ours."""
        rows = self._rows(sa.select(intents).where(_is(intent_id)))
        if not rows:
            raise BadInput(f"There is no order record “{intent_id[:60]}” on this desk.")
        return intent_from(rows[0])

    def recent(self, account: str | None = None, *, limit: int = 100) -> list[Intent]:
        """The newest intents, drafts left out."""
        query = sa.select(intents).where(intents.c.queued_at.is_not(None))
        if account is not None:
            query = query.where(intents.c.account == account)
        query = query.order_by(intents.c.created_at.desc(), intents.c.intent_id).limit(limit)
        return [intent_from(row) for row in self._rows(query)]

    def open(self) -> list[Intent]:
        """Confirmed intents that are not settled yet, oldest first."""
        states = set(IntentState) - FINAL - {IntentState.DRAFT}
        query = sa.select(intents).where(intents.c.state.in_(states))
        return [intent_from(row) for row in self._rows(query.order_by(intents.c.created_at))]

    def next_due(self, now: datetime) -> Intent | None:
        """The intent that has waited longest for its next step; doubts before new sends.

        What seems to have changed after `now` is due too: the clock was set back.
        """
        query = (
            sa.select(intents)
            .where(intents.c.state.in_((IntentState.QUEUED, IntentState.IN_DOUBT)))
            .where(sa.or_(intents.c.due_at <= now, intents.c.updated_at > now))
            # "in doubt" sorts before "queued": what may have happened is settled first.
            .order_by(intents.c.state, intents.c.due_at)
            .limit(1)
        )
        rows = self._rows(query)
        return intent_from(rows[0]) if rows else None

    # -- audit and leases ------------------------------------------------------------------

    def note(self, *, who: str, action: str, subject: str, detail: str, now: datetime) -> None:
        """Write a line of the audit trail."""
        with writing(self._engine) as connection:
            _note(connection, now, who, action, subject, detail)

    def audit(self, *, limit: int = 200) -> list[AuditEntry]:
        """The newest lines of the audit trail."""
        query = sa.select(
            audit.c.at, audit.c.who, audit.c.action, audit.c.subject, audit.c.detail
        ).order_by(audit.c.audit_id.desc())
        return [AuditEntry(**row._mapping) for row in self._rows(query.limit(limit))]

    def acquire_lease(
        self, name: str, me: LeaseHolder, *, ttl: timedelta, now: datetime
    ) -> LeaseHolder | None:
        """Take or renew a lease: None when it is mine, else its living holder."""
        return acquire_lease(self._engine, name, me, ttl=ttl, now=now)

    def release_lease(self, name: str, me: LeaseHolder) -> None:
        """Give a lease back."""
        release_lease(self._engine, name, me)

    def lease_holder(self, name: str, now: datetime) -> LeaseHolder | None:
        """Who holds a lease now; None tells that nobody alive does."""
        return lease_holder(self._engine, name, now)

    def _rows(self, query: sa.Select[Any]) -> Sequence[Row[Any]]:
        with _reading(self._engine) as connection:
            return connection.execute(query).all()


@contextmanager
def _reading(engine: Engine) -> Iterator[Connection]:
    try:
        with engine.connect() as connection:
            yield connection
    except SQLAlchemyError as problem:
        raise store_problem(engine, problem) from problem


def _is(intent_id: str) -> sa.ColumnElement[bool]:
    return intents.c.intent_id == intent_id


def _begin(connection: Connection, intent_id: str, what: Step, worker: str, now: datetime) -> int:
    row = sa.insert(attempts).values(intent_id=intent_id, what=what, worker=worker, started_at=now)
    key = connection.execute(row).inserted_primary_key
    assert key is not None
    return int(key[0])


def _note(
    connection: Connection, now: datetime, who: str, action: str, subject: str, detail: str = ""
) -> None:
    connection.execute(
        sa.insert(audit).values(at=now, who=who, action=action, subject=subject, detail=detail)
    )


def _twin(connection: Connection, row: Row[Any], now: datetime) -> Intent | None:
    """Another intent for the same thing, queued a short while ago and not known to be void."""
    void = (IntentState.DRAFT, IntentState.EXPIRED, IntentState.REJECTED, IntentState.NOT_PLACED)
    amount = "expected" if row.fixed == "budget" else "quantity_g"
    same = [
        intents.c[name].is_not_distinct_from(getattr(row, name))
        for name in ("account", "subaccount", "kind", "target", "fixed", amount)
    ]
    query = (
        sa.select(intents)
        .where(intents.c.intent_id != row.intent_id, intents.c.state.not_in(void), *same)
        .where(intents.c.queued_at > now - SAME_ORDER_WITHIN)
        .limit(1)
    )
    found = connection.execute(query).one_or_none()
    return intent_from(found) if found else None
