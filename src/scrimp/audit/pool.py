"""The processes that read: as many as there are cores, fed with pieces, giving results in the order of the pieces.

Small logs are read in this process: starting others would take longer than the work.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import TypeVar

from scrimp.audit.framing import Piece
from scrimp.audit.piece import Filter, Job, Reader, Result
from scrimp.audit.worker import Start, receive, send
from scrimp.config import Config
from scrimp.errors import ScrimpError

Tag = TypeVar("Tag")
WAITING = 2
"""Pieces that wait for each process, so that none is idle while a result is taken in."""


def cores() -> int:
    """The cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Process:
    """One worker process."""

    def __init__(self, start: Start) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "scrimp.audit.worker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._ready = False
        self._start = start

    def read(self, job: Job, piece: Piece) -> Result:
        """The result of a piece; ScrimpError where the process died over it."""
        given, taken = self._process.stdin, self._process.stdout
        assert given is not None and taken is not None
        try:
            if not self._ready:
                send(given, self._start)
                self._ready = receive(taken, Result) is not None
            send(given, (job, piece))
            result = receive(taken, Result)
        except OSError:
            result = None
        if result is None:
            raise ScrimpError(
                f"a reading process ended over line {piece.line} of file {job.file + 1}",
                hint="Run again with --resume: what was read is kept",
            )
        return result

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()


class Pool:
    """Reads pieces with `jobs` processes; with one, in this process. Use it as a context manager."""

    def __init__(self, config: Config, model: str, chosen: Filter, jobs: int) -> None:
        self._start = Start(config, model, chosen)
        self._jobs = jobs
        self._here: Reader | None = None
        self._processes: list[Process] = []

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.close()

    def _read_here(self, job: Job, piece: Piece) -> Result:
        if self._here is None:
            self._here = Reader(self._start.config, self._start.model, self._start.chosen)
        return self._here.read(job, piece)

    def read(self, tasks: Iterable[tuple[Tag, Job, Piece]], ordered: bool) -> Iterator[tuple[Tag, Result]]:
        """The result of each task, in their order; `ordered`: one reader has to read them all."""
        if self._jobs == 1 or ordered:
            for tag, job, piece in tasks:
                yield tag, self._read_here(job, piece)
            return
        idle: SimpleQueue[Process] = SimpleQueue()
        while len(self._processes) < self._jobs:
            self._processes.append(Process(self._start))
        for process in self._processes:
            idle.put(process)

        def work(job: Job, piece: Piece) -> Result:
            process = idle.get()
            try:
                return process.read(job, piece)
            finally:
                idle.put(process)

        under_way: deque[tuple[Tag, Future[Result]]] = deque()
        threads = ThreadPoolExecutor(self._jobs)
        try:
            for tag, job, piece in tasks:
                under_way.append((tag, threads.submit(work, job, piece)))
                if len(under_way) >= self._jobs * WAITING:
                    first, done = under_way.popleft()
                    yield first, done.result()
            for first, done in under_way:
                yield first, done.result()
        finally:
            threads.shutdown(cancel_futures=True)
