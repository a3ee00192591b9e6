"""An intent: our own record of something a person confirmed, before and after it is sent.

The states and moves are those of the design: a row is committed before its request leaves, and
an error after bytes were sent means "in doubt", never "failed".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from .ledger import ProviderName
from .quantities import Money


class IntentState(StrEnum):
    """Where an intent stands."""

    DRAFT = "draft"
    QUEUED = "queued"
    SENDING = "sending"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    IN_DOUBT = "in doubt"
    NOT_PLACED = "not placed"
    NEEDS_A_PERSON = "needs a person"
    EXPIRED = "expired"


#: Which state may follow which; the database enforces the same table.
MOVES: dict[IntentState, frozenset[IntentState]] = {
    IntentState.DRAFT: frozenset({IntentState.QUEUED, IntentState.EXPIRED}),
    IntentState.QUEUED: frozenset({IntentState.SENDING, IntentState.REJECTED, IntentState.EXPIRED}),
    # Back to queued only when provably nothing was sent.
    IntentState.SENDING: frozenset(
        {
            IntentState.QUEUED,
            IntentState.CONFIRMED,
            IntentState.REJECTED,
            IntentState.IN_DOUBT,
            IntentState.NEEDS_A_PERSON,
        }
    ),
    IntentState.IN_DOUBT: frozenset(
        {
            IntentState.CONFIRMED,
            IntentState.REJECTED,
            IntentState.NOT_PLACED,
            IntentState.NEEDS_A_PERSON,
        }
    ),
    IntentState.NEEDS_A_PERSON: frozenset({IntentState.CONFIRMED, IntentState.NOT_PLACED}),
    IntentState.CONFIRMED: frozenset(),
    IntentState.REJECTED: frozenset(),
    IntentState.NOT_PLACED: frozenset(),
    IntentState.EXPIRED: frozenset(),
}

FINAL = frozenset(state for state, moves in MOVES.items() if not moves)

EffectKind = Literal["order", "cancel", "delivery"]


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it will be sent, to the byte: what a repeat must repeat.

    `headers` holds the scope (subaccount, selected account) and the idempotency key, never a
    credential. `reference` is our own mark, found again at the provider.
    """

    kind: EffectKind
    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    key: str | None
    reference: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the provider answered to an effect: its id, state, and what it charged for what."""

    effect_id: str
    state: str
    quantity_g: int | None = None
    price: Money | None = None


@dataclass(frozen=True, slots=True)
class Intent:
    """One intent as the journal holds it now. `message` is a sentence for people.

    `target` is the offer that is ordered from, or the order that is cancelled or delivered
    against. `fixed` tells what the order fixes: the mass, or the total price. `base_url` and
    `credential` (a fingerprint, never the key) say for which address and key it was confirmed:
    looking for its effect with any other would find nothing and prove nothing.
    """

    intent_id: str
    account: str
    provider: ProviderName
    subaccount: str | None
    kind: EffectKind
    state: IntentState
    title: str
    quantity_g: int | None
    expected: Money | None
    ceiling: Money | None
    request: Request
    who: str
    created_at: datetime
    updated_at: datetime
    expires_at: datetime
    target: str | None = None
    fixed: Literal["mass", "budget"] = "mass"
    base_url: str = ""
    credential: str = ""
    first_sent_at: datetime | None = None
    receipt: Receipt | None = None
    message: str = ""

    @property
    def settled(self) -> bool:
        """No further move is possible."""
        return self.state in FINAL
