"""CNaught's orders: listing, reading, placing, cancelling.

For this package; reached as `CNaughtClient.orders`. Orders are never cached.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypedDict, Unpack

from ..http import Reply, path_of
from ..models import read_model
from . import bodies
from .bodies import Amount
from .models import Order, OrderReceipt
from .shared import LARGEST_PAGE, Group, reader, scope, walk_list


class OrderText(TypedDict, total=False):
    """What may be said about any order; see `bodies.order_body`."""

    portfolio_id: str | None
    description: str | None
    metadata: str | None
    notification_url: str | None


class Orders(Group):
    """Orders (contract 4.1 to 4.5)."""

    def list(
        self,
        *,
        limit: int = LARGEST_PAGE,
        starting_after: str | None = None,
        ending_before: str | None = None,
        subaccount_id: str | None = None,
    ) -> Iterator[Order]:
        """Walk all orders, newest first, or those older than `starting_after`.

        With `ending_before` the walk goes the other way: orders newer than that id, the oldest
        of them first. `limit` is the size of the pages, 1 to 100. Raises PagingError when the
        list cannot be walked to its end.
        """
        return walk_list(
            self._session,
            "orders",
            Order,
            limit=limit,
            starting_after=starting_after,
            ending_before=ending_before,
            headers=scope(subaccount_id),
        )

    def get(self, id: str, *, subaccount_id: str | None = None) -> Order:
        """One order. Raises NotFoundError, also when it belongs to another subaccount."""
        return self._session.read(
            path_of("orders", id), reader(Order), headers=scope(subaccount_id)
        )

    def place(
        self,
        *,
        amount_kg: Amount | None = None,
        total_price_usd_cents: int | None = None,
        idempotency_key: str | None = None,
        subaccount_id: str | None = None,
        **about: Unpack[OrderText],
    ) -> OrderReceipt:
        """Buy by mass or by price, and retire: irrevocable (contract 4.2).

        Raises ForbiddenError without billing or for a foreign portfolio, ConflictError while the
        key is in use, UnprocessableError for a key used with another body; OutcomeUnknownError,
        MalformedReplyError and ServerError leave open whether the order was placed.
        """
        body = bodies.order_body(
            amount_kg=amount_kg, total_price_usd_cents=total_price_usd_cents, **about
        )
        return self._order("/orders", body, subaccount_id, idempotency_key)

    def place_ride(
        self,
        *,
        distance_km: Amount,
        idempotency_key: str | None = None,
        subaccount_id: str | None = None,
        **about: Unpack[OrderText],
    ) -> OrderReceipt:
        """Buy for a car ride (contract 4.3).

        Deprecated by CNaught: use `quotes.ground_transport` and `place` by mass. Raises like
        `place`.
        """
        body = bodies.ride_order_body(distance_km=distance_km, **about)
        return self._order("/orders/ride", body, subaccount_id, idempotency_key)

    def cancel(
        self, id: str, *, idempotency_key: str | None = None, subaccount_id: str | None = None
    ) -> Order:
        """Cancel an order (contract 4.5). Raises ForbiddenError when it is cancelled already."""
        reply = self._session.post(
            path_of("orders", id, "cancel"),
            headers=scope(subaccount_id, idempotency_key),
        )
        return read_model(reply, Order)

    def _order(
        self,
        path: str,
        body: Mapping[str, object],
        subaccount_id: str | None,
        idempotency_key: str | None,
    ) -> OrderReceipt:
        reply = self._session.post(path, body, headers=scope(subaccount_id, idempotency_key))
        return read_order(reply)


def read_order(reply: Reply) -> OrderReceipt:
    """The order in the answer to a placing or cancelling request. Raises MalformedReplyError."""
    return read_model(reply, OrderReceipt)
