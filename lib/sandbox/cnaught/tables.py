"""What the CNaught sandbox remembers. Masses are whole milligrams, times microseconds.

Imported only inside this package. Milligrams keep amounts such as 10.5 kg, and parts of them,
exact and let the database add them up.
"""

from __future__ import annotations

import sqlalchemy as sa

from ..state import metadata

MG_PER_KG = 1_000_000
MG_PER_TONNE = 1_000 * MG_PER_KG

accounts = sa.Table(
    "cnaught_accounts",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("created_us", sa.BigInteger, nullable=False),
)

subaccounts = sa.Table(
    "cnaught_subaccounts",
    metadata,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("id", sa.Text, nullable=False, unique=True),
    sa.Column("account", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("email", sa.Text),
    sa.Column("default_portfolio_id", sa.Text),
    sa.Column("logo_source", sa.Text),
    sa.Column("created_us", sa.BigInteger, nullable=False),
    sa.Column("deleted", sa.Boolean, nullable=False, default=False),
)

# Kept beside the catalogue so that an older database still shows what its orders were given.
projects = sa.Table(
    "cnaught_projects",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("body", sa.Text, nullable=False),
)

orders = sa.Table(
    "cnaught_orders",
    metadata,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("id", sa.Text, nullable=False, unique=True),
    sa.Column("account", sa.Text, nullable=False),
    sa.Column("subaccount_id", sa.Text),
    sa.Column("portfolio_id", sa.Text, nullable=False),
    sa.Column("amount_mg", sa.BigInteger, nullable=False),
    sa.Column("price_cents", sa.BigInteger, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("metadata", sa.Text, key="note"),
    sa.Column("description", sa.Text),
    sa.Column("callback_url", sa.Text),
    sa.Column("checkout_session_id", sa.Text),
    sa.Column("created_us", sa.BigInteger, nullable=False),
    sa.Column("fulfilled_us", sa.BigInteger),
    sa.Index("cnaught_orders_newest", "account", "created_us", "seq"),
)

# One run of units cut from a project's stock and retired as a whole; several orders share it.
blocks = sa.Table(
    "cnaught_blocks",
    metadata,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("project_id", sa.Text, nullable=False, index=True),
    sa.Column("lot", sa.Integer, nullable=False),
    sa.Column("tonnes", sa.BigInteger, nullable=False),
    sa.Column("free_mg", sa.BigInteger, nullable=False, index=True),
    sa.Column("vintage", sa.Text),
    sa.Column("serial", sa.Text),
    sa.Column("url", sa.Text),
)

# What an order got from a block. `position` is the allocation's place in the order.
retirements = sa.Table(
    "cnaught_retirements",
    metadata,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("order_id", sa.Text, nullable=False, index=True),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("category_id", sa.Text, nullable=False),
    sa.Column("project_id", sa.Text, nullable=False),
    sa.Column("block", sa.Integer, nullable=False),
    sa.Column("amount_mg", sa.BigInteger, nullable=False),
)

idempotency = sa.Table(
    "cnaught_idempotency",
    metadata,
    sa.Column("account", sa.Text, primary_key=True),
    sa.Column("path", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("fingerprint", sa.Text, nullable=False),
    sa.Column("status", sa.Integer, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("at_us", sa.BigInteger, nullable=False, index=True),
)

sessions = sa.Table(
    "cnaught_checkout_sessions",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("account", sa.Text, nullable=False),
    sa.Column("subaccount_id", sa.Text),
    sa.Column("portfolio_id", sa.Text, nullable=False),
    sa.Column("amount_mg", sa.BigInteger, nullable=False),
    sa.Column("price_cents", sa.BigInteger, nullable=False),
    sa.Column("success_url", sa.Text, nullable=False),
    sa.Column("cancel_url", sa.Text, nullable=False),
    sa.Column("description", sa.Text),
    sa.Column("callback_url", sa.Text),
    sa.Column("created_us", sa.BigInteger, nullable=False),
    sa.Column("completed_us", sa.BigInteger),
)

callbacks = sa.Table(
    "cnaught_callbacks",
    metadata,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, default=0),
    sa.Column("due_us", sa.BigInteger, nullable=False, index=True),
)
