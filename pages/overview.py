"""Overview: what was bought, what arrived, what is still to come, and what needs a look."""

from lib.ui import frame, overview, runtime

desk = runtime.desk()
unit = frame.heading("Overview", "What was bought, what arrived, and what is still to come.")

orders = desk.orders(side="bought")
if orders.empty:
    frame.empty("No orders yet.")
else:
    overview.measures(orders, unit)
    overview.attention(desk.alarms(), desk.reconciliation(), desk.unmatched())
    overview.picture(desk.delivered(), unit)
overview.accounts(desk.freshness())
