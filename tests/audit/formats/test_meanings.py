"""Columns are understood by their names, however they are written."""

from __future__ import annotations

import pytest

from scrimp.audit.formats.meanings import MEANINGS, guess, plain


@pytest.mark.parametrize(
    "columns",
    [
        ("TIMESTAMP", "ContextTokens", "GeneratedTokens"),
        ("timestamp", "prompt_tokens", "completion_tokens"),
        ("Created At", "Prompt tokens", "Completion tokens"),
        ("createdat", "PROMPT-TOKENS", "completiontokens"),
        ("Timestamp", "Request tokens", "Response tokens"),
        ("start_time", "inputTokens", "outputTokens"),
    ],
)
def test_time_input_and_output_are_found_by_name(columns: tuple[str, ...]) -> None:
    assert guess(columns) == dict(zip(("time", "input", "output"), columns, strict=True))


def test_the_more_telling_name_wins_and_no_column_means_two_things() -> None:
    columns = ("input", "input_tokens", "time", "timestamp", "api_key", "key_name", "output")
    assert guess(columns) == {
        "time": "timestamp", "input": "input_tokens", "output": "output", "key": "key_name",
    }  # fmt: skip
    every = tuple(name for names in MEANINGS.values() for name in names)
    found = guess(every)
    assert len(set(found.values())) == len(found) == len(MEANINGS)


def test_of_two_columns_of_one_name_the_first_counts() -> None:
    assert guess(("Input Tokens", "input_tokens"))["input"] == "Input Tokens"


def test_names_are_unique_to_a_meaning_and_plain() -> None:
    every = [name for names in MEANINGS.values() for name in names]
    assert len(every) == len(set(every))
    assert [plain(name) for name in every] == every


def test_other_columns_mean_nothing() -> None:
    assert guess(("foo", "temperature", "")) == {}
