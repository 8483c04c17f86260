"""Our own database is a log like any other."""

from __future__ import annotations

from pathlib import Path

import pytest

from scrimp.audit.database import RecordLines
from scrimp.audit.reading import Reading, Wanted
from scrimp.audit.work import Work
from scrimp.call import Usage
from scrimp.config import Config
from scrimp.errors import StoreError
from scrimp.store import open_store
from scrimp.store.base import Record

NOON = 1_790_000_000 * 10**9


def database(path: Path, number: int) -> str:
    store = open_store(path)
    for place in range(number):
        usage = Usage(input=100, cached=place, output=7)
        store.add(
            Record(
                id=f"018f-{place:012}", at=NOON + place, provider="openai", model="gpt-4o", feature="search",
                status=200, usage=usage, basis="exact",
            )
        )  # fmt: skip
    store.close()
    return str(path)


def test_the_bytes_do_not_depend_on_how_they_are_asked_for(tmp_path: Path) -> None:
    path = database(tmp_path / "scrimp.db", 30)
    whole, small = RecordLines(path), RecordLines(path)
    lines = b"".join(iter(lambda: small.read(97), b""))
    assert whole.read(10**6) == lines
    assert lines.count(b"\n") == 30


def test_a_database_is_told_by_its_content_and_read_to_its_last_record(tmp_path: Path) -> None:
    path = tmp_path / "no-ending"
    database(tmp_path / "scrimp.db", 30)
    (tmp_path / "scrimp.db").rename(path)
    work = Work()
    logs = Reading(work, Wanted(), Config()).read([str(path)])
    assert work.one("SELECT COUNT(*), SUM(input), SUM(cached), MIN(feature) FROM calls") == (
        30, 3000, sum(range(30)), "search",
    )  # fmt: skip
    assert logs[0].format.startswith("scrimp")


def test_a_database_of_somebody_elses_is_refused(tmp_path: Path) -> None:
    import sqlite3

    other = sqlite3.connect(tmp_path / "other.db")
    other.execute("CREATE TABLE calls (x)")
    other.close()
    with pytest.raises(StoreError):
        RecordLines(str(tmp_path / "other.db"))
