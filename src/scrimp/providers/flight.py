"""A call on its way: who waits for it and how long it may still take.

One sweep over all flights four times a second enforces every time limit, so that no event of a stream pays for a
timer. Whoever ends a flight early says why before cancelling its task.
"""

from __future__ import annotations

import asyncio
import time
from typing import Literal

Why = Literal["", "client-left", "first-token", "idle", "total", "shutdown"]
SWEEP = 0.25
"""Seconds between two looks at the limits."""


class Flight:
    """One call in the air. Times are monotonic seconds; a limit of 0 is none."""

    __slots__ = ("first_token", "idle", "last", "started", "task", "total", "upstream", "why")

    def __init__(self, task: asyncio.Task[object]) -> None:
        self.task = task
        self.started = time.monotonic()
        self.last = self.started
        self.upstream = False
        self.why: Why = ""
        self.first_token = self.idle = self.total = 0.0

    def end(self, why: Why) -> None:
        """Cancel the flight's task, once, and say why."""
        if not self.why:
            self.why = why
            self.task.cancel()

    def check(self, now: float) -> None:
        """End the flight when one of its limits has passed."""
        if self.total and now - self.started > self.total:
            self.end("total")
        elif self.upstream and self.idle and now - self.last > self.idle:
            self.end("idle")
        elif not self.upstream and self.first_token and now - self.last > self.first_token:
            self.end("first-token")


class Tower:
    """All flights of a world."""

    def __init__(self) -> None:
        self.flights: set[Flight] = set()
        self._sweeper: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Start looking at the limits."""
        self._sweeper = asyncio.get_running_loop().create_task(self._sweep())

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP)
            now = time.monotonic()
            for flight in tuple(self.flights):
                flight.check(now)

    async def close(self) -> None:
        """Stop looking, and end what still flies."""
        if self._sweeper is not None:
            self._sweeper.cancel()
        for flight in tuple(self.flights):
            flight.end("shutdown")
        if self.flights:
            await asyncio.wait([flight.task for flight in self.flights], timeout=2.0)
