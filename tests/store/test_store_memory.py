"""The memory store stays bounded and says what it let go."""

from __future__ import annotations

from store_samples import record

from scrimp.store import memory
from scrimp.store.memory import MemoryStore


def test_only_the_newest_calls_are_kept_and_the_sums_of_all() -> None:
    store = MemoryStore(keep=3)
    for number in range(10):
        store.add(record(number))
    assert [one.id for one in store.records()] == ["call-000007", "call-000008", "call-000009"]
    assert sum(cell.calls for cell in store.rollups()) == 10
    assert store.health()["dropped"] == 7


def test_old_bodies_make_room_for_new_ones(monkeypatch) -> None:
    monkeypatch.setattr(memory, "KEEP_BODY_BYTES", 100)
    store = MemoryStore(keep=3)
    for number in range(10):
        store.add(record(number, request_body=b"x" * 40))
    assert [one.request_body is not None for one in store.records()] == [False, True, True]
    assert store.forget(10**30) == 2
    assert store.health()["dropped_bodies"] >= 1
    for number in range(10, 14):
        store.add(record(number, request_body=b"x" * 10))
    assert all(one.request_body for one in store.records())
