"""The first half of an audit: logs to rows in the working file, by as many processes as there are cores.

What was read is kept piece by piece, so a killed audit goes on where it stood; the same bytes are never read twice
into the numbers: not of a file that is named twice, nor of two files that overlap.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Protocol

import msgspec

from scrimp.audit import framing
from scrimp.audit.database import RecordLines
from scrimp.audit.detect import HEAD, Known, detect
from scrimp.audit.formats.base import Options
from scrimp.audit.framing import Piece
from scrimp.audit.piece import Filter, Job
from scrimp.audit.pool import Pool, cores
from scrimp.audit.sources import Source
from scrimp.audit.work import Work
from scrimp.config import Config
from scrimp.errors import ScrimpError

SMALL = 4 * 1024 * 1024
"""Bytes of all logs together up to which one process reads them."""


ROWS = 5_000
"""Rows of a piece at the most, roughly: results lie in memory until they are taken in."""


class Wanted(msgspec.Struct, frozen=True):
    """What is asked of an audit, beside its logs. Times in ns since the epoch; `columns`: meaning -> column.

    `ttl`: how long an exact repeat may be answered from store, ns. `sample`: at most so many calls (0: all).
    `show_text`: whether example calls are shown with their prompts. `jobs`: processes (0: as fits).
    """

    format: str = ""
    model: str = ""
    columns: dict[str, str] = {}
    since: int | None = None
    until: int | None = None
    feature: str = ""
    sample: int = 0
    ttl: int = 24 * 3_600_000_000_000
    show_text: bool = False
    jobs: int = 0


class Log(msgspec.Struct):
    """One log that was read. `size`: bytes on disk; `trouble`: why it could not be read to its end, "" if it could."""

    path: str
    format: str
    title: str
    missing: tuple[str, ...]
    size: int
    trouble: str = ""
    same_as: str = ""
    preview: str = ""


class NoLog(ScrimpError):
    """A file that is no log we know."""


class Progress(Protocol):
    """Told while logs are read: the log's name, bytes read and in all (0: unknown), calls found so far in all logs."""

    def __call__(self, name: str, done: int, size: int, calls: int) -> None:
        """Show it."""
        ...


class Reading:
    """Reads logs into a working file."""

    def __init__(self, work: Work, wanted: Wanted, config: Config, progress: Progress | None = None) -> None:
        self._work = work
        self._wanted = wanted
        self._config = config
        self._progress = progress
        self._calls = 0
        self._below = 0
        self.logs: list[Log] = []

    def read(self, paths: Sequence[str]) -> list[Log]:
        """Read everything. Raises ScrimpError for logs that cannot be read or are none; what was read is kept."""
        wanted = self._wanted
        sources = [Source(path) for path in paths]
        try:
            whole = sum(one.size for one in sources)
            unsized = any(not one.size for one in sources)
            jobs = wanted.jobs or (cores() if unsized or whole > SMALL else 1)
            chosen = Filter(wanted.since, wanted.until, wanted.feature)
            with Pool(self._config, wanted.model, chosen, jobs) as pool:
                for number, source in enumerate(sources):
                    try:
                        self._read_one(pool, number, source)
                    except NoLog as error:
                        self._leave_out(source, error, len(sources))
        finally:
            for source in sources:
                source.close()
        return self.logs

    def _leave_out(self, source: Source, error: NoLog, sources: int) -> None:
        """One file among others that is no log is named in the report; alone it is an error."""
        if sources == 1:
            raise error
        self.logs.append(Log(source.name, "", "left out", (), source.size, trouble=f"{error.message}; left out"))

    def _read_one(self, pool: Pool, number: int, source: Source) -> None:
        options = Options(self._wanted.columns, self._wanted.model)
        feed = Feed(source)
        try:
            known = detect(source.name, feed.head, self._wanted.format, options)
        except ScrimpError as error:
            raise NoLog(error.message, hint=error.hint) from None
        form = known.format
        job = Job(number, form.name, known.layout, known.options, known.layout.columns or known.sample.columns)
        log = Log(source.name, form.name, form.title, form.missing, source.size, preview=_preview(known))
        self.logs.append(log)
        tasks = self._tasks(job, feed, min(framing.PIECE, ROWS * feed.row_bytes))
        if form.ordered:
            self._work.forget(number, 0, 0)
        for (place, digest), result in pool.read(tasks, form.ordered):
            self._work.add(number, place, digest, result)
            if self._wanted.sample:
                self._below = self._work.keep_sample(self._wanted.sample)
            self._calls += result.calls
            self._tell(source)
        log.trouble = source.trouble
        self._check_same(number, log, feed.digest.hexdigest())

    def _tasks(self, job: Job, feed: Feed, size: int) -> Iterator[tuple[tuple[int, bytes], Job, Piece]]:
        for place, piece in enumerate(framing.pieces(job.layout, feed.read, size)):
            digest = hashlib.blake2b(piece.data, digest_size=16).digest()
            if self._work.is_done(job.file, place, digest):
                continue
            self._work.forget(job.file, place, piece.line)
            yield (place, digest), msgspec.structs.replace(job, below=self._below), piece

    def _check_same(self, number: int, log: Log, digest: str) -> None:
        """Leave a file out that is byte for byte another one, which rows without ids would not tell."""
        found = self._work.rows("SELECT path FROM files WHERE digest = ? AND number < ?", (digest, number))
        log.same_as = next((path for (path,) in found), "")
        self._work.note_file(number, log.path, log.format, digest)
        if log.same_as:
            self._work.drop_calls(number)

    def _tell(self, source: Source) -> None:
        if self._progress is not None:
            self._progress(source.name, source.position(), source.size, self._calls)


class Feed:
    """A source's bytes, its beginning seen before it is read; `digest` is of all that was read."""

    def __init__(self, source: Source) -> None:
        self._bytes: Source | RecordLines = RecordLines(source.path) if source.is_database else source
        self.digest = hashlib.blake2b(digest_size=16)
        self.head = self._fill(HEAD)
        if not self.head:
            raise NoLog(f"{source.name} is empty", hint=source.trouble)
        self._rest = self.head
        self.row_bytes = len(self.head) // (self.head.count(b"\n") or 1) + 1

    def _fill(self, size: int) -> bytes:
        """Exactly `size` bytes, fewer at the end: pieces must not depend on how a pipe is filled."""
        parts = []
        while size and (data := self._bytes.read(size)):
            parts.append(data)
            size -= len(data)
        return b"".join(parts)

    def read(self, size: int) -> bytes:
        """The next bytes, in order from the first."""
        data, self._rest = self._rest[:size], self._rest[size:]
        if len(data) < size:
            data += self._fill(size - len(data))
        self.digest.update(data)
        return data


def _preview(known: Known) -> str:
    if known.format.name != "generic":
        return ""
    from scrimp.audit.formats.generic import preview

    return preview(known.layout.columns or known.sample.columns, known.options)
