"""The audit as GitHub Markdown, for a pull request or a mail.

Other people's text cannot become markup: what is more than plain words stands in a code span, as names do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from scrimp.audit.report import Report
from scrimp.audit.show.advice import COUNTED, in_full, table
from scrimp.audit.show.sections import sections
from scrimp.audit.show.words import Section, Text, commands, headline, what
from scrimp.report.labels import clean
from scrimp.report.markdown import is_plain, piece
from scrimp.report.markdown import table as drawn


def render(report: Report, scrimp: str = "scrimp") -> str:
    """The whole report. `scrimp` is how its reader calls it."""
    lines = ["## What LLM calls cost, and what was avoidable", "", *_texts([(what(report),), *headline(report)])]
    if report.advice:
        lines += [*drawn(table(report)), "", COUNTED, ""]
    for section in sections(report):
        lines += _section(section, "###")
    for number, one in enumerate(report.advice, 1):
        title = escape(one.title, False) if is_plain(one.title) else f"<code>{escape(clean(one.title), False)}</code>"
        lines += ["<details>", f"<summary>{number}. {title}</summary>", ""]
        for section in in_full(report, number):
            lines += _section(section, "####")
        lines += ["</details>", ""]
    lines += ["```", *(f"{command}  # {does}" for command, does in commands(report, scrimp)), "```"]
    return "\n".join(lines) + "\n"


def _section(section: Section, heading: str) -> Iterator[str]:
    if section.title:
        yield from (f"{heading} {section.title}", "")
    yield from _texts(section.notes)
    if section.rows:
        yield from (*drawn(section.rows), "")
    yield from _texts(section.after)


def _texts(texts: Iterable[Text]) -> Iterator[str]:
    for text in texts:
        yield from ("".join(map(piece, text)), "")
