"""The sentences of an audit's report, said in the same words by every form of it.

Amounts are rounded as the tables round them, so that the headline is the sum of the rows below it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from scrimp.audit.report import Report
from scrimp.report.labels import clean
from scrimp.report.money import adding_up, decimals, lone, marked, nearest, percent, usd
from scrimp.report.numbers import share
from scrimp.report.steps import Step, printed, waterfall
from scrimp.report.tables import Label, Rows
from scrimp.report.times import period
from scrimp.report.words import counts, many

Text = tuple[str, ...]
"""Pieces of a sentence, in order; `Label` marks the names of others and code."""

SURE = {"sure": "both sides are known", "likely": "an estimate", "test first": "answers may change"}
MOST_TITLES = 3
A_YEAR = 365 * 24
"""Hours since the epoch before which times are no dates."""
FLAGS = {
    "earliest-known": "older than the first known price of their model, and priced at that",
    "user": "priced by your own price list",
    "lower-bound": "of answers that were cut off; they cost at least what is said",
    "derived": "priced by the provider's stated rule for the tier {}, as the price list has no row for it",
    "stated": "amounts that a cost report states, not computed from tokens; they may be of calls in other logs too",
    "size-unknown": "sums of calls of unknown size; dearer prices of long prompts may be missing",
    "parent-price": "with {} at the price of the class above it, as the price list has none of its own",
}
"""Flags of prices -> what the calls are that have them."""


class Section(NamedTuple):
    """A part of the report: its heading, sentences, a table, sentences on the table."""

    title: str
    notes: Sequence[Text] = ()
    rows: Rows | None = None
    after: Sequence[Text] = ()


def places(report: Report) -> int:
    """The decimals of the report's amounts."""
    return decimals((report.list_nano, report.paid_nano))


def what(report: Report) -> str:
    """What was read, in one line: formats, calls, span."""
    titles = list(dict.fromkeys(log.title for log in report.logs))
    more = f" and {len(titles) - MOST_TITLES} other formats" if len(titles) > MOST_TITLES else ""
    files = f" ({len(report.logs):,} logs)" if len(report.logs) > 1 else ""
    calls = many(report.calls, "call") if report.calls else ""
    told = "times from the start of a trace" if 0 < report.spend.until < A_YEAR else period(report.spend)
    parts = [f"{', '.join(titles[:MOST_TITLES])}{more}{files}", calls, told]
    return clean(", ".join(part for part in parts if part))


def headline(report: Report) -> list[Text]:
    """What was paid and what of it was avoidable."""
    at = places(report)
    total = report.spend.total
    if not total.calls and not report.list_nano:
        return [("No calls.",)]
    if total.unpriced and not total.list_nano:
        return [("What these calls cost is unknown: none of them has a known price.",)]
    paid, listed = usd(report.paid_nano, at), usd(report.list_nano, at)
    whose = "These calls cost" if report.sampled else "You paid"
    spent = f"{whose} {paid} at list price." if paid == listed else f"List price {listed}, paid {paid}."
    sentences: list[Text] = [(f"{spent} {_avoidable(report, at)}",)]
    if (one := report.sampled) is not None:
        part = f"This is a sample of {one.calls:,} of {many(one.of, 'call')}."
        within = f"95% interval: {lone(one.low, at)} to {lone(one.high, at)}"
        sentences.append((f"{part} All of them cost about {lone(one.paid, at)} ({within}).",))
    return sentences


def _avoidable(report: Report, at: int) -> str:
    if not report.advice:
        return "Nothing was avoidable, as far as these logs can tell."
    gain, sure = report.avoidable, min(report.surely, report.avoidable)
    if gain <= 0:
        return "Nothing was avoidable: what could be changed saves less than it costs."
    part = percent(share(gain, report.paid_nano))
    if sure <= 0:
        return f"{usd(gain, at)} was avoidable ({part}), none of it for sure."
    if sure == gain:
        return f"{usd(gain, at)} was avoidable for sure ({part})."
    return f"{usd(sure, at)} was avoidable for sure, {usd(gain, at)} in all ({part})."


