"""`scrimp export`: the records as a table, one row a call, streamed."""

from __future__ import annotations

import click

from scrimp.cli import options


@click.command()
@options.store_option
@options.config_option
@options.override_option
@options.since_option
@options.until_option
@click.option("--csv", "as_csv", is_flag=True, help="RFC 4180; formulas made harmless.  [default]")
@click.option("--jsonl", "as_jsonl", is_flag=True, help="A JSON object a line.")
@options.out_option
def export(
    store: str | None, config_path: str | None, overrides: tuple[str, ...], since: int | None, until: int | None,
    as_csv: bool, as_jsonl: bool, out: str | None
) -> None:  # fmt: skip
    """Write one row a call: time, model, tokens by class, cost, savings, labels. Amounts in USD, times in UTC."""
    from scrimp.report.rows import write_csv, write_jsonl

    options.check_span(since, until)
    config = options.settings(store, config_path, overrides)
    write = write_jsonl if options.one_form(csv=as_csv, jsonl=as_jsonl) == "jsonl" else write_csv
    with options.reading(config.store) as records, options.output(out) as file:
        write(records.records(since or 0, until), file)
