"""CNaught as a Seller."""
