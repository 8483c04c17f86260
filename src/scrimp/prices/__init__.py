"""Prices: the price library compiled to a small table, the user's own prices over it, rates by class and tier."""
