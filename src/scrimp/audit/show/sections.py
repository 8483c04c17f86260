"""Everything below the advice: what was spent and where, how caches and answers went, what is odd, what is not told.

A section with nothing to say is absent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from scrimp.audit.report import Report
from scrimp.audit.show.advice import WHY, about, place
from scrimp.audit.show.words import Section, Text, fall, flags, in_all, logged, next_step, places, read
from scrimp.report.money import align, lone, percent
from scrimp.report.numbers import NO_LABEL, Group, saved, share, shorten
from scrimp.report.tables import Column, Label, Rows, money, numbers, spent, words
from scrimp.report.times import day_name
from scrimp.report.words import many
from scrimp.store.base import Rollup

MOST = {"feature": 10, "model": 10}
MOST_OTHERS = 5
"""Rows of a table of what was spent, by what: of all others."""
MOST_ROWS = 10
MOST_SKIPPED = 5
UNPRICED, DAYS, ALREADY = "Calls without a price", "Dearest days", "From list price to paid"
"""Headings of sections that a form treats by itself."""
NO_TIME = "(no time)"
LENGTHS = {"Median": "p50", "p90": "p90", "p99": "p99", "Longest": "longest", "Cut short": "truncated"}


def sections(report: Report, odd: int = MOST_ROWS) -> list[Section]:
    """The sections that have something to say, in the order in which they are read; so many odd calls of a kind."""
    parts = [
        _unpriced(report),
        Section("In all", [*in_all(report), *logged(report)]),
        _already(report),
        *_spent(report),
        _prompt_caches(report),
        _answers(report),
        _outliers(report, odd),
        _repetitions(report, odd),
        Section("What was read", list(read(report))),
        _skipped(report),
        Section("Prices", list(flags(report))),
        Section("What these logs cannot tell", [(sentence,) for sentence in report.missing]),
    ]
    return [part for part in parts if part.notes or part.rows]


def _unpriced(report: Report) -> Section:
    """Calls without a price by reason, and what to do about each."""
    total = report.spend.total
    part = percent(share(total.unpriced, total.calls))
    note = f"{total.unpriced:,} of {many(total.calls, 'call')} ({part}), in no amount of this report."
    rows = report.unpriced_reasons[:MOST_ROWS]
    calls = numbers("Calls", (calls for _, calls in rows), keep=True)
    more = len(report.unpriced_reasons) - len(rows)
    tail: list[Text] = [(f"and {more:,} more reasons; --json lists them.",)] if more else []
    steps = dict.fromkeys(next_step(reason) for reason, _ in report.unpriced_reasons)
    table = Rows("Reason", [reason for reason, _ in rows], [calls], roomy=50)
    return Section(UNPRICED, [(note,)] if rows else [], table, [*tail, *steps])


def _spent(report: Report) -> Iterator[Section]:
    for table in report.spend.tables:
        if any(group.label for group in table.groups):
            groups = shorten(table.groups, MOST.get(table.by, MOST_OTHERS))
            yield Section(f"Spend by {table.by}", rows=_groups(report, groups, table.by.capitalize()))
    if len(report.spend.days) > 1:
        yield Section(DAYS, rows=days(report, MOST_OTHERS + 1))


def days(report: Report, most: int) -> Rows:
    """The dearest days first, at most so many rows beside that of the calls without a time."""
    rows = [Group(day_name(day), sums) for day, sums in report.spend.days.items()]
    rows.sort(key=lambda day: (-day.sums.paid_nano, day.label))
    untimed = [Group("", _untimed(report), row=NO_TIME)] if report.untimed else []
    table = _groups(report, shorten([*rows, *untimed], most + len(untimed)), "Day (UTC)")
    return table._replace(names=list(map(str, table.names)), daily=())


def _untimed(report: Report) -> Rollup:
    """The sums of the calls that are in no day."""
    sums = Rollup(hour=0)
    for name in ("calls", "unpriced", "list_nano", "paid_nano", "input_tokens", "output_tokens"):
        timed = sum(getattr(day, name) for day in report.spend.days.values())
        setattr(sums, name, getattr(report.spend.total, name) - timed)
    return sums


def _groups(report: Report, groups: list[Group], title: str) -> Rows:
    """What was spent by some groups, and in all; list price only where it is not what was paid."""
    at = places(report)
    sums = [*(group.sums for group in groups), report.spend.total]
    rows = spent(report.spend, groups, title, at)
    calls, listed, paid, _ = rows.columns
    differs = report.list_nano != report.paid_nano
    rate = Column("$/Mtok", align([_per_million(one, at) for one in sums]))
    more = [
        *([money("Saved", map(saved, sums), at)] if differs else []),
        *([numbers("Unpriced", (one.unpriced for one in sums))] if report.spend.total.unpriced else []),
        numbers("Tokens in", (one.input_tokens for one in sums)),
        numbers("Tokens out", (one.output_tokens for one in sums)),
    ]
    return rows._replace(columns=[calls, *([listed] if differs else []), paid, rate], more=more)


def _per_million(sums: Rollup, at: int) -> str:
    tokens = sums.input_tokens + sums.output_tokens
    if not tokens or sums.unpriced:  # tokens of calls without a price would lower it
        return "-"
    return lone(round(sums.paid_nano * 10**6 / tokens), at)[1:]


def _already(report: Report) -> Section:
    """How the list price became what was paid, where the two differ."""
    steps = fall(report) if report.list_nano != report.paid_nano else []
    part = [percent(share(step.shown, report.list_nano), sign=not step.whole) for step, _ in steps]
    columns = [Column("USD", align([text for _, text in steps]), keep=True), Column("Of list", part)]
    return Section(ALREADY, rows=Rows("", [step.label for step, _ in steps], columns, foot=1, roomy=30))


def _prompt_caches(report: Report) -> Section:
    """How much of the prompts caches gave, how much they might have given, and where prefixes break."""
    found = report.prefixes
    if not (found.cached or found.written or found.known):
        return Section("")
    cached, written, might = (percent(share(n, found.input)) for n in (found.cached, found.written, found.reusable))
    more = f", {written} written to them" if found.written else ""
    notes = [f"{cached} of {found.input:,} input tokens were read from the providers' caches{more}."]
    if found.reusable and found.known:
        of = f"{found.reusable:,} tokens, told from the {found.known:,} calls whose prompt the log keeps"
        notes.append(f"{might} might have been, by the providers' rules: {of}.")
    rows = found.breaks[:MOST_ROWS]
    columns = [
        Column("Calls", [f"{row.calls:,} of {row.of:,}" for row in rows], keep=True),
        numbers("At byte", (row.at for row in rows)),
        numbers("Same after", (row.same for row in rows)),
        words("Such as", [place(row.example) for row in rows]),
    ]
    after: list[Text] = [("Move what changes to the end of the prompt: a cache reads only up to it.",)]
    table = Rows("Prefix breaks", _named(row.feature for row in rows), columns)
    return Section("Prompt caches", [(note,) for note in notes], table, after if rows else [])


def _answers(report: Report) -> Section:
    rows = report.answers[:MOST_ROWS]
    columns = [
        numbers("Calls", (row.calls for row in rows), keep=True),
        *(numbers(title, (getattr(row, name) for row in rows)) for title, name in LENGTHS.items()),
        Column("Share", [percent(share(row.truncated, row.calls)) for row in rows]),
    ]
    return Section("Answers, in tokens", rows=Rows("Feature", _named(row.feature for row in rows), columns))


def _outliers(report: Report, most: int) -> Section:
    at = places(report)
    rows = report.outliers[:most]
    calls = [row.call for row in rows]
    columns = [
        money("Paid", (call.paid for call in calls), at, keep=True),
        Column("x usual", [f"{row.times:,.0f}" if row.times >= 10 else f"{row.times:.1f}" for row in rows]),
        words(WHY, [row.reason for row in rows]),
        words("Call", map(place, calls)),
        *(column for column in about(calls) if column.title != "Feature"),
    ]
    more = [
        money("Above usual", (row.over for row in rows), at),
        Column("Tokens", [f"{call.input:,} + {call.output:,}" for call in calls]),
    ]
    names = _named(call.feature for call in calls)
    return Section("Outliers", rows=Rows("Feature", names, columns, more=more))


def _repetitions(report: Report, most: int) -> Section:
    rows = report.repetitions[:most]
    columns = [
        numbers("Again", (row.calls for row in rows), keep=True),
        money("Paid", (row.paid for row in rows), places(report), keep=True),
        words("Kind", [row.kind for row in rows]),
        words(WHY, [row.reason for row in rows]),
        words("Such as", [place(row.example) for row in rows]),
    ]
    return Section("Retries and loops", rows=Rows("Where", _named(row.where for row in rows), columns))


def _skipped(report: Report) -> Section:
    rows = report.skipped_rows[:MOST_SKIPPED]
    names = [Label(f"{file}:{line}") for file, line, _ in rows]
    table = Rows("Row", names, [words(WHY, [reason for _, _, reason in rows])], places=True)
    note = f"{many(report.skipped, 'row')} left out."
    reasons = ", ".join(f"{reason} ({count:,})" for reason, count in report.skipped_reasons[:MOST_SKIPPED])
    more = report.skipped - len(rows)
    after: list[Text] = [(f"and {more:,} more; all by reason: {reasons}.",)] if more > 0 else []
    return Section("Rows that could not be read", [(note,)], table, after) if report.skipped else Section("")


def _named(labels: Iterable[str]) -> list[str]:
    """Labels as names of rows, or that there is none."""
    return [Label(label) if label else NO_LABEL for label in labels]
