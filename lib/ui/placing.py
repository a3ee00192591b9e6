"""From a quote to a confirmed order, in two steps. Nothing here sends anything.

The form makes a draft in the journal: from then on every figure and every byte is fixed, and the
address holds the draft's id. The button that confirms carries this id alone, so a second click,
another tab or a reload can only confirm the same draft again, which changes nothing.
"""

from __future__ import annotations

import json

import streamlit as st

from ..domain.errors import DeskError
from ..domain.intents import Intent, IntentState
from ..domain.quantities import Money, decimal_from
from ..domain.quotes import Quote
from ..providers.base import Recipient
from ..services.ordering import AGAIN, OrderedAlready
from . import routes, runtime
from .format import MassUnit, mass_text, moment, money, provider
from .frame import tell, told
from .text import literal

#: The address holds the draft, so that a reload or a second tab finds the same one.
_DRAFT = "draft"
#: Session keys: the quote being ordered, and why a confirmation was refused.
_CHOSEN, _PROBLEM = "chosen_quote", "confirm_problem"
_OWN = Recipient("", "This account itself", None)


def choose(quote: Quote) -> None:
    """Go on to order this quote: what the order button of an offer calls."""
    st.session_state[_CHOSEN] = quote


def chosen() -> Quote | None:
    """The quote that is being ordered in this tab."""
    quote: Quote | None = st.session_state.get(_CHOSEN)
    return quote


def form(quote: Quote, unit: MassUnit) -> None:
    """Ask for what an order needs beside its quote, then draft it."""
    st.subheader("Order", anchor=False)
    st.markdown(
        f"**{literal(quote.offer.name)}**, {mass_text(quote.mass_g, unit)} CO2e, "
        f"{literal(money(quote.price))}, from {provider(quote.provider)} "
        f"(account {literal(quote.account)})"
    )
    with told():
        recipient = _recipient(quote)
        description = st.text_input(
            "Public description",
            max_chars=200,
            placeholder="Optional",
            help="The provider may print it on public pages and certificates. Name no person.",
        )
        limit = st.text_input(
            f"Most you will pay ({quote.price.currency})",
            f"{quote.price.amount}",
            help="The order is not sent if its price has risen above this when it is due.",
        )
        if st.button("Review order", type="primary", icon=":material/fact_check:"):
            ceiling = Money(decimal_from(limit, what="limit"), quote.price.currency)
            st.query_params[_DRAFT] = _draft(quote, recipient, description.strip(), ceiling)
            st.rerun()
    st.button("Back to quotes", icon=":material/arrow_back:", on_click=_leave)


def _recipient(quote: Quote) -> Recipient:
    """For whom credits are retired: the account itself, or one of its client accounts."""
    choices = [_OWN, *runtime.desk().recipients(quote.account)]
    return st.selectbox(
        "Recipient",
        choices,
        format_func=lambda r: f"{r.name} ({r.beneficiary})" if r.beneficiary else r.name,
        help="Credits are retired on behalf of the recipient.",
    )


def _draft(quote: Quote, recipient: Recipient, description: str, ceiling: Money) -> str:
    """Draft the order; for a client account the price is asked again, as it may differ."""
    desk = runtime.desk()
    if recipient.recipient_id:
        again = desk.quote(
            mass=quote.mass_g if quote.by == "mass" else None,
            unit="g",
            budget=quote.price if quote.by == "budget" else None,
            account=quote.account,
            offer=quote.offer.offer_id,
            subaccount=recipient.recipient_id,
        )
        if not again.quotes:
            reasons = " ".join(failure.reason for failure in again.failures)
            raise DeskError(f"No price could be had for {recipient.name}. {reasons}".strip())
        quote = again[0]
    draft = desk.draft(quote, ceiling=ceiling, description=description or None)
    return str(draft.intent_id)


def current_draft() -> str | None:
    """The id of the draft that the address names."""
    return st.query_params.get(_DRAFT)


