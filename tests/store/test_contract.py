"""What every store does; memory and SQLite today, others later."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from store_samples import NOON, merged, record, records, unique

from scrimp.store import open_store
from scrimp.store.base import HEALTH, HOUR, Job, Record, Store

KINDS = ("memory", "sqlite")


def open_kind(kind: str, folder: Path) -> Store:
    return open_store(":memory:" if kind == "memory" else folder / "calls.db", on_trouble=pytest.fail)


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened = open_kind(request.param, tmp_path)
    yield opened
    opened.close()


def filled(store: Store, calls: list[Record]) -> Store:
    for one in calls:
        store.add(one)
    assert store.flush()
    return store


# records


def test_what_was_added_is_read_back_whole(store: Store) -> None:
    one = record(1, tags=("b", "a"), flags=("user",), stream=True, request_body=b'{"a":1}', answer_body=b"")
    filled(store, [one])
    assert store.record(one.id) == one
    assert list(store.records()) == [one]
    assert store.record("unknown") is None


def test_records_come_oldest_first_and_ties_as_they_came(store: Store) -> None:
    calls = [record(3, at=NOON), record(1, at=NOON + 5), record(2, at=NOON)]
    filled(store, calls)
    assert [one.id for one in store.records()] == ["call-000003", "call-000002", "call-000001"]


def test_since_is_included_and_until_is_not(store: Store) -> None:
    filled(store, [record(number, at=number) for number in range(10)])
    assert [one.at for one in store.records(3, 6)] == [3, 4, 5]
    assert [one.at for one in store.records(8)] == [8, 9]


def test_a_limit_keeps_the_newest_oldest_first(store: Store) -> None:
    filled(store, [record(number, at=number) for number in range(10)])
    assert [one.at for one in store.records(limit=3)] == [7, 8, 9]
    assert [one.at for one in store.records(2, 5, limit=2)] == [3, 4]
    assert list(store.records(limit=0)) == []


def test_a_reader_that_stops_half_way_disturbs_nobody(store: Store) -> None:
    filled(store, [record(number) for number in range(50)])
    for _ in range(20):
        assert next(store.records()).id == "call-000000"
    filled(store, [record(50)])
    assert len(list(store.records())) == 51


def test_a_known_id_changes_nothing(store: Store) -> None:
    filled(store, [record(1), record(1)])
    filled(store, [record(1), record(2)])
    assert [one.id for one in store.records()] == ["call-000001", "call-000002"]
    assert sum(cell.calls for cell in store.rollups()) == 2


def test_add_never_raises(store: Store) -> None:
    store.add(record(1, feature="lone \ud800 surrogate", tags=("\udfff",)))
    store.add(record(2))
    assert store.flush()
    assert store.record("call-000002") == record(2)
    assert store.record("call-000001") is not None


@pytest.mark.parametrize("kind", KINDS)
@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(records(), min_size=1, max_size=4))
def test_rollups_are_the_sum_of_the_records_in_whatever_batches(
    kind: str, tmp_path_factory: pytest.TempPathFactory, batches: list[list[Record]]
) -> None:
    store = open_kind(kind, tmp_path_factory.mktemp("store"))
    for batch in batches:
        filled(store, batch)
    calls = unique([one for batch in batches for one in batch])
    kept = sorted(store.records(), key=lambda one: (one.at, one.id))
    assert kept == sorted(calls, key=lambda one: (one.at, one.id))
    assert {cell.cell: cell for cell in store.rollups()} == merged(calls)
    store.close()


def test_rollups_come_by_hour_and_only_those_asked_for(store: Store) -> None:
    filled(store, [record(number, at=hour * HOUR) for number, hour in enumerate((5, 3, 4, 3))])
    assert [cell.hour for cell in store.rollups()] == sorted(cell.hour for cell in store.rollups())
    assert {cell.hour for cell in store.rollups(4)} == {4, 5}
    assert {cell.hour for cell in store.rollups(3, 5)} == {3, 4}


def test_a_rollup_read_is_the_readers_own(store: Store) -> None:
    filled(store, [record(1)])
    cell = next(store.rollups())
    cell.merge(cell)
    assert next(store.rollups()).calls == 1
    assert next(store.rollups()).savings == {("prompt-cache", "measured"): 200, ("route", "estimated"): 100}


def test_forget_drops_old_bodies_and_keeps_rows(store: Store) -> None:
    calls = [record(number, at=number, request_body=b"ask", answer_body=None) for number in range(5)]
    filled(store, [*calls, record(9, at=0)])
    assert store.forget(3) == 3
    assert store.forget(3) == 0
    assert [one.request_body for one in store.records()] == [None, None, None, None, b"ask", b"ask"]


def test_all_is_well_says_health(store: Store) -> None:
    filled(store, [record(1)])
    assert store.health() == HEALTH


# counters


def test_counters_add_up(store: Store) -> None:
    assert store.count({"a": 2, "b": 1}) is None
    assert store.count({"a": 3}) is None
    assert store.counters() == {"a": 5, "b": 1}


def test_a_passed_limit_changes_no_counter(store: Store) -> None:
    store.count({"a": 5, "b": 5})
    assert store.count({"a": 1, "b": 2, "c": 9}, {"b": 6, "c": 3}) == "b"
    assert store.counters() == {"a": 5, "b": 5}
    assert store.count({"a": 1, "b": 1}, {"a": 6, "b": 6}) is None
    assert store.counters() == {"a": 6, "b": 6}


def test_giving_back_is_never_refused(store: Store) -> None:
    store.count({"a": 10})
    assert store.count({"a": -3}, {"a": 1}) is None
    assert store.counters() == {"a": 7}


def test_counters_are_found_by_prefix_and_dropped(store: Store) -> None:
    store.count({"day/1": 1, "day/2": 2, "month/1": 3})
    assert store.counters("day/") == {"day/1": 1, "day/2": 2}
    store.drop_counters(["day/1", "unknown"])
    assert store.counters("day/") == {"day/2": 2}
    store.count({"day/1": 7})
    assert store.counters("day/") == {"day/1": 7, "day/2": 2}


def test_racing_counts_never_pass_a_limit(store: Store) -> None:
    def spend() -> None:
        for _ in range(200):
            store.count({"user": 1, "team": 1}, {"user": 300, "team": 1000})

    threads = [threading.Thread(target=spend) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert store.counters() == {"user": 300, "team": 300}


# blobs


def test_a_blob_lives_until_it_expires(store: Store) -> None:
    store.put("a", b"1", expires=100)
    store.put("b", b"2", expires=0)
    assert store.get("a", 99) == b"1"
    assert store.get("a", 100) is None
    assert store.get("b", 10**18) == b"2"
    assert store.get("c", 0) is None


def test_a_blob_is_replaced_and_deleted(store: Store) -> None:
    store.put("a", b"1", expires=0)
    store.put("a", b"", expires=50)
    assert store.get("a", 1) == b""
    assert store.delete(["a", "unknown"]) == 1
    assert store.delete([]) == 0
    assert store.get("a", 1) is None


def test_forget_drops_expired_blobs(store: Store) -> None:
    store.put("a", b"1", expires=100)
    store.put("b", b"2", expires=101)
    store.forget(100)
    assert store.delete(["a", "b"]) == 1


# jobs


def test_a_job_is_leased_oldest_first_and_once(store: Store) -> None:
    assert store.enqueue(Job("late", "q", b"x", due=20))
    assert store.enqueue(Job("early", "q", b"y", due=10))
    assert not store.enqueue(Job("early", "q", b"other", due=0))
    assert store.enqueue(Job("elsewhere", "other", b"z", due=0))
    assert store.lease("q", now=5, until=50) is None
    assert store.lease("q", now=30, until=50) == Job("early", "q", b"y", 10, attempt=1, leased_until=50)
    late = store.lease("q", now=30, until=50)
    assert late is not None and late.id == "late"
    assert store.lease("q", now=30, until=50) is None


def test_a_lease_that_ran_out_is_taken_again_and_the_first_taker_has_lost(store: Store) -> None:
    store.enqueue(Job("one", "q", b"x", due=0))
    first = store.lease("q", now=0, until=10)
    second = store.lease("q", now=10, until=20)
    assert first is not None and second is not None
    assert (first.attempt, second.attempt) == (1, 2)
    assert not store.finish("one", b"of the first", first.attempt)
    assert store.finish("one", b"of the second", second.attempt)
    assert store.lease("q", now=99, until=100) is None
    done = store.job("one")
    assert done is not None and done.result == b"of the second"
    assert not store.finish("unknown", b"", 1)
    assert store.job("unknown") is None


def test_of_racing_workers_one_gets_the_job(store: Store) -> None:
    for number in range(20):
        store.enqueue(Job(f"job-{number}", "q", b"", due=number))
    taken: list[str] = []

    def work() -> None:
        while job := store.lease("q", now=100, until=200):
            taken.append(job.id)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(taken) == sorted(f"job-{number}" for number in range(20))


# knowledge


def test_the_newest_knowledge_wins(store: Store) -> None:
    store.learn("size", "m1", b"old", at=1)
    store.learn("size", "m1", b"new", at=3)
    store.learn("size", "m1", b"late news", at=2)
    store.learn("size", "m0", b"x", at=1)
    store.learn("route", "m1", b"y", at=1)
    assert store.knowledge("size") == {"m0": b"x", "m1": b"new"}
    assert store.knowledge("nothing") == {}


def test_closing_twice_is_closing_once(store: Store) -> None:
    store.close()
