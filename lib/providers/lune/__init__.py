"""Lune as a Seller."""