def review(intent_id: str, unit: MassUnit) -> None:
    """Show a draft exactly as it will be sent, and the button that confirms it."""
    intent = runtime.desk().intent(intent_id)
    if intent.state != IntentState.DRAFT:
        st.session_state.pop(_CHOSEN, None)
        st.switch_page(routes.page("orders"), query_params={"intent": intent_id})
    st.subheader("Review your order", anchor=False)
    _facts(intent, unit)
    _what_cannot_be_changed(intent)
    _public_text(intent)
    problem: DeskError | None = st.session_state.get(_PROBLEM)
    if problem is not None:
        tell(problem)
    if isinstance(problem, OrderedAlready):
        # The second click of a double click lands here: only a typed word orders once more.
        typed = st.text_input(f"Type “{AGAIN}” to order the same once more", key="typed-again")
        word: str | None = AGAIN
        ready, label, key = typed.strip().lower() == AGAIN, "Order it again", "again"
    else:
        word, ready, label, key = None, True, "Confirm order", "confirm"
    with st.container(horizontal=True):
        st.button(
            label,
            type="primary",
            icon=":material/check:",
            key=key,
            disabled=not ready,
            on_click=_confirm,
            args=(intent_id, word),
        )
        st.button("Back to quotes", icon=":material/arrow_back:", on_click=_leave)


def _confirm(intent_id: str, typed: str | None = None) -> None:
    """Queue the draft. The argument is an id that never changes, not a widget's value."""
    try:
        runtime.desk().confirm(intent_id, typed=typed)
        st.session_state.pop(_PROBLEM, None)
    except DeskError as error:
        st.session_state[_PROBLEM] = error


def _leave() -> None:
    """Back to the prices; a draft expires by itself in the journal."""
    for key in (_CHOSEN, _PROBLEM):
        st.session_state.pop(key, None)
    st.query_params.pop(_DRAFT, None)


def _facts(intent: Intent, unit: MassUnit) -> None:
    with st.grid(3, min_column_width=180):
        st.metric("Price", money(intent.expected), border=True)
        st.metric("Most you will pay", money(intent.ceiling), border=True)
        if intent.quantity_g is not None:
            # A budget fixes the price; how much it buys is settled when the order is carried out.
            title = "About, CO2e" if intent.fixed == "budget" else "Mass, CO2e"
            st.metric(title, mass_text(intent.quantity_g, unit), border=True)
    mode = next(a.mode for a in runtime.desk().accounts if a.name == intent.account)
    st.badge(f"{mode} mode", color="red" if mode == "live" else "gray")
    recipient = _name_of(intent) or "the account itself"
    st.text(
        f"{intent.title}\n{provider(intent.provider)}, account {intent.account}, for {recipient}"
    )


def _name_of(intent: Intent) -> str | None:
    """The recipient as people know it, with its id, which is what is sent."""
    if intent.subaccount is None:
        return None
    names = {r.recipient_id: r.name for r in runtime.desk().recipients(intent.account)}
    return f"{names.get(intent.subaccount, 'recipient')} ({intent.subaccount})"


def _what_cannot_be_changed(intent: Intent) -> None:
    st.warning(
        "Credits are retired on the recipient's behalf once the provider carries the order out. "
        "A retirement cannot be undone; cancelling later withdraws the claim at most.",
        icon=":material/lock:",
    )
    st.caption(f"The draft is valid until {moment(intent.expires_at)}. The price may still move.")


def _public_text(intent: Intent) -> None:
    """Everything that leaves this machine with the order, except the credential."""
    with st.expander("Exactly what is sent", icon=":material/visibility:"):
        st.caption(f"Our random reference {literal(intent.request.reference)} names nobody.")
        scope = [f"{name}: {value}" for name, value in intent.request.headers]
        st.code(
            "\n".join([f"{intent.request.method} {intent.request.path}", *scope]), language=None
        )
        st.code(_pretty(intent.request.body), language="json")


def _pretty(body: bytes) -> str:
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except ValueError:
        return body.decode("utf-8", "replace")
