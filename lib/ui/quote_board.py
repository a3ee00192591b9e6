"""The answer to a question for prices: estimates, and every offer side by side."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from ..charts.style import elided
from ..domain.quotes import Estimate, Quote, QuoteBoard
from . import placing, runtime, tables
from .download import inert_table
from .format import MassUnit, in_unit, mass_text, moment, money, provider
from .quote_inputs import Wish
from .text import literal

#: Session keys: the question last asked, and its answer (prices, no credentials).
_ASKED, _ANSWER = "quotes_asked", "quotes_answer"
_DESCRIPTION_LENGTH = 160


def ask(wish: Wish) -> QuoteBoard | None:
    """The button, and the answer to the question last asked; asks again for another basis."""
    pressed = st.button("Get quotes", type="primary", icon=":material/price_check:")
    if pressed:
        _answer(wish, basis=None)
    board: QuoteBoard | None = st.session_state.get(_ANSWER)
    if board is not None and st.session_state[_ASKED] != wish:
        st.caption("The question changed since these prices were given: get quotes again.")
    return board


def _answer(wish: Wish, basis: str | None) -> None:
    with st.spinner("Asking every provider for prices…", show_time=True):
        board = runtime.desk().quote(
            mass=wish.mass_g, unit="g", budget=wish.budget, activity=wish.activity, basis=basis
        )
    st.session_state[_ASKED], st.session_state[_ANSWER] = wish, board


def estimates(board: QuoteBoard, unit: MassUnit) -> None:
    """Each provider's own calculation, and the choice whose figure is the mass for all."""
    if not board.estimates:
        return
    st.subheader("Estimated emissions", anchor=False)
    by_account = {estimate.account: estimate for estimate in board.estimates}
    chosen = st.radio(
        "Whose calculation sets the mass",
        list(by_account),
        index=list(by_account).index(board.basis) if board.basis in by_account else 0,
        format_func=lambda name: _estimate_title(by_account[name], unit),
        captions=[literal(estimate.method) for estimate in board.estimates],
        key=f"basis-{board.activity}",
    )
    if chosen != board.basis:
        _answer(st.session_state[_ASKED], basis=chosen)
        st.rerun()


def _estimate_title(estimate: Estimate, unit: MassUnit) -> str:
    return literal(
        f"{provider(estimate.provider)} ({estimate.account}): {mass_text(estimate.mass_g, unit)}"
    )


def offers(board: QuoteBoard, unit: MassUnit) -> None:
    """A card per offer, and below them why some gave no price."""
    if board.mass_g is not None:
        what = f"{mass_text(board.mass_g, unit)} CO2e"
    else:
        what = f"a budget of {money(board.budget)}"
    st.subheader(f"Prices for {what}", anchor=False)
    if board.activity:
        st.caption(literal(board.activity))
    with st.grid("auto", min_column_width=290):
        for index, quote in enumerate(board.quotes):
            with st.container(border=True, height="stretch"):
                _card(quote, index, unit)
    for failure in board.failures:
        name = f"{failure.offer_name}, " if failure.offer_name else ""
        text = f"{name}{provider(failure.provider)} ({failure.account}): {failure.reason}"
        st.caption(":material/info: " + literal(text))


def _card(quote: Quote, index: int, unit: MassUnit) -> None:
    """One offer: price first, then what it stands for, then the button that goes on to order."""
    offer = quote.offer
    st.caption(literal(f"{provider(quote.provider)} {offer.kind} · {quote.account}"))
    st.markdown(f"##### {literal(offer.name)}")
    st.metric("Total with fees", money(quote.price))
    lines = [
        f"{money(quote.price_per_tonne)} per tonne" if quote.price_per_tonne else "",
        f"fee {money(quote.fee)}" if quote.fee else "fee included, amount not stated",
        f"for {mass_text(quote.mass_g, unit)}" if quote.by == "budget" else "",
    ]
    st.caption(literal(", ".join(line for line in lines if line)))
    with st.container(horizontal=True, gap="xsmall"):
        st.badge(literal(_impact(quote)), color="gray")
        if quote.shortfall:
            st.badge("Not enough stock now", icon=":material/warning:", color="orange")
    if offer.description:
        st.markdown(literal(elided(offer.description, _DESCRIPTION_LENGTH)))
    st.caption(literal(f"Durability: {offer.durability or 'not provided'}"))
    st.space("stretch")
    if not runtime.desk().settings.read_only:
        st.button(
            "Order",
            key=f"order-{index}",
            icon=":material/shopping_cart:",
            on_click=placing.choose,
            args=(quote,),
        )


def _impact(quote: Quote) -> str:
    impact = quote.offer.impact_type
    return f"impact type {impact}" if impact == "not provided" else impact


def table(board: QuoteBoard, unit: MassUnit) -> None:
    """The same as a table that sorts and downloads. Unlike currencies are never compared."""
    rows = [
        {
            "Offer": quote.offer.name,
            "Provider": provider(quote.provider),
            "Account": quote.account,
            "Mass": in_unit(quote.mass_g, unit),
            "Price": quote.price.amount,
            "Currency": quote.price.currency,
            "Per tonne": quote.price_per_tonne.amount if quote.price_per_tonne else None,
            "Fee": quote.fee.amount if quote.fee else None,
            "Impact type": quote.offer.impact_type,
            "Durability": quote.offer.durability or "not provided",
            "Shortfall": {True: "yes", False: "no", None: "not stated"}[quote.shortfall],
            "Quoted at": moment(quote.quoted_at),
        }
        for quote in board.quotes
    ]
    if not rows:
        return
    frame = pd.DataFrame(rows).rename(columns=tables.titled({"Mass": "Mass"}, unit))
    number = st.column_config.NumberColumn
    with st.expander("Compare as a table", icon=":material/table:"):
        st.dataframe(
            inert_table(frame),
            hide_index=True,
            column_config={
                **tables.mass_config({"Mass": "Mass"}, unit),
                **{name: number(format="%,.2f") for name in ("Price", "Per tonne", "Fee")},
            },
        )
        st.caption("Prices are indicative: no provider states how long it holds one.")
        tables.download("Download as CSV", frame, "quotes.csv")
