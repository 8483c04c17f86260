"""`scrimp audit`: what was spent and what was avoidable, from logs that a team already has."""

from __future__ import annotations

import sys
from fractions import Fraction
from typing import TYPE_CHECKING

import click

from scrimp.cli import options
from scrimp.errors import ScrimpError

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from scrimp.audit.report import Report

UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILES...")
@click.option(
    "--format", "form", metavar="NAME", default="", help="The log's format.  [default: told by its beginning]"
)
@click.option("--model", metavar="NAME", default="", help="The model of calls whose log names none.")
@click.option("--map", "mapped", multiple=True, metavar="MEANING=COLUMN", help="What a column means; may be repeated.")
@options.since_option
@options.until_option
@click.option("--feature", metavar="NAME", default="", help="Only calls of this feature.")
@click.option("--sample", type=click.IntRange(min=1), metavar="N", help="Look at N calls, chosen at random.")
@click.option(
    "--ttl", default="24h", show_default=True, metavar="SPAN", help="How long an exact repeat is answered from store."
)
@click.option("--explain", type=click.IntRange(min=1), metavar="N", help="Tell all about one row of advice.")
@click.option("--show-text", is_flag=True, help="Show the prompts of example calls.")
@click.option("--fail-over", metavar="USD", help="Exit with 1 where more than this was avoidable.")
@click.option("--resume", is_flag=True, help="Go on where an audit of these logs was ended.")
@click.option("--json", "as_json", is_flag=True, help="Stable keys, exact decimal strings.")
@click.option("--md", "as_markdown", is_flag=True, help="Markdown.")
@click.option("--html", "as_html", is_flag=True, help="One HTML file.")
@options.out_option
@options.config_option
@options.override_option
def audit(
    files: tuple[str, ...], form: str, model: str, mapped: tuple[str, ...], since: int | None, until: int | None,
    feature: str, sample: int | None, ttl: str, explain: int | None, show_text: bool, fail_over: str | None,
    resume: bool, as_json: bool, as_markdown: bool, as_html: bool, out: str | None, config_path: str | None,
    overrides: tuple[str, ...]
) -> None:  # fmt: skip
    """Tell what recorded calls cost and what could have been saved.

    Reads log files, folders of them, or - for standard input: plain, gzip or Zstandard. Sends nothing.
    """
    from scrimp.audit.reading import Wanted
    from scrimp.audit.run import run

    options.check_span(since, until)
    shown = options.one_form(json=as_json, md=as_markdown, html=as_html, explain=explain is not None)
    most = _dollars(fail_over)
    wanted = Wanted(
        format=form, model=model, columns=_columns(mapped), since=since, until=until, feature=feature,
        sample=sample or 0, ttl=_span(ttl), show_text=show_text
    )  # fmt: skip
    config = options.settings(None, config_path, overrides)
    try:
        with Bar() as bar:
            report = run(files, wanted, config, bar, resume)
    except KeyboardInterrupt:
        click.echo("scrimp: stopped; the same command with --resume goes on where it stood", err=True)
        sys.exit(130)
    with options.output(out) as file:
        file.write(_render(report, shown, explain, shown=out is None))
    if most is not None and report.unpriced and not report.list_nano:
        click.echo("scrimp: no call has a known price, so nobody knows what --fail-over asks", err=True)
        sys.exit(1)
    scale = Fraction(report.sampled.of, report.sampled.calls) if report.sampled else 1
    avoidable = report.avoidable * scale
    if most is not None and avoidable > most:
        told = f"{float(avoidable) / 10**9:,.2f} USD were avoidable, more than --fail-over {fail_over}"
        click.echo(f"scrimp: {told}", err=True)
        sys.exit(1)


def _columns(mapped: tuple[str, ...]) -> dict[str, str]:
    columns = {}
    for one in mapped:
        meaning, equals, column = one.partition("=")
        if not equals:
            raise click.UsageError(f"--map: {one!r} is not MEANING=COLUMN, such as input=ContextTokens")
        columns[meaning.strip()] = column.strip()
    return columns


def _span(text: str) -> int:
    """Nanoseconds of "24h", "90m", "7d", "60s"."""
    number, unit = text[:-1], text[-1:]
    if unit not in UNITS or not number.isdigit() or not 0 < int(number) < 10**6:
        raise click.UsageError(f"--ttl: {text!r} is no span such as 60s, 90m, 24h or 30d")
    return int(number) * UNITS[unit] * 10**9


def _dollars(text: str | None) -> int | None:
    """Nanodollars of an amount of dollars."""
    from scrimp.audit.formats.base import amount

    if text is None:
        return None
    nano = amount(text)
    if nano is None or nano < 0:
        raise click.UsageError(f"--fail-over: {text!r} is no amount of dollars such as 50 or 12.50")
    return nano


def _render(report: Report, form: str, explain: int | None, shown: bool) -> str:
    """The report in the form that was asked for; what the page needs is imported only for it."""
    from scrimp.audit.show import json, markdown, terminal

    if form == "json":
        return json.render(report)
    if form == "md":
        return markdown.render(report, options.called())
    if form == "html":
        from scrimp.audit.show import html

        return html.render(report, options.called())
    columns, colour = options.screen(shown)
    if explain is None:
        return terminal.render(report, columns, colour, options.called())
    if explain > len(report.advice):
        raise ScrimpError(f"--explain {explain}: there are {len(report.advice)} rows of advice")
    return terminal.explain(report, explain, columns, options.called())


class Bar:
    """The progress of reading on standard error: a bar with bytes, calls and what is left; silence off a terminal."""

    def __init__(self) -> None:
        self._progress: Progress | None = None
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Bar:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

            columns = (
                TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(),
                TextColumn("{task.fields[calls]:,} calls"), TimeRemainingColumn()
            )  # fmt: skip
            self._progress = Progress(*columns, console=Console(stderr=True), transient=True)
            self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._progress is not None:
            self._progress.stop()

    def __call__(self, name: str, done: int, size: int, calls: int) -> None:
        """Show how far a log is read."""
        if self._progress is None:
            return
        if name not in self._tasks:
            from scrimp.report.labels import clean

            short = clean(name.rpartition("/")[2])[:30]
            self._tasks[name] = self._progress.add_task(short, total=size or None, calls=calls)
        self._progress.update(self._tasks[name], completed=done, calls=calls)
