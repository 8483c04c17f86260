"""How long answers are: exact quantiles by nearest rank, of the calls that were answered."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rows import filled, row

from scrimp.audit.findings.answers import MOST_FEATURES, find
from scrimp.audit.report import Answers
from scrimp.audit.work import Work


def test_a_features_quantiles_and_how_many_were_cut() -> None:
    calls = [row(feature="chat", output=tokens, finish="length" if tokens > 97 else "stop") for tokens in range(1, 101)]
    assert find(filled(calls)) == [Answers("chat", 100, p50=50, p90=90, p99=99, longest=100, truncated=3)]


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 300), st.booleans()), min_size=1, max_size=60))
def test_quantiles_are_those_of_the_sorted_answers(drawn: list[tuple[str, int, bool]]) -> None:
    work = filled(row(feature=name, output=tokens, finish="max_tokens" if cut else "") for name, tokens, cut in drawn)
    found = {one.feature: one for one in find(work)}
    for feature in "ab":
        lengths = sorted(tokens for name, tokens, _ in drawn if name == feature)
        if not lengths or not lengths[-1]:
            assert feature not in found
            continue
        one = found[feature]
        p50, p90, p99 = (lengths[math.ceil(len(lengths) * share / 100) - 1] for share in (50, 90, 99))
        cut = sum(cut for name, _, cut in drawn if name == feature)
        assert one == Answers(feature, len(lengths), p50, p90, p99, lengths[-1], cut)


@pytest.mark.parametrize(
    ("finish", "is_cut"),
    [
        ("length", 1),
        ("max_tokens", 1),
        ("MAX_TOKENS", 1),
        ("max_output_tokens", 1),
        ("model_length", 1),
        ("stop", 0),
        ("end_turn", 0),
        ("content_filter", 0),
        ("", 0),
    ],
)
def test_providers_say_in_different_words_that_an_answer_was_cut(finish: str, is_cut: int) -> None:
    assert find(filled([row(finish=finish)]))[0].truncated == is_cut


def test_hidden_reasoning_is_part_of_an_answer() -> None:
    assert find(filled([row(output=10, reasoning=90)]))[0].longest == 100


def test_only_answered_calls_count() -> None:
    others = [
        row(output=999, error="status 500", status=500),
        row(output=999, aggregate=1),
        row(output=999, basis="none", unpriced="the log has no token counts"),
        row(output=999, api="openai.embeddings"),
    ]
    assert [(one.calls, one.longest) for one in find(filled([row(output=7), *others]))] == [(1, 7)]


def test_calls_without_a_price_count_too() -> None:
    assert find(filled([row(output=7, unpriced="no price for it")]))[0].calls == 1


def test_features_with_most_calls_come_first_and_not_all_of_them() -> None:
    calls = [row(feature=f"f{number:02}") for number in range(25) for _ in range(1 + number // 2)]
    found = find(filled(calls))
    assert len(found) == MOST_FEATURES
    assert [one.feature for one in found[:3]] == ["f24", "f22", "f23"]
    assert [one.calls for one in found] == sorted((one.calls for one in found), reverse=True)


def test_a_feature_without_answers_is_none() -> None:
    assert find(filled([row(feature="f", output=0)])) == []
    assert find(Work()) == []
