"""The audit, whole: read the logs, sum what was spent, ask each strategy in its order what it would have saved."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from scrimp import __version__
from scrimp.audit.detect import named
from scrimp.audit.findings import answers, cheaper, outliers, prompt_cache, repeats, retries
from scrimp.audit.findings.spend import DAY, spend
from scrimp.audit.prefix import Memory
from scrimp.audit.reading import Log, Progress, Reading, Wanted
from scrimp.audit.replay import Replay
from scrimp.audit.report import Advice, Report, Sampled
from scrimp.audit.sources import STDIN, expand
from scrimp.audit.texts import fill
from scrimp.audit.work import Work
from scrimp.config import Config, load
from scrimp.errors import ScrimpError
from scrimp.prices.book import When, as_ns
from scrimp.prices.table import folders, is_private
from scrimp.store.base import HOUR
from scrimp.world import World

PLAN: tuple[Callable[[Work, World, Wanted], list[Advice]], ...] = (repeats.advise, cheaper.advise, prompt_cache.advise)
"""The strategies in pipeline order: each finds what the ones before it left."""
KEPT_FROM = 32 * 1024 * 1024
"""Bytes of logs from which on what was read is kept on disk until the audit is done, so that it can be resumed."""
MONTH = 30
YEAR = 365 * DAY
"""Times before this count from the start of a trace, not from 1970."""
STALE = 7 * 86_400
"""Seconds after which what an audit left behind is deleted."""
MOST_SKIPPED = 20


def audit(
    paths: str | Path | Iterable[str | Path], *, model: str = "", format: str = "",
    columns: Mapping[str, str] | None = None, since: When = None, until: When = None, feature: str = "",
    sample: int = 0, ttl: float = 86_400.0, show_text: bool = False, resume: bool = False,
    config: Config | str | None = None
) -> Report:  # fmt: skip
    """What recorded calls cost and what could have been saved, as `scrimp audit` tells it; sends nothing.

    `paths`: log files, folders of them, "-" for standard input. `model`: for calls that name none. `columns`: what a
    log's columns mean, meaning -> column. `since`, `until` (not included): as `when` of `scrimp.price`. `sample`: look
    at so many calls at the most (0: all). `ttl`: seconds for which an exact repeat may be answered from store.
    `show_text`: keep the prompts of example calls. `resume`: go on where an audit of these logs was ended.
    Raises ScrimpError where a log cannot be read, is none, or holds no call that was asked for.
    """
    named = [paths] if isinstance(paths, str | Path) else paths
    wanted = Wanted(
        format=format, model=model, columns=dict(columns or {}), since=as_ns(since), until=as_ns(until),
        feature=feature, sample=sample, ttl=round(ttl * 10**9), show_text=show_text
    )  # fmt: skip
    found = config if isinstance(config, Config) else load(config, (), os.environ)
    return run([str(path) for path in named], wanted, found, resume=resume)


def run(
    paths: Sequence[str],
    wanted: Wanted,
    config: Config,
    progress: Progress | None = None,
    resume: bool = False,
) -> Report:
    """Audit logs: files, folders, "-" for standard input. Sends nothing.

    `resume`: go on with what an audit of the same logs left when it was killed. Raises ScrimpError where a log cannot
    be read, is no log we know, or holds no call.
    """
    if not wanted.show_text and config.attribute.fingerprint == "words":  # they are words of prompts
        attribute = msgspec.structs.replace(config.attribute, fingerprint="hash")
        config = msgspec.structs.replace(config, attribute=attribute)
    if wanted.format:
        named(wanted.format)
    paths = list(expand(paths))
    place = working_file(paths, wanted, config)
    work = _open(place, resume)
    try:
        reading = Reading(work, wanted, config, progress)
        logs = reading.read(paths)
        report = conclude(work, wanted, config, logs)
    finally:
        work.close()
    if place is not None:
        _remove(place)
    return report


def working_file(paths: Sequence[str], wanted: Wanted, config: Config) -> Path | None:
    """Where what is read of these files, as they are now, is kept; None where they are small and soon read again."""
    named = [os.path.realpath(path) if path != STDIN else STDIN for path in paths]
    facts = [(path, *_facts(path)) for path in named]
    if sum(size for _, size, _ in facts) < KEPT_FROM and STDIN not in named:
        return None
    asked = msgspec.json.encode((__version__, facts, wanted, config.models, config.attribute))
    name = f"audit-{hashlib.blake2b(asked, digest_size=12).hexdigest()}.db"
    for folder in folders():
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError:
            continue
        if is_private(folder) and os.access(folder, os.W_OK):
            for old in folder.glob("audit-*"):
                if time.time() - old.stat().st_mtime > STALE:
                    old.unlink(missing_ok=True)
            return folder / name
    return Path(tempfile.mkdtemp(prefix="scrimp-"), name)


def _facts(path: str) -> tuple[int, int]:
    try:
        found = os.stat(path)
    except OSError:
        return 0, 0
    return found.st_size, found.st_mtime_ns


def _open(place: Path | None, resume: bool) -> Work:
    if place is None:
        return Work()
    try:
        if not resume:
            _remove(place)
        place.touch(mode=0o600)
        return Work(place)
    except (OSError, sqlite3.Error) as error:
        raise ScrimpError(f"{place}: what is read cannot be kept: {error}", hint="Delete the file") from None


def _remove(place: Path) -> None:
    for ending in ("", "-wal", "-shm", "-journal"):
        Path(f"{place}{ending}").unlink(missing_ok=True)


def conclude(work: Work, wanted: Wanted, config: Config, logs: list[Log]) -> Report:
    """The report of what is in a working file."""
    if not work.one("SELECT COUNT(*) FROM calls")[0]:
        raise ScrimpError(_nothing(work, wanted, logs))
    world = Replay(config, wanted.model, Memory()).world
    work.begin_advice()
    advice = [one for advise in PLAN for one in advise(work, world, wanted)]
    report = Report(logs=logs, spend=spend(work), ttl=wanted.ttl)
    report.advice = sorted(
        (one for one in advice if one.saves > 0), key=lambda one: (-one.saves, one.strategy, one.title)
    )
    report.outliers = outliers.find(work)
    report.repetitions = retries.find(work)
    report.answers = answers.find(work)
    report.prefixes = prompt_cache.find(work)
    _count(work, wanted, report)
    _tell_prices(work, report)
    _project(work, report)
    report.missing = list(_missing(work, logs))
    report.shows_text = wanted.show_text
    if wanted.show_text:
        fill(report.examples, wanted)
    return report


def _count(work: Work, wanted: Wanted, report: Report) -> None:
    """Where every row that was read went."""
    calls, left, others, skipped = work.one(
        "SELECT COALESCE(SUM(calls), 0), COALESCE(SUM(left), 0), COALESCE(SUM(others), 0), COALESCE(SUM(skipped), 0)"
        " FROM pieces"
    )
    rows, overlap, untimed = work.one("SELECT COUNT(*), SUM(overlap), SUM(at IS NULL) FROM calls")
    report.calls, report.failed = report.spend.total.calls, report.spend.total.failed
    report.left, report.others, report.skipped = left, others, skipped
    report.untimed, report.overlap = untimed, overlap
    if wanted.sample and rows < calls - left:
        report.sampled = _sampled(work, rows, calls - left)
    else:
        report.duplicates = calls - left - rows
    report.skipped_rows = [
        (report.logs[file].path, line, reason)
        for file, line, reason in work.rows(
            "SELECT file, line, reason FROM skipped ORDER BY file, line LIMIT ?", (MOST_SKIPPED,)
        )
    ]
    report.skipped_reasons = list(
        _pairs(work, "SELECT reason, SUM(rows) FROM reasons GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 20")
    )


def _sampled(work: Work, calls: int, of: int) -> Sampled:
    """The total of all calls by a simple random sample without replacement, with its 95 % interval (normal)."""
    total, squares = work.one("SELECT SUM(paid * 1.0), SUM(paid * 1.0 * paid) FROM calls")
    mean = total / calls
    spread = max(0.0, squares / calls - mean * mean) * calls / max(1, calls - 1)
    error = 1.96 * of * (spread / calls * (1 - calls / of)) ** 0.5
    return Sampled(calls, of, round(mean * of), max(0, round(mean * of - error)), round(mean * of + error))


def _tell_prices(work: Work, report: Report) -> None:
    report.unpriced_reasons = list(
        _pairs(
            work, "SELECT unpriced, SUM(calls) FROM calls WHERE unpriced <> '' GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 50"
        )
    )
    (report.unpriced_tokens,) = work.one(
        "SELECT COALESCE(SUM(input_total + output_total), 0) FROM calls WHERE unpriced <> ''"
    )
    flags: dict[str, int] = {}
    for text, calls in _pairs(work, "SELECT flags, SUM(calls) FROM calls WHERE flags <> '' GROUP BY 1"):
        for flag in text.split(","):
            flags[flag] = flags.get(flag, 0) + calls
    report.flags = dict(sorted(flags.items()))
    report.logged, report.logged_calls, report.logged_paid = work.one(
        "SELECT COALESCE(SUM(logged), 0), COALESCE(SUM(calls), 0), COALESCE(SUM(paid), 0) FROM calls"
        " WHERE logged IS NOT NULL AND unpriced = ''"
    )


def _project(work: Work, report: Report) -> None:
    """The span of the calls, and what a month costs at this pace; a log of whole days ends a day after its last one.

    Times that count from the start of a trace are left out where others name their day.
    """
    first, last, whole_days, paid = work.one(
        f"SELECT MIN(at), MAX(at), MIN(aggregate OR at % {DAY} = 0), SUM(paid) FROM calls WHERE at >= ("
        f" SELECT MAX(at) >= {YEAR} FROM calls) * {YEAR}"
    )
    if first is None:
        return
    span = last - first + (DAY if whole_days else 0)
    report.days = span / DAY
    if span >= HOUR:
        report.month = paid * MONTH * DAY // span
    if report.month and report.sampled:
        report.month = report.month * report.sampled.of // report.sampled.calls


def _missing(work: Work, logs: Iterable[Log]) -> Iterable[str]:
    told: dict[str, tuple[str, ...]] = {log.title: log.missing for log in logs if log.missing}
    for title, what in told.items():
        yield f"Not told by {title}: {', '.join(what)}."
    if work.one("SELECT EXISTS (SELECT 1 FROM calls WHERE feature GLOB 'f-[0-9a-f][0-9a-f][0-9a-f]*')")[0]:
        yield "Features named f-... are untagged calls that share a prompt; --show-text names them by its words."
    for sentence in (repeats.missing(work), prompt_cache.missing(work)):
        if sentence:
            yield sentence


def _nothing(work: Work, wanted: Wanted, logs: Sequence[Log]) -> str:
    left, others, skipped = work.one("SELECT SUM(left), SUM(others), SUM(skipped) FROM pieces")
    what = ", ".join(f"{log.path} ({log.trouble or log.title})" for log in logs)
    if left:
        return f"none of the {left:,} calls in {what} is within --since, --until and --feature"
    if skipped:
        (line, reason) = work.one("SELECT line, reason FROM skipped ORDER BY file, line LIMIT 1")
        return f"no call in {what}: {skipped:,} rows cannot be read, the first at line {line}: {reason}"
    return f"no call in {what}: {others or 0:,} rows, none of them a call with its answer"


def _pairs(work: Work, query: str) -> Iterable[tuple[Any, Any]]:
    return ((row[0], row[1]) for row in work.rows(query))