def amounts(report: Report) -> list[str]:
    """What each advice saves, our own cost, and both together: they add up as printed, and so do the sure ones."""
    at = places(report)
    parts = [*(one.saves for one in report.advice), -report.overhead]
    sure = [place for place, one in enumerate(report.advice) if one.sure == "sure"]
    others = [place for place in range(len(parts)) if place not in sure]
    whole, surely = nearest(report.avoidable, at), nearest(report.surely, at)
    texts: dict[int, str] = {}
    for chosen, goal in ((sure, surely), (others, whole - surely)):
        texts.update(zip(chosen, adding_up([parts[place] for place in chosen], goal, at), strict=True))
    return [*(marked(texts[place]) for place in range(len(parts))), usd(report.avoidable, at)]


def fall(report: Report) -> list[tuple[Step, str]]:
    """The steps from list price to what was paid that are something, with their amounts."""
    steps = waterfall(report.spend.total)
    texts = printed(report.spend.total, steps, places(report))
    return [(step, text) for step, text in zip(steps, texts, strict=True) if step.shown or step.whole]


def in_all(report: Report) -> Iterator[Text]:
    """Calls, tokens, the blended price, a month."""
    at = places(report)
    rate = lone(round((report.blended or 0) * 10**9), at)
    blended = f" Blended: {rate} per million tokens." if report.paid_nano else ""
    yield (f"{counts(report.spend.total)}{blended}",)
    if report.month is not None and report.paid_nano:
        how = "; a guess, as it is" if report.days < 1 else ","
        yield (f"{lone(report.month, at)} a month at this pace{how} from {span_of(report.days)}.",)


def span_of(days: float) -> str:
    """A span of days in words."""
    minutes = days * 24 * 60
    if minutes < 0.5:
        return "less than a minute"
    if minutes < 120:
        return many(round(minutes), "minute")
    return f"{days * 24:.1f} hours" if days < 1 else f"{days:,.1f} days"


def logged(report: Report) -> Iterator[Text]:
    """What the log says was paid, against ours."""
    if not report.logged_calls:
        return
    at = places(report)
    said, ours = lone(report.logged, at), lone(report.logged_paid, at)
    off = percent(share(report.logged_paid - report.logged, report.logged), sign=True)
    against = "the same" if said == ours else f"{ours}" + (f" ({off})" if report.logged else "")
    yield (f"The logs say {said} for {many(report.logged_calls, 'call')}; by scrimp's prices it is {against}.",)


def read(report: Report) -> Iterator[Text]:
    """How logs were understood, and which of their rows are not in the numbers."""
    for log in report.logs:
        if log.trouble:
            yield (f"{log.trouble}.",)
        if log.same_as:
            yield Label(log.path), " is byte for byte ", Label(log.same_as), " and counts once."
        if log.preview:
            yield "Columns of ", Label(log.path), " are read as ", Label(log.preview), "; --map says otherwise."
    files = f" ({many(report.overlap, 'call')} in more than one log)" if report.overlap else ""
    for count, noun, said in (
        (report.duplicates, "row", f"There more than once, counted once: {{}}{files}."),
        (report.left, "call", "Left out by --since, --until or --feature: {}."),
        (report.others, "row", "No calls: {}."),
        (report.untimed, "call", "Without a time, so in every sum but in no day: {}."),
    ):
        if count:
            yield (said.format(many(count, noun)),)


def flags(report: Report) -> Iterator[Text]:
    """What a reader should know of prices."""
    for flag, calls in report.flags.items():
        name, _, of = flag.partition(":")
        known = FLAGS.get(name)
        told = known.replace("{}", of) if known else f"flagged {flag}"
        yield (f"{many(calls, 'call') if calls else 'Sums without a count of calls'}: {told}.",)


def next_step(reason: str) -> Text:
    """What to do about calls that have no price for this reason."""
    if "no model" in reason:
        return "Name the model of calls without one: ", Label("--model NAME"), "."
    if "token counts" in reason or "usage" in reason:
        return "Tokens that the log does not tell have no price; ", Label("--map input=COLUMN"), " names a column."
    model = Label('[models."NAME"]')
    return "Give a model its price in scrimp.toml: ", model, " with input and output in USD per million tokens."


def commands(report: Report, scrimp: str) -> list[tuple[str, str]]:
    """What to do next: commands, and what each does."""
    explain = [(f"{scrimp} audit ... --explain 1", "how row 1 is computed, and its calls")]
    return [*(explain if report.advice else []), (f"{scrimp} serve", "the same, live")]
