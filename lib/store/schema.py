"""The tables of the two databases: `records` (cannot be rebuilt) and `mirror` (can).

`records` holds what only we know: observations of orders, and the journal of intents (tables in
journal.py). `mirror` holds the providers' current statements and the ledger rows computed from
them. Deleting it costs a sync, the last sight of unchanged orders, and the rows of orders that no
provider lists any more (their observations stay). Every key carries the account.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

records = sa.MetaData()
mirror = sa.MetaData()

#: Raise when tables change in a way that older files cannot be read with.
RECORDS_VERSION = 1
MIRROR_VERSION = 1

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Utc(sa.types.TypeDecorator[datetime]):
    """A moment in UTC, kept as microseconds since 1970: the same on every engine."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """To microseconds; naive times are a programming error."""
        if value is None:
            return None
        return (value - _EPOCH) // timedelta(microseconds=1)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        """Back to an aware datetime."""
        return None if value is None else _EPOCH + timedelta(microseconds=int(value))


observations = sa.Table(
    "observations",
    records,
    sa.Column("seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("account", sa.Text, nullable=False),
    sa.Column("order_id", sa.Text, nullable=False),
    sa.Column("side", sa.Text, nullable=False),
    sa.Column("seen_at", Utc, nullable=False),
    sa.Column("earlier_until", Utc),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("facts", sa.Text, nullable=False),
    sa.Index("observations_of_order", "account", "order_id", "side", "seq"),
)

orders = sa.Table(
    "orders",
    mirror,
    sa.Column("account", sa.Text, primary_key=True),
    sa.Column("order_id", sa.Text, primary_key=True),
    sa.Column("side", sa.Text, primary_key=True),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("subaccount", sa.Text),
    sa.Column("mode", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("ordered_at", Utc, nullable=False, index=True),
    sa.Column("quantity_g", sa.BigInteger, nullable=False),
    sa.Column("residue_g", sa.Text, nullable=False),
    sa.Column("price", sa.Text),
    sa.Column("currency", sa.Text),
    sa.Column("reference", sa.Text, index=True),
    sa.Column("description", sa.Text),
    sa.Column("certificate_url", sa.Text),
    sa.Column("open", sa.Boolean, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("first_seen_at", Utc, nullable=False),
    sa.Column("last_seen_at", Utc, nullable=False),
    sa.Index("orders_reached_twice", "order_id", "provider", "side"),
)

ledger_rows = sa.Table(
    "ledger_rows",
    mirror,
    sa.Column("account", sa.Text, primary_key=True),
    sa.Column("order_id", sa.Text, primary_key=True),
    sa.Column("side", sa.Text, primary_key=True),
    sa.Column("n", sa.Integer, primary_key=True),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("subaccount", sa.Text),
    sa.Column("mode", sa.Text, nullable=False),
    sa.Column("delivery_id", sa.Text),
    sa.Column("batch_id", sa.Text),
    sa.Column("parent_batch_id", sa.Text),
    sa.Column("project_id", sa.Text),
    sa.Column("project_name", sa.Text, nullable=False),
    sa.Column("registry", sa.Text),
    sa.Column("country", sa.Text),
    sa.Column("methodology", sa.Text),
    sa.Column("impact_type", sa.Text, nullable=False),
    sa.Column("impact_type_source", sa.Text, nullable=False),
    sa.Column("ccp", sa.Text, nullable=False),
    sa.Column("serials", sa.JSON, nullable=False),
    sa.Column("vintage_label", sa.Text, nullable=False),
    sa.Column("vintage_year", sa.Integer),
    sa.Column("vintage_start", sa.Date),
    sa.Column("vintage_end", sa.Date),
    sa.Column("vintage_source", sa.Text, nullable=False),
    sa.Column("quantity_g", sa.BigInteger, nullable=False),
    sa.Column("stage", sa.Text, nullable=False),
    sa.Column("beneficiary", sa.Text),
    sa.Column("beneficiary_source", sa.Text, nullable=False),
    sa.Column("retirement_id", sa.Text),
    sa.Column("retirement_purpose", sa.Text),
    sa.Column("ordered_at", Utc, nullable=False),
    sa.Column("delivered_at", Utc),
    sa.Column("delivered_at_source", sa.Text, nullable=False),
    sa.Column("retired_at", Utc),
    sa.Column("retired_at_source", sa.Text, nullable=False),
    sa.Column("not_before", Utc),
    sa.Column("not_after", Utc),
    sa.Column("registry_url", sa.Text),
    sa.Column("certificate_url", sa.Text),
    sa.Column("price", sa.Text),
    sa.Column("currency", sa.Text),
    sa.Column("first_seen_at", Utc, nullable=False),
    sa.Index("ledger_rows_of_project", "provider", "project_id"),
)

projects = sa.Table(
    "projects",
    mirror,
    sa.Column("account", sa.Text, primary_key=True),
    sa.Column("project_id", sa.Text, primary_key=True),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("facts", sa.Text, nullable=False),
)

statements = sa.Table(
    "statements",
    mirror,
    sa.Column("account", sa.Text, primary_key=True),
    sa.Column("measure", sa.Text, primary_key=True),
    sa.Column("subject", sa.Text, primary_key=True),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("quantity_g", sa.BigInteger, nullable=False),
    sa.Column("independent", sa.Boolean, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("start", Utc),
    sa.Column("end", Utc),
    sa.Column("as_of", Utc, nullable=False),
)

unmatched = sa.Table(
    "unmatched",
    mirror,
    sa.Column("account", sa.Text, primary_key=True),
    sa.Column("retirement_id", sa.Text, primary_key=True),
    sa.Column("retired_at", Utc, nullable=False),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("beneficiary", sa.Text, nullable=False),
    sa.Column("quantity_g", sa.BigInteger, nullable=False),
    sa.Column("url", sa.Text),
)

syncs = sa.Table(
    "syncs",
    mirror,
    sa.Column("account", sa.Text, primary_key=True),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("started_at", Utc, nullable=False),
    sa.Column("finished_at", Utc),
    sa.Column("complete_at", Utc),
    sa.Column("orders_read", sa.Integer, nullable=False),
    sa.Column("orders_expected", sa.Integer),
    sa.Column("message", sa.Text, nullable=False),
)

counters = sa.Table(
    "counters",
    mirror,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.BigInteger, nullable=False),
)
