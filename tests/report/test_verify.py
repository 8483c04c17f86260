"""A whole database, recomputed."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import msgspec
import pytest

from scrimp.report.verify import changed, check_call, verify
from scrimp.store import open_store
from scrimp.store.base import HOUR, Record, Rollup, SavingRow, roll_up


@pytest.fixture
def database(tmp_path: Path, records: list[Record]) -> Path:
    """A real database with the calls in it."""
    path = tmp_path / "scrimp.db"
    store = open_store(path)
    for record in records:
        store.add(record)
    store.flush()
    store.close()
    return path


def findings(path: Path) -> list[str]:
    store = open_store(path, read_only=True)
    try:
        return verify(store.records(), store.rollups())
    finally:
        store.close()


def test_a_sound_database_has_no_findings(database: Path) -> None:
    assert findings(database) == []


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ("UPDATE calls SET paid_nano = paid_nano + 7 WHERE id = 'c1'",
         ["call c1: list - savings + overhead differs from paid by $-0.000000007",
          "hour 2026-11-01T00:00:00Z feature=chat user=u1 model=gpt-5 provider=openai tags=a,b: paid_nano is"
          " 100,000,000,000 in the rollup and 100,000,000,007 in its calls (-7)"]),
        ("UPDATE rollups SET calls = 3 WHERE feature = 'docs'",
         ["hour 2026-11-02T02:00:00Z feature=docs model=claude provider=anthropic: calls is 3 in the rollup"
          " and 1 in its calls (+2)"]),
        ("DELETE FROM rollups WHERE feature = 'docs'",
         ["hour 2026-11-02T02:00:00Z feature=docs model=claude provider=anthropic: 1 calls are in no rollup"]),
        ("DELETE FROM calls WHERE id = 'c2'",
         ["hour 2026-11-02T02:00:00Z feature=docs model=claude provider=anthropic: the rollup counts 1 calls,"
          " the records have none"]),
        ("UPDATE rollup_savings SET nano = 1 WHERE strategy = 'zippy'",
         ["hour 2026-11-04T03:00:00Z model=gpt-5 provider=openai: estimated saving of zippy is $0.000000001"
          " in the rollup and $1.00 in its calls ($-0.999999999 off)"]),
    ],
)  # fmt: skip
def test_damage_is_found_named_and_measured(database: Path, damage: str, words: list[str]) -> None:
    connection = sqlite3.connect(database)
    assert connection.execute(damage).rowcount == 1
    connection.commit()
    connection.close()
    assert findings(database) == words


def test_an_unpriced_call_with_a_price_is_a_finding() -> None:
    record = Record(id="x", at=0, unpriced="no price", list_nano=5, paid_nano=5)
    assert list(check_call(record)) == ["call x: is unpriced and yet has a price ($0.000000005 paid)"]


def test_prices_are_compared_where_a_book_is_given() -> None:
    record = Record(id="x", at=0, list_nano=5, paid_nano=4, price_model="p/m", savings=(SavingRow("a", 1, "measured"),))
    assert list(check_call(record, lambda _: (5, 4))) == []
    assert list(check_call(record, lambda _: (5, 3))) == [
        "call x: paid is $0.000000004, the price book says $0.000000003 ($0.000000001 off)"
    ]
    assert list(check_call(record, lambda _: None)) == ["call x: the price book has no price for p/m any more"]


def test_labels_in_findings_are_cleaned() -> None:
    record = Record(id="\x1b[2Jx", at=0, feature="\x1b[31mf", list_nano=1)
    assert not any("\x1b" in finding for finding in verify([record], []))


def test_hours_that_changed_in_between_are_seen() -> None:
    before = [roll_up(Record(id="a", at=3 * HOUR)), roll_up(Record(id="b", at=5 * HOUR))]
    after = [msgspec.structs.replace(cell) for cell in before]
    assert changed(before, after) is None
    after[1].merge(Rollup(hour=5, calls=1))
    assert changed(before, after) == 5
    assert changed(before[1:], before) == 3
    assert changed(before, before[1:]) == 3
