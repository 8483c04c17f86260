"""The queue keeps its bound, lets go of the least valuable first, and counts everything it lets go."""

from __future__ import annotations

from pathlib import Path

import pytest
from store_samples import record

from scrimp.store import intake as queue
from scrimp.store.intake import BATCH, Intake
from scrimp.store.journal import Journal, decoded, journal_frames


def journaled(path: Path) -> list[str]:
    return [one.id for one in decoded(journal_frames(path), pytest.fail)]


def test_a_record_is_in_the_journal_until_it_is_done(tmp_path: Path) -> None:
    path = tmp_path / "j"
    intake = Intake(Journal(path, 1 << 16))
    intake.add(record(1))
    assert intake.wake.is_set() and not intake.urgent.is_set()
    assert intake.take() == [record(1)]
    intake.add(record(2))
    assert sorted(journaled(path)) == ["call-000001", "call-000002"]
    assert intake.take() == [record(1)], "held until it is done"
    intake.done()
    assert journaled(path) == ["call-000002"]
    assert intake.take() == [record(2)]
    assert intake.waiting()[0] == 1
    assert intake.close(), "the journal is needed"
    assert path.exists()


def test_a_journal_that_nobody_needs_is_removed(tmp_path: Path) -> None:
    intake = Intake(Journal(tmp_path / "j", 1 << 16))
    intake.add(record(1))
    intake.take()
    intake.done()
    assert not intake.close()
    assert not (tmp_path / "j").exists()
    intake.add(record(2))
    assert intake.dropped == 1


def test_a_full_batch_is_urgent() -> None:
    intake = Intake(None)
    for number in range(BATCH):
        assert intake.urgent.is_set() == (number > 0), "without a journal every record is urgent"
        intake.add(record(number))


def test_what_the_journal_cannot_hold_waits_in_memory_and_is_urgent(tmp_path: Path) -> None:
    intake = Intake(Journal(tmp_path / "j", 1024))
    calls = [record(number) for number in range(20)]
    for one in calls:
        intake.add(one)
    assert 0 < intake.unjournaled < 20
    assert intake.urgent.is_set()
    assert intake.take() == calls


def test_bodies_go_first_then_records(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "QUEUE_BYTES", 20_000)
    intake = Intake(None)
    for number in range(200):
        intake.add(record(number, request_body=b"x" * 1_000))
    kept = intake.take()
    assert kept[0].request_body is not None and kept[-1].request_body is None
    assert intake.dropped_bodies > 0
    assert intake.dropped == 200 - len(kept) > 0
    assert intake.last_drop == "the queue is full"
    intake.done()
    intake.add(record(999, request_body=b"x"))
    assert intake.take()[0].request_body == b"x", "room again"


def test_what_utf_8_cannot_carry_is_replaced() -> None:
    intake = Intake(None)
    intake.add(record(1, user="\ud800x", tags=("\udfff", "ok")))
    (kept,) = intake.take()
    assert (kept.user, kept.tags) == ("?x", ("?", "ok"))


def test_what_cannot_be_encoded_at_all_is_counted() -> None:
    intake = Intake(None)
    intake.add(record(1, list_nano=1 << 70))
    intake.add(record(2, tags=None, user="\ud800"))
    assert intake.dropped == 2
    assert "encoded" in intake.last_drop
