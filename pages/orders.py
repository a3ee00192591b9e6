"""Orders: what was ordered, where each tonne is, and what became of what was confirmed here."""

import streamlit as st

from lib.ui import frame, intents, orders, runtime, supplying

desk = runtime.desk()
unit = frame.heading(
    "Orders", "Every order of every account, and what became of those confirmed here."
)

if intent_id := st.query_params.get("intent"):
    with frame.told():
        intents.follow(intent_id, unit)

every = desk.orders()
if every.empty:
    frame.empty("No orders yet.")
else:
    picked = orders.table(orders.filtered(every), unit)
    if picked is not None:
        orders.detail(picked, unit)

st.subheader("Confirmed on this desk", anchor=False)
intents.history()

if any(a.provider == "isometric" for a in desk.accounts) and not desk.settings.read_only:
    st.subheader("Deliver as a supplier", anchor=False)
    if st.toggle("Show the delivery form", key="deliver_form"):
        supplying.form(unit)
