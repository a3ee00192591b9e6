"""Deliveries: tonnes by project and vintage, retired or held, and how we know."""

from lib.ui import deliveries, filters, frame, reconciliation, runtime

desk = runtime.desk()
unit = frame.heading(
    "Deliveries",
    "Tonnes delivered per project and vintage, held against what each provider says itself.",
)
scope = filters.scope()
delivered = desk.delivered(providers=scope.providers, accounts=scope.accounts)
if delivered.empty:
    frame.empty("No order matches here yet.")
else:
    deliveries.totals(delivered, unit)
    reconciliation.strip(desk.reconciliation(), scope)
    chosen = deliveries.picture(delivered, unit)
    if chosen is not None:
        deliveries.proof(chosen, scope, unit)
    deliveries.table(delivered, unit)
    reconciliation.table(desk.reconciliation(), scope, unit)
