"""The report as one HTML file: no scripts, nothing loaded from anywhere, light and dark, phone and paper.

`csp()` is the Content-Security-Policy to serve it with: the only style it allows beside our own files' is this page's.
"""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Iterator, Sequence
from importlib.resources import files
from typing import NamedTuple

from jinja2 import ChoiceLoader, Environment, PackageLoader
from markupsafe import Markup

from scrimp.report import charts
from scrimp.report.labels import clean
from scrimp.report.money import Amount, align, listing, nearest, percent
from scrimp.report.numbers import (
    HOURS_A_DAY,
    NO_LABEL,
    NO_MODEL,
    Dimension,
    Report,
    Table,
    gather,
    saved,
    share,
    total_row,
    whole_hours,
)
from scrimp.report.steps import Step, decimals_of, printed, waterfall
from scrimp.report.times import day_name, period
from scrimp.report.words import counts, default_address, nothing, table_note, unpriced_note
from scrimp.store.base import HOUR, Rollup, Store

MOST_ROWS = 50
PAGE_DAYS = 30
FIGURE_SPACE = "\u2007"
"""As wide as a digit: aligns the points of amounts with unlike numbers of decimals."""


class Row(NamedTuple):
    """One row of a table, ready to print; `tone` is "good", "bad" or ""."""

    name: str
    none: bool
    calls: str
    list: str
    paid: str
    saved: str
    tone: str
    share: str
    part: float
    spark: Markup


def page(
    store: Store,
    since: int | None = None,
    until: int | None = None,
    by: Sequence[Dimension] = ("feature", "model"),
    address: str = "",
) -> bytes:
    """The page over a store, as bytes. Times are ns since the epoch; the last 30 days where they are None."""
    until = time.time_ns() if until is None else until
    since = until - PAGE_DAYS * HOURS_A_DAY * HOUR if since is None else since
    first, last = whole_hours(since, until)
    return render(gather(store.rollups(first, last), by, first, last), address).encode()


def csp() -> str:
    """The Content-Security-Policy header of the page."""
    return f"default-src 'self'; {_policy()}; frame-ancestors 'none'"


def render(report: Report, address: str = "", scrimp: str = "scrimp") -> str:
    """The whole page. `address` (the gateway's) and `scrimp` (how it is called) are told where there are no calls."""
    total = report.total
    steps = waterfall(total)
    shown = [row.sums for table in report.tables for row in table.top(MOST_ROWS)]
    places = decimals_of(report, [*shown, *report.days.values()])
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            address=address or default_address(),
            adds_up=report.adds_up,
            counts=counts(total),
            **frame(),
            days=list(_days(report, places)),
            days_chart=charts.days(report) if len(report.days) > 1 else "",
            days_named=[day_name(day) for day in (min(report.days, default=0), max(report.days, default=0))],
            figures=_figures(report, places),
            models=[
                (clean(row.model) or "(no model)", clean(row.provider) or "(no provider)", f"{row.calls:,}")
                for row in report.unpriced_models[:MOST_ROWS]
            ],
            more_models=max(0, len(report.unpriced_models) - MOST_ROWS),
            nothing=nothing(report),
            period=period(report),
            scrimp=scrimp,
            steps=list(_steps(report, steps, places)),
            tables=[(table.by, list(_rows(report, table, places)), table_note(table.by)) for table in report.tables],
            total=total,
            unpriced_note=unpriced_note(total),
        )
    )


def environment(*packages: str) -> Environment:
    """The templates of the report, and before them those of other packages."""
    loaders = [PackageLoader(package) for package in (*packages, "scrimp.report")]
    return Environment(loader=ChoiceLoader(loaders), autoescape=True, trim_blocks=True, lstrip_blocks=True)


def frame() -> dict[str, str | Markup]:
    """What every page needs: its style, its policy, the patterns of its charts."""
    return {"css": Markup(_css()), "policy": f"default-src 'none'; {_policy()}", "patterns": charts.PATTERNS}


