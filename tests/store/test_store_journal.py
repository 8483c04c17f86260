"""The journal's frames: all of them back after a death at any byte, and never one that was cleared."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from store_samples import record

from scrimp.store import journal as journal_file
from scrimp.store.journal import HEADER, Journal, Spill, decoded, encode, journal_frames, spill_frames

FRAMES = st.lists(st.binary(min_size=1, max_size=60), max_size=8)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "calls.db.1.journal"


def test_what_was_appended_is_read_by_the_next_process(path: Path) -> None:
    journal = Journal(path, 4096)
    for frame in (b"one", b"two"):
        assert journal.append(frame)
    journal.swap()
    journal.append(b"three")
    assert sorted(journal_frames(path)) == [b"one", b"three", b"two"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_cleared_segment_is_empty_though_its_bytes_stand(path: Path) -> None:
    journal = Journal(path, 4096)
    journal.append(b"one")
    journal.append(b"two")
    journal.clear(journal.swap())
    assert list(journal_frames(path)) == []
    journal.clear(journal.swap())
    journal.append(b"new")
    assert list(journal_frames(path)) == [b"new"]


def test_a_full_segment_says_so_and_the_other_goes_on(path: Path) -> None:
    journal = Journal(path, 64)
    assert journal.append(b"x" * 40)
    assert not journal.append(b"y" * 40)
    assert not journal.append(b"z" * 100)
    journal.swap()
    assert journal.append(b"y" * 40)
    assert list(journal_frames(path)) == [b"x" * 40, b"y" * 40]


@given(frames=FRAMES, cut=st.integers(0, 600))
def test_a_death_at_any_byte_leaves_the_frames_before_it(
    tmp_path_factory: pytest.TempPathFactory, frames: list[bytes], cut: int
) -> None:
    path = tmp_path_factory.mktemp("journal") / "j"
    journal = Journal(path, 1024)
    for frame in frames:
        journal.append(frame)
    journal.close(remove=False)
    data = bytearray(path.read_bytes())
    data[HEADER + cut :] = bytes(len(data) - HEADER - cut)
    path.write_bytes(data)
    read = list(journal_frames(path))
    assert read == frames[: len(read)]
    whole = 0
    for number, frame in enumerate(frames):
        whole += 8 + len(frame)
        if whole <= cut:
            assert len(read) > number


def test_a_file_that_was_never_filled_holds_nothing(path: Path) -> None:
    path.write_bytes(b"")
    assert list(journal_frames(path)) == []
    path.write_bytes(b"\xff" * 9000)
    assert list(journal_frames(path)) == []


def test_an_existing_file_is_not_taken(path: Path) -> None:
    path.write_bytes(b"somebody's")
    with pytest.raises(FileExistsError):
        Journal(path, 4096)
    assert path.read_bytes() == b"somebody's"


def test_spilled_records_come_back_and_go(tmp_path: Path) -> None:
    spill = Spill(tmp_path / "calls.db.1.spill")
    assert spill.append([record(1)])
    assert spill.append([record(2), record(3)])
    assert spill.count == 3
    assert stat.S_IMODE(spill.path.stat().st_mode) == 0o600
    assert list(decoded(spill_frames(spill.path), pytest.fail)) == [record(1), record(2), record(3)]
    spill.clear()
    assert spill.count == 0 and not spill.path.exists()


def test_what_a_failed_spill_left_is_overwritten(tmp_path: Path) -> None:
    spill = Spill(tmp_path / "calls.db.1.spill")
    spill.append([record(1)])
    with spill.path.open("ab") as file:
        file.write(b"half a frame")
    assert [*decoded(spill_frames(spill.path), pytest.fail)] == [record(1)]
    spill.append([record(2)])
    assert [*decoded(spill_frames(spill.path), pytest.fail)] == [record(1), record(2)]


def test_a_full_spill_takes_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_file, "SPILL_BYTES", 10)
    assert not Spill(tmp_path / "s").append([record(1)])
    assert not Spill(tmp_path / "missing" / "s").append([record(1)])


def test_an_unreadable_record_is_told_and_left_out() -> None:
    told: list[str] = []
    frames = [encode(record(1)), b"\xc1", encode({"id": "x"}), encode(record(2))]
    assert list(decoded(frames, told.append)) == [record(1), record(2)]
    assert len(told) == 2
