"""Connections: which accounts this desk has, whether they work, and the sandbox's clock."""

from lib.ui import connections, frame, runtime

desk = runtime.desk()
frame.heading("Connections", "The accounts of this desk, without their credentials.")
state = desk.freshness()
for account in desk.accounts:
    connections.card(account, state)
connections.sync_all()
if desk.embedded_sandbox_url:
    connections.sandbox_clock(desk.embedded_sandbox_url)
