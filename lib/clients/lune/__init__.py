"""The Lune API v1 client."""
