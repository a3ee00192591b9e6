"""Lune's order and quote operations (Lune contract 3)."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from .call import AskedPage, Call, LuneRoute, RawBody, opened, page_of
from .certificates import certificate
from .errors import not_found
from .orders import OrderBody, order_by_id, order_by_key, order_view, orders_before, place
from .quoting import quote_by_mass, quote_by_value, quote_view
from .schemas import (
    OrderByEstimateBody,
    OrderByMassBody,
    OrderByValueBody,
    QuoteByMassBody,
    QuoteByValueBody,
)

router = APIRouter(prefix="/orders", route_class=LuneRoute, tags=["orders"])


def _placed(request: Request, body: OrderBody, raw: bytes) -> dict[str, Any]:
    with opened(request) as call:
        order_id = place(call, body, raw=raw)
        return _view(call, order_by_id(call, order_id))


def _view(call: Call, order: Any) -> dict[str, Any]:
    return order_view(call, order, call.root)


@router.post("/by-mass", operation_id="create_order_by_mass")
def create_order_by_mass(request: Request, body: OrderByMassBody, raw: RawBody) -> dict[str, Any]:
    """Buy a mass (contract 3.1)."""
    return _placed(request, body, raw)


@router.post("/by-value", operation_id="create_order_by_value")
def create_order_by_value(request: Request, body: OrderByValueBody, raw: RawBody) -> dict[str, Any]:
    """Spend an amount (contract 3.2)."""
    return _placed(request, body, raw)


@router.post("/by-estimate", operation_id="create_order_by_estimate")
def create_order_by_estimate(
    request: Request, body: OrderByEstimateBody, raw: RawBody
) -> dict[str, Any]:
    """Buy what an estimate says; one order per estimate (contract 3.3)."""
    return _placed(request, body, raw)


@router.post("/by-mass/quote", operation_id="get_order_quote_by_mass")
def get_order_quote_by_mass(request: Request, body: QuoteByMassBody) -> dict[str, Any]:
    """What a mass would cost; nothing is created (contract 3.8)."""
    with opened(request) as call:
        return quote_view(quote_by_mass(call, body))


@router.post("/by-value/quote", operation_id="get_order_quote_by_value")
def get_order_quote_by_value(request: Request, body: QuoteByValueBody) -> dict[str, Any]:
    """What an amount would buy; nothing is created (contract 3.9)."""
    with opened(request) as call:
        return quote_view(quote_by_value(call, body))


@router.get("", operation_id="list_orders")
def list_orders(
    request: Request, page: AskedPage, offset_link_id: str | None = None
) -> dict[str, Any]:
    """The selected account's orders, newest first (contract 3.4)."""
    with opened(request) as call:
        if offset_link_id is not None:  # there are no offset links here, so no order has one
            return page_of([], page)
        rows = orders_before(call, page.after, page.limit + 1)
        return page_of([(row.seq, _view(call, row)) for row in rows], page)


# Before /{id} and with the rest of the path: a key may hold slashes.
@router.get(
    "/by-idempotency-key/{idempotency_key:path}", operation_id="get_order_by_idempotency_key"
)
def get_order_by_idempotency_key(request: Request, idempotency_key: str) -> dict[str, Any]:
    """The order placed with this key (contract 3.7)."""
    with opened(request) as call:
        return _view(call, order_by_key(call, idempotency_key))


@router.get("/{id}", operation_id="get_order")
def get_order(request: Request, id: str) -> dict[str, Any]:
    """One order (contract 3.5)."""
    with opened(request) as call:
        return _view(call, order_by_id(call, id))


@router.get("/{id}/certificate", operation_id="get_order_certificate", response_class=Response)
def get_order_certificate(request: Request, id: str) -> Response:
    """The certificate as PDF, from `retiring` on (contract 3.6)."""
    with opened(request) as call:
        order = order_by_id(call, id)
        if order.status not in {"retiring", "complete"}:
            raise not_found()
        content = certificate(call, order, call.origin)
    return Response(content, media_type="application/pdf")
