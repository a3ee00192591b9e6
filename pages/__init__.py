"""One file per screen: inputs, one call, render."""
