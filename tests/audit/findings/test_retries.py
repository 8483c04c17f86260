"""Retries and loops: what was made again, told by keys, times and acts, each call once."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rows import filled, row

from scrimp.audit.findings import retries
from scrimp.audit.findings.retries import LEAST_ASKED, LEAST_DONE, MOST_SHOWN, find
from scrimp.audit.replay import CallRow

SECOND = 10**9


def call(at: float | None, exact: int | None = 1, **more: Any) -> CallRow:
    return row(at=None if at is None else round(at * SECOND), exact=exact, **{"paid": 10, "list": 10} | more)


def failed(at: float, exact: int = 1, status: int = 429, **more: Any) -> CallRow:
    return call(at, exact, **{"status": status, "error": f"status {status}", "paid": 0, "list": 0} | more)


def act(at: float | None, action: int | None = 1, **more: Any) -> CallRow:
    return call(at, None, action=action, **{"session": "s"} | more)


def test_a_request_sent_again_after_it_failed_is_a_retry_and_the_calls_after_the_first_are_its_cost() -> None:
    (one,) = find(filled([failed(0, feature="faq"), failed(1, feature="faq"), call(3, feature="faq", line=9)]))
    assert (one.kind, one.where, one.calls, one.paid) == ("retry", "faq", 2, 10)
    assert one.reason == "sent again after failing: status 429"
    assert one.example.line == 9


def test_retries_are_summed_by_feature_and_by_what_had_failed() -> None:
    calls = [failed(0, 1, feature="a"), call(1, 1, feature="a"), failed(0, 2, feature="a"), call(1, 2, feature="a")]
    calls += [failed(0, 3, 500, feature="a"), call(1, 3, feature="a", paid=5), failed(0, 4), call(1, 4, paid=1)]
    found = [(one.where, one.calls, one.paid, one.reason[-10:]) for one in find(filled(calls))]
    assert found == [("a", 2, 20, "status 429"), ("a", 1, 5, "status 500"), ("(no tag)", 1, 1, "status 429")]


def test_an_error_without_a_status_is_a_failure_too() -> None:
    (one,) = find(filled([call(0, error="overloaded_error"), call(1)]))
    assert one.reason == "sent again after failing: overloaded_error"


@pytest.mark.parametrize(
    "calls",
    [
        [failed(0), call(601)],
        [failed(0), call(1, 2)],
        [failed(0), call(1, None)],
        [failed(0), call(0)],
        [failed(0, duration=9 * SECOND), call(8)],
        [failed(0), call(None)],
        [failed(0, session="a"), call(1, session="b")],
        [call(0), call(1)],
        [failed(0, aggregate=1), call(1)],
    ],
)
def test_what_comes_late_at_once_or_from_elsewhere_is_no_retry(calls: list[CallRow]) -> None:
    assert find(filled(calls)) == []


def test_the_window_opens_when_the_failed_call_ended() -> None:
    (one,) = find(filled([failed(0, duration=500 * SECOND), call(1100)]))
    assert one.calls == 1


def test_retries_and_the_loop_after_them_are_told_apart() -> None:
    tries = [failed(at, user="ann") for at in range(4)]
    asked = [call(4 + at, user="ann") for at in range(LEAST_ASKED + 1)]
    loop, retry = find(filled(tries + asked))
    assert (loop.kind, loop.calls, retry.kind, retry.calls) == ("loop", LEAST_ASKED, "retry", 4)


def test_of_calls_that_cost_the_same_the_first_is_the_example() -> None:
    calls = [
        failed(0, line=3),
        call(2, line=1),
        failed(0, 2, line=4),
        call(1, 2, line=8),
        failed(0, 3),
        call(1, 3, line=7),
    ]
    (one,) = find(filled(calls))
    assert one.example.line == 7


@pytest.mark.parametrize("who", [{"session": "s1"}, {"user": "ann"}])
def test_an_answered_request_asked_again_too_often_by_the_same_is_a_loop(who: dict[str, str]) -> None:
    calls = [call(60 * at, **who) for at in range(LEAST_ASKED + 1)]
    (one,) = find(filled(calls))
    assert (one.kind, one.calls, one.paid) == ("loop", LEAST_ASKED, 10 * LEAST_ASKED)
    assert one.where == ("session s1" if "session" in who else "user ann")
    assert one.reason == f"the same request {LEAST_ASKED} more times, though it had been answered"
    assert find(filled(calls[1:])) == []


def test_nobody_known_or_different_people_are_no_loop() -> None:
    assert find(filled([call(at) for at in range(50)])) == []
    assert find(filled([call(at, user=f"u{at % 12}") for at in range(60)])) == []


def test_pauses_end_a_loop() -> None:
    assert find(filled([call(700 * at, user="ann") for at in range(50)])) == []


def test_the_same_act_again_and_again_is_a_loop() -> None:
    calls = [act(at) for at in range(LEAST_DONE + 1)]
    (one,) = find(filled(calls))
    assert (one.kind, one.where, one.calls, one.paid) == ("loop", "session s", LEAST_DONE, 10 * LEAST_DONE)
    assert one.reason == f"the same tool call {LEAST_DONE} more times in a row"
    assert find(filled(calls[1:])) == []


@pytest.mark.parametrize("between", [act(2.5, 2), act(2.5, None)])
def test_another_act_between_ends_the_row(between: CallRow) -> None:
    assert find(filled([*(act(at) for at in range(6)), between])) == []


@pytest.mark.parametrize("between", [act(2.5, 2, session="t"), act(2.5, None, status=500, error="status 500")])
def test_another_session_or_a_failure_between_does_not(between: CallRow) -> None:
    (one,) = find(filled([*(act(at) for at in range(5)), between]))
    assert one.calls == 4


def test_acts_of_a_user_count_where_no_session_is_known() -> None:
    (one,) = find(filled([act(at, session="", user="ann") for at in range(5)]))
    assert one.where == "user ann"
    assert find(filled([act(at, session="") for at in range(9)])) == []
    assert find(filled([act(700 * at, session="", user="ann") for at in range(9)])) == []


def test_acts_without_times_follow_each_other_as_in_the_log_of_a_session() -> None:
    (one,) = find(filled([act(None, line=line) for line in range(1, 6)]))
    assert one.reason == "the same tool call 4 more times in a row"
    assert find(filled([act(None, line=line, session="", user="ann") for line in range(1, 6)])) == []


def test_a_call_that_was_sent_again_is_not_counted_as_an_act_as_well() -> None:
    calls = [call(at, 1, action=5, session="s") for at in range(9)]
    (one,) = find(filled(calls))
    assert (one.calls, one.paid, one.reason.startswith("the same request")) == (8, 80, True)


def test_a_failure_within_a_loop_is_a_retry_and_no_repeat() -> None:
    calls = [call(at, user="ann") for at in range(8)]
    calls[3].error = "broken"
    loop, retry = find(filled(calls))
    assert (loop.kind, loop.calls, retry.kind, retry.calls) == ("loop", 6, "retry", 1)


def test_only_the_dearest_are_shown() -> None:
    calls = []
    for number in range(MOST_SHOWN + 5):
        calls += [act(at, number, session=f"s{number}", paid=number) for at in range(5)]
    found = find(filled([*calls, failed(0), call(1, paid=10**6)]))
    assert [one.where for one in found][:3] == ["(no tag)", "session s24", "session s23"]
    assert len(found) == MOST_SHOWN


CALLS = st.lists(
    st.builds(
        call,
        st.none() | st.integers(0, 20).map(lambda step: step * 100),
        st.sampled_from([None, 1, 2]),
        action=st.sampled_from([None, 1, 2]),
        session=st.sampled_from(["", "s"]),
        user=st.sampled_from(["", "u"]),
        feature=st.sampled_from(["", "f"]),
        error=st.sampled_from(["", "", "broken"]),
        paid=st.integers(0, 50),
        duration=st.integers(0, 200).map(lambda seconds: seconds * SECOND),
        file=st.integers(0, 1),
        line=st.integers(1, 4),
    ),
    max_size=40,
)


@given(CALLS, st.integers(0, 2**32))
def test_no_call_is_counted_twice_and_the_order_of_adding_changes_nothing(calls: list[CallRow], seed: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(retries, "LEAST_ASKED", 2)
        patch.setattr(retries, "LEAST_DONE", 1)
        found = find(filled(calls))
        mixed = list(calls)
        random.Random(seed).shuffle(mixed)
        assert find(filled(mixed)) == found
    assert sum(one.calls for one in found) <= max(0, len(calls) - 1)
    assert sum(one.paid for one in found) <= sum(one.paid for one in calls)
    assert [one.paid for one in found] == sorted((one.paid for one in found), reverse=True)
