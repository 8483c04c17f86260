"""Puts this folder on the path, so that the tests of the formats can import what they share."""
