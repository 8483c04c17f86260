"""Bytes to meaning: requests to an Ask, answers and streams to Usage. No I/O here."""
