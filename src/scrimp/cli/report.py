"""`scrimp report`: what was spent and saved, and with --verify whether all of it adds up."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import click

from scrimp.cli import options
from scrimp.report.numbers import DIMENSIONS, Dimension, gather, whole_hours

if TYPE_CHECKING:
    from scrimp.config import Config
    from scrimp.report.numbers import Report
    from scrimp.store.base import Store

MOST_FINDINGS = 50
PATIENCE = 4
"""How often --verify begins anew where a gateway writes in between."""


@click.command()
@options.store_option
@options.config_option
@options.override_option
@options.since_option
@options.until_option
@click.option("--by", type=click.Choice(DIMENSIONS), default="feature", show_default=True, help="A row for each.")
@click.option("--json", "as_json", is_flag=True, help="Stable keys, exact decimal strings.")
@click.option("--md", "as_markdown", is_flag=True, help="Markdown.")
@click.option("--html", "as_html", is_flag=True, help="One HTML file.")
@options.out_option
@click.option("--verify", "verifying", is_flag=True, help="Recompute everything instead; exit code 1 on findings.")
def report(
    store: str | None, config_path: str | None, overrides: tuple[str, ...], since: int | None, until: int | None,
    by: Dimension, as_json: bool, as_markdown: bool, as_html: bool, out: str | None, verifying: bool
) -> None:  # fmt: skip
    """Tell what was spent and saved: list price, savings, paid.

    Times are UTC. Records are summed by the hour: a span begins and ends at full hours.
    """
    options.check_span(since, until)
    form = options.one_form(json=as_json, md=as_markdown, html=as_html, verify=verifying)
    config = options.settings(store, config_path, overrides)
    with options.reading(config.store) as records:
        first, last = None if since is None else whole_hours(since, None)[0], whole_hours(0, until)[1]
        if verifying:
            sys.exit(_verify(records, config, first or 0, last))
        if first is not None and last is None:
            last = whole_hours(0, time.time_ns())[1]
        beside: Dimension = "model" if by != "model" else "feature"
        tables = (by, beside) if form == "html" else (by,)
        told = gather(records.rollups(first or 0, last), tables, first, last)
    with options.output(out) as file:
        file.write(_render(told, form, config, shown=out is None))


def _render(told: Report, form: str, config: Config, shown: bool) -> str:
    """The report in the form that was asked for; what the page needs is imported only for it."""
    from scrimp.report import json, markdown, terminal

    address = f"http://{config.serve.host}:{config.serve.port}"
    if form == "json":
        return json.render(told)
    if form == "md":
        return markdown.render(told, address, options.called())
    if form == "html":
        from scrimp.report import html

        return html.render(told, address, options.called())
    return terminal.render(told, *options.screen(shown), address, options.called())


def _verify(store: Store, config: Config, first: int, last: int | None) -> int:
    """Print what does not add up; the exit code. Hours that are written to while they are read are left out."""
    from scrimp.prices.book import Book
    from scrimp.report.reprice import Repricer
    from scrimp.report.times import stamp
    from scrimp.report.verify import changed, verify
    from scrimp.store.base import HOUR

    for _ in range(PATIENCE):
        reprice = Repricer(lambda: Book.load(config.models, config.hosts))
        cells = list(store.rollups(first, last))
        records = store.records(first * HOUR, None if last is None else last * HOUR)
        findings = verify(records, cells, reprice)
        changing = changed(cells, store.rollups(first, last))
        if changing is None:
            break
        last = changing
        click.echo(f"calls from {stamp(last * HOUR)} on are being written and left out")
    for finding in findings[:MOST_FINDINGS]:
        click.echo(finding)
    if findings:
        click.echo(f"{len(findings):,} findings in {config.store}", err=True)
        return 1
    calls, unpriced = sum(cell.calls for cell in cells), sum(cell.unpriced for cell in cells)
    told = f"{calls:,} calls ({unpriced:,} without a known price) in {len(cells):,} rollups"
    if reprice.unchecked:
        click.echo(f"{reprice.unchecked:,} calls have prices of a [models] section that is not in this configuration;")
        click.echo("they are taken as recorded. Name it with --config to have them recomputed.")
    click.echo(f"OK: {told}; list - savings + overhead = paid in each.")
    return 0
