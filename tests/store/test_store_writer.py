"""The writer when the database does not work: records wait, are spilled, and arrive once it works again."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from store_samples import merged, record

from scrimp.errors import StoreError
from scrimp.store import intake
from scrimp.store.sqlite import SqliteStore


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def store(tmp_path: Path, told: list[str]) -> Iterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "calls.db", on_trouble=told.append)
    yield opened
    opened.close()


def fill_disk(store: SqliteStore) -> None:
    """The database may not grow: SQLite then says that the disk is full."""
    store._writer.run(lambda db: db.execute("PRAGMA max_page_count = 1").fetchall())


def free_disk(store: SqliteStore) -> None:
    store._writer.run(lambda db: db.execute("PRAGMA max_page_count = 1000000").fetchall())


def wait_for(what, seconds: float = 5.0) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_full_disk_spills_and_all_arrive_when_there_is_room(store: SqliteStore, told: list[str]) -> None:
    store.add(record(0))
    assert store.flush()
    fill_disk(store)
    calls = [record(number, error="x" * 300) for number in range(1, 400)]
    for one in calls:
        store.add(one)
    assert not store.flush(timeout=0.2)
    wait_for(lambda: store.health()["spilled"] == 399)
    health = store.health()
    assert "full" in health["last_error"] and health["dropped"] == 0 and health["queued"] == 0
    with pytest.raises(StoreError, match="full"):
        store.put("big", b"x" * 1_000_000, 0)
    free_disk(store)
    assert store.flush()
    assert list(store.records()) == [record(0), *calls]
    assert {cell.cell: cell for cell in store.rollups()} == merged([record(0), *calls])
    assert store.health()["last_error"] == ""
    assert [text.split(":")[0][:36] for text in told] == [told[0].split(":")[0][:36], "the store is written again"]
    assert "full" in told[0]


def test_the_writer_recovers_by_itself(store: SqliteStore, told: list[str]) -> None:
    fill_disk(store)
    for number in range(300):
        store.add(record(number, error="x" * 300))
    wait_for(lambda: bool(told))
    free_disk(store)
    wait_for(lambda: len(told) == 2)
    wait_for(lambda: len(list(store.records())) == 300)


def test_what_came_in_behind_held_records_is_written_too(store: SqliteStore, told: list[str]) -> None:
    fill_disk(store)
    store._writer.spill.path.mkdir()
    store.add(record(0, error="x" * 100_000))
    wait_for(lambda: bool(told))
    for number in range(1, 20):
        store.add(record(number))
    free_disk(store)
    wait_for(lambda: len(list(store.records())) == 20)
    store._writer.spill.path.rmdir()


def test_when_the_spill_fails_too_the_queue_holds_and_then_drops_and_counts(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "QUEUE_BYTES", 100_000)
    fill_disk(store)
    store._writer.spill.path.mkdir()  # no file can be made there
    for number in range(1_000):
        store.add(record(number, error="x" * 300))
    store.flush(timeout=0.1)
    health = store.health()
    assert health["dropped"] > 0 and health["spilled"] == 0
    assert health["queued"] + health["dropped"] == 1_000
    assert health["oldest_uncommitted_s"] > 0
    free_disk(store)
    store._writer.spill.path.rmdir()
    assert store.flush()
    assert len(list(store.records())) == health["queued"]


def test_one_bad_record_does_not_stop_the_others(store: SqliteStore, told: list[str]) -> None:
    store.add(record(1))
    store.add(record(2, list_nano=(1 << 63) + 5))
    store.add(record(3, status=None))
    store.add(record(4, usage=None))
    store.add(record(5))
    assert store.flush()
    assert [one.id for one in store.records()] == ["call-000001", "call-000005"]
    assert store.health()["dropped"] == 3 and told == []


def test_sums_that_no_column_holds_stop_nobody(store: SqliteStore) -> None:
    for number in range(3):
        store.add(record(number, list_nano=(1 << 63) - 1, feature="", savings=()))
    assert store.flush()
    assert len(list(store.records())) == 3


def test_counters_of_a_failed_batch_are_written_later(store: SqliteStore, tmp_path: Path) -> None:
    store.count({"warm": 1})
    assert store.flush()
    fill_disk(store)
    store.count({f"key-{number}-{'x' * 200}": number for number in range(400)})
    assert not store.flush(timeout=0.2)
    free_disk(store)
    assert store.flush()
    reader = SqliteStore(tmp_path / "calls.db", read_only=True, on_trouble=pytest.fail)
    assert len(reader.counters("key-")) == 400
    reader.close()


LIMITED = """
import resource, sys
from store_samples import record
from scrimp.store import open_store
told = []
store = open_store(sys.argv[1], on_trouble=told.append)
for number in range(100):
    store.add(record(number))
assert store.flush()
resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
for number in range(100, 600):
    store.add(record(number))
assert not store.flush(0.3)
health = store.health()
assert health["queued"] == 500 and health["spilled"] == 0 and health["last_error"], health
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
assert store.flush(), store.health()
assert len(list(store.records())) == 600
store.close()
print(len(told))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs setrlimit")
def test_when_no_file_can_grow_the_mapped_journal_and_the_queue_hold(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(LIMITED), str(tmp_path / "calls.db")],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parent)},
    )
    assert (run.returncode, run.stdout.strip()) == (0, "2"), run.stderr
