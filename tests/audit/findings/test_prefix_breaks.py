"""Breaks of prompt prefixes: where they are, how many calls they touch, which of them cost something."""

from __future__ import annotations

from typing import Any

import pytest
from rows import filled, row

from scrimp.audit.findings.prefix_breaks import MOST_BREAKS, NEAR, breaks, least_cached, told
from scrimp.audit.replay import CallRow


def call(feature: str = "triage", broke: int | None = 213, same: int = 8_000, **more: Any) -> CallRow:
    """A call of 3,000 tokens in 12,000 bytes."""
    values = {"input": 3000, "prompt": 12_000, "prefix": b"12345678", **more}
    return row(feature=feature, broke=broke, same=same, **values)


def test_a_break_is_told_with_its_place_and_its_share() -> None:
    (found,) = breaks(filled([call(broke=None), *(call() for _ in range(24))]))
    assert (found.feature, found.calls, found.of, found.at, found.same) == ("triage", 24, 25, 213, 8_000)
    assert told(found) == (
        "The prefix breaks at byte 213 in 96% of its calls; 8,000 bytes after it are the same: move what changes to"
        " the end."
    )


def test_digits_of_a_clock_are_one_place_that_begins_where_the_first_of_them_changes() -> None:
    (found,) = breaks(filled(call(broke=broke) for broke in (127, 128, 130, 130, 127, 130)))
    assert (found.calls, found.at) == (6, 127)
    (found,) = breaks(filled(call(broke=broke) for broke in (200, 200, 200, 200 + 2 * NEAR, 9000)))
    assert (found.calls, found.at) == (3, 200)


def test_as_much_is_the_same_again_as_in_the_worst_of_the_calls() -> None:
    (found,) = breaks(filled([call(same=8_000), call(same=6_000)]))
    assert found.same == 6_000


@pytest.mark.parametrize(
    "cheap",
    [
        {"same": 4_000},  # 1,000 tokens, and OpenAI caches from 1,024 on
        {"broke": None},
        {"aggregate": 1},
        {"prefix": b"", "input": 90_000},  # most of what is billed is not shown
        {"same": 1_500, "input": 90_000},
        {"same": 8_000, "price_model": "anthropic/claude-opus-4-5"},  # 2,000 tokens, and it caches from 4,096 on
    ],
)
def test_what_costs_nothing_is_no_break(cheap: dict[str, Any]) -> None:
    assert breaks(filled(call(**cheap) for _ in range(5))) == []


def test_one_call_is_no_habit() -> None:
    assert breaks(filled([call(), call(broke=None), call(broke=None)])) == []


def test_a_break_here_and_there_is_no_habit() -> None:
    assert breaks(filled([*(call() for _ in range(2)), *(call(broke=None) for _ in range(19))])) == []


def test_the_least_is_the_providers_or_the_common_one() -> None:
    models = ("anthropic/claude-opus-5", "openai/gpt-4o", "own/small", "")
    assert [least_cached(model) for model in models] == [512, 1024, 1024, 1024]


def test_breaks_that_touch_most_money_come_first_and_only_so_many() -> None:
    work = filled(call(feature=f"f{number}", paid=number * 10) for number in range(1, 30) for _ in range(2))
    assert [found.feature for found in breaks(work)] == [f"f{29 - nth}" for nth in range(MOST_BREAKS)]
    assert [found.feature for found in breaks(work, ["f3", "f7", "none"])] == ["f7", "f3"]
    assert breaks(work, []) == []


def test_the_dearest_call_is_the_example_and_of_equals_the_first() -> None:
    (found,) = breaks(filled(call(line=line, paid=paid) for line, paid in ((1, 5), (2, 9), (3, 9))))
    assert (found.example.file, found.example.line) == ("log.jsonl", 2)
