"""The SQLite store among processes: kills, readers beside a writer, two writers, what the dead left behind."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from store_samples import merged, record

from scrimp.store import open_store
from scrimp.store.base import Job
from scrimp.store.claim import companions
from scrimp.store.sqlite import SqliteStore

CHILD = """
import sys
from store_samples import record
from scrimp.store.sqlite import SqliteStore
store = SqliteStore(sys.argv[1], on_trouble=lambda text: print(text, file=sys.stderr))
first, count = int(sys.argv[2]), int(sys.argv[3])
if "full" in sys.argv:
    store._writer.run(lambda db: db.execute("PRAGMA max_page_count = 1").fetchall())
for number in range(first, first + count):
    store.add(record(number))
if "full" in sys.argv:
    store.flush(0.1)
print("added", flush=True)
if "close" in sys.argv:
    store.close()
else:
    sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "calls.db"


def start(path: Path, first: int, count: int, *how: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, str(path), str(first), str(count), *how],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parent)},
    )


def killed(path: Path, first: int, count: int, *how: str) -> None:
    """A process that is killed as soon as it has added its records."""
    with start(path, first, count, *how) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "added\n"
        child.kill()


@pytest.mark.parametrize("count", [1, 40, 1_700])
def test_a_kill_right_after_add_loses_nothing(path: Path, count: int) -> None:
    killed(path, 0, count)
    store = open_store(path, on_trouble=pytest.fail)
    calls = [record(number) for number in range(count)]
    assert sorted(store.records(), key=lambda one: one.id) == calls
    assert {cell.cell: cell for cell in store.rollups()} == merged(calls)
    store.close()
    assert list(path.parent.iterdir()) == [path], "journals of the dead are removed"


def test_kill_upon_kill_adds_up(path: Path) -> None:
    for first in range(0, 300, 100):
        killed(path, first, 120)  # twenty of each are known to the one before
    store = open_store(path, on_trouble=pytest.fail)
    calls = [record(number) for number in range(320)]
    assert sorted(store.records(), key=lambda one: one.id) == calls
    assert {cell.cell: cell for cell in store.rollups()} == merged(calls)
    store.close()


def test_what_a_dead_process_spilled_is_taken_in(path: Path) -> None:
    killed(path, 0, 400, "full")
    assert companions(path, "spill")
    store = open_store(path, on_trouble=pytest.fail)
    assert len(list(store.records())) == 400
    store.close()
    assert list(path.parent.iterdir()) == [path]


def test_a_journal_survives_the_corruption_of_its_database(path: Path) -> None:
    killed(path, 0, 10)
    for name in ("calls.db", "calls.db-wal", "calls.db-shm"):
        path.with_name(name).write_bytes(b"garbage" * 1_000)
    told: list[str] = []
    killed(path, 10, 5)
    store = open_store(path, on_trouble=told.append)
    found = {one.id for one in store.records()}
    assert found >= {f"call-{number:06d}" for number in range(10, 15)}
    store.close()


def test_two_writers_on_one_file_are_safe(path: Path) -> None:
    store = open_store(path, on_trouble=pytest.fail)
    with start(path, 1_000, 600, "close") as child:
        for number in range(600):
            store.add(record(number))
        assert child.wait(20) == 0
    assert store.flush()
    calls = [record(number) for number in (*range(600), *range(1_000, 1_600))]
    assert sorted(store.records(), key=lambda one: one.id) == calls
    assert {cell.cell: cell for cell in store.rollups()} == merged(calls)
    assert len(companions(path, "journal")) == 1, "the living process keeps its own"
    store.close()


def test_a_reader_sees_what_the_writer_commits(path: Path) -> None:
    store = open_store(path, on_trouble=pytest.fail)
    reader = open_store(path, read_only=True)
    for number in range(5):
        store.add(record(number))
        assert store.flush()
        assert len(list(reader.records())) == number + 1
    half_read = reader.records()
    next(half_read)
    store.add(record(5))
    assert store.flush(), "a reader does not stop the writer"
    assert len(list(half_read)) == 4, "and reads on in the view that it began with"
    reader.close()
    store.close()


def test_a_reader_of_a_read_only_disk_reads_without_locks() -> None:
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("only root can become a user who may not write")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "calls.db"
        store = open_store(path, on_trouble=pytest.fail)
        store.add(record(1))
        store.close()
        path.chmod(0o644)
        path.parent.chmod(0o755)
        code = (
            "import os, sys; from scrimp.store import open_store; import scrimp.store.sqlite; os.setuid(65534)\n"
            "print(len(list(open_store(sys.argv[1], read_only=True).records())))"
        )
        run = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True)
        assert run.stdout.strip() == "1", run.stderr


def test_more_than_a_segment_holds_is_written_all_the_same(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scrimp.store.journal.Journal.__init__.__defaults__", (4096,))
    store = SqliteStore(path, on_trouble=pytest.fail)
    calls = [record(number, request_body=b"x" * 100) for number in range(2_000)]
    for one in calls:
        store.add(one)
    assert store.flush()
    assert list(store.records()) == calls
    assert store.health()["unjournaled"] > 0 and store.health()["dropped"] == 0
    store.close()


def test_without_a_journal_the_store_works_and_says_so(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("scrimp.store.sqlite.Journal", refuse)
    told: list[str] = []
    store = SqliteStore(path, on_trouble=told.append)
    store.add(record(1))
    assert store.flush()
    assert store.record("call-000001") == record(1)
    assert "no journal" in told[0]
    store.close()


def test_everything_is_there_after_a_restart(path: Path) -> None:
    store = open_store(path, on_trouble=pytest.fail)
    store.add(record(1, request_body=b"ask"))
    store.count({"a": 5, "b": 1})
    store.drop_counters(["b"])
    store.put("key", b"value", 0)
    store.enqueue(Job("job", "q", b"body", due=1))
    store.learn("topic", "key", b"known", 1)
    store.close()
    store.add(record(2))
    assert store.health()["last_error"] == "the store is closed"
    store = open_store(path, on_trouble=pytest.fail)
    assert list(store.records()) == [record(1, request_body=b"ask")]
    assert store.counters() == {"a": 5}
    assert store.get("key", 1) == b"value"
    assert store.job("job") == Job("job", "q", b"body", due=1)
    assert store.knowledge("topic") == {"key": b"known"}
    store.close()


def test_a_forgotten_body_leaves_no_trace_in_the_file(path: Path) -> None:
    store = open_store(path, on_trouble=pytest.fail)
    secret = os.urandom(2_000)  # as it does not compress, its bytes would be found
    store.add(record(1, request_body=secret))
    assert store.flush()
    assert store.forget(record(2).at) == 1
    store.close()
    assert secret[500:600] not in path.read_bytes()
