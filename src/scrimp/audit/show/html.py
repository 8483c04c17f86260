"""The audit as one HTML file: no scripts, nothing loaded from anywhere, light and dark, phone and paper.

The page, its style and its charts are those of the report (`scrimp.report.html`); the texts and tables are the ones
that every form of the audit shows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from markupsafe import Markup, escape

from scrimp.audit.report import Report, Sure
from scrimp.audit.show.advice import COUNTED, OURS, TIME, WHY, in_full, table
from scrimp.audit.show.pieces import Label, Rows, Section, Text, lone, usd
from scrimp.audit.show.sections import ALREADY, DAYS, days, sections
from scrimp.audit.show.words import amounts, commands, fall, headline, places, span_of, what
from scrimp.report import charts
from scrimp.report.grid import Column
from scrimp.report.html import FIGURE_SPACE, environment, frame, tone_of
from scrimp.report.labels import clean
from scrimp.report.money import align, dollars, nearest, percent
from scrimp.report.numbers import share
from scrimp.report.steps import Step, StepKind
from scrimp.report.times import day_name

KINDS: dict[Sure, StepKind] = {"sure": "measured", "likely": "estimated", "test first": "untested"}
"""How sure an advice is -> how its bar is drawn."""

KEPT = {TIME: "time", WHY: "why"}
"""Columns of words that get room of their own."""


class Cell(NamedTuple):
    """A cell with the class it is drawn in."""

    text: str | Markup
    kind: str


class Line(NamedTuple):
    """A row of a table, ready to print."""

    mark: str
    name: Markup
    kind: str
    cells: list[Cell]
    share: str
    part: float
    spark: Markup | None


def render(report: Report, scrimp: str = "scrimp") -> str:
    """The whole page. `scrimp` is how its reader calls it."""
    spent = report.spend.days
    steps = list(_steps(report))
    drawn = (DAYS, ALREADY) if steps else (DAYS,)
    told = [part for part in sections(report) if part.title not in drawn]
    return (
        environment("scrimp.audit.show")
        .get_template("audit.html.j2")
        .render(
            **frame(),
            advice=_drawn(table(report)) if report.advice else None,
            commands=commands(report, scrimp),
            counted=COUNTED,
            days=_drawn(days(report, len(spent) + 1)) if len(spent) > 1 else None,
            days_chart=charts.days(report.spend) if len(spent) > 1 else "",
            days_named=[day_name(day) for day in (min(spent, default=0), max(spent, default=0))],
            figures=list(_figures(report)),
            full=[
                (number, clean(one.title), [_section(part) for part in in_full(report, number)])
                for number, one in enumerate(report.advice, 1)
            ],
            headline=[_text(text) for text in headline(report)],
            of="Of list" if _has_list(report) else "Of paid",
            sections=[_section(part) for part in told],
            steps=steps,
            what=what(report),
        )
    )


def _has_list(report: Report) -> bool:
    return report.list_nano != report.paid_nano


def _figures(report: Report) -> Iterator[tuple[str, str, str, str]]:
    """The headline: name, figure, what to know about it, tone."""
    at = places(report)
    total = report.spend.total
    unknown = 0 < total.calls == total.unpriced
    listed = f"list price {usd(report.list_nano, at)}" if _has_list(report) else "at list price"
    yield "Paid", "unknown" if unknown else usd(report.paid_nano, at), "" if unknown else listed, ""
    part = percent(share(report.avoidable, report.paid_nano))
    yield "Avoidable", usd(report.avoidable, at), f"{part} of what was paid", tone_of(report.avoidable)
    yield "Of it for sure", usd(report.surely, at), "", tone_of(report.surely)
    if report.month is not None and report.paid_nano:
        guess = "a guess, " if report.days < 1 else ""
        yield "A month at this pace", lone(report.month, at), f"{guess}from {span_of(report.days)}", ""
    yield "Calls", f"{total.calls:,}", f"{total.failed:,} failed", ""
    priceless = "in no amount" if total.unpriced else "every call has one"
    yield "No known price", f"{total.unpriced:,}", priceless, "bad" if total.unpriced else ""


def _moves(report: Report) -> Iterator[tuple[str, StepKind, int, str, str]]:
    """The waterfall's steps: label, kind, amount, the amount as printed, how it is known."""
    at = places(report)
    if _has_list(report):
        for step, text in fall(report):
            yield step.label, step.kind, step.shown, text, "" if step.whole else f"saved already, {step.kind}"
    else:
        yield "Paid", "whole", report.paid_nano, dollars(nearest(report.paid_nano, at), places=at), ""
    *saves, ours, _ = (text.replace("$", "") for text in amounts(report))
    for number, (one, text) in enumerate(zip(report.advice, saves, strict=True), 1):
        yield f"{number}  {clean(one.title)}", KINDS[one.sure], -one.saves, f"-{text}", one.sure
    yield OURS, "overhead", report.overhead, ours.replace("-", "+"), ""
    left = nearest(report.paid_nano, at) - nearest(report.avoidable, at)
    yield "Would be left", "whole", report.paid_nano - report.avoidable, dollars(left, places=at), ""


