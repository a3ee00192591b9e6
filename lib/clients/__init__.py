"""The cached, typed client library of the three APIs. Imports nothing else of ours."""
