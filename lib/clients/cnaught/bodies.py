"""The bodies of what CNaught is asked, as pure functions.

Imported by this package's client and by whoever must know a request to the byte before it is
sent (`encode_body(order_body(...))`). Fields that were not given stay away; what the contract
refuses is a ValueError of one clear sentence before anything leaves.

CNaught contract 1.4 (bounds), 4.2, 4.3, 4.6, 4.9 and 4.10.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal
from urllib.parse import urlsplit

Amount = Decimal | int
PriceSource = Literal["api", "checkout"]
VehicleType = Literal["passenger_car_van_or_suv", "small_bus", "school_bus", "coach_bus"]

LONGEST_TEXT = 512


def order_body(
    *,
    amount_kg: Amount | None = None,
    total_price_usd_cents: int | None = None,
    portfolio_id: str | None = None,
    description: str | None = None,
    metadata: str | None = None,
    notification_url: str | None = None,
) -> dict[str, Any]:
    """An order by mass (kg) or by price (US cents), exactly one of the two (contract 4.2).

    `description` is printed on the public certificate, `metadata` is private.
    """
    if (amount_kg is None) == (total_price_usd_cents is None):
        raise ValueError("Give either amount_kg or total_price_usd_cents.")
    measure: dict[str, Any] = {}
    if amount_kg is not None:
        measure["amount_kg"] = positive("amount_kg", amount_kg)
    if total_price_usd_cents is not None:
        if not isinstance(total_price_usd_cents, int):
            raise ValueError("total_price_usd_cents must be a whole number of cents.")
        measure["total_price_usd_cents"] = positive("total_price_usd_cents", total_price_usd_cents)
    return measure | _about_order(portfolio_id, description, metadata, notification_url)


def ride_order_body(
    *,
    distance_km: Amount,
    portfolio_id: str | None = None,
    description: str | None = None,
    metadata: str | None = None,
    notification_url: str | None = None,
) -> dict[str, Any]:
    """An order for a car ride of this length (contract 4.3, deprecated by CNaught)."""
    return {"distance_km": positive("distance_km", distance_km)} | _about_order(
        portfolio_id, description, metadata, notification_url
    )


def quote_body(
    measures: dict[str, Amount],
    *,
    vehicle_type: VehicleType | None = None,
    portfolio_id: str | None = None,
    source: PriceSource | None = None,
) -> dict[str, Any]:
    """A quote for these measures, each above 0 and named as in contract 4.6."""
    wanted = {name: positive(name, value) for name, value in measures.items()}
    return wanted | _given(vehicle_type=vehicle_type, portfolio_id=portfolio_id, source=source)


def subaccount_body(
    *,
    name: str,
    email: str | None = None,
    default_portfolio_id: str | None = None,
    logo_url: str | None = None,
) -> dict[str, Any]:
    """A new subaccount; without a default portfolio the account's applies (contract 4.9)."""
    return {"name": _name(name)} | _given(
        email=_short("email", email), default_portfolio_id=default_portfolio_id, logo_url=logo_url
    )


def subaccount_replacement(
    *, name: str, email: str | None, default_portfolio_id: str | None
) -> dict[str, Any]:
    """A subaccount as it shall be; None clears what was there (contract 4.9)."""
    return {
        "name": _name(name),
        "email": _short("email", email),
        "default_portfolio_id": default_portfolio_id,
    }


def checkout_body(
    *,
    amount_kg: Amount,
    success_url: str,
    cancel_url: str,
    portfolio_id: str | None = None,
    description: str | None = None,
    notification_url: str | None = None,
) -> dict[str, Any]:
    """A payment page for this mass (contract 4.10).

    The URLs are https; `success_url` may hold `{CHECKOUT_SESSION_ID}`.
    """
    for name, url in (("success_url", success_url), ("cancel_url", cancel_url)):
        if urlsplit(url).scheme != "https" or not urlsplit(url).hostname:
            raise ValueError(f"{name} must be a complete https:// address.")
    return {
        "amount_kg": positive("amount_kg", amount_kg),
        "success_url": success_url,
        "cancel_url": cancel_url,
    } | _about_order(portfolio_id, description, None, notification_url)


def positive(name: str, value: Amount) -> Amount:
    """The value, if it is an exact number above 0."""
    if isinstance(value, bool) or not isinstance(value, Decimal | int):
        raise ValueError(  # noqa: TRY004 (every refused argument is a ValueError)
            f"{name} must be a Decimal or int, so that it is exact."
        )
    if isinstance(value, Decimal) and not value.is_finite():
        raise ValueError(f"{name} must be a finite number.")
    if value <= 0:
        raise ValueError(f"{name} must be greater than 0.")
    return value


def _about_order(
    portfolio_id: str | None,
    description: str | None,
    metadata: str | None,
    notification_url: str | None,
) -> dict[str, Any]:
    if notification_url is not None and not urlsplit(notification_url).hostname:
        raise ValueError("notification_url must be a complete address, such as https://host/path.")
    return _given(
        portfolio_id=portfolio_id,
        description=_short("description", description),
        metadata=_short("metadata", metadata),
        notification_config=None if notification_url is None else {"url": notification_url},
    )


def _given(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _short(name: str, text: str | None) -> str | None:
    if text is not None and len(text) > LONGEST_TEXT:
        raise ValueError(f"{name} must have at most {LONGEST_TEXT} characters.")
    return text


def _name(name: str) -> str:
    if not name.strip():
        raise ValueError("A subaccount needs a name.")
    _short("name", name)
    return name
