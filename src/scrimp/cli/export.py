"""`scrimp export`: the records as a table, one row a call, streamed."""

from __future__ import annotations

import click

from scrimp.cli.options import (
    check_span,
    config_option,
    out_option,
    output,
    override_option,
    reading,
    settings,
    since_option,
    store_option,
    until_option,
)


@click.command()
@store_option
@config_option
@override_option
@since_option
@until_option
@click.option("--csv", "form", flag_value="csv", default="csv", help="RFC 4180; formulas made harmless.  [default]")
@click.option("--jsonl", "form", flag_value="jsonl", help="A JSON object a line.")
@out_option
def export(
    store: str | None,
    config_path: str | None,
    overrides: tuple[str, ...],
    since: int | None,
    until: int | None,
    form: str,
    out: str | None,
) -> None:
    """Write one row a call: time, model, tokens by class, cost, savings, labels. Amounts in USD, times in UTC."""
    from scrimp.report.rows import write_csv, write_jsonl

    check_span(since, until)
    config = settings(store, config_path, overrides)
    write = write_jsonl if form == "jsonl" else write_csv
    with reading(config.store) as records, output(out) as file:
        write(records.records(since or 0, until), file)
