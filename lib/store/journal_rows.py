"""Between an intent and its row: money as exact text, the request to the byte. For journal.py."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sqlalchemy.engine import Row

from ..domain.intents import Intent, IntentState, Receipt, Request
from ..domain.quantities import Money


def columns_of(intent: Intent) -> dict[str, Any]:
    """The row of a new intent."""
    request = intent.request
    currencies = {money.currency for money in (intent.expected, intent.ceiling) if money}
    if len(currencies) > 1:
        raise ValueError("expected price and ceiling must be in one currency")
    return {
        "intent_id": intent.intent_id,
        "account": intent.account,
        "provider": intent.provider,
        "subaccount": intent.subaccount,
        "base_url": intent.base_url,
        "credential": intent.credential,
        "kind": intent.kind,
        "title": intent.title,
        "target": intent.target,
        "fixed": intent.fixed,
        "quantity_g": intent.quantity_g,
        "expected": str(intent.expected.amount) if intent.expected else None,
        "ceiling": str(intent.ceiling.amount) if intent.ceiling else None,
        "currency": next(iter(currencies), None),
        "method": request.method,
        "path": request.path,
        "headers": [list(pair) for pair in request.headers],
        "body": request.body,
        "key": request.key,
        "reference": request.reference,
        "who": intent.who,
        "created_at": intent.created_at,
        "state": intent.state,
        "message": intent.message,
        "updated_at": intent.updated_at,
        "expires_at": intent.expires_at,
        "due_at": intent.created_at,
    }


def receipt_columns(receipt: Receipt) -> dict[str, Any]:
    """What an intent's row keeps of the provider's answer."""
    return {
        "effect_id": receipt.effect_id,
        "effect_state": receipt.state,
        "effect_quantity_g": receipt.quantity_g,
        "charged": str(receipt.price.amount) if receipt.price else None,
        "charged_currency": receipt.price.currency if receipt.price else None,
    }


def _money(amount: str | None, currency: str | None) -> Money | None:
    return Money(Decimal(amount), currency) if amount is not None and currency else None


def intent_from(row: Row[Any]) -> Intent:
    """The intent that a row holds."""
    receipt = None
    if row.effect_id is not None:
        price = _money(row.charged, row.charged_currency)
        receipt = Receipt(row.effect_id, row.effect_state, row.effect_quantity_g, price)
    return Intent(
        intent_id=row.intent_id,
        account=row.account,
        provider=row.provider,
        subaccount=row.subaccount,
        kind=row.kind,
        state=IntentState(row.state),
        title=row.title,
        quantity_g=row.quantity_g,
        expected=_money(row.expected, row.currency),
        ceiling=_money(row.ceiling, row.currency),
        request=Request(
            kind=row.kind,
            method=row.method,
            path=row.path,
            headers=tuple((name, value) for name, value in row.headers),
            body=bytes(row.body),
            key=row.key,
            reference=row.reference,
        ),
        who=row.who,
        created_at=row.created_at,
        updated_at=row.updated_at,
        expires_at=row.expires_at,
        target=row.target,
        fixed=row.fixed,
        base_url=row.base_url,
        credential=row.credential,
        first_sent_at=row.first_sent_at,
        receipt=receipt,
        message=row.message,
    )
