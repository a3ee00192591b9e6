"""Placing, finding and showing Lune orders (Lune contract 2.1 and 3).

For the Lune sandbox: routes and the generated history place orders through the same functions.
What happens to an order afterwards is in `lifecycle`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..state import from_us, to_us
from .accounts import Actor
from .errors import Refused, not_found
from .lifecycle import start
from .quoting import Quote, quote_by_mass, quote_by_value, quote_tonnes, requested_view
from .rules import GRAMS_PER_TONNE, exact, money, tonnes, up_to_cent
from .schemas import BundlePercentage, OrderByEstimateBody, OrderByMassBody, OrderByValueBody
from .tables import estimates, order_bundles, orders, parts

OrderBody = OrderByMassBody | OrderByValueBody | OrderByEstimateBody


@dataclass(frozen=True)
class _Purchase:
    """A quote about to become an order."""

    quote: Quote
    type: Literal["quantity", "value"]
    estimate_id: str | None = None


def place(
    actor: Actor,
    body: OrderBody,
    *,
    raw: bytes,
    created_as: Literal["received", "placed"] | None = None,
) -> str:
    """Place an order and return its id. `raw`: the body to the byte; `created_as` overrides the
    catalogue's first status.

    Raises `Refused` with `account_suspended`, `order_idempotency_already_exists`,
    `estimate_order_already_placed`, or what quoting raises (contract 3.1 to 3.3).
    """
    if actor.main.suspended:
        raise Refused(409, "account_suspended", "The account is suspended.")
    if body.idempotency_key is not None and _by_key(actor, body.idempotency_key) is not None:
        raise Refused(409, "order_idempotency_already_exists", "The key was used for an order.")
    purchase = _purchase(actor, body)
    order_id = actor.world.new_id(actor.connection, 32)
    _insert(actor, order_id, purchase, body)
    start(actor.world, actor.connection, order_id, created_as=created_as)
    actor.world.record_effect(
        actor.connection,
        provider="lune",
        account=actor.account.main,
        subaccount=actor.account.id if actor.is_client else None,
        kind="order",
        id=order_id,
        key=body.idempotency_key,
        reference=body.metadata.get("reference"),
        body=raw,
        grams=purchase.quote.grams,
        money=money(purchase.quote.costs.total),
        currency=purchase.quote.currency,
    )
    return order_id


def _purchase(actor: Actor, body: OrderBody) -> _Purchase:
    if isinstance(body, OrderByMassBody):
        return _Purchase(quote_by_mass(actor, body), "quantity")
    if isinstance(body, OrderByValueBody):
        return _Purchase(quote_by_value(actor, body), "value")
    return _Purchase(_quote_estimate(actor, body), "quantity", body.estimate_id)


def _quote_estimate(actor: Actor, body: OrderByEstimateBody) -> Quote:
    estimate = actor.connection.execute(
        sa.select(estimates).where(
            estimates.c.id == body.estimate_id, estimates.c.account_id == actor.account.id
        )
    ).first()
    if estimate is None:
        raise Refused(400, "estimate_not_found", f"There is no estimate {body.estimate_id}.")
    # A cancelled or failed order frees its estimate again.
    if actor.connection.execute(
        sa.select(orders.c.id).where(
            orders.c.estimate_id == estimate.id, orders.c.status.not_in(("cancelled", "failed"))
        )
    ).first():
        raise Refused(409, "estimate_order_already_placed", "The estimate already has an order.")
    quantity_t = exact(str(estimate.mass_g)) / GRAMS_PER_TONNE
    asked = json.loads(estimate.request)
    selection = body.bundle_selection
    if selection is None:  # so that the order costs what the estimate's quote said
        selection = [BundlePercentage(**entry) for entry in asked.get("bundle_selection") or ()]
    trunc = body.quantity_trunc
    if "quantity_trunc" not in body.model_fields_set:
        trunc = asked.get("quantity_trunc", trunc)
    return quote_tonnes(actor, quantity_t, selection, trunc)


def _insert(actor: Actor, order_id: str, purchase: _Purchase, body: OrderBody) -> None:
    quote = purchase.quote
    actor.connection.execute(
        sa.insert(orders).values(
            id=order_id,
            account_id=actor.account.id,
            main=actor.account.main,
            beneficiary=actor.beneficiary,
            idempotency_key=body.idempotency_key,
            type=purchase.type,
            status="received",
            assigned=False,
            currency=quote.currency,
            offset_cost=money(quote.costs.offset),
            total_cost=money(quote.costs.total),
            commission=money(quote.costs.commission),
            quantity_g=quote.grams,
            created_us=to_us(actor.world.now(actor.connection)),
            metadata=json.dumps(body.metadata, ensure_ascii=False),
            estimate_id=purchase.estimate_id,
            **requested_view(quote),
        )
    )
    actor.connection.execute(
        sa.insert(order_bundles),
        [
            {
                "order_id": order_id,
                "position": position,
                "bundle_id": share.bundle.id,
                "bundle_name": share.bundle.name,
                "quantity_g": share.grams,
                "unit_price": money(share.price.unit),
                "gross_unit_price": money(share.price.gross),
                "offset_cost": money(up_to_cent(share.grams, share.price.unit)),
                "insufficient": share.insufficient,
            }
            for position, share in enumerate(quote.shares)
        ],
    )


def _by_key(actor: Actor, key: str) -> sa.Row[Any] | None:
    return actor.connection.execute(
        sa.select(orders).where(
            orders.c.account_id == actor.account.id, orders.c.idempotency_key == key
        )
    ).first()


def order_by_key(actor: Actor, key: str) -> sa.Row[Any]:
    """The account's order with this idempotency key, else 404."""
    found = _by_key(actor, key)
    if found is None:
        raise not_found()
    return found


