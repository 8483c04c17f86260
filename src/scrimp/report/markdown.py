"""The report as GitHub Markdown, for a pull request or a chat; the tables of any report.

Labels, and words of others that are more than plain, stand in code spans: no links, no mentions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape

from scrimp.report.labels import clean
from scrimp.report.money import percent
from scrimp.report.numbers import STRATEGIES, Report, share, shorten
from scrimp.report.steps import decimals_of, printed, waterfall
from scrimp.report.tables import Label, Rows, spent
from scrimp.report.times import period
from scrimp.report.words import counts, next_command, table_note, unpriced_note

MOST_ROWS = 50
BAR = "\\|"
"""A bar that ends no cell."""
PLAIN = re.compile(r"[\w .,;:%$()'\"/?!=+\-<>&]*")
LINKS = re.compile(r"://|www\.|:\w+:|\bgh-\d|[0-9a-f]{7}|^\s*([-+=]|\d+[.)](\s|$))|__|(?<!\w)_|_(?!\w)", re.I)
"""What GitHub makes a link, a picture, a list or emphasis of."""


def render(report: Report, address: str = "", scrimp: str = "scrimp") -> str:
    """The whole report. `address` (the gateway's) and `scrimp` (how it is called) are told where there are no calls."""
    if not report.total.calls:
        first, _, *rest = next_command(report, address, scrimp)
        return "\n".join([first, "", "```", *rest, "```"]) + "\n"
    by, groups = report.tables[0].by, shorten(report.tables[0].groups, MOST_ROWS)
    places = decimals_of(report, (row.sums for row in groups))
    rows = spent(report, groups, by.capitalize(), places)
    rows = rows._replace(names=[*map(Label, rows.names[:-1]), rows.names[-1]])
    lines = [f"## Savings, {period(report)}", "", *_waterfall(report, places), "", *table(rows), ""]
    if note := table_note(by):
        lines += [note, ""]
    lines += [counts(report.total), *_unpriced(report)]
    if not report.adds_up:
        lines += ["", "**These sums do not add up**; `scrimp report --verify` says where."]
    return "\n".join(lines) + "\n"


def _waterfall(report: Report, places: int) -> Iterator[str]:
    yield "| Step | USD | Of list | How known |"
    yield "|---|---:|---:|---|"
    steps = waterfall(report.total)
    amounts = printed(report.total, steps, places)
    for step, money in zip(steps, amounts, strict=True):
        part = percent(share(step.shown, report.total.list_nano), sign=not step.whole)
        is_ours = step.kind == "overhead" or step.label in STRATEGIES.values()
        name = f"**{step.label}**" if step.whole else step.label if is_ours else span(step.label).replace("|", BAR)
        known = step.kind if step.kind in ("measured", "estimated") else ""
        yield f"| {name} | {money} | {part} | {known} |"


def _unpriced(report: Report) -> Iterator[str]:
    if not report.total.unpriced:
        return
    yield from ("", unpriced_note(report.total), "")
    for row in report.unpriced_models[:MOST_ROWS]:
        yield f"- {span(row.model or '(no model)')} at {span(row.provider or '(no provider)')}: {row.calls:,}"


def span(label: str) -> str:
    """A label as a code span."""
    return "`" + clean(label).replace("`", "'") + "`"


def table(rows: Rows) -> Iterator[str]:
    """The lines of a table."""
    marks, shares = ["#"] if rows.marks else [], ["Share"] if rows.shares else []
    yield f"| {' | '.join([*marks, rows.title, *(one.title for one in rows.columns), *shares])} |"
    lines = ["---" if one.left else "---:" for one in rows.columns]
    yield f"|{'|'.join(['---:'] * len(marks) + ['---', *lines] + ['---:'] * len(shares))}|"
    for index, name in enumerate(rows.names):
        is_sum = index >= len(rows.names) - rows.foot
        cells = [
            *rows.marks[index : index + 1],
            f"**{name}**" if is_sum and not isinstance(name, Label) else piece(name),
            *(piece(one.cells[index]) if one.left else one.cells[index].strip() for one in rows.columns),
            *map(percent, rows.shares[index : index + 1]),
        ]
        yield f"| {' | '.join(cell.replace('|', BAR) for cell in cells)} |"


def piece(text: str) -> str:
    """A label as a code span, words as they are where they cannot be markup."""
    if isinstance(text, Label):
        return span(text) if text else ""
    return escape(text, quote=False) if is_plain(text) else span(text)


def is_plain(text: str) -> bool:
    """Whether a text cannot be markup once it is escaped."""
    return bool(PLAIN.fullmatch(text)) and not LINKS.search(text)
