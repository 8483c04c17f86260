"""The report as one HTML file: no scripts, nothing loaded from anywhere, light and dark, phone and paper.

`csp()` is the Content-Security-Policy to serve it with: the only style it allows beside our own files' is this page's.
"""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Iterable, Iterator, Sequence
from importlib.resources import files

from jinja2 import ChoiceLoader, Environment, PackageLoader
from markupsafe import Markup

from scrimp.report import charts
from scrimp.report.labels import clean
from scrimp.report.money import align, dollars, known, marked, nearest, percent
from scrimp.report.numbers import UNNAMED, Group, Report, gather, saved, share, shorten, whole_hours
from scrimp.report.steps import Step, decimals_of, printed, waterfall
from scrimp.report.tables import spent
from scrimp.report.times import day_name, period
from scrimp.report.words import counts, default_address, nothing, table_note, unpriced_note
from scrimp.store.base import HOUR, Store

MOST_ROWS = 50
PAGE_SPAN = 30 * 24 * HOUR
FIGURE_SPACE = "\u2007"
"""As wide as a digit: aligns the points of amounts with unlike numbers of decimals."""
Bar = tuple[Step, str, str, str]
"""A waterfall's row: step, amount as printed, its part of the whole, how it is known."""


def page(store: Store, until: int | None = None, address: str = "") -> bytes:
    """The page over the last 30 days of a store, as bytes; `until` is ns since the epoch, now where it is None."""
    until = time.time_ns() if until is None else until
    first, last = whole_hours(until - PAGE_SPAN, until)
    return render(gather(store.rollups(first, last), ("feature", "model"), first, last), address).encode()


def csp() -> str:
    """The Content-Security-Policy header of the page."""
    return f"default-src 'self'; {_policy()}; frame-ancestors 'none'"


def render(report: Report, address: str = "", scrimp: str = "scrimp") -> str:
    """The whole page. `address` (the gateway's) and `scrimp` (how it is called) are told where there are no calls."""
    total = report.total
    groups = [shorten(table.groups, MOST_ROWS) for table in report.tables]
    days = [Group(day_name(day), sums) for day, sums in report.days.items()]
    places = decimals_of(report, [row.sums for rows in (*groups, days) for row in rows])
    steps = waterfall(total)
    how = [step.kind if step.kind in ("measured", "estimated") else "" for step in steps]
    bars = falling(steps, printed(total, steps, places), how, total.list_nano)
    tables = [
        (table.by, spent(report, rows, table.by.capitalize(), places), table_note(table.by))
        for table, rows in zip(report.tables, groups, strict=True)
    ]
    paid, full = nearest(total.paid_nano, places), nearest(total.list_nano, places)
    figures = [marked(known(total, dollars(nano, places=places))) for nano in (paid, full, full - paid)]
    return environment().get_template("report.html.j2").render(
        frame(), address=address or default_address(), counts=counts(total), figures=figures, gain=saved(total),
        days=spent(report, days, "Day (UTC)", places), most=MOST_ROWS, nothing=nothing(report), period=period(report),
        part=percent(share(saved(total), total.list_nano)), report=report, scrimp=scrimp, steps=list(bars),
        tables=tables, unnamed=UNNAMED, unpriced_note=unpriced_note(total),
    )  # fmt: skip


def environment(*packages: str) -> Environment:
    """The templates of the report, and before them those of other packages."""
    loaders = [PackageLoader(package) for package in (*packages, "scrimp.report")]
    found = Environment(loader=ChoiceLoader(loaders), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    found.filters.update(clean=clean, day_name=day_name, dollars=dollars, figure=figure, part="{:.3%}".format,
                         percent=percent, tone=tone_of)  # fmt: skip
    found.globals.update(spark_points=charts.spark, day_bars=charts.days)
    return found


def frame() -> dict[str, str]:
    """What every page needs: its style, its policy."""
    return {"css": Markup(_css()), "policy": f"default-src 'none'; {_policy()}"}


def _css() -> str:
    return files("scrimp.report").joinpath("templates/report.css").read_text(encoding="utf-8")


def _policy() -> str:
    digest = base64.b64encode(hashlib.sha256(_css().encode()).digest()).decode()
    return f"style-src 'self' 'sha256-{digest}'; img-src 'self' data:; base-uri 'none'; form-action 'none'"


def falling(steps: Sequence[Step], texts: Sequence[str], how: Iterable[str], base: int) -> Iterator[Bar]:
    """The rows of a waterfall whose amounts are `texts`, as parts of `base` (nanodollars)."""
    for step, text, told in zip(steps, align(texts), how, strict=True):
        part = percent(share(step.shown, base), sign=not step.whole)
        yield step, figure(text), part, told


def figure(text: str) -> str:
    """A number of an aligned column: the blanks after it as wide as digits, none before it."""
    number = text.strip(" ")
    return number + FIGURE_SPACE * (len(text.lstrip(" ")) - len(number))


def tone_of(gain: int) -> str:
    """The class of an amount that was gained, or lost."""
    return "good" if gain > 0 else "bad" if gain < 0 else ""
