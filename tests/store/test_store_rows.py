"""The table has a column for every field of a record, and the queries name what is there."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from hypothesis import given, settings
from store_samples import merged, record, records

from scrimp.store.base import Record
from scrimp.store.opening import open_to_write
from scrimp.store.rows import COLUMNS, SELECT_BETWEEN, RecordWriter, query, record_of, rollup_of, row


@pytest.fixture
def database(tmp_path: Path):
    connection = open_to_write(tmp_path / "calls.db", check=False, on_trouble=pytest.fail)
    yield connection
    connection.close()


def columns(connection: sqlite3.Connection, table: str) -> list[str]:
    return [name for (_, name, *_) in connection.execute(f"PRAGMA table_info({table})")]


def test_the_table_has_the_columns_we_write(database: sqlite3.Connection) -> None:
    assert sorted(columns(database, "calls")) == sorted(("seq", *COLUMNS))
    assert len(row(record(1))) == len(COLUMNS)


@settings(deadline=None, max_examples=30)
@given(calls=records(), more=records())
def test_only_new_calls_are_stored_and_rolled_up(
    tmp_path_factory: pytest.TempPathFactory, calls: list[Record], more: list[Record]
) -> None:
    path = tmp_path_factory.mktemp("rows") / "calls.db"
    connection = open_to_write(path, check=False, on_trouble=pytest.fail)
    connection.execute("PRAGMA synchronous = OFF")
    writer = RecordWriter(connection)
    for batch in (calls, calls + more, more):
        connection.execute("BEGIN")
        writer.write(batch)
        connection.execute("COMMIT")
    unique = {one.id: one for one in calls + more}
    stored = [record_of(values) for values in connection.execute(SELECT_BETWEEN, (0, 1 << 62))]
    cells = [rollup_of(values) for values in connection.execute(query("rollups"), {"since": 0, "until": 9})]
    connection.close()
    assert {one.id: one for one in stored} == unique
    assert {cell.cell: cell for cell in cells} == merged(list(unique.values()))


def test_a_known_id_with_other_savings_and_bodies_changes_nothing(database: sqlite3.Connection) -> None:
    writer = RecordWriter(database)
    writer.write([record(1, savings=())])
    writer.write([record(1, request_body=b"x"), record(2)])
    stored = [record_of(values) for values in database.execute(SELECT_BETWEEN, (0, 1 << 62))]
    assert stored == [record(1, savings=()), record(2)]


def test_the_dollar_view_needs_no_dividing(database: sqlite3.Connection) -> None:
    RecordWriter(database).write([record(1, list_nano=1_500_000_000, paid_nano=1_250_000_000, overhead_nano=0)])
    database.row_factory = sqlite3.Row
    found = database.execute("SELECT * FROM calls_usd").fetchone()
    assert (found["list_usd"], found["saved_usd"], found["paid_usd"]) == (1.5, 0.25, 1.25)
    assert found["time"] == "2025-11-24T16:00:01.000Z"
    assert (found["input_tokens"], found["output_tokens"], found["total_ms"]) == (151, 25, 900.0)
