"""The Lune API of the sandbox."""
