"""docs/reference/schema.md names every table and column, and its example queries answer."""

from __future__ import annotations

import re
import sqlite3
import time
from pathlib import Path

import pytest
from store_samples import record

from scrimp.store import open_store

DOC = (Path(__file__).parents[2] / "docs" / "reference" / "schema.md").read_text(encoding="utf-8")


@pytest.fixture
def database(tmp_path: Path):
    store = open_store(tmp_path / "calls.db", on_trouble=pytest.fail)
    for number in range(5):
        store.add(record(number, at=time.time_ns(), tags=("red",)))
    store.close()
    connection = sqlite3.connect(tmp_path / "calls.db")
    yield connection
    connection.close()


def test_every_table_and_column_is_documented(database: sqlite3.Connection) -> None:
    named = set(re.findall(r"`(\w+)`", DOC)) | set(re.findall(r"^### (.+?)(?::|$)", DOC, re.MULTILINE))
    named |= {name for heading in re.findall(r"^### ([\w, ]+)", DOC, re.MULTILINE) for name in heading.split(", ")}
    tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")]
    assert set(tables) <= named
    for table in tables:
        if table not in ("calls_usd", "call_cells"):
            columns = {row[1] for row in database.execute(f"PRAGMA table_info({table})")}
            assert columns <= named | {"id"}, table


def test_the_five_example_queries_answer(database: sqlite3.Connection) -> None:
    queries = re.findall(r"```sql\n(.*?)```", DOC, re.DOTALL)
    assert len(queries) == 5
    for query in queries:
        assert database.execute(query).fetchall(), query
