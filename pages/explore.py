"""Explore: the whole ledger, filtered, grouped and downloaded."""

from lib.ui import data, explore, filters, frame

unit = frame.heading("Explore", "Every row of the ledger: filter it, group it, take it with you.")
scope = filters.scope()

ledger = data.ledger(scope)
if ledger.empty:
    frame.empty("The ledger has no row here.")
else:
    chosen = explore.filtered(ledger)
    explore.chart(chosen, unit)
    explore.table(chosen, unit)
