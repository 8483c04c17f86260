"""Calls that cost far more than is usual: each once, with the strongest reason, dearest over usual first."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from rows import filled, row

from scrimp.audit.findings.outliers import LEAST_CALLS, MOST, find
from scrimp.audit.replay import CallRow
from scrimp.audit.report import Outlier
from scrimp.audit.work import Work


def usual(count: int = LEAST_CALLS, feature: str = "classify", **fields: object) -> list[CallRow]:
    """Calls of a feature that differ a little, around a median cost of a thousandth of a dollar."""
    fields = {"paid": 1_000_000, "input": 1000, "output": 100} | fields
    return [row(feature=feature, **fields) for _ in range(count)]


def only(found: list[Outlier]) -> Outlier:
    assert len(found) == 1, found
    return found[0]


def test_a_call_far_above_its_features_median() -> None:
    one = only(find(filled([*usual(), row(feature="classify", paid=41_000_000, input=9000, output=900, line=77)])))
    assert (one.call.file, one.call.line, one.call.feature) == ("log.jsonl", 77, "classify")
    assert (one.times, one.over) == (41.0, 40_000_000)
    assert one.reason == (
        "far dearer than usual: 9,000 tokens in, 900 out; the median of classify is 1,000 in, 100 out, $0.0010"
    )


def test_ten_times_the_median_is_not_yet_far_above_it() -> None:
    assert find(filled([*usual(), row(feature="classify", paid=10_000_000)])) == []
    assert find(filled([*usual(), row(feature="classify", paid=10_000_001)])) != []


def test_a_dear_feature_is_no_outlier_of_itself() -> None:
    assert find(filled([*usual(), *usual(feature="report", paid=50_000_000)])) == []


def test_a_feature_with_few_calls_is_compared_with_the_whole_log() -> None:
    one = only(find(filled([*usual(), row(feature="rare", paid=20_000_000)])))
    assert one.times == 20
    assert one.reason.endswith("the median of all calls is 1,000 in, 100 out, $0.0010")
    few = usual(LEAST_CALLS - 2)
    assert find(filled([*few, row(feature="classify", paid=10**9)])) == [], "a log of few calls has nothing usual"


def test_a_runaway_answer() -> None:
    one = only(find(filled([*usual(), row(feature="classify", paid=5_000_000, input=1000, output=5_000)])))
    assert one.reason == (
        "a runaway answer: 1,000 tokens in, 5,000 out; the median of classify is 1,000 in, 100 out, $0.0010"
    )
    assert find(filled([*usual(), row(feature="classify", paid=5_000_000, input=1000, output=1_000)])) == []
    assert find(filled([*usual(), row(feature="classify", paid=900_000, input=1000, output=5_000)])) == [], "no dearer"


def test_an_answer_that_was_cut_when_it_was_already_long() -> None:
    calls = usual(output=600)
    one = only(find(filled([*calls, row(feature="classify", paid=5_000_000, output=4_096, finish="length")])))
    assert one.reason.startswith("a runaway answer: 100 tokens in, 4,096 out, cut at its limit; the median")
    assert find(filled([*calls, row(feature="classify", paid=5_000_000, output=4_096)])) == []
    assert (
        find(filled([*usual(output=4_096, finish="length"), row(feature="classify", paid=2_000_000, output=4_096)]))
        == []
    )


def test_a_long_prompt_for_next_to_no_answer() -> None:
    one = only(find(filled([*usual(), row(feature="classify", paid=9_000_000, input=51_200, output=12)])))
    assert one.reason == (
        "a long prompt for a short answer: 51,200 tokens in, 12 out; the median of classify is 1,000 in, 100 out, $0.0010"
    )
    assert find(filled([*usual(), row(feature="classify", paid=9_000_000, input=51_200, output=50)])) == []
    assert find(filled([*usual(input=12_000), row(feature="classify", paid=9_000_000, input=51_200, output=12)])) == []


def test_an_answer_is_no_runaway_where_the_prompt_is_more_out_of_the_way() -> None:
    dear = row(feature="classify", paid=90_000_000, input=150_000, output=2_000)
    assert only(find(filled([*usual(), dear]))).reason.startswith("far dearer than usual")


def test_sums_failures_to_price_and_free_calls_have_no_part() -> None:
    others = [
        row(feature="classify", paid=10**12, aggregate=1),
        row(feature="classify", paid=10**12, unpriced="no price for it"),
        row(feature="classify", paid=0),
    ]
    assert find(filled([*usual(), *others])) == []
    assert find(Work()) == []


def test_a_feature_without_a_name_is_called_so() -> None:
    assert "the median of (no tag) is" in only(find(filled([*usual(feature=""), row(paid=10**9)]))).reason


def test_no_more_than_ten_and_the_dearest_over_usual_first() -> None:
    dear = [row(feature="classify", paid=cost * 1_000_000, line=cost) for cost in range(100, 130)]
    found = find(filled([*usual(200), *dear]))
    assert [one.call.line for one in found] == list(range(129, 129 - MOST, -1))
    assert all(one.over == one.call.paid - 1_000_000 for one in found)


calls_drawn = st.lists(
    st.fixed_dictionaries(
        {
            "feature": st.sampled_from("ab"),
            "paid": st.integers(0, 3) | st.integers(10**6, 10**9),
            "input": st.integers(0, 60_000),
            "output": st.integers(0, 30) | st.integers(0, 20_000),
            "finish": st.sampled_from(["stop", "length"]),
            "price_model": st.sampled_from(["openai/gpt-4o", "openai/o1-pro"]),
        }
    ),
    min_size=LEAST_CALLS - 2,
    max_size=70,
)


@settings(max_examples=60)
@given(calls_drawn, st.randoms())
def test_each_call_once_above_usual_and_in_any_order_the_same(drawn: list[dict], random) -> None:
    calls = [row(id=number, line=number // 2, **fields) for number, fields in enumerate(drawn)]
    found = find(filled(calls))
    assert len(found) <= MOST
    assert [one.over for one in found] == sorted((one.over for one in found), reverse=True)
    assert all(0 < one.over <= one.call.paid and one.times > 1 and one.reason for one in found)
    random.shuffle(calls)
    assert find(filled(calls)) == found


@given(calls_drawn)
def test_no_call_ten_times_its_median_is_passed_over_for_a_smaller_one(drawn: list[dict]) -> None:
    calls = [row(id=number, line=number, **(fields | {"feature": "a"})) for number, fields in enumerate(drawn)]
    costs = sorted(one.paid for one in calls if one.paid > 0)
    if len(costs) < LEAST_CALLS:
        return
    median = costs[(len(costs) - 1) // 2]
    must = sorted((cost for cost in costs if cost > 10 * median), reverse=True)
    found = find(filled(calls))
    shown = {one.call.paid for one in found}
    assert all(cost in shown or (len(found) == MOST and cost - median <= found[-1].over) for cost in must)
