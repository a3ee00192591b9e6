"""Does the provider's answer match what was confirmed? Pure; used by the worker.

An answer that contradicts the order is never taken for success and never repeated: a person
must look at it.
"""

from __future__ import annotations

from ..domain.intents import Intent, Receipt
from ..domain.ledger import PROVIDER_TITLES
from ..domain.quantities import tonnes_text

#: States in which an order will not be carried out. Both spellings occur.
_DEAD_STATES = frozenset({"cancelled", "canceled", "failed"})


def contradiction(intent: Intent, receipt: Receipt) -> str | None:
    """What of the receipt is not as confirmed, as a sentence for people; None when it matches."""
    title = PROVIDER_TITLES[intent.provider]
    if intent.kind == "cancel":
        if receipt.state in _DEAD_STATES:
            return None
        return (
            f"{title} answered the cancellation of {receipt.effect_id} with the state "
            f"“{receipt.state}”. Check the order at {title}."
        )
    wrong = _wrong_quantity(intent, receipt) or _wrong_price(intent, receipt)
    if wrong is None and receipt.state in _DEAD_STATES:
        wrong = f"its state is “{receipt.state}”"
    if wrong is None:
        return None
    return f"{title} recorded {receipt.effect_id}, but {wrong}. Check it at {title}."


def _wrong_quantity(intent: Intent, receipt: Receipt) -> str | None:
    if intent.fixed == "budget" or receipt.quantity_g is None or intent.quantity_g is None:
        return None
    if receipt.quantity_g == intent.quantity_g:
        return None
    return (
        f"for {tonnes_text(receipt.quantity_g)} t instead of "
        f"{tonnes_text(intent.quantity_g)} t CO2e"
    )


def _wrong_price(intent: Intent, receipt: Receipt) -> str | None:
    price, ceiling = receipt.price, intent.ceiling
    if price is None or ceiling is None:
        return None
    if price.currency != ceiling.currency:
        return f"it charged {price} while your limit is in {ceiling.currency}"
    if price > ceiling:
        return f"it charged {price}, above your limit of {ceiling}"
    return None


def accepted(intent: Intent, receipt: Receipt) -> str:
    """The sentence for an effect that happened as confirmed."""
    title = PROVIDER_TITLES[intent.provider]
    if intent.kind == "cancel":
        return f"{title} cancelled order {receipt.effect_id}."
    what = "delivery" if intent.kind == "delivery" else "order"
    mass = f": {tonnes_text(receipt.quantity_g)} t CO2e" if receipt.quantity_g is not None else ""
    price = f" for {receipt.price}" if receipt.price else ""
    return f"{title} recorded {what} {receipt.effect_id}{mass}{price}."
