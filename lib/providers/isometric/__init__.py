"""The Isometric registry as a Registry."""
