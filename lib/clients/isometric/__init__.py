"""The Isometric Registry API v0 client."""
