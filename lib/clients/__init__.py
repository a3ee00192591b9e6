"""The cached, typed client library for CNaught, Lune and Isometric. Imports nothing else of ours."""
