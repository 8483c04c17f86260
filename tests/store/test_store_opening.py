"""Opening: private files, sound files, our files; a corrupt one is kept, a newer one is refused, nothing is deleted."""

from __future__ import annotations

import sqlite3
import stat
from pathlib import Path

import pytest
from store_samples import record

from scrimp.errors import StoreError
from scrimp.store import open_store, opening
from scrimp.store.opening import SCHEMA, open_to_write


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "calls.db"


def write_some(path: Path, numbers: range) -> None:
    store = open_store(path, on_trouble=pytest.fail)
    for number in numbers:
        store.add(record(number))
    store.close()


def ids(path: Path) -> list[str]:
    store = open_store(path, read_only=True, on_trouble=pytest.fail)
    found = [one.id for one in store.records()]
    store.close()
    return found


def test_all_files_are_private(path: Path) -> None:
    store = open_store(path, on_trouble=pytest.fail)
    store.add(record(1))
    store.flush()
    names = {one.name.removeprefix("calls.db").split(".")[-1] for one in path.parent.iterdir()}
    assert names == {"", "-wal", "-shm", "journal", "lock"}
    assert {stat.S_IMODE(one.stat().st_mode) for one in path.parent.iterdir()} == {0o600}
    store.close()
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("damage", ["text", "header", "page", "cut"])
def test_a_corrupt_file_is_kept_aside_and_a_new_one_begun(path: Path, damage: str) -> None:
    write_some(path, range(300))
    data = bytearray(path.read_bytes())
    if damage == "text":
        data[:] = b"this is no database" * 500
    elif damage == "header":
        data[:16] = b"SQLite format 9\0"
    elif damage == "page":
        data[8192:16384] = b"\xaa" * 8192
    else:
        del data[20_000:]
    path.write_bytes(data)
    path.with_name("calls.db-wal").write_bytes(b"a log of its own")
    told: list[str] = []
    store = open_store(path, on_trouble=told.append)
    store.add(record(1000))
    store.close()
    assert ids(path) == ["call-001000"]
    kept = [one for one in path.parent.iterdir() if ".corrupt-" in one.name and not one.name.endswith(("-wal", "-shm"))]
    assert [one.read_bytes() for one in kept] == [bytes(data)]
    assert len(told) == 1 and str(kept[0]) in told[0] and "corrupt" in told[0]


def test_two_corrupt_files_in_one_second_are_both_kept(path: Path) -> None:
    for text in (b"first" * 999, b"second" * 999):
        path.write_bytes(text)
        open_store(path, on_trouble=lambda _: None).close()
    kept = sorted(one.read_bytes()[:5] for one in path.parent.iterdir() if ".corrupt-" in one.name)
    assert kept == [b"first", b"secon"]


def test_a_corrupt_file_is_not_moved_by_a_reader(path: Path) -> None:
    path.write_bytes(b"this is no database" * 500)
    with pytest.raises(StoreError, match="not a database"):
        open_store(path, read_only=True)
    assert list(path.parent.iterdir()) == [path]


def test_the_database_of_another_program_is_left_alone(path: Path) -> None:
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE theirs (x)")
    other.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="another program"):
        open_store(path)
    assert path.read_bytes() == before


def test_a_newer_schema_is_refused_with_both_versions(path: Path) -> None:
    write_some(path, range(1))
    newer = sqlite3.connect(path)
    newer.execute("PRAGMA user_version = 99")
    newer.close()
    known = len(list(SCHEMA.glob("*.sql")))
    for read_only in (False, True):
        with pytest.raises(StoreError, match=f"schema 99, and this scrimp knows up to {known}"):
            open_store(path, read_only=read_only)


def test_an_older_schema_is_brought_up_to_date(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_some(path, range(2))
    scripts = tmp_path / "schema"
    scripts.mkdir()
    for script in SCHEMA.glob("*.sql"):
        (scripts / script.name).write_text(script.read_text())
    (scripts / "900_more.sql").write_text(
        "-- more; with a semicolon\nALTER TABLE calls\n  ADD COLUMN extra;\nSELECT 1;\n"
    )
    monkeypatch.setattr(opening, "SCHEMA", scripts)
    with pytest.raises(StoreError, match="this scrimp reads 900"):
        open_store(path, read_only=True)
    connection = open_to_write(path, check=False, on_trouble=pytest.fail)
    assert connection.execute("SELECT count(extra), count(*) FROM calls").fetchone() == (0, 2)
    connection.close()


def test_a_migration_that_fails_leaves_the_old_schema(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_some(path, range(2))
    (tmp_path / "900_bad.sql").write_text("ALTER TABLE calls ADD COLUMN extra;\nSELECT nonsense;\n")
    monkeypatch.setattr(opening, "SCHEMA", tmp_path)
    with pytest.raises(StoreError, match="nonsense"):
        open_to_write(path, check=False, on_trouble=pytest.fail)
    monkeypatch.undo()
    assert len(ids(path)) == 2


def test_a_place_that_cannot_be_used_is_named_with_the_next_step(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "missing" / "calls.db", tmp_path / "file" / "calls.db", tmp_path):
        with pytest.raises(StoreError) as raised:
            open_store(path)
        assert str(path) in str(raised.value) and "--store" in raised.value.hint


def test_a_reader_makes_nothing(path: Path) -> None:
    with pytest.raises(StoreError, match="there is no store"):
        open_store(path, read_only=True)
    assert list(path.parent.iterdir()) == []


def test_a_reader_reads_and_does_not_write(path: Path) -> None:
    write_some(path, range(3))
    store = open_store(path, read_only=True, on_trouble=pytest.fail)
    store.add(record(9))
    assert store.flush()
    assert len(list(store.records())) == 3
    assert store.counters() == {}
    for write in (
        lambda: store.put("a", b"", 0),
        lambda: store.count({"a": 1}),
        lambda: store.drop_counters(["a"]),
        lambda: store.learn("a", "b", b"", 0),
        lambda: store.forget(10**30),
    ):
        with pytest.raises(StoreError, match="reading only"):
            write()
    store.close()
