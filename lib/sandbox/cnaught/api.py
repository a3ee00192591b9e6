"""The routes of the CNaught API v1 (CNaught contract 4): read the request, call, answer.

Imported only inside this package.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Query, Response
from sqlalchemy.engine import Connection

from ..state import World
from ..wire import ExactJSON, ExactRoute
from . import checkout, impact, orders, portfolios, problems, schemas, subaccounts
from .callbacks import is_callable
from .dependencies import (
    AccountCall,
    OnceOnly,
    TheAccount,
    TheCall,
    TheCaller,
    ThePage,
    TheWorld,
)
from .idempotency import Call, Once
from .paging import read_page
from .pricing import activity_kg, amount_for, flight_factor, no_access, portfolio_for, price_cents
from .problems import invalid
from .scope import Caller, find_subaccount, resolve
from .section import Factors, section_of
from .tables import orders as orders_table
from .tables import subaccounts as subaccounts_table

router = APIRouter(route_class=ExactRoute)


def create_api(world: World) -> FastAPI:
    """The API below /cnaught/v1."""
    api = FastAPI(title="CNaught API (sandbox)", version="v1", docs_url=None, redoc_url=None)
    api.state.world = world
    api.state.once = Once(world)
    problems.install(api)
    api.include_router(router)
    return api


def _answers(model: Any, status: int = 200) -> dict[int | str, dict[str, Any]]:
    return {status: {"model": model}}


# --- Orders: contract 4.1 to 4.5


@router.get("/orders", responses=_answers(schemas.OrderList))
def list_orders(world: TheWorld, caller: TheCaller, page: ThePage) -> ExactJSON:
    """Orders, newest first."""
    with world.transaction() as connection:
        scope = resolve(connection, caller)
        rows = read_page(connection, orders_table, scope.within(orders_table), page)
        return ExactJSON({"data": orders.views(world, connection, rows)})


@router.post("/orders", status_code=201, responses=_answers(schemas.Order, 201))
def place_order(
    world: TheWorld, once: OnceOnly, call: TheCall, body: schemas.OrderRequest
) -> Response:
    """Place an order by mass or by price."""
    if (body.amount_kg is None) == (body.total_price_usd_cents is None):
        raise invalid("amount_kg", "give exactly one of amount_kg and total_price_usd_cents")
    if body.amount_kg is not None and section_of(world).whole_kilograms_only and body.amount_kg % 1:
        raise invalid("amount_kg", "must be a whole number")
    return _place(world, once, call, body, body.amount_kg, body.total_price_usd_cents)


@router.post(
    "/orders/ride", status_code=201, deprecated=True, responses=_answers(schemas.Order, 201)
)
def place_ride_order(
    world: TheWorld, once: OnceOnly, call: TheCall, body: schemas.RideOrderRequest
) -> Response:
    """Place an order for the estimated emissions of a ride."""
    amount = activity_kg(section_of(world).emission_factors.ride.kg, body.distance_km)
    return _place(world, once, call, body, amount)


def _place(
    world: World,
    once: Once,
    call: Call,
    body: schemas.OrderTexts,
    amount_kg: Decimal | None,
    total_cents: int | None = None,
) -> Response:
    """Place an order of a mass, or for a total price."""
    callback_url = _callback_url(world, body.notification_config)

    def act(connection: Connection) -> dict[str, Any]:
        scope = resolve(connection, call.caller)
        portfolio = portfolio_for(section_of(world), scope, body.portfolio_id, unknown=no_access())
        cents = portfolio.api_price_per_kg_usd_cents
        amount = amount_for(total_cents or 0, cents) if amount_kg is None else amount_kg
        new = orders.NewOrder(
            amount_kg=amount,
            price_cents=total_cents or price_cents(amount, cents),
            portfolio_id=portfolio.id,
            metadata=body.metadata,
            description=body.description,
            callback_url=callback_url,
        )
        placed = orders.place(world, connection, scope, new, call=call)
        return orders.view(world, connection, orders.find(connection, scope, placed))

    return once(call, 201, act)


def _callback_url(world: World, config: schemas.NotificationConfig | None) -> str | None:
    if config is None:
        return None
    if not is_callable(world, config.url):
        raise invalid("notification_config.url", "must be an absolute https URL")
    return config.url


@router.get("/orders/{id}", responses=_answers(schemas.Order))
def get_order(world: TheWorld, caller: TheCaller, id: str) -> ExactJSON:
    """One order."""
    with world.transaction() as connection:
        row = orders.find(connection, resolve(connection, caller), id)
        return ExactJSON(orders.view(world, connection, row))


@router.post("/orders/{id}/cancel", responses=_answers(schemas.Order))
def cancel_order(world: TheWorld, once: OnceOnly, call: TheCall, id: str) -> Response:
    """Cancel an order, fulfilled or not."""

    def act(connection: Connection) -> dict[str, Any]:
        scope = resolve(connection, call.caller)
        orders.cancel(world, connection, scope, id, call=call)
        return orders.view(world, connection, orders.find(connection, scope, id))

    return once(call, 200, act)


# --- Quotes: contract 4.6


def _quote(world: World, caller: Caller, body: schemas.QuoteBasis, kg: Decimal) -> ExactJSON:
    with world.transaction() as connection:
        scope = resolve(connection, caller)
    portfolio = portfolio_for(section_of(world), scope, body.portfolio_id)
    at_checkout = body.source == "checkout"
    cents = (
        portfolio.checkout_price_per_kg_usd_cents
        if at_checkout
        else portfolio.api_price_per_kg_usd_cents
    )
    return ExactJSON({"amount_kg": kg, "price_usd_cents": price_cents(kg, cents)})


def _factors(world: World) -> Factors:
    return section_of(world).emission_factors


@router.post("/quotes", responses=_answers(schemas.Quote))
def quote_generic(
    world: TheWorld, caller: TheCaller, body: schemas.GenericQuoteRequest
) -> ExactJSON:
    """The price of a mass."""
    return _quote(world, caller, body, body.amount_kg)


@router.post("/quotes/ride", deprecated=True, responses=_answers(schemas.Quote))
def quote_ride(world: TheWorld, caller: TheCaller, body: schemas.DistanceQuoteRequest) -> ExactJSON:
    """A ride in a passenger car."""
    return _quote(world, caller, body, activity_kg(_factors(world).ride.kg, body.distance_km))


@router.post("/quotes/flight", responses=_answers(schemas.Quote))
def quote_flight(
    world: TheWorld, caller: TheCaller, body: schemas.DistanceQuoteRequest
) -> ExactJSON:
    """A flight of one passenger."""
    factor = flight_factor(_factors(world), body.distance_km)
    return _quote(world, caller, body, activity_kg(factor, body.distance_km))


@router.post("/quotes/train", responses=_answers(schemas.Quote))
def quote_train(
    world: TheWorld, caller: TheCaller, body: schemas.DistanceQuoteRequest
) -> ExactJSON:
    """A train journey of one passenger."""
    return _quote(world, caller, body, activity_kg(_factors(world).train.kg, body.distance_km))


@router.post("/quotes/air-freight", responses=_answers(schemas.Quote))
def quote_air_freight(
    world: TheWorld, caller: TheCaller, body: schemas.FreightQuoteRequest
) -> ExactJSON:
    """Freight by air."""
    kg = activity_kg(_factors(world).air_freight.kg, _tonne_km(body))
    return _quote(world, caller, body, kg)


@router.post("/quotes/ground-freight", responses=_answers(schemas.Quote))
def quote_ground_freight(
    world: TheWorld, caller: TheCaller, body: schemas.FreightQuoteRequest
) -> ExactJSON:
    """Freight by road."""
    kg = activity_kg(_factors(world).ground_freight.kg, _tonne_km(body))
    return _quote(world, caller, body, kg)


def _tonne_km(body: schemas.FreightQuoteRequest) -> Decimal:
    return body.freight_mass_kg / 1000 * body.distance_km


@router.post("/quotes/ground-transport", responses=_answers(schemas.Quote))
def quote_ground_transport(
    world: TheWorld, caller: TheCaller, body: schemas.GroundTransportQuoteRequest
) -> ExactJSON:
    """A journey of a whole vehicle."""
    factor = _factors(world).ground_transport[body.vehicle_type].kg
    return _quote(world, caller, body, activity_kg(factor, body.distance_km))


@router.post("/quotes/office-space", responses=_answers(schemas.Quote))
def quote_office_space(
    world: TheWorld, caller: TheCaller, body: schemas.OfficeSpaceQuoteRequest
) -> ExactJSON:
    """An office for one year."""
    factor = _factors(world).office_space_ft2_year.kg
    return _quote(world, caller, body, activity_kg(factor, body.square_footage))


# --- Impact: contract 4.7 and 4.8


@router.get("/impact/data", responses=_answers(schemas.ImpactData))
def get_impact_data(
    world: TheWorld,
    caller: TheCaller,
    start: Annotated[str | None, Query(alias="from")] = None,
    end: Annotated[str | None, Query(alias="to")] = None,
) -> ExactJSON:
    """What was retired, by category and project."""
    first, last = impact.moment("from", start), impact.moment("to", end)
    with world.transaction() as connection:
        scope = resolve(connection, caller)
        return ExactJSON(impact.impact_data(world, connection, scope, first, last))


@router.get("/impact/hosted-page-config", responses=_answers(schemas.ImpactHostedPageConfig))
def get_impact_hosted_page_config(world: TheWorld, caller: TheCaller) -> ExactJSON:
    """The hosted impact page."""
    with world.transaction() as connection:
        return ExactJSON(impact.hosted_page_config(world, resolve(connection, caller)))


# --- Subaccounts: contract 4.9


@router.get("/subaccounts", responses=_answers(schemas.SubaccountList))
def list_subaccounts(world: TheWorld, account: TheAccount, page: ThePage) -> ExactJSON:
    """Subaccounts, newest first."""
    subaccounts.require_provisioned(account)
    table = subaccounts_table
    within = [table.c.account == account.name, table.c.deleted.is_(False)]
    with world.transaction() as connection:
        rows = read_page(connection, table, within, page)
    return ExactJSON({"data": [subaccounts.view(world, row) for row in rows]})


@router.post("/subaccounts", status_code=201, responses=_answers(schemas.Subaccount, 201))
def create_subaccount(
    world: TheWorld, once: OnceOnly, call: AccountCall, body: schemas.SubaccountCreateRequest
) -> Response:
    """A new subaccount."""

    def act(connection: Connection) -> dict[str, Any]:
        subaccounts.require_provisioned(call.caller.account)
        return subaccounts.create(world, connection, call.caller.account, body)

    return once(call, 201, act)


@router.get("/subaccounts/{id}", responses=_answers(schemas.Subaccount))
def get_subaccount(world: TheWorld, account: TheAccount, id: str) -> ExactJSON:
    """One subaccount."""
    subaccounts.require_provisioned(account)
    with world.transaction() as connection:
        return ExactJSON(subaccounts.view(world, find_subaccount(connection, account, id)))


@router.put("/subaccounts/{id}", responses=_answers(schemas.Subaccount))
def update_subaccount(
    world: TheWorld, account: TheAccount, id: str, body: schemas.SubaccountUpdateRequest
) -> ExactJSON:
    """Replace a subaccount's fields."""
    subaccounts.require_provisioned(account)
    with world.transaction() as connection:
        return ExactJSON(subaccounts.update(world, connection, account, id, body))


