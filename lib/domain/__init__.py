"""The desk's own words as types: mass, money, serial numbers, quotes, orders, ledger rows.

Pure: imports nothing of ours and nothing that does I/O. Everyone above may import it.
"""
