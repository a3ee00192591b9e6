"""Deliveries: tonnes by project and vintage, retired or held, and how we know."""

from lib.ui import data, deliveries, filters, frame, reconciliation

unit = frame.heading(
    "Deliveries",
    "Tonnes delivered per project and vintage, held against what each provider says itself.",
)
scope = filters.scope()
delivered = data.delivered(scope)
if delivered.empty:
    frame.empty("No order matches here yet.")
else:
    deliveries.totals(delivered, unit)
    reconciliation.strip(data.reconciliation(), scope)
    chosen = deliveries.picture(delivered, unit)
    if chosen is not None:
        deliveries.proof(chosen, scope, unit)
    deliveries.table(delivered, unit)
    reconciliation.table(data.reconciliation(), scope, unit)