def _steps(report: Report) -> Iterator[tuple[Step, str, Markup, str, str, str]]:
    """Each step with its amount, its bar, its part of the whole, how it is known, its tone."""
    if not report.advice or not report.paid_nano:
        return
    moves = list(_moves(report))
    levels = [0]
    for _, kind, amount, _, _ in moves:
        levels.append(amount if kind == "whole" else levels[-1] + amount)
    widest = max(*levels, 1)
    base = report.list_nano if _has_list(report) else report.paid_nano
    texts = align([text for _, _, _, text, _ in moves], FIGURE_SPACE)
    for place, (label, kind, amount, _, known) in enumerate(moves):
        before = 0 if kind == "whole" else levels[place] / widest
        ends = {"first": place == 0, "last": place == len(moves) - 1}
        step = Step(label, kind, amount, before, levels[place + 1] / widest, **ends)
        part = percent(share(amount, base), sign=kind != "whole")
        yield step, texts[place].strip(" "), charts.bar(step), part, known, tone_of(step.saves)


def _section(section: Section) -> tuple[str, list[Markup], dict[str, object] | None, list[Markup]]:
    drawn = None if section.rows is None else _drawn(section.rows)
    return section.title, [_text(text) for text in section.notes], drawn, [_text(text) for text in section.after]


def _text(text: Text) -> Markup:
    return Markup("").join(_piece(piece) for piece in text)


def _piece(text: str) -> Markup:
    """Words; names of others stand apart, so that their direction of writing turns nothing around."""
    if isinstance(text, Label):
        return Markup("<bdi>{}</bdi>").format(clean(text)) if text else Markup("")
    kept = clean(text)
    before, after = " " * text.startswith(" "), " " * text.endswith(" ")
    return escape(f"{before}{kept}{after}" if kept else text and " ")


def _drawn(rows: Rows) -> dict[str, object]:
    """A table as its template takes it."""
    columns = [(one, _kind(one)) for one in rows.columns]
    columns += [(one, "money wide more") for one in rows.more]
    return {
        "title": rows.title,
        "marks": bool(rows.marks),
        "head": [(one.title, kind) for one, kind in columns],
        "shares": bool(rows.shares),
        "daily": bool(rows.daily),
        "lines": list(_lines(rows, columns)),
    }


def _lines(rows: Rows, columns: Iterable[tuple[Column, str]]) -> Iterator[Line]:
    columns = list(columns)
    for index, name in enumerate(rows.names):
        part = rows.shares[index] if rows.shares else None
        total = index >= len(rows.names) - rows.foot
        yield Line(
            mark=rows.marks[index] if rows.marks else "",
            name=_piece(name),
            kind="total" if total else "none" if rows.shares and not isinstance(name, Label) else "",
            cells=[Cell(_cell(one, index), f"{kind} {_tone(one, index)}".strip()) for one, kind in columns],
            share=percent(part),
            part=round(part or 0.0, 4),
            spark=charts.spark(rows.daily[index], *rows.span, clean(name)) if rows.daily else None,
        )


def _kind(column: Column) -> str:
    return f"words {KEPT.get(column.title, '')}".strip() if column.left else "money"


def _cell(column: Column, index: int) -> Markup:
    """Words, or a number with its point below the others."""
    text = column.cells[index]
    if column.left:
        return _piece(text)
    number = text.strip(" ")
    return escape(number + FIGURE_SPACE * (len(text.lstrip(" ")) - len(number)))


def _tone(column: Column, index: int) -> str:
    return tone_of(-column.over[index]) if column.over else ""
