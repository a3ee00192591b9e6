"""Lune's orders: listing, reading, quoting and placing them.

For this package's client, as `client.orders`. Masses are (amount, unit) pairs, see `bodies`.

Lune contract 3.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Unpack

from ..http import Reply, path_of
from ..models import read_model
from .bodies import (
    Mass,
    OrderOptions,
    QuoteOptions,
    order_by_estimate_body,
    order_by_mass_body,
    order_by_value_body,
)
from .group import LARGEST_PAGE, Group, account_header
from .models import Order, OrderQuote


def read_order(reply: Reply) -> Order:
    """Read an order from the answer to a read or a placement; raises MalformedReplyError."""
    return read_model(reply, Order)


class Orders(Group):
    """Orders of the selected account, in the key's own mode.

    Placing an order cannot be taken back. After OutcomeUnknownError, MalformedReplyError or
    ServerError the order may exist: ask `by_idempotency_key` in the same account before anything
    else. A key used before is a ConflictError with code `order_idempotency_already_exists`, even
    for the same body (contract 1.3).
    """

    def list(
        self,
        *,
        limit: int = LARGEST_PAGE,
        after: str | None = None,
        offset_link_id: str | None = None,
        account_id: str | None = None,
    ) -> Iterator[Order]:
        """All orders, newest first, in pages of `limit` (1 to 100), from the cursor `after` on."""
        return self._walk(
            Order,
            "orders",
            account_id=account_id,
            limit=limit,
            after=after,
            params={"offset_link_id": offset_link_id},
        )

    def get(self, order_id: str, *, account_id: str | None = None) -> Order:
        """One order; NotFoundError also for an order of another account or mode."""
        return self._one(Order, "orders", order_id, account_id=account_id)

    def by_idempotency_key(self, key: str, *, account_id: str | None = None) -> Order:
        """The order placed with this key; NotFoundError if there is none in this account."""
        return self._one(Order, "orders", "by-idempotency-key", key, account_id=account_id)

    def certificate(self, order_id: str, *, account_id: str | None = None) -> bytes:
        """The certificate as PDF; NotFoundError until the first credit is retired."""
        reply = self._session.get(
            path_of("orders", order_id, "certificate"),
            headers={**account_header(account_id), "Accept": "application/pdf"},
        )
        if not reply.content.startswith(b"%PDF-") or b"%%EOF" not in reply.content[-1024:]:
            raise reply.malformed("is not a complete PDF")
        return reply.content

    def create_by_mass(
        self,
        *,
        mass: Mass | None = None,
        bundle_masses: Mapping[str, Mass] | None = None,
        account_id: str | None = None,
        **options: Unpack[OrderOptions],
    ) -> Order:
        """Order one mass over a bundle selection, or an exact mass of each bundle (3.1)."""
        body = order_by_mass_body(mass=mass, bundle_masses=bundle_masses, **options)
        return self._place("/orders/by-mass", body, account_id)

    def create_by_value(
        self,
        *,
        value: Decimal | int,
        account_id: str | None = None,
        **options: Unpack[OrderOptions],
    ) -> Order:
        """Order what a sum buys, fee included, in the account's currency (3.2)."""
        body = order_by_value_body(value=value, **options)
        return self._place("/orders/by-value", body, account_id)

    def create_by_estimate(
        self, *, estimate_id: str, account_id: str | None = None, **options: Unpack[OrderOptions]
    ) -> Order:
        """Order an estimate's mass; ConflictError if it was ordered before (3.3)."""
        body = order_by_estimate_body(estimate_id=estimate_id, **options)
        return self._place("/orders/by-estimate", body, account_id)

    def quote_by_mass(
        self,
        *,
        mass: Mass | None = None,
        bundle_masses: Mapping[str, Mass] | None = None,
        account_id: str | None = None,
        **options: Unpack[QuoteOptions],
    ) -> OrderQuote:
        """What `create_by_mass` would cost; nothing is bought (3.8)."""
        body = order_by_mass_body(mass=mass, bundle_masses=bundle_masses, **options)
        return self._ask(OrderQuote, "/orders/by-mass/quote", body, account_id)

    def quote_by_value(
        self,
        *,
        value: Decimal | int,
        account_id: str | None = None,
        **options: Unpack[QuoteOptions],
    ) -> OrderQuote:
        """What `create_by_value` would buy; nothing is bought (3.9)."""
        body = order_by_value_body(value=value, **options)
        return self._ask(OrderQuote, "/orders/by-value/quote", body, account_id)

    def _place(self, path: str, body: dict[str, Any], account_id: str | None) -> Order:
        headers = account_header(account_id)
        return read_order(self._session.post(path, body, headers=headers, drops=("impact",)))
