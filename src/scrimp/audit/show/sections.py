"""Everything below the advice: what was spent and where, how caches and answers went, what is odd, what is not told.

A section with nothing to say is absent.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from scrimp.audit.report import Report
from scrimp.audit.show.advice import WHY, about, place
from scrimp.audit.show.pieces import Label, Rows, Section, Text, lone, many, money, named, numbers, words
from scrimp.audit.show.words import fall, flags, in_all, logged, next_step, places, read
from scrimp.report.grid import Column
from scrimp.report.money import Amount, align, listing, percent
from scrimp.report.numbers import Group, saved, share, shorten, total_row
from scrimp.report.times import day_name
from scrimp.store.base import Rollup

MOST = {"feature": 10, "model": 10}
MOST_OTHERS = 5
"""Rows of a table of what was spent, by what: of all others."""
MOST_ROWS = 10
MOST_SKIPPED = 5
DAYS, ALREADY = "Dearest days", "From list price to paid"
"""Headings of sections that a page draws as charts."""
NO_TIME = "(no time)"


def sections(report: Report, odd: int = MOST_ROWS) -> list[Section]:
    """The sections that have something to say, in the order in which they are read; so many odd calls of a kind."""
    parts = [
        *_unpriced(report),
        Section("In all", [*in_all(report), *logged(report)]),
        *_already(report),
        *_spent(report),
        *_prompt_caches(report),
        *_answers(report),
        *_outliers(report, odd),
        *_repetitions(report, odd),
        Section("What was read", list(read(report))),
        *_skipped(report),
        Section("Prices", list(flags(report))),
        Section("What these logs cannot tell", [(sentence,) for sentence in report.missing]),
    ]
    return [part for part in parts if part.notes or part.rows]


def _unpriced(report: Report) -> Iterator[Section]:
    if not report.unpriced:
        return
    total = report.spend.total
    part = percent(share(total.unpriced, total.calls))
    steps = tuple(dict.fromkeys(next_step(reason) for reason, _ in report.unpriced))
    rows = report.unpriced[:MOST_ROWS]
    columns = [numbers("Calls", (calls for _, calls in rows), keep=True)]
    more = len(report.unpriced) - len(rows)
    tail: list[Text] = [(f"and {more:,} more reasons; --json lists them.",)] if more else []
    yield Section(
        "Calls without a price",
        [(f"{total.unpriced:,} of {many(total.calls, 'call')} ({part}), in no amount of this report.",)],
        Rows("Reason", [reason for reason, _ in rows], columns, roomy=50),
        [*tail, *steps],
    )


def _spent(report: Report) -> Iterator[Section]:
    for table in report.spend.tables:
        if any(group.label for group in table.groups):
            groups = table.top(MOST.get(table.by, MOST_OTHERS))
            yield Section(f"Spend by {table.by}", rows=_groups(report, groups, table.by.capitalize()))
    if len(report.spend.days) > 1:
        yield Section(DAYS, rows=days(report, MOST_OTHERS + 1))


def days(report: Report, most: int) -> Rows:
    """The dearest days first, at most so many rows beside that of the calls without a time."""
    rows = [Group(day_name(day), sums) for day, sums in report.spend.days.items()]
    rows.sort(key=lambda day: (-day.sums.paid_nano, day.label))
    untimed = _untimed(report)
    return _groups(report, shorten([*rows, *untimed], most + len(untimed)), "Day (UTC)", daily=False)


def _untimed(report: Report) -> list[Group]:
    """The calls that are in no day, as a row."""
    if not report.untimed:
        return []
    total, days = report.spend.total, report.spend.days.values()
    sums = Rollup(hour=0)
    for name in ("calls", "unpriced", "list_nano", "paid_nano", "input_tokens", "output_tokens"):
        setattr(sums, name, getattr(total, name) - sum(getattr(day, name) for day in days))
    return [Group("", sums, row=NO_TIME)]


def _groups(report: Report, groups: Sequence[Group], title: str, daily: bool = True) -> Rows:
    """What was spent by some groups, and in all."""
    at = places(report)
    rows = [*groups, total_row(report.spend)]
    sums = [row.sums for row in rows]
    *lists, full = (Amount(one, one.list_nano) for one in sums)
    *paids, spent = (Amount(one, one.paid_nano) for one in sums)
    columns = [numbers("Calls", (one.calls for one in sums), keep=True)]
    if report.list_nano != report.paid_nano:
        columns.append(Column("List", align(listing(lists, full, at))))
    columns.append(Column("Paid", align(listing(paids, spent, at)), keep=True))
    columns.append(Column("$/Mtok", align([_per_million(one, at) for one in sums])))
    days = report.spend.days
    return Rows(
        title,
        [Label(row.name) if row.label and daily else row.name for row in rows],
        columns,
        foot=1,
        shares=[share(one.paid_nano, report.paid_nano) for one in sums],
        daily=[row.daily for row in rows] if daily and len(days) > 1 else (),
        span=(min(days, default=0), max(days, default=0)),
        more=list(_more(report, sums)),
    )


def _more(report: Report, sums: Sequence[Rollup]) -> Iterator[Column]:
    """What only a wide form has room for."""
    if report.list_nano != report.paid_nano:
        yield money("Saved", (saved(one) for one in sums), places(report))
    if report.spend.total.unpriced:
        yield numbers("Unpriced", (one.unpriced for one in sums))
    yield numbers("Tokens in", (one.input_tokens for one in sums))
    yield numbers("Tokens out", (one.output_tokens for one in sums))


def _per_million(sums: Rollup, at: int) -> str:
    tokens = sums.input_tokens + sums.output_tokens
    if not tokens or 0 < sums.calls == sums.unpriced:
        return "-"
    return lone(round(sums.paid_nano * 10**6 / tokens), at)[1:]


def _already(report: Report) -> Iterator[Section]:
    """How the list price became what was paid, where the two differ."""
    total = report.spend.total
    if total.list_nano == total.paid_nano:
        return
    steps = fall(report)
    part = [percent(share(step.shown, total.list_nano), sign=not step.whole) for step, _ in steps]
    columns = [Column("USD", align([text for _, text in steps]), keep=True), Column("Of list", part)]
    yield Section(ALREADY, rows=Rows("", [step.label for step, _ in steps], columns, foot=1, roomy=30))


def _prompt_caches(report: Report) -> Iterator[Section]:
    found = report.prefixes
    if not (found.cached or found.written or found.known):
        return
    part = percent(share(found.cached, found.input))
    written = f", {percent(share(found.written, found.input))} written to them" if found.written else ""
    notes: list[Text] = [(f"{part} of {found.input:,} input tokens were read from the providers' caches{written}.",)]
    if found.reusable:
        might = percent(share(found.reusable, found.input))
        notes.append((
            f"{might} might have been, by the providers' rules: {found.reusable:,} tokens, told from the"
            f" {found.known:,} calls whose prompt the log keeps.",
        ))  # fmt: skip
    rows = found.breaks[:MOST_ROWS]
    calls = [row.example for row in rows]
    columns = [
        Column("Calls", [f"{row.calls:,} of {row.of:,}" for row in rows], keep=True),
        numbers("At byte", (row.at for row in rows)),
        numbers("Same after", (row.same for row in rows)),
        words("Such as", map(place, calls)),
    ]
    table = Rows("Prefix breaks", [named(row.feature) for row in rows], columns)
    after: list[Text] = [("Move what changes to the end of the prompt: a cache reads only up to it.",)]
    yield Section("Prompt caches", notes, table if rows else None, after if rows else [])


def _answers(report: Report) -> Iterator[Section]:
    rows = report.answers[:MOST_ROWS]
    if not rows:
        return
    columns = [
        numbers("Calls", (row.calls for row in rows), keep=True),
        numbers("Median", (row.p50 for row in rows)),
        numbers("p90", (row.p90 for row in rows)),
        numbers("p99", (row.p99 for row in rows)),
        numbers("Longest", (row.longest for row in rows)),
        numbers("Cut short", (row.truncated for row in rows)),
        Column("Share", [percent(share(row.truncated, row.calls)) for row in rows]),
    ]
    yield Section("Answers, in tokens", rows=Rows("Feature", [named(row.feature) for row in rows], columns))


def _outliers(report: Report, most: int) -> Iterator[Section]:
    at = places(report)
    rows = report.outliers[:most]
    if not rows:
        return
    calls = [row.call for row in rows]
    columns = [
        money("Paid", (call.paid for call in calls), at, keep=True),
        Column(
            "x usual",
            [f"{row.times:,.0f}" if row.times >= 10 else f"{row.times:.1f}" for row in rows],
        ),
        words(WHY, [row.reason for row in rows]),
        words("Call", map(place, calls)),
        *(column for column in about(calls) if column.title != "Feature"),
    ]
    more = [
        money("Above usual", (row.over for row in rows), at),
        Column("Tokens", [f"{call.input:,} + {call.output:,}" for call in calls]),
    ]
    names = [named(call.feature) for call in calls]
    yield Section("Outliers", rows=Rows("Feature", names, columns, more=more))


def _repetitions(report: Report, most: int) -> Iterator[Section]:
    at = places(report)
    rows = report.repetitions[:most]
    if not rows:
        return
    columns = [
        numbers("Again", (row.calls for row in rows), keep=True),
        money("Paid", (row.paid for row in rows), at, keep=True),
        words("Kind", [row.kind for row in rows]),
        words(WHY, [row.reason for row in rows]),
        words("Such as", [place(row.example) for row in rows]),
    ]
    yield Section("Retries and loops", rows=Rows("Where", [named(row.where) for row in rows], columns))


def _skipped(report: Report) -> Iterator[Section]:
    if not report.skipped:
        return
    rows = report.skipped_rows[:MOST_SKIPPED]
    more = report.skipped - len(rows)
    reasons = [f"{reason} ({count:,})" for reason, count in report.skipped_reasons[:MOST_SKIPPED]]
    after: list[Text] = []
    if more > 0:
        after.append((f"and {more:,} more; all by reason: {', '.join(reasons)}.",))
    table = Rows(
        "Row",
        [Label(f"{file}:{line}") for file, line, _ in rows],
        [words(WHY, [reason for _, _, reason in rows])],
        places=True,
    )
    yield Section(
        "Rows that could not be read",
        [(f"{many(report.skipped, 'row')} left out; the others are not touched by it.",)],
        table if rows else None,
        after,
    )
