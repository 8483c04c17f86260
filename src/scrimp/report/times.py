"""Times as people read them. Everything is UTC and says so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from scrimp.report.numbers import HOURS_A_DAY, Report

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def stamp(nanoseconds: int) -> str:
    """Nanoseconds since the epoch as ISO 8601 in UTC, cut to the second where nothing follows it."""
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    text = f"{EPOCH + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S}"
    return f"{text}.{rest // 1000:06d}Z" if rest else f"{text}Z"


def day_name(day: int) -> str:
    """Days since the epoch as a date: 20758 -> "2026-11-01"."""
    return f"{EPOCH + timedelta(days=day):%Y-%m-%d}"


def period(report: Report) -> str:
    """The report's span for a headline; `until` is not in it, so a span of whole days names its last day.

    Empty where the report has no span: nothing was asked for and nothing is there.
    """
    if report.until <= report.since:
        return ""
    since = EPOCH + timedelta(hours=report.since)
    until = EPOCH + timedelta(hours=report.until)
    if report.since % HOURS_A_DAY == 0 == report.until % HOURS_A_DAY:
        return f"{_days(since, until - timedelta(days=1))} (UTC)"
    if since.date() == until.date():
        return f"{_date(since)}, {since:%H:%M} to {until:%H:%M} (UTC)"
    return f"{_date(since, since.year != until.year)} {since:%H:%M} to {_date(until)} {until:%H:%M} (UTC)"


def _days(first: datetime, last: datetime) -> str:
    if first == last:
        return _date(first)
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}-{_date(last)}"
    return f"{_date(first, first.year != last.year)} to {_date(last)}"


def _date(moment: datetime, year: bool = True) -> str:
    return f"{moment.day} {moment:%b %Y}" if year else f"{moment.day} {moment:%b}"


def span(nanoseconds: int) -> str:
    """A time to live: "24 h", "90 min", "60 s"."""
    seconds = nanoseconds // 10**9
    for unit, size in (("h", 3600), ("min", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds // size:,} {unit}"
    return f"{seconds:,} s"
