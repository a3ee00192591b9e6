"""What Lune answers about orders, quotes, bundle selections and accounts, as frozen models.

Imported by this package and by whoever holds what its client returns. Field names are the
wire's. Lune writes every quantity and amount as a decimal string; a JSON number in its place is
refused. Order quantities are tonnes of CO2, money is in the account's currency. Whatever only
describes may be absent; unknown fields are kept and unknown enum values stay text.

Lune contract 1.1, 2.1, 3, 4.2 and 4.4.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from ..models import DecimalText, Label, Many, Timestamp, Whole, WireModel


def _percentage(value: Any) -> Any:
    # Lune writes an integer or a decimal string here; DecimalText takes it from there.
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    return str(value) if is_whole else value


def _none_is_empty(value: Any) -> Any:
    return {} if value is None else value


#: Free text by free text keys; null counts as empty.
Metadata = Annotated[dict[str, Label], BeforeValidator(_none_is_empty)]


class Listed(WireModel):
    """Anything Lune knows by an id."""

    id: str


class OrderBundle(WireModel):
    """A bundle's part of an order or quote; quantity in tonnes, prices per tonne.

    `gross_unit_price` includes Lune's fee, `unit_price` and `offset_cost` do not.
    `insufficient_available_quantity` is True where the stock is smaller than the part.
    """

    bundle_id: str
    bundle_name: str
    quantity: DecimalText
    unit_price: DecimalText
    gross_unit_price: DecimalText
    offset_cost: DecimalText
    insufficient_available_quantity: bool | None = None
    primary_image: str | None = None


class OrderProject(WireModel):
    """A project's part of an order in tonnes; `status` is allocated or retired (no vintage)."""

    project_id: str
    project_name: str
    quantity: DecimalText
    status: str
    unit_price: DecimalText | None = None
    offset_cost: DecimalText | None = None
    project_type: str | None = None
    project_slug: str | None = None
    project_logo: str | None = None


class Order(Listed):
    """An order of any of the three kinds.

    `status` is received, placed, paid, retiring, complete, cancelled or failed. `total_cost`
    is what is paid: `offset_cost` (the credits) and `commission` (the fee) together. Which of
    `requested_quantity` (tonnes), `requested_value` (money) and `estimate_id` is set tells how
    the order was placed. Costs and bundles are None until bundles are assigned.
    """

    type: str
    status: str
    currency: str
    created_at: Timestamp
    idempotency_key: str | None = None
    offset_cost: DecimalText | None = None
    total_cost: DecimalText | None = None
    commission: DecimalText | None = None
    quantity: DecimalText | None = None
    payment_method: str | None = None
    bundles: Many[OrderBundle] = ()
    projects: Many[OrderProject] = ()
    certificate: str | None = None
    public_certificate_url: str | None = None
    metadata: Metadata = Field(default_factory=dict)
    offset_link_id: str | None = None
    email: str | None = None
    requested_quantity: DecimalText | None = None
    requested_value: DecimalText | None = None
    estimate_id: str | None = None


class OrderQuote(WireModel):
    """What an order would cost; nothing is bought. Quantities in tonnes, costs in `currency`."""

    currency: str
    estimated_quantity: DecimalText
    estimated_offset_cost: DecimalText
    estimated_total_cost: DecimalText
    estimated_commission: DecimalText
    bundles: tuple[OrderBundle, ...]
    requested_quantity: DecimalText | None = None
    requested_value: DecimalText | None = None


class BundlePercentage(WireModel):
    """One bundle's percentage of a selection; Lune writes an integer or a decimal string."""

    bundle_id: str
    percentage: Annotated[DecimalText, BeforeValidator(_percentage)]


class Account(Listed):
    """An account of an organisation: `scope` is account or client_account, `type` live or test.

    Without a `beneficiary` the organisation's name stands on certificates. `sibling_id` is a
    main account's counterpart in the other mode.
    """

    name: str
    organisation_id: str
    currency: str
    type: str
    scope: str | None = None
    handle: str | None = None
    logo: str | None = None
    beneficiary: str | None = None
    bundle_portfolio_id: str | None = None
    external_pages_visibility: str | None = None
    organisation_type: str | None = None
    sibling_id: str | None = None
    idempotency_key: str | None = None


class ListedClientAccount(Account):
    """A client account as the list shows it, with how it was used."""

    last_active_date: str | None = None
    number_of_estimates: Whole | None = None
    total_emissions: str | None = None


class Page(WireModel):
    """One page of any list, its rows still unread; `next_cursor` counts only if `has_more`."""

    has_more: bool
    data: list[Any]
    next_cursor: str | None = None
