"""Checkout sessions: an end customer pays by card on a hosted page (CNaught contract 4.10).

Imported inside this package and by the sandbox's pages, which serve the payment page.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..state import World, from_us, rfc3339, to_us
from . import orders
from .pricing import portfolio_for, price_cents
from .problems import Problem, invalid, not_found
from .schemas import CheckoutSessionRequest
from .scope import Scope, find_subaccount
from .section import section_of
from .tables import MG_PER_KG, sessions
from .urls import is_https

_LEAST_CENTS = 50
"""What a card can be charged at least."""


def create(
    world: World,
    connection: Connection,
    scope: Scope,
    body: CheckoutSessionRequest,
    callback_url: str | None,
) -> dict[str, Any]:
    """A new session, open for a day."""
    for field in ("success_url", "cancel_url"):
        if not is_https(getattr(body, field)):
            raise invalid(field, "must be an absolute https URL")
    portfolio = portfolio_for(section_of(world), scope, body.portfolio_id)
    price = price_cents(body.amount_kg, portfolio.checkout_price_per_kg_usd_cents)
    if price < _LEAST_CENTS:
        raise invalid("amount_kg", f"must cost at least {_LEAST_CENTS} cents")
    new_id = world.new_id(connection, 10)
    connection.execute(
        sa.insert(sessions).values(
            id=new_id,
            account=scope.account.name,
            subaccount_id=scope.subaccount_id,
            portfolio_id=portfolio.id,
            amount_mg=int(body.amount_kg * MG_PER_KG),
            price_cents=price,
            success_url=body.success_url,
            cancel_url=body.cancel_url,
            description=body.description,
            callback_url=callback_url,
            created_us=to_us(world.now(connection)),
        )
    )
    return view(world, connection, find(connection, scope, new_id))


def find(connection: Connection, scope: Scope, id: str) -> Any:
    """A session's row; raises 404 when unknown or out of scope."""
    found = connection.execute(
        sa.select(sessions).where(*scope.within(sessions), sessions.c.id == id)
    ).first()
    if found is None:
        raise not_found("checkout session")
    return found


def find_by_id(connection: Connection, id: str) -> Any:
    """A session's row for the payment page, which knows no key; None when unknown."""
    return connection.execute(sa.select(sessions).where(sessions.c.id == id)).first()


def pay(world: World, connection: Connection, session: Any) -> str:
    """Complete an open session: places its order; returns the URL to go on to.

    Paying again changes nothing; raises a problem once the session has expired.
    """
    state = _state(world, connection, session)
    if state == "expired":
        raise Problem(409, None, "The checkout session has expired")
    if state == "open":
        _place_order(world, connection, session)
    return str(session.success_url).replace("{CHECKOUT_SESSION_ID}", session.id)


def _place_order(world: World, connection: Connection, session: Any) -> None:
    named = {account.name: account for account in section_of(world).accounts}
    account = named[session.account]
    subaccount = session.subaccount_id and find_subaccount(
        connection, account, session.subaccount_id
    )
    new = orders.NewOrder(
        amount_kg=orders.kilograms(session.amount_mg),
        price_cents=session.price_cents,
        portfolio_id=session.portfolio_id,
        description=session.description,
        callback_url=session.callback_url,
        checkout_session_id=session.id,
    )
    orders.place(world, connection, Scope(account, subaccount), new)
    completed = to_us(world.now(connection))
    connection.execute(
        sa.update(sessions).where(sessions.c.id == session.id).values(completed_us=completed)
    )


def view(world: World, connection: Connection, row: Any) -> dict[str, Any]:
    """A session as the API shows it."""
    completed = row.completed_us
    return {
        "id": row.id,
        "amount_kg": orders.kilograms(row.amount_mg),
        "price_usd_cents": row.price_cents,
        "success_url": row.success_url,
        "cancel_url": row.cancel_url,
        "checkout_url": f"{world.public_url}/pages/cnaught/pay/{row.id}",
        "state": _state(world, connection, row),
        "created_on": rfc3339(from_us(row.created_us)),
        "expires_on": rfc3339(from_us(row.created_us) + _life(world)),
        "completed_on": None if completed is None else rfc3339(from_us(completed)),
        "portfolio_id": row.portfolio_id,
        "subaccount_id": row.subaccount_id,
        "order_description": row.description,
        "order_webhook_url": row.callback_url,
    }


def _state(world: World, connection: Connection, row: Any) -> str:
    if row.completed_us is not None:
        return "complete"
    over = world.now(connection) >= from_us(row.created_us) + _life(world)
    return "expired" if over else "open"


def _life(world: World) -> timedelta:
    return timedelta(seconds=section_of(world).checkout_life_s)
