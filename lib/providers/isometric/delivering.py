"""Recording deliveries at Isometric: a supplier assigns batches to an order. There is no key.

The delivering half of the Isometric adapter; sends only what the journal hands it. Our reference
stands in the public `notes`, which is the only way to find the delivery again after a lost answer
(Isometric contract 1, idempotency; 4.1 and 4.2). It names no person, customer or system.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ...clients.errors import ForbiddenError, NotFoundError
from ...clients.http import encode_body
from ...clients.isometric import IsometricClient, read_delivery
from ...clients.isometric.bodies import delivery_body
from ...clients.isometric.models import Delivery
from ...clients.payload import read_json
from ...domain.errors import BadInput, NotAllowed
from ...domain.intents import Receipt, Request
from ...domain.quantities import kg_text
from ...domain.serials import vintage_of_removal
from ..base import Account, DeliverableBatch, OpenOrder
from ..outcomes import Contradiction
from ..translate import one_of, send_frozen, translated

_KG = 1_000


class IsometricDelivering:
    """The delivering half of the Isometric adapter."""

    def __init__(self, account: Account, client: IsometricClient) -> None:
        self.account = account
        self.client = client

    def open_orders(self) -> list[OpenOrder]:
        """Orders of this supplier that are not delivered in full, oldest contract first."""
        with translated(self.account):
            orders = list(self.client.suppliers.orders(self._supplier_id()))
        found = [
            OpenOrder(
                order_id=order.id,
                buyer=order.buyer_organisation.name,
                contract_date=order.effective_contract_date,
                ordered_g=order.credits_ordered.credit_kgs * _KG,
                delivered_g=order.credits_delivered.credit_kgs * _KG,
            )
            for order in orders
        ]
        still_open = [order for order in found if order.delivered_g < order.ordered_g]
        return sorted(still_open, key=lambda order: (order.contract_date, order.order_id))

    def deliverable_batches(self) -> list[DeliverableBatch]:
        """Active batches that the supplier owns and has not delivered, oldest removal first."""
        with translated(self.account):
            me = self.client.organisations.current()
            owned = self.client.organisations.credit_batches(
                me.id, where={"supplier_id": self._supplier_id(), "status": ["active"]}
            )
            batches = [x for x in owned if x.owner.id == me.id and x.delivery_id is None]
            names = {
                project_id: self.client.projects.get(project_id).name
                for project_id in {batch.project_id for batch in batches}
            }
        batches.sort(key=lambda batch: (batch.sequestered_on, batch.id))
        return [
            DeliverableBatch(
                batch_id=batch.id,
                project_name=names[batch.project_id],
                vintage=vintage_of_removal(batch.sequestered_on, batch.serial_number).label,
                serial=batch.serial_number,
                quantity_g=batch.size.credit_kgs * _KG,
            )
            for batch in batches
        ]

    def delivery_request(
        self, order_id: str, batches: Sequence[tuple[str, int]], *, reference: str
    ) -> Request:
        """A delivery of (batch id, grams) pairs; the registry counts whole kilograms."""
        uneven = [mass_g for _, mass_g in batches if mass_g % _KG]
        if uneven:
            raise BadInput(f"Isometric delivers whole kilograms, not {kg_text(uneven[0])} kg.")
        with translated(self.account):
            body = delivery_body(
                order_id=order_id,
                credit_batch_quantities=[(batch, mass_g // _KG) for batch, mass_g in batches],
                notes=_note(reference),
            )
        return Request(
            kind="delivery",
            method="POST",
            path="/deliveries",
            headers=(),
            body=encode_body(body),
            key=None,
            reference=reference,
        )

    def send(self, request: Request) -> Receipt:
        """Send exactly these bytes once; raises an Outcome and nothing else."""
        delivery = send_frozen(self.client.session, request, self.account, read_delivery)
        if delivery.order_id != _order_id(request) or delivery.notes != _note(request.reference):
            raise Contradiction(
                f"Isometric answered with delivery {delivery.id}, which is not this one."
            )
        return _receipt(delivery)

    def find(self, request: Request, since: datetime) -> Receipt | None:  # noqa: ARG002 (protocol)
        """Search all deliveries of the order for our reference in the notes."""
        note = _note(request.reference)
        with translated(self.account):
            deliveries = self.client.orders.deliveries(_order_id(request))
            found = [_receipt(delivery) for delivery in deliveries if delivery.notes == note]
        return one_of(found, request)

    def _supplier_id(self) -> str:
        try:
            return self.client.suppliers.current().id
        except (NotFoundError, ForbiddenError):
            raise NotAllowed(
                f"“{self.account.name}” acts for a buyer: only a supplier records deliveries."
            ) from None


def _note(reference: str) -> str:
    return f"ref:{reference}"


def _order_id(request: Request) -> str:
    return str(read_json(request.body)["order_id"])


def _receipt(delivery: Delivery) -> Receipt:
    return Receipt(
        effect_id=delivery.id,
        state="delivered",
        quantity_g=delivery.credit_batch_size_total.credit_kgs * _KG,
    )
