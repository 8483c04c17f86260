"""The audit as GitHub Markdown, for a pull request or a mail.

Other people's text cannot become markup: what is more than plain words stands in a code span, as names do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from scrimp.audit.report import Report
from scrimp.audit.show.advice import COUNTED, in_full, table
from scrimp.audit.show.pieces import Label, Rows, Section, Text
from scrimp.audit.show.sections import sections
from scrimp.audit.show.words import commands, headline, what
from scrimp.report.labels import clean
from scrimp.report.markdown import span
from scrimp.report.money import percent

PLAIN = re.compile(r"[\w .,;:%$()'\"/?!=+\-]*")
LINKS = re.compile(r"://|www\.|:\w+:|\bgh-\d|[0-9a-f]{7}|^\s*([-+=]|\d+[.)](\s|$))|__|(?<!\w)_|_(?!\w)", re.I)
"""What GitHub makes a link, a picture, a list or emphasis of."""


def render(report: Report, scrimp: str = "scrimp") -> str:
    """The whole report. `scrimp` is how its reader calls it."""
    lines = ["## What LLM calls cost, and what was avoidable", "", _prose(what(report)), ""]
    lines += _texts(headline(report))
    if report.advice:
        lines += [*_rows(table(report)), "", COUNTED, ""]
    for section in sections(report):
        lines += _section(section, "###")
    for number, one in enumerate(report.advice, 1):
        lines += ["<details>", f"<summary>{number}. {_summary(one.title)}</summary>", ""]
        for section in in_full(report, number):
            lines += _section(section, "####")
        lines += ["</details>", ""]
    lines += ["```", *(f"{command}  # {does}" for command, does in commands(report, scrimp)), "```"]
    return "\n".join(lines) + "\n"


def _section(section: Section, heading: str) -> Iterator[str]:
    if section.title:
        yield from (f"{heading} {section.title}", "")
    yield from _texts(section.notes)
    if section.rows is not None:
        yield from _rows(section.rows)
        yield ""
    yield from _texts(section.after)


def _texts(texts: Iterable[Text]) -> Iterator[str]:
    for text in texts:
        yield "".join(_piece(piece) for piece in text)
        yield ""


def _rows(rows: Rows) -> Iterator[str]:
    columns = [*rows.columns]
    titles = [*(["#"] if rows.marks else []), rows.title, *(one.title for one in columns)]
    lines = [*(["---:"] if rows.marks else []), "---", *("---" if one.left else "---:" for one in columns)]
    if rows.shares:
        titles.append("Share")
        lines.append("---:")
    yield f"| {' | '.join(titles)} |"
    yield f"|{'|'.join(lines)}|"
    for index, name in enumerate(rows.names):
        total = index >= len(rows.names) - rows.foot
        cells = [rows.marks[index]] if rows.marks else []
        cells.append(f"**{name}**" if total and not isinstance(name, Label) else _piece(name))
        cells += [_piece(one.cells[index]) if one.left else one.cells[index].strip() for one in columns]
        if rows.shares:
            cells.append(percent(rows.shares[index]))
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _piece(text: str) -> str:
    if isinstance(text, Label):
        return span(text) if text else ""
    return _prose(text)


def _prose(text: str) -> str:
    """Words as they are where they cannot be markup, else a code span."""
    return _html(text) if _is_plain(text) else span(text)


def _summary(text: str) -> str:
    """The same inside of HTML."""
    return _html(text) if _is_plain(text) else f"<code>{_html(clean(text))}</code>"


def _is_plain(text: str) -> bool:
    return bool(PLAIN.fullmatch(re.sub("[<>&]", "", text))) and not LINKS.search(text)


def _html(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
