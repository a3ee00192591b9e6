"""The registry's POST operations. Isometric contract 4.2 and 5.1 to 5.3.

Imported only by this package's `create_api`. Function names are the contract's operation ids. The
registry knows no idempotency key: the same POST twice has two effects, or is refused by a rule.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from ..wire import ExactRoute, raw_body
from . import actions, schemas, tables
from .access import Caller
from .register import Register
from .wire import reply

router = APIRouter(route_class=ExactRoute)

RawBody = Annotated[bytes, Depends(raw_body)]


def _retirement(register: Register, id: str) -> Response:
    return reply(register.retirement(register.row(tables.retirements, id, "retirement")))


@router.post("/deliveries", response_model=schemas.Delivery)
def create_delivery(
    session: Caller, request: schemas.CreateDeliveryRequest, body: RawBody
) -> Response:
    """Deliver credits to an order of the caller's (contract 4.2)."""
    with session.open() as register:
        delivery_id = actions.deliver(
            session.world,
            register.connection,
            caller_id=register.caller_id,
            request=request,
            body=body,
        )
        return reply(register.delivery(register.row(tables.deliveries, delivery_id, "delivery")))


@router.post("/retirements", response_model=schemas.Retirement)
def create_retirement(
    session: Caller, request: schemas.CreateRetirementByBatchRequest, body: RawBody
) -> Response:
    """Retire credits of named batches (contract 5.1)."""
    with session.open() as register:
        retirement_id = actions.retire(
            session.world,
            register.connection,
            caller_id=register.caller_id,
            request=request,
            body=body,
        )
        return _retirement(register, retirement_id)


@router.post("/retirements/from_oldest_credits", response_model=schemas.Retirement)
def create_retirement_from_oldest_credits(
    session: Caller, request: schemas.CreateRetirementOldestCreditsRequest, body: RawBody
) -> Response:
    """Retire the caller's oldest credits of a supplier (contract 5.2)."""
    with session.open() as register:
        retirement_id = actions.retire_oldest(
            session.world,
            register.connection,
            caller_id=register.caller_id,
            request=request,
            body=body,
        )
        return _retirement(register, retirement_id)


@router.post("/beneficiary", response_model=schemas.Organisation)
def create_beneficiary(session: Caller, request: schemas.CreateBeneficiaryRequest) -> Response:
    """Register someone to retire for (contract 5.3)."""
    with session.open() as register:
        beneficiary_id = actions.register_beneficiary(
            session.world, register.connection, caller_id=register.caller_id, request=request
        )
        return reply(register.organisation(beneficiary_id))
