"""What the desk can do: quoting, ordering, syncing, reporting.

May import providers, store and domain; only desk.py imports it.
"""
