"""Overview: what was bought, what arrived, what is still to come, and what needs a look."""

from lib.ui import data, frame, overview, runtime

unit = frame.heading("Overview", "What was bought, what arrived, and what is still to come.")

orders = data.orders().query("side == 'bought'")
if orders.empty:
    frame.empty("No orders yet.")
else:
    overview.measures(orders, unit)
    overview.attention(data.alarms(), data.reconciliation(), data.unmatched())
    overview.picture(data.delivered(), unit)
overview.accounts(runtime.desk().freshness())
