"""One piece of a log, from bytes to rows: what a process of the audit does, and all that it needs for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import msgspec

from scrimp.audit.detect import named
from scrimp.audit.entry import BadRecord, Entry
from scrimp.audit.formats.base import Options, Read
from scrimp.audit.framing import Layout, Piece, rows
from scrimp.audit.prefix import Memory
from scrimp.audit.replay import CallRow, Replay
from scrimp.config import Config
from scrimp.report.labels import clean

MOST_SHOWN = 20
"""Damaged rows of a piece that are kept with line and reason; all are counted."""


class Filter(msgspec.Struct, frozen=True):
    """Which calls count: times in ns since the epoch, `until` not included; `feature` "" is any."""

    since: int | None = None
    until: int | None = None
    feature: str = ""


class Job(msgspec.Struct, frozen=True):
    """How a log is to be read. `below`: of a sample, only calls whose hash is below this (0: all)."""

    file: int
    format: str
    layout: Layout
    options: Options = Options()
    columns: tuple[str, ...] = ()
    below: int = 0


class Result(msgspec.Struct):
    """What a piece gave: `calls` are its entries, `left` those a filter left out, `others` rows that are no call."""

    rows: list[CallRow] = []
    calls: int = 0
    left: int = 0
    others: int = 0
    skipped: int = 0
    reasons: dict[str, int] = {}
    shown: list[tuple[int, str]] = []


class Reader:
    """Reads pieces; one a process. A format whose rows speak of earlier rows keeps its reader from piece to piece."""

    def __init__(self, config: Config, model: str, chosen: Filter) -> None:
        self._replay = Replay(config, model, Memory())
        self._chosen = chosen
        self._open: dict[int, Read] = {}

    def read(self, job: Job, piece: Piece) -> Result:
        """The rows of a piece."""
        self._replay.prompts = Memory()
        read = self._open.get(job.file)
        if read is None:
            read = self._open[job.file] = named(job.format).open(job.columns, job.options)
        result = Result()
        reasons: Counter[str] = Counter()
        for line, row in rows(job.layout, piece):
            try:
                if isinstance(row, BadRecord):
                    raise row
                entries: Iterable[Entry] = read(row)
                nth = 0
                for entry in entries:
                    self._keep(self._replay.row(entry, job.file, line, nth), job.below, result)
                    nth += 1
                result.others += not nth
            except BadRecord as error:
                reason = clean(str(error))[:160]
                reasons[reason] += 1
                if len(result.shown) < MOST_SHOWN:
                    result.shown.append((line, reason))
        result.skipped = reasons.total()
        result.reasons = dict(reasons.most_common(MOST_SHOWN))
        return result

    def _keep(self, row: CallRow, below: int, result: Result) -> None:
        result.calls += 1
        if not self._is_chosen(row):
            result.left += 1
        elif not below or row.id < below:
            result.rows.append(row)

    def _is_chosen(self, row: CallRow) -> bool:
        """Whether a call is one that was asked for; where a time was, those without one are not."""
        chosen = self._chosen
        if chosen.since is not None and (row.at is None or row.at < chosen.since):
            return False
        if chosen.until is not None and (row.at is None or row.at >= chosen.until):
            return False
        return not chosen.feature or row.feature == chosen.feature
