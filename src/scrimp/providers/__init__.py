"""Providers: where an answer comes from, and the one way to open it."""
