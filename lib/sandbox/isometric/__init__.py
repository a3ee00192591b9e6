"""The Isometric registry of the sandbox."""
