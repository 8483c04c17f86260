"""What a tracked counter hands to its writer: drops first, then sums; a failed write loses nothing."""

from __future__ import annotations

import threading

from hypothesis import given
from hypothesis import strategies as st

from scrimp.store.counters import TrackedCounters

KEYS = st.sampled_from("abc")
STEPS = st.lists(st.tuples(st.sampled_from(["count", "drop", "write", "fail"]), KEYS, st.integers(-5, 5)))


@given(steps=STEPS)
def test_whatever_happens_the_written_values_follow_the_ones_in_memory(steps: list[tuple[str, str, int]]) -> None:
    written: dict[str, int] = {}
    counters = TrackedCounters({}, threading.Event())

    def write() -> None:
        drops, sums = counters.take()
        for key in drops:
            written.pop(key, None)
        for key, change in sums.items():
            written[key] = written.get(key, 0) + change

    for what, key, change in steps:
        if what == "count":
            counters.count({key: change})
        elif what == "drop":
            counters.drop([key])
        elif what == "write":
            write()
        else:
            taken = counters.take()
            counters.count({key: change})
            counters.give_back(*taken)
    write()
    assert written == counters.snapshot()


def test_a_change_wakes_the_writer() -> None:
    wake = threading.Event()
    counters = TrackedCounters({"a": 1}, wake)
    counters.count({"a": 1})
    assert wake.is_set()


def test_a_refused_count_leaves_nothing_to_write() -> None:
    counters = TrackedCounters({"a": 1}, threading.Event())
    assert counters.count({"b": 1, "a": 1}, {"a": 1}) == "a"
    assert counters.take() == (set(), {})
