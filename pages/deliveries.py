"""Deliveries: tonnes by project and vintage, retired or held, and how we know."""

import streamlit as st

from lib.ui import deliveries, filters, frame, reconciliation, runtime

desk = runtime.desk()
frame.heading(
    "Deliveries",
    "Tonnes delivered per project and vintage, held against what each provider says itself.",
)
frame.freshness()
scope = filters.scope()
with st.container(horizontal=True, vertical_alignment="bottom"):
    unit = frame.unit_switch()
    by = deliveries.rows_switch()
    top = deliveries.size_switch()

delivered = desk.delivered(providers=scope.providers, accounts=scope.accounts)
if delivered.empty:
    frame.empty("No order matches here yet.")
else:
    deliveries.totals(delivered, unit)
    reconciliation.strip(desk.reconciliation(), scope)
    chosen = deliveries.chart(delivered, unit=unit, by=by, top=top)
    if chosen is not None:
        deliveries.proof(chosen, scope, unit)
    st.subheader("Project and vintage", anchor=False)
    deliveries.table(delivered, unit)
    reconciliation.table(desk.reconciliation(), scope, unit)
