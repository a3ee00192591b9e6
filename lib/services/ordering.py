"""Ordering: from a quote a person confirmed to a queued intent. Sends nothing, ever.

Composed by desk.py; used by pages, notebooks and the command line through the desk. Every rule
about who may buy what is checked here again, whatever a screen allowed; the worker sends.
"""

from __future__ import annotations

import base64
import secrets
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..domain.errors import BadInput, NotAllowed
from ..domain.intents import Intent, IntentState, Receipt, Request
from ..domain.quantities import Money, tonnes_text
from ..domain.quotes import Offer, Quote
from ..providers.base import Account, Registry, Seller
from ..store.journal import Journal

#: A draft that nobody confirms is forgotten: its price would be a guess.
DRAFT_FOR = timedelta(minutes=30)

#: What a person types to order the same thing a second time.
AGAIN = "again"


@dataclass(frozen=True, slots=True)
class Rules:
    """The desk's own rules: `CARBON_DESK_READ_ONLY` and `CARBON_DESK_ALLOW_LIVE_ORDERS`."""

    read_only: bool = False
    allow_live_orders: bool = False

    def check(self, account: Account) -> None:
        """Raise NotAllowed when nothing may be ordered from this account."""
        if self.read_only:
            raise NotAllowed("This desk is read-only: nothing can be ordered or cancelled here.")
        if account.mode == "live" and not self.allow_live_orders:
            raise NotAllowed(
                f"“{account.name}” is a live account and live orders are switched off. "
                "Set CARBON_DESK_ALLOW_LIVE_ORDERS=true to allow them."
            )


class OrderedAlready(BadInput):
    """The same thing was confirmed a short while ago; `earlier` is that intent."""

    def __init__(self, earlier: Intent) -> None:
        super().__init__(
            f"The same was confirmed within the last ten minutes ({earlier.title}, now "
            f"{earlier.state.value}). Nothing more was ordered. Confirm with “{AGAIN}” if you "
            "really want it a second time."
        )
        self.earlier = earlier


