"""`scrimp export`: the records as a table, one row a call, streamed."""

from __future__ import annotations

import click

from scrimp.cli.options import (
    check_span,
    config_option,
    one_form,
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
@click.option("--csv", "as_csv", is_flag=True, help="RFC 4180; formulas made harmless.  [default]")
@click.option("--jsonl", "as_jsonl", is_flag=True, help="A JSON object a line.")
@out_option
def export(
    store: str | None, config_path: str | None, overrides: tuple[str, ...], since: int | None, until: int | None,
    as_csv: bool, as_jsonl: bool, out: str | None
) -> None:  # fmt: skip
    """Write one row a call: time, model, tokens by class, cost, savings, labels. Amounts in USD, times in UTC."""
    from scrimp.report.rows import write_csv, write_jsonl

    check_span(since, until)
    config = settings(store, config_path, overrides)
    write = write_jsonl if one_form(csv=as_csv, jsonl=as_jsonl) == "jsonl" else write_csv
    with reading(config.store) as records, output(out) as file:
        write(records.records(since or 0, until), file)
