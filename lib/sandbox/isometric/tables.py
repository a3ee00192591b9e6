"""The registry's tables, all prefixed `isometric_`. Imported only inside this package.

Kept in kilograms (the registry's unit) and microseconds since 1970 UTC. What a contract field
can be computed from (an order's status, a batch's serial number) is not stored a second time.
"""

from __future__ import annotations

import sqlalchemy as sa

from ..state import metadata


def _id(name: str = "id", *, key: bool = False, null: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(37), primary_key=key, nullable=null)


def _kg(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False)


def _us(name: str, *, null: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=null)


organisations = sa.Table(
    "isometric_organisations",
    metadata,
    _id(key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("domain", sa.Text),
    # The private domain or e-mail address of a beneficiary somebody registered: never shown.
    sa.Column("contact", sa.Text, unique=True),
    # The sandbox account whose token acts as this organisation.
    sa.Column("account", sa.Text, unique=True),
)
beneficiaries = sa.Table(
    "isometric_beneficiaries",
    metadata,
    _id("owner_id", key=True),
    _id("organisation_id", key=True),
)
suppliers = sa.Table(
    "isometric_suppliers",
    metadata,
    _id(key=True),
    _id("organisation_id"),
    sa.Column("short_description", sa.Text),
    sa.Column("long_description", sa.Text),
    sa.Column("location", sa.Text),
)
projects = sa.Table(
    "isometric_projects",
    metadata,
    _id(key=True),
    _id("supplier_id"),
    _us("created_us"),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("short_code", sa.Text, nullable=False, unique=True),
    sa.Column("process_key", sa.Text, nullable=False),
    sa.Column("pathway", sa.Text, nullable=False),
    sa.Column("protocol_slug", sa.Text, nullable=False),
    sa.Column("country_code", sa.Text, nullable=False),
    sa.Column("validator_name", sa.Text),
    sa.Column("current_verifier_name", sa.Text),
    sa.Column("crediting_period_start", sa.Date),
    sa.Column("crediting_period_end", sa.Date),
    sa.Column("location", sa.Text),
)
issuances = sa.Table(
    "isometric_issuances",
    metadata,
    _id(key=True),
    _id("supplier_id"),
    _id("project_id"),
    _us("issued_us"),
    sa.Column("reporting_period_start_at", sa.Date, nullable=False),
    sa.Column("reporting_period_end_at", sa.Date, nullable=False),
    _kg("supplier_kg"),
    _kg("buffer_kg"),
)
batches = sa.Table(
    "isometric_credit_batches",
    metadata,
    _id(key=True),
    _id("issuance_id"),
    _id("project_id"),
    _id("supplier_id"),
    _id("removal_id"),
    _id("owner_id"),
    _id("beneficiary_id", null=True),
    _id("parent_id", null=True),
    _id("left_child_id", null=True),
    _id("right_child_id", null=True),
    _id("delivery_id", null=True),
    _us("delivered_us", null=True),
    # The order these credits were delivered for: split children keep it, the wire never shows it.
    _id("order_id", null=True),
    _id("retirement_id", null=True),
    _us("retired_us", null=True),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("buffer", sa.Boolean, nullable=False),
    sa.Column("ccp_approved", sa.Boolean, nullable=False),
    _us("issued_us"),
    sa.Column("sequestered_on", sa.Date, nullable=False),
    _kg("first_unit"),
    _kg("last_unit"),
    # Emissions, counterfactuals and losses behind the net removal; all null when not published.
    sa.Column("emissions_kg", sa.BigInteger),
    sa.Column("counterfactuals_kg", sa.BigInteger),
    sa.Column("losses_kg", sa.BigInteger),
    sa.Index("isometric_batches_by_owner", "owner_id", "issued_us"),
    sa.Index("isometric_batches_by_order", "order_id"),
    sa.Index("isometric_batches_by_issuance", "issuance_id"),
    sa.Index("isometric_batches_by_project", "project_id", "last_unit"),
    sa.Index("isometric_batches_by_retirement", "retirement_id"),
)
orders = sa.Table(
    "isometric_orders",
    metadata,
    _id(key=True),
    _id("buyer_id"),
    _id("supplier_id"),
    _us("placed_us"),
    _us("fulfilled_us", null=True),
    sa.Column("effective_contract_date", sa.Date, nullable=False),
    _kg("ordered_kg"),
    _kg("delivered_kg"),
    sa.Index("isometric_orders_by_buyer", "buyer_id", "placed_us"),
    sa.Index("isometric_orders_by_supplier", "supplier_id", "placed_us"),
)
deliveries = sa.Table(
    "isometric_deliveries",
    metadata,
    _id(key=True),
    _id("order_id"),
    _id("supplier_id"),
    _id("to_organisation_id"),
    _us("delivered_us"),
    _kg("kg"),
    sa.Column("notes", sa.Text),
    sa.Index("isometric_deliveries_by_order", "order_id", "delivered_us"),
)
# The batches exactly as delivered: their split children may carry the same delivery_id.
delivered_batches = sa.Table(
    "isometric_delivered_batches",
    metadata,
    _id("delivery_id", key=True),
    _id("batch_id", key=True),
)
retirements = sa.Table(
    "isometric_retirements",
    metadata,
    _id(key=True),
    _id("owner_id"),
    _id("beneficiary_id"),
    _us("retired_us"),
    _kg("kg"),
    sa.Column("purposes", sa.Text, nullable=False),
    sa.Column("notes", sa.Text),
)
