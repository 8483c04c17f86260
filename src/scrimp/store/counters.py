"""Counters in memory: added to atomically over several keys, or not at all.

`Counters` is all a memory store needs; `TrackedCounters` also remembers what a writer has yet to write down.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping


class Counters:
    """Named integers behind one lock; a key that was never added to is 0."""

    def __init__(self, values: Mapping[str, int] | None = None) -> None:
        self._values = dict(values or {})
        self._lock = threading.Lock()

    def count(self, changes: Mapping[str, int], limits: Mapping[str, int] | None = None) -> str | None:
        """Add all `changes`, or name the first key that would grow past its limit and add none."""
        with self._lock:
            for key, change in changes.items():
                limit = limits.get(key) if limits and change > 0 else None
                if limit is not None and self._values.get(key, 0) + change > limit:
                    return key
            for key, change in changes.items():
                self._values[key] = self._values.get(key, 0) + change
            self._changed(changes)
        return None

    def snapshot(self, prefix: str = "") -> dict[str, int]:
        """The counters whose key starts with `prefix`, by key."""
        with self._lock:
            return {key: self._values[key] for key in sorted(self._values) if key.startswith(prefix)}

    def drop(self, keys: Iterable[str]) -> None:
        """Forget counters."""
        with self._lock:
            for key in keys:
                self._values.pop(key, None)
                self._dropped(key)

    def _changed(self, changes: Mapping[str, int]) -> None:
        """Called under the lock after an addition."""

    def _dropped(self, key: str) -> None:
        """Called under the lock after a drop."""


class TrackedCounters(Counters):
    """Counters that keep the differences a writer has not written yet: drops first, then sums."""

    def __init__(self, values: Mapping[str, int], wake: threading.Event) -> None:
        super().__init__(values)
        self._wake = wake
        self._drops: set[str] = set()
        self._sums: dict[str, int] = {}

    def take(self) -> tuple[set[str], dict[str, int]]:
        """What has changed since the last take."""
        with self._lock:
            taken = self._drops, self._sums
            self._drops, self._sums = set(), {}
        return taken

    def give_back(self, drops: set[str], sums: Mapping[str, int]) -> None:
        """Undo a take that could not be written."""
        with self._lock:
            for key, change in sums.items():
                if key not in self._drops:
                    self._sums[key] = self._sums.get(key, 0) + change
            self._drops |= drops

    def _changed(self, changes: Mapping[str, int]) -> None:
        for key, change in changes.items():
            self._sums[key] = self._sums.get(key, 0) + change
        if not self._wake.is_set():
            self._wake.set()

    def _dropped(self, key: str) -> None:
        self._sums.pop(key, None)
        self._drops.add(key)
        self._wake.set()
