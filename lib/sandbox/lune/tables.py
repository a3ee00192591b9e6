"""The Lune sandbox's tables, all prefixed `lune_`. Times are microseconds since 1970 UTC."""

from __future__ import annotations

import sqlalchemy as sa

from ..state import metadata

accounts = sa.Table(
    "lune_accounts",
    metadata,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("id", sa.Text, nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    # The catalogue's name of the main account, such as "lune-1": client accounts share it.
    sa.Column("main", sa.Text, nullable=False, index=True),
    sa.Column("is_client", sa.Boolean, nullable=False),
    sa.Column("organisation_id", sa.Text, nullable=False),
    sa.Column("handle", sa.Text),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("beneficiary", sa.Text),
    sa.Column("bundle_portfolio_id", sa.Text),
    sa.Column("external_pages_visibility", sa.Text, nullable=False),
    sa.Column("idempotency_key", sa.Text),
    sa.Column("bundle_selection", sa.Text),
    sa.UniqueConstraint("organisation_id", "handle"),
    sa.UniqueConstraint("main", "idempotency_key"),
)
stock = sa.Table(
    "lune_stock",
    metadata,
    sa.Column("bundle_id", sa.Text, primary_key=True),
    sa.Column("available_g", sa.BigInteger),  # null: unlimited
)
orders = sa.Table(
    "lune_orders",
    metadata,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("id", sa.Text, nullable=False, unique=True),
    sa.Column("account_id", sa.Text, nullable=False, index=True),
    sa.Column("main", sa.Text, nullable=False),
    sa.Column("beneficiary", sa.Text, nullable=False),
    sa.Column("idempotency_key", sa.Text),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("assigned", sa.Boolean, nullable=False),  # bundles assigned: placed at least once
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("offset_cost", sa.Text, nullable=False),
    sa.Column("total_cost", sa.Text, nullable=False),
    sa.Column("commission", sa.Text, nullable=False),
    sa.Column("quantity_g", sa.BigInteger, nullable=False),
    sa.Column("created_us", sa.BigInteger, nullable=False),
    sa.Column("metadata", sa.Text, nullable=False),
    sa.Column("requested_quantity", sa.Text),
    sa.Column("requested_value", sa.Text),
    sa.Column("estimate_id", sa.Text, index=True),
    sa.UniqueConstraint("account_id", "idempotency_key"),
)
order_bundles = sa.Table(
    "lune_order_bundles",
    metadata,
    sa.Column("order_id", sa.Text, primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("bundle_id", sa.Text, nullable=False),
    sa.Column("bundle_name", sa.Text, nullable=False),
    sa.Column("quantity_g", sa.BigInteger, nullable=False),
    sa.Column("unit_price", sa.Text, nullable=False),
    sa.Column("gross_unit_price", sa.Text, nullable=False),
    sa.Column("offset_cost", sa.Text, nullable=False),
    sa.Column("insufficient", sa.Boolean, nullable=False),
)
# What of an order is allotted to which project: rows split when only a part can be retired.
parts = sa.Table(
    "lune_parts",
    metadata,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("order_id", sa.Text, nullable=False, index=True),
    sa.Column("account_id", sa.Text, nullable=False),
    sa.Column("beneficiary", sa.Text, nullable=False),
    sa.Column("project_id", sa.Text, nullable=False),
    sa.Column("quantity_g", sa.BigInteger, nullable=False),
    sa.Column("unit_price", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),  # allocated, retired
    # When this part of a tonne joined the pool, and so its place in the queue; null: not pooled.
    sa.Column("pooled_us", sa.BigInteger),
    sa.Index("lune_parts_pool", "account_id", "beneficiary", "status"),
)
estimates = sa.Table(
    "lune_estimates",
    metadata,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("id", sa.Text, nullable=False, unique=True),
    sa.Column("account_id", sa.Text, nullable=False, index=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("idempotency_key", sa.Text),
    sa.Column("mass_mg", sa.BigInteger, nullable=False),
    sa.Column("mass_g", sa.BigInteger, nullable=False),
    sa.Column("created_us", sa.BigInteger, nullable=False),
    sa.Column("request", sa.Text, nullable=False),
    sa.Column("answer", sa.Text, nullable=False),
    sa.UniqueConstraint("account_id", "idempotency_key"),
)