def order_by_id(actor: Actor, order_id: str) -> sa.Row[Any]:
    """The account's order; one of another account is 404 as well (contract 3.5)."""
    found = actor.connection.execute(
        sa.select(orders).where(orders.c.id == order_id, orders.c.account_id == actor.account.id)
    ).first()
    if found is None:
        raise not_found()
    return found


def orders_before(actor: Actor, before_seq: int | None, limit: int) -> list[sa.Row[Any]]:
    """The account's orders, newest first, that came before the order numbered `before_seq`."""
    query = sa.select(orders).where(orders.c.account_id == actor.account.id)
    if before_seq is not None:
        query = query.where(orders.c.seq < before_seq)
    return list(actor.connection.execute(query.order_by(orders.c.seq.desc()).limit(limit)))


def parts_of(connection: Connection, order_id: str) -> list[sa.Row[Any]]:
    """What of an order is allotted to which project, in the order of allotment."""
    return list(
        connection.execute(
            sa.select(parts).where(parts.c.order_id == order_id).order_by(parts.c.seq)
        )
    )


def order_view(actor: Actor, order: sa.Row[Any], root: str) -> dict[str, Any]:
    """An order as the wire shows it. `root`: this API's URL, for the certificate's link."""
    complete = order.status == "complete"
    assigned = order.assigned
    return {
        "id": order.id,
        "idempotency_key": order.idempotency_key,
        "type": order.type,
        "status": order.status,
        "currency": order.currency,
        "offset_cost": order.offset_cost if assigned else None,
        "total_cost": order.total_cost if assigned else None,
        "commission": order.commission if assigned else None,
        "quantity": tonnes(order.quantity_g) if assigned else None,
        "payment_method": "invoice",
        "created_at": from_us(order.created_us).isoformat().replace("+00:00", "Z"),
        "bundles": _bundles_view(actor, order.id) if assigned else None,
        "projects": _projects_view(actor, order.id) if assigned else None,
        "certificate": f"{root}orders/{order.id}/certificate" if complete else None,
        # Sandbox accounts have no sustainability page, so no certificate is public.
        "public_certificate_url": None,
        "metadata": json.loads(order.metadata),
        "offset_link_id": None,
        "email": None,
        "requested_quantity": order.requested_quantity,
        "requested_value": order.requested_value,
        "estimate_id": order.estimate_id,
    }


def _bundles_view(actor: Actor, order_id: str) -> list[dict[str, Any]]:
    rows = actor.connection.execute(
        sa.select(order_bundles)
        .where(order_bundles.c.order_id == order_id)
        .order_by(order_bundles.c.position)
    )
    return [
        {
            "bundle_id": row.bundle_id,
            "bundle_name": row.bundle_name,
            "quantity": tonnes(row.quantity_g),
            "unit_price": row.unit_price,
            "gross_unit_price": row.gross_unit_price,
            "offset_cost": row.offset_cost,
            "insufficient_available_quantity": row.insufficient,
        }
        for row in rows
    ]


def _projects_view(actor: Actor, order_id: str) -> list[dict[str, Any]]:
    shown = []
    for part in parts_of(actor.connection, order_id):
        project = actor.catalogue.project_by_id[part.project_id]
        shown.append(
            {
                "project_id": project.id,
                "project_name": project.name,
                "project_type": project.project_type,
                "project_slug": project.slug,
                "quantity": tonnes(part.quantity_g),
                "unit_price": part.unit_price,
                "offset_cost": money(up_to_cent(part.quantity_g, Decimal(part.unit_price))),
                "status": part.status,
            }
        )
    return shown