@router.delete("/subaccounts/{id}", status_code=204)
def delete_subaccount(world: TheWorld, account: TheAccount, id: str) -> Response:
    """Delete a subaccount that has no orders."""
    subaccounts.require_provisioned(account)
    with world.transaction() as connection:
        subaccounts.delete(connection, account, id)
    return Response(status_code=204)


# --- Checkout sessions: contract 4.10


@router.post(
    "/checkout/sessions", status_code=201, responses=_answers(schemas.CheckoutSession, 201)
)
def create_checkout_session(
    world: TheWorld, caller: TheCaller, body: schemas.CheckoutSessionRequest
) -> ExactJSON:
    """A session in which an end customer pays."""
    callback_url = _callback_url(world, body.notification_config)
    with world.transaction() as connection:
        scope = resolve(connection, caller)
        return ExactJSON(checkout.create(world, connection, scope, body, callback_url), 201)


@router.get("/checkout/sessions/{id}", responses=_answers(schemas.CheckoutSession))
def get_checkout_session(world: TheWorld, caller: TheCaller, id: str) -> ExactJSON:
    """One session."""
    with world.transaction() as connection:
        row = checkout.find(connection, resolve(connection, caller), id)
        return ExactJSON(checkout.view(world, connection, row))


# --- Catalogue: contract 4.11


