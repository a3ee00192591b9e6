"""The CNaught API v1 client."""
