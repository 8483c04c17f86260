"""Exact repeats: the cache played through with real times, and no dollar claimed that was not paid."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rows import filled, row

from scrimp.audit.findings import repeats
from scrimp.audit.reading import Reading, Wanted
from scrimp.audit.replay import CallRow, audit_config
from scrimp.audit.report import Advice
from scrimp.audit.work import Work
from scrimp.config import Config
from scrimp.world import World

SECOND = 10**9
TTL = 100 * SECOND
WORLD = World(audit_config(Config()), {"SCRIMP_SECRET": "x"}, "")


def call(at: float | None, exact: int | None = 1, **more: Any) -> CallRow:
    """A call that asks for one answer, begun at a second."""
    when = None if at is None else round(at * SECOND)
    return row(at=when, exact=exact, **{"deterministic": 1, "paid": 10, "list": 10} | more)


def advised(work: Work, ttl: int = TTL) -> list[Advice]:
    return repeats.advise(work, WORLD, Wanted(ttl=ttl))


def saved(*calls: CallRow, ttl: int = TTL) -> list[int]:
    """The places, in the order given, of the calls that would have been served."""
    work = filled(calls)
    advised(work, ttl)
    served = {ident for (ident,) in work.rows("SELECT id FROM calls WHERE left < paid")}
    return [place for place, one in enumerate(calls) if one.id in served]


def test_the_same_request_is_served_until_its_answer_expires() -> None:
    assert saved(call(0), call(10), call(99), call(100), call(150)) == [1, 2, 4]


def test_no_hit_puts_off_the_end() -> None:
    assert saved(call(0), call(90), call(180), call(270)) == [1, 3]


def test_an_answer_is_there_when_it_ends() -> None:
    slow = call(0, duration=20 * SECOND), call(10, duration=20 * SECOND)
    assert saved(*slow, call(20, duration=SECOND), call(21), call(119), call(120)) == [3, 4]


def test_of_two_at_once_the_one_that_ends_first_is_stored() -> None:
    assert saved(call(0, duration=50 * SECOND), call(1, duration=2 * SECOND), call(4), call(102), call(104)) == [2, 3]


def test_calls_of_one_instant_do_not_serve_each_other() -> None:
    assert saved(call(5), call(5), call(6)) == [2]


def test_other_requests_are_apart() -> None:
    assert saved(call(0, 1), call(1, 2), call(2, None), call(3, None), call(4, 2)) == [4]


@pytest.mark.parametrize(
    "first",
    [
        {"status": 500, "error": "status 500"},
        {"error": "broken"},
        {"finish": "length"},
        {"finish": "MAX_TOKENS"},
        {"finish": "content_filter"},
        {"finish": "refusal"},
        {"unpriced": "no price"},
        {"aggregate": 1},
    ],
)
def test_an_answer_that_is_not_whole_is_not_stored(first: dict[str, Any]) -> None:
    assert saved(call(0, **first), call(1), call(2)) == [2]


@pytest.mark.parametrize("finish", ["", "stop", "STOP", "end_turn", "tool_calls", "tool_use", "completed", "COMPLETE"])
def test_a_normal_end_is_stored(finish: str) -> None:
    assert saved(call(0, finish=finish), call(1)) == [1]


def test_a_call_that_was_cut_or_failed_but_cost_is_saved_by_a_stored_answer() -> None:
    assert saved(call(0), call(1, finish="length"), call(2, status=500, error="status 500")) == [1, 2]


def test_calls_without_a_time_are_taken_to_be_within_the_ttl_and_that_is_said() -> None:
    work = filled([call(None, line=2), call(None, line=1, finish="length"), call(None, line=3), call(0, line=9)])
    (advice,) = advised(work)
    assert advice.calls == 3
    assert "3 of these repeats have no time and are taken to come within 100 s." in advice.details
    assert saved(call(None, finish="length"), call(None), call(None)) == [2]


def test_what_a_hit_saves_is_what_is_left_of_what_it_cost() -> None:
    calls = [call(0), call(1, paid=700), call(2, paid=50), call(3, paid=0)]
    work = filled(calls)
    work.db.execute("UPDATE calls SET left = 600 WHERE id = ?", (calls[1].id,))
    (advice,) = advised(work)
    assert (advice.saves, advice.alone, advice.calls) == (650, 750, 2)
    assert dict(work.rows("SELECT id, left FROM calls")) == {calls[0].id: 10, calls[1].id: 0, calls[2].id: 0} | {
        calls[3].id: 0
    }


def test_what_an_earlier_advice_made_dearer_is_left_as_it_is() -> None:
    work = filled(calls := [call(0), call(1)])
    work.db.execute("UPDATE calls SET left = -5 WHERE id = ?", (calls[1].id,))
    (advice,) = advised(work)
    assert (advice.saves, advice.alone) == (0, 10)
    assert work.one("SELECT SUM(left) FROM calls") == (5,)


def test_a_caller_who_left_it_to_chance_is_a_row_of_its_own_to_be_tested() -> None:
    work = filled([call(0), call(1), call(0, 2, deterministic=0), call(1, 2, deterministic=0, paid=70)])
    sure, test = advised(work)
    assert (sure.sure, sure.saves, sure.strategy) == ("sure", 10, "cached")
    assert (test.sure, test.saves, test.calls) == ("test first", 70, 1)
    assert sure.evidence == test.evidence == "25.0% repeat within 100 s"


def test_details_name_the_features_and_examples_are_the_dearest_of_each_request() -> None:
    calls = [call(at, 1, feature="faq", paid=2_000_000, line=at) for at in range(1, 5)]
    calls += [call(at, 2, feature="", paid=9_000_000, line=50 + at) for at in (1, 2)]
    calls += [call(1, None, feature="faq")]
    (advice,) = advised(filled(calls))
    assert advice.details[1:] == [
        "(no tag): 1 repeat, $0.0090.",
        "faq: 3 repeats, $0.0060.",
        "Only 6 of 7 calls keep a request that may be answered from store.",
    ]
    assert [(one.file, one.line, one.paid) for one in advice.examples] == [
        ("log.jsonl", 52, 9_000_000),
        ("log.jsonl", 2, 2_000_000),
    ]


@pytest.mark.parametrize(
    ("ttl", "words"),
    [
        (100, "100 s"),
        (60, "1 min"),
        (90 * 60, "90 min"),
        (24 * 3600, "24 h"),
        (30 * 86400, "720 h"),
    ],
)
def test_evidence_says_the_ttl_and_fits_its_cell(ttl: float, words: str) -> None:
    (advice,) = advised(filled([call(0), call(1)]), round(ttl * SECOND))
    assert advice.evidence == f"50.0% repeat within {words}"
    assert len(advice.evidence) <= 30


def test_a_share_that_would_vanish_is_not_shown_as_nothing() -> None:
    calls = [call(at, at) for at in range(3, 5000)]
    (advice,) = advised(filled([call(0), call(1), *calls]))
    assert advice.evidence.startswith("<0.1%")


def test_where_nothing_repeats_or_nothing_may_be_kept_there_is_no_advice() -> None:
    assert advised(filled([call(0), call(1, 2)])) == []
    assert advised(filled([call(0), call(1)]), ttl=0) == []
    assert advised(filled([call(0, None), call(1, None)])) == []


def test_why_repeats_cannot_be_told_is_said() -> None:
    assert "keep no requests" in repeats.missing(filled([call(0, None)]))
    assert "hold sums" in repeats.missing(filled([call(0, None, aggregate=1)]))
    assert "tools of the provider" in repeats.missing(filled([call(0, None, prompt=900)]))
    assert repeats.missing(filled([call(0, None), call(1)])) == ""


CALLS = st.lists(
    st.builds(
        call,
        st.none() | st.integers(0, 400),
        st.sampled_from([None, 1, 2, 3]),
        duration=st.integers(0, 99).map(lambda seconds: seconds * SECOND),
        finish=st.sampled_from(["stop", "stop", "length"]),
        status=st.sampled_from([200, 200, 200, 429]),
        paid=st.integers(0, 1000),
        unpriced=st.sampled_from(["", "", "no price"]),
        file=st.integers(0, 2),
        line=st.integers(1, 5),
    ),
    max_size=25,
)


@given(CALLS)
def test_it_is_what_a_cache_does_that_is_told_of_every_store_and_every_request(calls: list[CallRow]) -> None:
    timed = [one for one in calls if one.at is not None and one.exact is not None and not one.unpriced]
    stores: dict[int, list[int]] = {}
    served = set()
    for one in sorted(timed, key=lambda one: one.at or 0):
        assert one.at is not None and one.exact is not None
        entry = None
        for end in sorted(stores.get(one.exact, [])):
            if end < one.at and (entry is None or end >= entry + TTL):
                entry = end
        if entry is not None and one.at < entry + TTL:
            served.add(one.id)
        elif one.status == 200 and one.finish == "stop":
            stores.setdefault(one.exact, []).append(one.at + one.duration)
    expected = [place for place, one in enumerate(timed) if one.id in served and one.paid]
    assert saved(*timed) == expected


@given(CALLS, st.integers(0, 2**32))
def test_the_sums_hold_and_the_order_of_adding_changes_nothing(calls: list[CallRow], seed: int) -> None:
    for one in calls:
        one.deterministic = (one.exact or 0) % 2
    work = filled(calls)
    advice = advised(work)
    paid, left, negative = work.one("SELECT COALESCE(SUM(paid), 0), COALESCE(SUM(left), 0), SUM(left < 0) FROM calls")
    assert paid - left == sum(one.saves for one in advice)
    assert not negative
    assert advised(work) == [] or sum(one.saves for one in advised(work)) == 0
    mixed = list(calls)
    random.Random(seed).shuffle(mixed)
    assert advised(filled(mixed)) == advice


def exchange(at: int, said: str, user: str = "", **more: Any) -> str:
    """A request with its answer as a line of a log."""
    request = {"model": "gpt-4o", "temperature": 0, "messages": [{"role": "user", "content": said}]} | more
    if at % 2:
        request = dict(reversed(request.items()))
    answer = {
        "model": "gpt-4o-2024-08-06",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Yes."}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100},
    }
    when = f"2026-10-01T10:{at:02}:00Z"
    return json.dumps({"timestamp": when, "user": user, "request": request, "response": answer})


def test_repeats_in_a_log_are_found_from_its_bytes(tmp_path: Path) -> None:
    lines = [exchange(at, "Is it open?", f"user-{at}") for at in range(4)]
    lines += [exchange(4, "Is it open?", seed=7), exchange(5, "Is it open?", metadata={"trace": "x"}, stream=False)]
    lines += [exchange(at, "What is new?", tools=[{"type": "web_search"}]) for at in (6, 7)]
    log = tmp_path / "calls.jsonl"
    log.write_text("\n".join(lines) + "\n")
    work = Work()
    Reading(work, Wanted(), Config()).read([str(log)])
    work.begin_advice()
    (advice,) = repeats.advise(work, WORLD, Wanted())
    each = 1000 * 2500 + 100 * 10_000
    assert (advice.calls, advice.saves) == (4, 4 * each)
    assert advice.evidence == "50.0% repeat within 24 h"
    assert [one.line for one in advice.examples] == [2]
    assert repeats.missing(work) == ""
