"""The audit as one HTML file: no scripts, nothing loaded from anywhere, light and dark, phone and paper.

The page, its style and its charts are those of the report (`scrimp.report.html`); the texts and tables are the ones
that every form of the audit shows.
"""

from __future__ import annotations

from functools import partial

from markupsafe import Markup, escape

from scrimp.audit.report import Report, Sure
from scrimp.audit.show.advice import COUNTED, OURS, TIME, WHY, in_full, table
from scrimp.audit.show.sections import ALREADY, DAYS, UNPRICED, days, sections
from scrimp.audit.show.words import amounts, commands, fall, headline, places, span_of, what
from scrimp.report.html import Bar, environment, falling, frame
from scrimp.report.labels import clean
from scrimp.report.money import dollars, lone, nearest, percent, usd
from scrimp.report.numbers import share
from scrimp.report.steps import StepKind, staircase
from scrimp.report.tables import Label

KINDS: dict[Sure, StepKind] = {"sure": "measured", "likely": "estimated", "test first": "untested"}
"""How sure an advice is -> how its bar is drawn."""


def render(report: Report, scrimp: str = "scrimp") -> str:
    """The whole page. `scrimp` is how its reader calls it."""
    at = places(report)
    has_list = report.list_nano != report.paid_nano
    steps = _bars(report, has_list) if report.advice and report.paid_nano else []
    drawn = (DAYS, ALREADY) if steps else (DAYS,)
    pages = environment("scrimp.audit.show")
    pages.filters.update(lone=partial(lone, places=at), piece=piece, span_of=span_of, usd=partial(usd, places=at))
    pages.tests["label"] = lambda name: isinstance(name, Label)
    return pages.get_template("audit.html.j2").render(
        frame(), advice=table(report) if report.advice else None, commands=commands(report, scrimp), counted=COUNTED,
        days=days(report, len(report.spend.days) + 1) if len(report.spend.days) > 1 else None,
        full=[(number, one.title, in_full(report, number)) for number, one in enumerate(report.advice, 1)],
        has_list=has_list, headline=headline(report), part=percent(share(report.avoidable, report.paid_nano)),
        report=report, roomy={TIME: " time", WHY: " why"}, steps=steps, unpriced=UNPRICED, what=what(report),
        sections=[part for part in sections(report) if part.title not in drawn],
    )  # fmt: skip


def _bars(report: Report, has_list: bool) -> list[Bar]:
    """The waterfall from list price, or from what was paid where that is the same, to what would be left."""
    at = places(report)
    already = fall(report) if has_list else fall(report)[-1:]
    moves: list[tuple[str, StepKind, int]] = [(step.label, step.kind, step.shown) for step, _ in already]
    texts = [text for _, text in already]
    how = ["" if step.whole else f"saved already, {step.kind}" for step, _ in already]
    *saves, ours, _ = (text.replace("$", "") for text in amounts(report))
    for number, (one, text) in enumerate(zip(report.advice, saves, strict=True), 1):
        moves.append((f"{number}  {clean(one.title)}", KINDS[one.sure], -one.saves))
        texts.append(f"-{text}")
        how.append(one.sure)
    moves += [(OURS, "overhead", report.overhead), ("Would be left", "whole", report.paid_nano - report.avoidable)]
    left = nearest(report.paid_nano, at) - nearest(report.avoidable, at)
    texts += [ours.replace("-", "+"), dollars(left, places=at)]
    base = report.list_nano if has_list else report.paid_nano
    return list(falling(staircase(moves), texts, [*how, "", ""], base))


def piece(text: str) -> Markup:
    """Words; names of others stand apart, so that their direction of writing turns nothing around."""
    if isinstance(text, Label):
        return Markup("<bdi>{}</bdi>").format(clean(text)) if text else Markup("")
    kept = clean(text)
    before, after = " " * text.startswith(" "), " " * text.endswith(" ")
    return escape(f"{before}{kept}{after}" if kept else text and " ")
