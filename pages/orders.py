"""Orders: what was ordered, where each tonne is, and what became of what was confirmed here."""

import streamlit as st

from lib.ui import data, frame, intents, orders, supplying

unit = frame.heading(
    "Orders", "Every order of every account, and what became of those confirmed on this desk."
)

if intent_id := st.query_params.get("intent"):
    with frame.told():
        intents.follow(intent_id, unit)

every = data.orders()
if every.empty:
    frame.empty("No orders yet.")
else:
    picked = orders.table(orders.filtered(every), unit)
    if picked is not None:
        orders.detail(picked, unit)

intents.history()
supplying.section(unit)
