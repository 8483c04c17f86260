"""The report as GitHub Markdown, for a pull request or a chat. Labels stand in code spans: no links, no mentions."""

from __future__ import annotations

from collections.abc import Iterator

from scrimp.report.labels import clean
from scrimp.report.money import Amount, listing, percent
from scrimp.report.numbers import Group, Report, saved, share, total_row
from scrimp.report.steps import decimals_of, printed, waterfall
from scrimp.report.times import period
from scrimp.report.words import counts, next_command, table_note, unpriced_note

MOST_ROWS = 50


def render(report: Report, address: str = "", scrimp: str = "scrimp") -> str:
    """The whole report. `address` (the gateway's) and `scrimp` (how it is called) are told where there are no calls."""
    if not report.total.calls:
        first, _, *rest = next_command(report, address, scrimp)
        return "\n".join([first, "", "```", *rest, "```"]) + "\n"
    groups = report.table.top(MOST_ROWS)
    places = decimals_of(report, (row.sums for row in groups))
    lines = [f"## Savings, {period(report)}", "", *_waterfall(report, places), "", *_table(report, groups, places), ""]
    note = table_note(report.table.by)
    if note:
        lines.extend((note, ""))
    lines.append(counts(report.total))
    lines.extend(_unpriced(report))
    if not report.adds_up:
        lines.extend(("", "**These sums do not add up**; `scrimp report --verify` says where."))
    return "\n".join(lines) + "\n"


def _waterfall(report: Report, places: int) -> Iterator[str]:
    yield "| Step | USD | Of list | How known |"
    yield "|---|---:|---:|---|"
    steps = waterfall(report.total)
    amounts = printed(report.total, steps, places)
    for step, money in zip(steps, amounts, strict=True):
        part = percent(share(step.shown, report.total.list_nano), sign=not step.whole)
        name = f"**{step.label}**" if step.whole else step.label if step.known else cell(step.label)
        known = step.kind if step.kind in ("measured", "estimated") else ""
        yield f"| {name} | {money} | {part} | {known} |"


def _table(report: Report, groups: list[Group], places: int) -> Iterator[str]:
    yield f"| {report.table.by.capitalize()} | Calls | List | Paid | Saved | Share |"
    yield "|---|---:|---:|---:|---:|---:|"
    total = report.total
    rows = [*groups, total_row(report)]
    names = [*(cell(row.name) for row in rows[:-1]), "**Total**"]
    lists = listing([Amount(row.sums, row.sums.list_nano) for row in groups], Amount(total, total.list_nano), places)
    paids = listing([Amount(row.sums, row.sums.paid_nano) for row in groups], Amount(total, total.paid_nano), places)
    for name, row, listed, paid in zip(names, rows, lists, paids, strict=True):
        part = percent(share(saved(row.sums), row.sums.list_nano))
        of_all = percent(share(row.sums.paid_nano, report.total.paid_nano))
        yield f"| {name} | {row.sums.calls:,} | {listed} | {paid} | {part} | {of_all} |"


def _unpriced(report: Report) -> Iterator[str]:
    if not report.total.unpriced:
        return
    yield ""
    yield unpriced_note(report.total)
    yield ""
    for row in report.unpriced_models[:MOST_ROWS]:
        yield f"- {span(row.model or '(no model)')} at {span(row.provider or '(no provider)')}: {row.calls:,}"


def span(label: str) -> str:
    """A label as a code span."""
    return "`" + clean(label).replace("`", "'") + "`"


def cell(label: str) -> str:
    """A label as a code span that also holds inside a table."""
    return span(label).replace("|", "\\|")
