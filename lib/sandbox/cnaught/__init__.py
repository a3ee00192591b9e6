"""The CNaught API of the sandbox."""
