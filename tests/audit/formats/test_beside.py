"""What stands beside the bodies: labels by their usual names, times, durations and costs."""

from __future__ import annotations

from typing import Any

import pytest

from scrimp.audit.entry import BadRecord, Entry
from scrimp.audit.formats.beside import note


def noted(row: dict[str, Any], answer: dict[str, Any] | None = None) -> Entry:
    entry = Entry()
    note(entry, row, answer or {})
    return entry


def test_labels_are_found_by_their_usual_names_and_in_the_metadata():
    row = {"use_case": "mail", "userId": 7, "metadata": '{"session_id":"s","env":"prod","tags":["a"],"trace":"t"}'}
    entry = noted(row | {"project": "web", "api_key_id": "key-1", "tags": "x, y"})
    assert (entry.feature, entry.user, entry.session, entry.environment) == ("mail", "7", "s", "prod")
    assert (entry.team, entry.key, entry.tags) == ("web", "key-1", ("a", "x", "y"))


def test_the_first_of_several_names_counts_and_what_is_there_stays():
    assert noted({"user": "", "user_id": "a", "end_user": "b"}).user == "a"
    entry = Entry(provider="api.openai.com")
    note(entry, {"provider": "azure"}, {})
    assert entry.provider == "api.openai.com"


@pytest.mark.parametrize(
    ("row", "answer", "at"),
    [
        ({"timestamp": "2025-11-07T07:20:00Z", "created": 5}, {"created": 9}, 1_762_500_000),
        ({"startedDateTime": "2025-11-07T07:20:00Z", "time": 12.0}, {}, 1_762_500_000),
        ({}, {"created_at": 9}, 9),
        ({}, {"created": 0}, None),
    ],
)
def test_the_time_is_the_log_s_and_else_the_answer_s(row: dict[str, Any], answer: dict[str, Any], at: int | None):
    assert noted(row, answer).at == (None if at is None else at * 10**9)


@pytest.mark.parametrize("value", ["soon", True, [1], -5])
def test_a_time_that_is_none_makes_the_row_a_bad_one(value: Any):
    with pytest.raises(BadRecord):
        noted({"timestamp": value})


@pytest.mark.parametrize(
    ("row", "milliseconds"),
    [
        ({"latency_ms": 250}, 250),
        ({"duration_s": 2}, 2000),
        ({"latency": 0.25}, 250),
        ({"latency": "0.25"}, 250),
        ({"latency": 250}, 250),
        ({"elapsed": 1250.5}, 1250.5),
        ({"start_time": "2025-11-07T07:20:00Z", "end_time": "2025-11-07T07:20:01.5Z"}, 1500),
        ({"startedDateTime": "2025-11-07T07:20:00Z", "time": 12.0}, 12),
        ({"latency": "fast"}, 0),
        ({"latency": -1}, 0),
        ({"latency": "nan"}, 0),
    ],
)
def test_durations_are_read_in_the_unit_they_are_meant_in(row: dict[str, Any], milliseconds: float):
    assert noted(row).duration == milliseconds * 1_000_000


def test_a_logged_cost_is_kept_and_what_is_no_amount_is_not():
    assert noted({"cost_usd": "$0.25"}).logged == 250_000_000
    assert noted({"cost": {"usd": 1}}).logged is None
