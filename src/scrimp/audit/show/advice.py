"""What to change: the table of all advice, and one advice in full, as pieces that every form draws."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from scrimp.audit.report import Advice, Example, Report
from scrimp.audit.show.words import SURE, Section, Text, amounts, places
from scrimp.report.money import align, lone, percent
from scrimp.report.numbers import share
from scrimp.report.tables import Column, Label, Rows, money, numbers, words
from scrimp.report.times import span, stamp
from scrimp.report.words import many

COUNTED = "Counted in pipeline order, so nothing is saved twice."
OURS, TOGETHER = "Our own cost", "Together"
TIME, WHY = "Time (UTC)", "Why"
HOW = {
    "cached": "The first answer to a request is stored when it ends and serves the same request for {ttl}; saved is"
    " what the repeats really cost.",
    "route": "Each call is priced on the other model at its own tokens: the amount is exact for these tokens. Whether"
    " the answers are as good, and as long, only a test tells.",
    "prompt_cache": "The provider's cache is played through over the calls in their order, by its rules and prices.",
}
"""Strategy -> how its saving is computed."""
NEXT = {
    "cached": "scrimp serves exact repeats from its cache once it stands before these calls.",
    "route": "Let both models answer a sample of these calls and compare, before any is moved.",
    "prompt_cache": "Put what never changes first in the prompt, what changes last; mark it where the provider asks"
    " for that.",
}
"""Strategy -> what to do next."""


def table(report: Report) -> Rows:
    """The rows of advice by dollars, our own cost, and what both come to."""
    at = places(report)
    rows = report.advice
    parts = [*(one.saves for one in rows), -report.overhead, report.avoidable]
    none = ["", ""]
    bounds = [between(one, at) for one in rows]
    columns = [
        Column("Saves", align(amounts(report)), [-part for part in parts], keep=True),
        Column("Share", [percent(share(part, report.paid_nano)) for part in parts]),
        words("How sure", [*(one.sure for one in rows), *none]),
        words("Evidence", [*(one.evidence for one in rows), *none]),
        *([words("Range", [*bounds, *none])] if any(bounds) else []),
    ]
    names = [*(one.title for one in rows), OURS, TOGETHER]
    marks = [*(f"{number}" for number in range(1, len(rows) + 1)), *none]
    return Rows("What to change", names, columns, foot=2, marks=marks, roomy=40)


def between(one: Advice, at: int) -> str:
    """The bounds of what an advice saves; "" where it is no estimate."""
    return "" if one.low is None or one.high is None else f"{lone(one.low, at)} to {lone(one.high, at)}"


def in_full(report: Report, number: int) -> list[Section]:
    """One advice, counted from 1: how it is computed, its cheaper models, its calls, what to do next."""
    one = report.advice[number - 1]
    at = places(report)
    texts: list[Text] = [(place(shown), ": ", Label(shown.text)) for shown in one.examples if shown.text]
    then = NEXT.get(one.strategy)
    parts = [
        Section("What exactly these calls would have cost", rows=_candidates(one, at)),
        Section("Example calls", rows=examples(one.examples, at), after=texts),
        Section("Next", [(then,)] if then else []),
    ]
    return [Section("", list(_told(report, number))), *(part for part in parts if part.notes or part.rows)]


def _told(report: Report, number: int) -> Iterator[Text]:
    one = report.advice[number - 1]
    at = places(report)
    saves = amounts(report)[number - 1]
    part = f"{percent(share(one.saves, report.paid_nano))} of what was paid"
    sure = f"{one.sure.capitalize()}: {SURE[one.sure]}"
    yield (f"Saves {saves} ({part}) on {many(one.calls, 'call')}. {sure}.",)
    if one.strategy in HOW:
        yield (HOW[one.strategy].replace("{ttl}", span(report.ttl)),)
    if one.alone != one.saves:
        alone = lone(one.alone, at)
        yield (f"Alone it would save {alone}; {saves} is what the steps before it in the pipeline leave.",)
    if between(one, at):
        yield (f"Range: {between(one, at)}" + (f" ({one.bounds})." if one.bounds else "."),)
    if one.evidence:
        yield (f"Evidence: {one.evidence}.",)
    for key, label in (("Feature", one.feature), ("Model", one.model)):
        if label:
            yield f"{key}: ", Label(label)
    for detail in one.details:
        yield (detail,)


def _candidates(one: Advice, at: int) -> Rows:
    rows = one.candidates
    flags = [", ".join(row.flags) for row in rows]
    columns = [
        money("Would have cost", (row.cost for row in rows), at, keep=True),
        money("Saves", (row.saves for row in rows), at),
        Column("Of it", [percent(share(row.saves, row.cost + row.saves)) for row in rows]),
        *([words("Price", flags)] if any(row.flags for row in rows) else []),
    ]
    return Rows("Model", [Label(f"{row.provider}/{row.model}") for row in rows], columns, roomy=40)


def examples(rows: Sequence[Example], at: int) -> Rows:
    """Calls behind a number: where they stand, what they cost, what they were."""
    columns = [
        money("Paid", (row.paid for row in rows), at, keep=True),
        numbers("Tokens in", (row.input for row in rows)),
        numbers("Out", (row.output for row in rows)),
        *about(rows),
    ]
    return Rows("Call", [place(row) for row in rows], columns, places=True)


def about(rows: Sequence[Example]) -> Iterator[Column]:
    """When calls were made, of which feature, to which model: as far as it is known."""
    for title, cells in (
        (TIME, ["" if row.at is None else stamp(row.at // 10**9 * 10**9) for row in rows]),
        ("Feature", [row.feature for row in rows]),
        ("Model", [row.model for row in rows]),
    ):
        if any(cells):
            yield words(title, map(Label, cells))


def place(example: Example) -> Label:
    """Where a call stands in the logs."""
    return Label(f"{example.file}:{example.line}")