def _css() -> str:
    return files("scrimp.report").joinpath("templates/report.css").read_text(encoding="utf-8")


def _policy() -> str:
    digest = base64.b64encode(hashlib.sha256(_css().encode()).digest()).decode()
    return f"style-src 'self' 'sha256-{digest}'; img-src 'self' data:; base-uri 'none'; form-action 'none'"


def _figures(report: Report, places: int) -> list[tuple[str, str, str, str]]:
    """The headline: name, figure, what to know about it, tone."""
    total = report.total
    gain = saved(total)
    spent, full = nearest(total.paid_nano, places), nearest(total.list_nano, places)
    paid, listed, less = (_usd(Amount(total, nano).text(places)) for nano in (spent, full, full - spent))
    priceless = "not in the amounts" if total.unpriced else "every call has one"
    return [
        ("Paid", paid, "", ""),
        ("List price", listed, "", ""),
        ("Saved", less, f"{percent(share(gain, total.list_nano))} of list price", tone_of(gain)),
        ("Calls", f"{total.calls:,}", f"{total.failed:,} failed", ""),
        ("No known price", f"{total.unpriced:,}", priceless, "bad" if total.unpriced else ""),
    ]


def _usd(text: str) -> str:
    return f"-${text[1:]}" if text.startswith("-") else f"${text}" if text[0].isdigit() else text


def _steps(report: Report, steps: list[Step], places: int) -> Iterator[tuple[Step, str, Markup, str, str, str]]:
    """Each step of the waterfall with its amount, bar, part of list, how it is known, tone."""
    total = report.total
    amounts = align(printed(total, steps, places), FIGURE_SPACE)
    for step, money in zip(steps, amounts, strict=True):
        part = percent(share(step.shown, total.list_nano), sign=not step.whole)
        known = step.kind if step.kind in ("measured", "estimated") else ""
        yield step, money.strip(" "), charts.bar(step), part, known, tone_of(step.saves)


def _rows(report: Report, table: Table, places: int) -> Iterator[Row]:
    """The rows of a table; the last one is the total."""
    if not report.days:
        return
    groups = [*table.top(MOST_ROWS), total_row(report)]
    lists, paids = _columns([group.sums for group in groups], places)
    first, last = min(report.days), max(report.days)
    for group, listed, paid in zip(groups, lists, paids, strict=True):
        part = share(group.sums.paid_nano, report.total.paid_nano)
        gain = saved(group.sums)
        name = clean(group.name)
        yield Row(
            name=name,
            none=group.row in (NO_LABEL, NO_MODEL),
            calls=f"{group.sums.calls:,}",
            list=listed.strip(" "),
            paid=paid.strip(" "),
            saved=percent(share(gain, group.sums.list_nano)),
            tone=tone_of(gain),
            share=percent(part),
            part=round(part or 0.0, 4),
            spark=charts.spark(group.daily, first, last, name) if first < last else Markup(),
        )


def _columns(sums: list[Rollup], places: int) -> tuple[list[str], list[str]]:
    """List and paid of some parts and, last, of their whole."""
    *lists, full = (Amount(one, one.list_nano) for one in sums)
    *paids, spent = (Amount(one, one.paid_nano) for one in sums)
    return align(listing(lists, full, places), FIGURE_SPACE), align(listing(paids, spent, places), FIGURE_SPACE)


def _days(report: Report, places: int) -> Iterator[tuple[str, str, str, str, str]]:
    every = list(report.days.values())
    lists, paids = _columns([*every, report.total], places)
    for (day, sums), listed, paid in zip(report.days.items(), lists, paids, strict=False):
        part = percent(share(saved(sums), sums.list_nano))
        yield day_name(day), f"{sums.calls:,}", listed.strip(" "), paid.strip(" "), part


def tone_of(gain: int) -> str:
    """The class of an amount that was gained, or lost."""
    return "good" if gain > 0 else "bad" if gain < 0 else ""
