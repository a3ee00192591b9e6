"""A local server that speaks the three providers' APIs. Imports nothing else of ours."""