@router.get("/portfolios", responses=_answers(schemas.PortfolioList))
def list_portfolios(world: TheWorld, account: TheAccount) -> ExactJSON:
    """The portfolios that the account may order from."""
    return ExactJSON(portfolios.portfolio_list(section_of(world), account))


@router.get("/portfolios/{id}", responses=_answers(schemas.PortfolioWithCategoryAllocations))
def get_portfolio(world: TheWorld, account: TheAccount, id: str) -> ExactJSON:
    """A portfolio with prices and categories."""
    with world.transaction() as connection:
        return ExactJSON(portfolios.portfolio(connection, section_of(world), account, id))


@router.get("/projects/{id}", responses=_answers(schemas.ProjectWithCreditIssuances))
def get_project(world: TheWorld, _account: TheAccount, id: str) -> ExactJSON:
    """A project with its issuances."""
    with world.transaction() as connection:
        return ExactJSON(portfolios.project(connection, section_of(world), id))


@router.get("/project-categories/{id}", responses=_answers(schemas.ProjectCategoryWithProjects))
def get_project_category(world: TheWorld, _account: TheAccount, id: str) -> ExactJSON:
    """A category with its projects."""
    with world.transaction() as connection:
        return ExactJSON(portfolios.category(connection, section_of(world), id))