class Ordering:
    """Drafts, confirms and settles intents. Everything it queues is committed when it returns."""

    def __init__(
        self,
        journal: Journal,
        *,
        sellers: Mapping[str, Seller],
        registries: Mapping[str, Registry],
        clock: Callable[[], datetime],
        rules: Rules,
    ) -> None:
        self._journal = journal
        self._sellers = sellers
        self._registries = registries
        self._clock = clock
        self._rules = rules

    def place(
        self,
        quote: Quote,
        *,
        ceiling: Money,
        confirm: bool | str,
        description: str | None = None,
        who: str = "unidentified",
    ) -> Intent:
        """Queue an order for a quote at no more than `ceiling`; see `prepare` and `confirm`."""
        draft = self.prepare(quote, ceiling=ceiling, description=description, who=who)
        return self._confirm_now(draft, who, confirm=confirm)

    def prepare(
        self,
        quote: Quote,
        *,
        ceiling: Money,
        description: str | None = None,
        who: str = "unidentified",
    ) -> Intent:
        """Draft an order: key, reference and exact bytes are fixed now, nothing is queued.

        Raises NotAllowed by the desk's rules, BadInput for a ceiling that cannot hold.
        """
        seller = self._seller(quote.account)
        self._rules.check(seller.account)
        _check_ceiling(quote, ceiling)
        request = seller.order_request(
            quote, key=_new_key(), reference=new_reference(), description=description
        )
        about = "about " if quote.by == "budget" else ""
        title = (
            f"{about}{tonnes_text(quote.mass_g)} t CO2e from {quote.offer.name} for {quote.price}"
        )
        return self._draft(
            seller.account,
            request,
            title=title,
            who=who,
            subaccount=quote.subaccount,
            target=quote.offer.offer_id,
            quantity_g=quote.mass_g,
            expected=quote.price,
            ceiling=ceiling,
            fixed_budget=quote.by == "budget",
        )

    def confirm(
        self, intent_id: str, *, typed: str | None = None, who: str | None = None
    ) -> Intent:
        """Queue a draft. Confirming it twice changes nothing: it is the same intent.

        Raises OrderedAlready when the same was confirmed within ten minutes and `typed` is not
        “again”, and BadInput when the draft has run out.
        """
        draft = self._journal.get(intent_id)
        self._rules.check(self._account(draft.account))
        now = self._clock()
        earlier = self._journal.enqueue(
            intent_id, who=who or draft.who, now=now, again=typed == AGAIN
        )
        if earlier is not None:
            raise OrderedAlready(earlier)
        intent = self._journal.get(intent_id)
        if intent.state in {IntentState.DRAFT, IntentState.EXPIRED}:
            raise BadInput("This draft is too old to be confirmed: ask for a new quote.")
        return intent

    def cancel(
        self,
        account: str,
        order_id: str,
        *,
        confirm: bool | str,
        subaccount: str | None = None,
        who: str = "unidentified",
    ) -> Intent:
        """Queue the cancellation of an order.

        Raises NotAllowed by the desk's rules and where the provider's API has no cancellation.
        """
        seller = self._seller(account)
        self._rules.check(seller.account)
        request = seller.cancel_request(order_id, key=_new_key(), subaccount=subaccount)
        draft = self._draft(
            seller.account,
            request,
            title=f"Cancel order {order_id}",
            who=who,
            subaccount=subaccount,
            target=order_id,
        )
        return self._confirm_now(draft, who, confirm=confirm)

    def deliver(
        self,
        account: str,
        order_id: str,
        batches: Sequence[tuple[str, int]],
        *,
        confirm: bool | str,
        who: str = "unidentified",
    ) -> Intent:
        """Queue a delivery of (batch id, grams) against an order in a registry.

        Raises BadInput while an earlier delivery for the order is unsettled: the registry knows
        no keys, so two at a time could not be told apart.
        """
        registry = self._registries.get(account)
        if registry is None:
            raise BadInput(f"“{account}” is not a registry account of this desk.")
        self._rules.check(registry.account)
        unsettled = [x for x in self._journal.open() if x.account == account]
        if any(x.kind == "delivery" and x.target == order_id for x in unsettled):
            raise BadInput(f"A delivery for {order_id} is still under way: wait for its outcome.")
        request = registry.delivery_request(order_id, batches, reference=new_reference())
        quantity_g = sum(grams for _, grams in batches)
        draft = self._draft(
            registry.account,
            request,
            title=f"Deliver {tonnes_text(quantity_g)} t CO2e for order {order_id}",
            who=who,
            target=order_id,
            quantity_g=quantity_g,
        )
        return self._confirm_now(draft, who, confirm=confirm)

    def reprice(self, intent: Intent) -> Money | None:
        """What the intent would cost now; None where its request carries the price itself.

        For the worker, just before sending. Raises NotAllowed when the rules changed since the
        confirmation, ProviderProblem when no price can be had.
        """
        self._rules.check(self._account(intent.account))
        if intent.kind != "order" or intent.fixed == "budget" or intent.target is None:
            return None
        seller = self._seller(intent.account)
        offer = Offer(
            account=intent.account,
            provider=intent.provider,
            offer_id=intent.target,
            name=intent.title,
            kind="portfolio" if intent.provider == "cnaught" else "bundle",
        )
        quote = seller.quote(
            offer, mass_g=intent.quantity_g, budget=None, subaccount=intent.subaccount
        )
        return quote.price

    def allows(self, intent: Intent) -> bool:
        """Whether the desk's rules still allow what an intent orders; they may have changed."""
        try:
            self._rules.check(self._account(intent.account))
        except NotAllowed:
            return False
        return True

    def settle(self, intent_id: str, *, effect_id: str | None, evidence: str, who: str) -> Intent:
        """Record what a person found out about an intent that needs one.

        `effect_id` is the provider's id of what happened, None when nothing did; `evidence` says
        how they know and stands in the audit trail. Raises BadInput when nothing is open.
        """
        if not evidence.strip():
            raise BadInput("Say how you know: who confirmed it, where it can be seen.")
        now = self._clock()
        intent = self._journal.get(intent_id)
        to = IntentState.CONFIRMED if effect_id else IntentState.NOT_PLACED
        what = f"happened as {effect_id}" if effect_id else "did not happen"
        receipt = intent.receipt
        if effect_id and (receipt is None or receipt.effect_id != effect_id):
            receipt = Receipt(effect_id, "recorded by a person")
        moved = self._journal.move(
            intent_id,
            IntentState.NEEDS_A_PERSON,
            to,
            now=now,
            message=f"Recorded by {who}: it {what}.",
            receipt=receipt,
        )
        if not moved:
            raise BadInput(
                f"This is {intent.state.value}: there is nothing for a person to settle."
            )
        self._journal.note(who=who, action=what, subject=intent_id, detail=evidence, now=now)
        return self._journal.get(intent_id)

    def _confirm_now(self, draft: Intent, who: str, *, confirm: bool | str) -> Intent:
        if confirm is not True and confirm != AGAIN:
            raise BadInput("Nothing was ordered: pass confirm=True to order for real.")
        return self.confirm(draft.intent_id, typed=confirm if confirm == AGAIN else None, who=who)

    def _draft(
        self,
        account: Account,
        request: Request,
        *,
        title: str,
        who: str,
        subaccount: str | None = None,
        target: str | None = None,
        quantity_g: int | None = None,
        expected: Money | None = None,
        ceiling: Money | None = None,
        fixed_budget: bool = False,
    ) -> Intent:
        now = self._clock()
        intent = Intent(
            intent_id=str(uuid.uuid4()),
            account=account.name,
            provider=account.provider,
            subaccount=subaccount,
            kind=request.kind,
            state=IntentState.DRAFT,
            title=title,
            quantity_g=quantity_g,
            expected=expected,
            ceiling=ceiling,
            request=request,
            who=who,
            created_at=now,
            updated_at=now,
            expires_at=now + DRAFT_FOR,
            target=target,
            fixed="budget" if fixed_budget else "mass",
            base_url=account.base_url,
            credential=account.credential,
            message="Not confirmed yet.",
        )
        self._journal.add(intent)
        return intent

    def _seller(self, account: str) -> Seller:
        seller = self._sellers.get(account)
        if seller is None:
            raise BadInput(f"“{account}” is not an account of this desk that sells credits.")
        return seller

    def _account(self, name: str) -> Account:
        registry = self._registries.get(name)
        return registry.account if registry is not None else self._seller(name).account


def _check_ceiling(quote: Quote, ceiling: Money) -> None:
    if ceiling.currency != quote.price.currency:
        raise BadInput(
            f"The limit is in {ceiling.currency}, but the price is in {quote.price.currency}."
        )
    if not ceiling.amount.is_finite() or ceiling.amount < 0:
        raise BadInput("The limit must not be below 0.")
    if quote.price > ceiling:
        raise BadInput(f"The quoted price {quote.price} is above the limit of {ceiling}.")


def _new_key() -> str:
    return str(uuid.uuid4())


def new_reference() -> str:
    """A random public mark of 16 base-32 characters: it names no person, customer or system."""
    return f"cd-{base64.b32encode(secrets.token_bytes(10)).decode('ascii').lower()}"
