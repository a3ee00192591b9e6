"""What is known of each account's syncs, and the providers' independent statements."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..domain.statements import Statement, UnmatchedRetirement
from .engine import Engines, reading, writing
from .ledger import bump
from .schema import orders, statements, syncs, unmatched


class Syncs:
    """One row per account: running, complete or failed, since when, how far."""

    def __init__(self, engines: Engines, visible: Sequence[str] | None = None) -> None:
        """`visible` names the accounts that this desk is set up with; None means all."""
        self._engine = engines.mirror
        self._visible = None if visible is None else list(visible)

    def begin(self, account: str, provider: str, at: datetime) -> None:
        """A sync of the account starts; what an earlier one completed stays known."""
        with writing(self._engine) as mirror:
            before = mirror.execute(
                sa.select(syncs.c.complete_at, syncs.c.orders_read, syncs.c.state).where(
                    syncs.c.account == account
                )
            ).first()
            mirror.execute(sa.delete(syncs).where(syncs.c.account == account))
            mirror.execute(
                sa.insert(syncs).values(
                    account=account,
                    provider=provider,
                    state="running",
                    started_at=at,
                    complete_at=before.complete_at if before else None,
                    orders_read=0,
                    orders_expected=before.orders_read if before and before.complete_at else None,
                    message="",
                )
            )
            if before is None or before.complete_at is None or before.state == "failed":
                bump(mirror)

    def progress(self, account: str, began: datetime, orders_read: int) -> None:
        """So many orders have been read so far by the sync that began then."""
        with writing(self._engine) as mirror:
            mirror.execute(
                sa.update(syncs).where(_sync(account, began)).values(orders_read=orders_read)
            )

    def complete(
        self,
        account: str,
        provider: str,
        began: datetime,
        at: datetime,
        said: Sequence[Statement],
        without_order: Sequence[UnmatchedRetirement],
        *,
        orders_read: int,
    ) -> None:
        """The sync that began then read the account whole; its statements replace the last."""
        with writing(self._engine) as mirror:
            if not mirror.execute(sa.select(syncs.c.account).where(_sync(account, began))).first():
                return  # another process began to read the account meanwhile: it will complete
            before = _known(mirror, account)
            for table in (statements, unmatched):
                mirror.execute(sa.delete(table).where(table.c.account == account))
            if said:
                mirror.execute(
                    sa.insert(statements),
                    [
                        {
                            "account": account,
                            "provider": provider,
                            "measure": s.measure,
                            "subject": s.subject,
                            "quantity_g": s.quantity_g,
                            "independent": s.independent,
                            "source": s.source,
                            "start": s.start,
                            "end": s.end,
                            "as_of": at,
                        }
                        for s in said
                    ],
                )
            if without_order:
                mirror.execute(
                    sa.insert(unmatched),
                    [
                        {
                            "account": account,
                            "retirement_id": u.retirement_id,
                            "retired_at": u.retired_at,
                            "owner": u.owner,
                            "beneficiary": u.beneficiary,
                            "quantity_g": u.quantity_g,
                            "url": u.url,
                        }
                        for u in without_order
                    ],
                )
            mirror.execute(
                sa.update(syncs)
                .where(_sync(account, began))
                .values(
                    state="complete",
                    finished_at=at,
                    complete_at=at,
                    orders_read=orders_read,
                    orders_expected=orders_read,
                    message="",
                )
            )
            if _unlisted(mirror, account, began) or _known(mirror, account) != before:
                bump(mirror)

    def fail(self, account: str, began: datetime, at: datetime, message: str) -> None:
        """The sync that began then stopped; `message` is a sentence for people."""
        with writing(self._engine) as mirror:
            mirror.execute(
                sa.update(syncs)
                .where(_sync(account, began))
                .values(state="failed", finished_at=at, message=message)
            )
            bump(mirror)

    def all(self) -> list[dict[str, Any]]:
        """The state of every account's sync."""
        return self._read(sa.select(syncs).where(*self._seen(syncs)).order_by(syncs.c.account))

    def statements(self) -> list[dict[str, Any]]:
        """What the providers say independently, as of the last complete sync."""
        return self._read(
            sa.select(statements)
            .where(*self._seen(statements))
            .order_by(statements.c.account, statements.c.measure, statements.c.subject)
        )

    def unmatched(self) -> list[dict[str, Any]]:
        """Retirements on our behalf that belong to no order of ours."""
        query = sa.select(unmatched).where(*self._seen(unmatched))
        return self._read(query.order_by(unmatched.c.retired_at.desc()))

    def accounts_with_open_orders(self) -> set[str]:
        """Accounts with orders whose state can still change."""
        found = self._read(sa.select(orders.c.account).where(orders.c.open).distinct())
        return {row["account"] for row in found}

    def _seen(self, table: sa.Table) -> list[sa.ColumnElement[bool]]:
        return [] if self._visible is None else [table.c.account.in_(self._visible)]

    def _read(self, query: sa.Select[Any]) -> list[dict[str, Any]]:
        with reading(self._engine) as mirror:
            return [dict(row) for row in mirror.execute(query).mappings()]


def _sync(account: str, began: datetime) -> sa.ColumnElement[bool]:
    """One sync of an account: a later one, of another process perhaps, is none of its business."""
    return sa.and_(syncs.c.account == account, syncs.c.started_at == began)


def _unlisted(mirror: Connection, account: str, began: datetime) -> bool:
    """Whether an order known before was not met by the sync that began then."""
    query = sa.select(orders.c.order_id).where(
        orders.c.account == account, orders.c.last_seen_at < began
    )
    return mirror.execute(query.limit(1)).first() is not None


def _known(mirror: Connection, account: str) -> tuple[object, ...]:
    """What screens show of an account beside its freshness: a routine sync changes none of it."""
    said = mirror.execute(
        sa.select(
            statements.c.measure, statements.c.subject, statements.c.quantity_g,
            statements.c.independent, statements.c.source,
        )
        .where(statements.c.account == account)
        .order_by(statements.c.measure, statements.c.subject)
    ).all()  # fmt: skip
    loose = mirror.execute(
        sa.select(unmatched.c.retirement_id, unmatched.c.quantity_g, unmatched.c.owner)
        .where(unmatched.c.account == account)
        .order_by(unmatched.c.retirement_id)
    ).all()
    completed = mirror.execute(
        sa.select(syncs.c.complete_at.is_not(None), syncs.c.message).where(
            syncs.c.account == account
        )
    ).all()
    return (*said, *loose, *completed)
