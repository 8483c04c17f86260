"""Anybody's CSV or JSON lines: columns are guessed, shown, overridden, and believed only where values agree."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from reading import SAMPLES
from strange import check, damaged
from strange import rows as strange_rows

from scrimp.audit.detect import Known, detect
from scrimp.audit.entry import BadRecord, Entry
from scrimp.audit.formats import generic
from scrimp.audit.formats.base import Options, Sample
from scrimp.audit.formats.generic import MEANINGS, guess, plain, preview
from scrimp.audit.framing import pieces, rows
from scrimp.call import Usage
from scrimp.errors import ScrimpError

NOON = 1_793_534_400 * 10**9


def read(log: str | bytes, given: dict[str, str] | None = None) -> tuple[Known, list[Entry], list[tuple[int, str]]]:
    """A log (the name of a sample, or its bytes), its entries, and the rows that cannot be read with the reason."""
    data = (SAMPLES / log).read_bytes() if isinstance(log, str) else log
    known = detect("log", data, options=Options(given or {}))
    reader = known.format.open(columns_of(known), known.options)
    entries: list[Entry] = []
    bad: list[tuple[int, str]] = []
    given_bytes = [data]
    for piece in pieces(known.layout, lambda size: given_bytes.pop() if given_bytes else b""):
        for line, row in rows(known.layout, piece):
            try:
                if isinstance(row, BadRecord):
                    raise row
                entries.extend(reader(row))
            except BadRecord as error:
                bad.append((line, str(error)))
    return known, entries, bad


def columns_of(known: Known) -> tuple[str, ...]:
    return known.layout.columns or known.sample.columns


def test_a_trace_with_lengths_only_is_understood_by_its_columns() -> None:
    known, entries, bad = read("generic_trace.csv")
    assert known.format.name == "generic" and not bad
    assert preview(columns_of(known), known.options) == "time=TIMESTAMP, input=ContextTokens, output=GeneratedTokens"
    assert [(one.at, one.usage) for one in entries[:2]] == [
        (1_793_534_400_680_590_000, Usage(input=374, output=44)),
        (1_793_534_404_995_169_000, Usage(input=396, output=109)),
    ]


def test_every_meaning_reaches_its_place() -> None:
    known, entries, bad = read("generic_full.csv")
    assert known.options.columns.keys() == MEANINGS.keys() and "temperature" not in known.options.columns.values()
    assert entries[0] == Entry(
        id="r-1", at=NOON, provider="openai", model="gpt-4o", usage=Usage(900, 100, output=40, reasoning=10),
        finish="stop", tier="flex", feature="search", user="ann", team="web", key="...7890", session="s-1",
        duration=1_250_500_000, logged=2_500_000,
    )  # fmt: skip
    assert (entries[1].status, entries[1].error) == (429, "")
    assert (entries[2].status, entries[2].error) == (500, "timeout")
    assert bad == [(5, "input: a text is no whole number"), (6, "it has no number of tokens")]


def test_lines_with_texts_are_read_as_requests_and_answers() -> None:
    known, entries, bad = read("generic_texts.jsonl")
    assert not bad
    assert preview(columns_of(known), known.options) == "time=ts, model=model, prompt=input, answer=output"
    assert msgspec.json.decode(entries[0].request) == {
        "model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Is 7 a prime number?"}],
    }  # fmt: skip
    assert msgspec.json.decode(entries[0].answer)["choices"][0]["message"]["content"] == "Yes."
    assert msgspec.json.decode(entries[1].request)["messages"] == [
        {"role": "system", "content": "Be short."}, {"role": "user", "content": "Hello, who are you?"},
    ]  # fmt: skip
    assert {one.api for one in entries} == {"openai.chat"} and {one.usage for one in entries} == {None}


def test_a_column_named_prompt_that_holds_numbers_is_token_counts() -> None:
    known, entries, _ = read(b"time,prompt,completion\n2026-11-01,500,20\n2026-11-02,7,3\n")
    assert preview(columns_of(known), known.options) == "time=time, input=prompt, output=completion"
    assert [one.usage for one in entries] == [Usage(input=500, output=20), Usage(input=7, output=3)]


def test_token_counts_are_used_and_texts_beside_them_kept() -> None:
    _, entries, _ = read(
        b'{"prompt":"Hi","response":"Ho","input_tokens":5,"output_tokens":2}\n{"prompt":"Hi","response":"Ho"}\n'
    )
    assert [one.usage for one in entries] == [Usage(input=5, output=2), None]
    assert all(one.request and one.answer for one in entries)


def test_a_time_that_is_none_is_left_out_of_what_is_understood() -> None:
    known, entries, bad = read(b"date,input_tokens,output_tokens\n24 Nov,5,1\n25 Nov,6,1\n")
    assert not bad and [one.at for one in entries] == [None, None]
    assert preview(columns_of(known), known.options) == "input=input_tokens, output=output_tokens"


@pytest.mark.parametrize(
    ("header", "row", "usage"),
    [
        ("prompt_tokens,completion_tokens,cached_tokens", "100,5,40", Usage(input=60, cached=40, output=5)),
        ("input_tokens,output_tokens,cache_read_input_tokens,cache_creation_input_tokens", "100,5,40,20",
         Usage(input=100, cached=40, cache_write=20, output=5)),
        ("prompt_tokens,completion_tokens,cache_read_input_tokens,cache_creation_input_tokens", "100,5,40,20",
         Usage(input=40, cached=40, cache_write=20, output=5)),
        ("input_tokens,output_tokens,reasoning_tokens", "100,50,40", Usage(input=100, output=10, reasoning=40)),
        ("input_tokens,output_tokens,reasoning_tokens", "100,50,60", Usage(input=100, reasoning=50)),
        ("input_tokens,output_tokens", "100,", Usage(input=100)),
    ],
)  # fmt: skip
def test_token_classes_are_made_disjoint(header: str, row: str, usage: Usage) -> None:
    _, entries, bad = read(f"{header}\n{row}\n".encode())
    assert [one.usage for one in entries] == [usage] and not bad


def test_more_cached_tokens_than_input_are_a_bad_row_and_no_other_way_to_count() -> None:
    _, entries, bad = read(b"prompt_tokens,completion_tokens,cached_tokens\n100,5,40\n10,5,40\n")
    assert [one.usage for one in entries] == [Usage(input=60, cached=40, output=5)]
    assert bad == [(3, "it has more cached tokens than input tokens")]


def test_the_name_of_a_column_is_believed_whatever_its_first_rows_say() -> None:
    rows = "-,-\n" * 40 + "100,5\n" * 5
    _, entries, bad = read(f"input_tokens,output_tokens\n{rows}".encode())
    assert [one.usage for one in entries] == [Usage(input=100, output=5)] * 5
    assert len(bad) == 40


def test_a_call_whose_input_is_not_known_is_not_one_without_input() -> None:
    _, entries, bad = read(b"input_tokens,output_tokens\n,5\n7,5\n")
    assert ([one.usage for one in entries], bad) == ([None, Usage(input=7, output=5)], [])


def test_what_is_no_figure_is_not_quoted() -> None:
    _, _, bad = read(b"input_tokens,output_tokens\nmy secret plan,5\n-3,5\n1,1\n")
    assert [reason for _, reason in bad] == ["input: a text is no whole number", "input: '-3' is no whole number"]


def test_the_user_says_what_a_column_means() -> None:
    log = b"when,PromptSize,AnswerSize,input_tokens,output_tokens\n2026-11-01,1,2,3,4\n"
    known, entries, _ = read(log, {"time": "when", "input": "PromptSize"})
    assert [(one.at, one.usage) for one in entries] == [(NOON - NOON % (86_400 * 10**9), Usage(input=1, output=4))]
    assert preview(columns_of(known), known.options) == "input=PromptSize, output=output_tokens, time=when"


def test_an_empty_column_takes_a_guess_back() -> None:
    known, entries, _ = read(b"time,input_tokens,output_tokens\nnoon,3,4\n", {"time": ""})
    assert [(one.at, one.usage) for one in entries] == [(None, Usage(input=3, output=4))]
    assert "time" not in preview(columns_of(known), known.options)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"input": "Prompt"}, "log: --map: there is no column 'Prompt'. Columns: a, input_tokens, output_tokens"),
        ({"inputs": "a"}, "log: --map: 'inputs' is nothing a column can mean. One of: time, model, provider, input, "),
        ({"input": "", "output": ""}, "log: no column of input tokens among a, input_tokens, output_tokens"),
    ],
)
def test_a_mapping_that_cannot_be_is_an_error_with_what_there_is(given: dict[str, str], message: str) -> None:
    with pytest.raises(ScrimpError) as error:
        read(b"a,input_tokens,output_tokens\n1,2,3\n", given)
    assert str(error.value).startswith(message)


def test_a_total_alone_is_not_enough() -> None:
    with pytest.raises(ScrimpError, match="it has time, model, total_tokens. Name the columns, such as --map input="):
        read(b"time,model,total_tokens\n2026-11-01,gpt-4o,500\n")


def test_a_column_without_a_name_means_nothing() -> None:
    _, entries, bad = read(b",output_tokens,prompt\n7,5,hi\n8,,ho\n", {"prompt": "prompt"})
    assert [one.usage for one in entries] == [None, None] and not bad
    assert all(b"7" not in one.answer and b"8" not in one.answer for one in entries)


def test_the_settled_options_say_the_same_wherever_they_are_used() -> None:
    known, _, _ = read("generic_texts.jsonl")
    assert known.options.columns.keys() == MEANINGS.keys()
    assert generic.settle(known.sample, known.options) == known.options


def test_an_answer_alone_is_no_log_of_calls() -> None:
    fits = generic.FORMATS[0].fits
    assert not fits(Sample("log", "lines", ("question", "rating"), ({"question": "a", "rating": 5},)))
    assert fits(Sample("log", "lines", ("question", "answer"), ({"question": "a", "answer": "b"},)))
    assert not fits(Sample("log", "lines", ("question", "response"), ({"question": "a", "response": 200},)))


COLUMNS = tuple(names[0] for names in MEANINGS.values())
GOOD: dict[str, Any] = {
    "timestamp": "2026-11-01T12:00:00Z", "input_tokens": 5, "output_tokens": "6", "status": "200", "cost": 0.5,
    "duration_ms": 12.5, "prompt": [{"role": "user", "content": "x"}], "answer": "y", "api_key": "sk-12345",
}  # fmt: skip
READ = generic.FORMATS[0].open(COLUMNS, Options())


@given(strange_rows([*COLUMNS, "-1", "1e400", "200"]))
def test_whatever_a_row_holds_it_gives_a_call_or_a_reason(row: dict[str, Any]) -> None:
    check(READ, row)


@given(damaged([GOOD], [*COLUMNS, "nan", "-inf", "99999999999"]))
def test_a_damaged_row_gives_a_call_or_a_reason(row: dict[str, Any]) -> None:
    check(READ, row)


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
