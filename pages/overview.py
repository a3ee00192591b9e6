"""Overview: what was bought, what arrived, what is still to come, and what needs a look."""

from lib.ui import data, filters, frame, overview, runtime

unit = frame.heading("Overview", "What was bought, what arrived, and what is still to come.")

scope = filters.headlines()
orders = scope.of(data.orders()).query("side == 'bought'")
if orders.empty:
    frame.empty("No orders yet.")
else:
    overview.measures(orders, unit)
overview.attention(data.alarms(), data.reconciliation(), data.unmatched())
if not orders.empty:
    overview.picture(data.delivered(scope), unit)
overview.accounts(runtime.desk().freshness())
