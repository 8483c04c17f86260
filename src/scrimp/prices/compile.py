"""Placeholder that the price work replaces in its first commit."""
