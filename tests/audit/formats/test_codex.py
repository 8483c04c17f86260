"""Codex's session files: each call once, by records or by running totals, over copies, forks and compactions."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reading import SAMPLES, read
from strange import check, damaged, rows

from scrimp.audit.entry import BadRecord, Entry
from scrimp.audit.formats import codex
from scrimp.audit.formats.base import Options
from scrimp.call import Usage

LOGS = ("codex", "codex_fork", "codex_records")
GOOD = [json.loads(line) for name in LOGS for line in (SAMPLES / f"{name}.jsonl").read_text().splitlines()]
KNOWN = [
    *codex.KINDS, *codex.COUNTS.values(), "total_tokens", *("type", "payload", "timestamp", "info", "total_token_usage", "last_token_usage", "id"),
    *("token_count", "task_started", "thread_settings_applied", "thread_settings", "usage", "response_id", "turn_id"),
    *("model", "cwd", "source", "subagent", "thread_spawn", "forked_from_id", "function_call", "arguments", "name", "input"),
]  # fmt: skip
Call = tuple[int, int, int, int]


def all_of(lines: Iterable[dict[str, Any]]) -> list[Entry]:
    reader = codex.FORMATS[0].open((), Options())
    return [entry for line in lines for entry in reader(line)]


def lines_of(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (SAMPLES / name).read_text().splitlines()]


def meta(name: str = "thread-0000000000000001", **more: Any) -> dict[str, Any]:
    return {"type": "session_meta", "timestamp": "2026-09-28T10:00:00Z", "payload": {"id": name, **more}}


def counted(total: dict[str, int] | None, last: dict[str, int] | None) -> dict[str, Any]:
    info = {"total_token_usage": total, "last_token_usage": last}
    payload = {"type": "token_count", "info": info}
    return {"type": "event_msg", "timestamp": "2026-09-28T10:00:05Z", "payload": payload}


def tokens(asked: int, cached: int, said: int, thought: int) -> dict[str, int]:
    named = zip(
        ("input_tokens", "cached_input_tokens", "output_tokens", "reasoning_output_tokens"),
        (asked, cached, said, thought),
        strict=True,
    )
    return {**dict(named), "total_tokens": asked + said}


def test_running_totals_give_each_call_once_with_its_model_and_its_tools():
    known, entries, bad = read("codex.jsonl")
    assert (known.format.name, known.format.ordered, bad, len(entries)) == ("codex", True, [], 3)
    first, second, third = entries
    assert first.usage == Usage(input=6000, output=80, reasoning=120)
    assert second.usage == Usage(input=612, cached=5888, output=70, reasoning=80)
    assert [entry.model for entry in entries] == ["gpt-5-codex", "gpt-5-codex", "gpt-5-mini"]
    assert (first.feature, first.session) == ("parcel-desk", "01a0eda9-cd7a-7d33-a6cd-000000000001")
    assert (first.at, first.provider, first.api) == (1790589607_125_000_000, "openai", "openai.responses")
    assert first.action == second.action == '[["shell","{\\"command\\":[\\"pytest\\",\\"-q\\"]}"]]'
    assert third.action == ""


def test_records_give_each_answer_once_and_the_totals_beside_them_nothing():
    known, entries, bad = read("codex_records.jsonl")
    assert (known.format.name, bad) == ("codex", [])
    assert [entry.id for entry in entries] == ["resp_01Parcel0000000000000001", "resp_01Parcel0000000000000002"]
    assert entries[0].usage == Usage(input=550, cached=100, cache_write=300, output=35, reasoning=5)
    assert (entries[0].model, entries[0].feature, entries[0].tags) == ("gpt-5.6-terra", "parcel-desk", ("subagent",))
    assert (entries[0].session, entries[0].action) == (
        "01a0eda9-cd7a-7d33-a6cd-000000000003",
        '[["exec","rg tracking"]]',
    )


def test_a_copy_of_a_file_has_the_ids_of_its_original():
    for name in LOGS:
        ids = [entry.id for entry in all_of(lines_of(f"{name}.jsonl"))]
        assert ids == [entry.id for entry in all_of(lines_of(f"{name}.jsonl"))]
        assert len(set(ids)) == len(ids)


def test_a_fork_repeats_its_parents_calls_under_their_ids_and_adds_its_own():
    parent, fork = all_of(lines_of("codex.jsonl")), all_of(lines_of("codex_fork.jsonl"))
    assert [entry.id for entry in fork[:3]] == [entry.id for entry in parent]
    assert len(fork) == 4 and fork[3].id not in {entry.id for entry in parent}
    assert fork[3].usage == Usage(input=1000, cached=2000, output=40, reasoning=20)
    assert fork[3].session == "01a0eda9-cd7a-7d33-a6cd-000000000002"


def test_a_fork_of_a_fork_goes_by_the_oldest():
    call = counted(tokens(10, 0, 1, 0), tokens(10, 0, 1, 0))
    oldest, middle = meta("oldest-000000000001"), meta("middle-000000000001", forked_from_id="oldest-000000000001")
    newest = meta("newest-000000000001", forked_from_id="middle-000000000001")
    ids = {all_of([*heads, call])[0].id for heads in ([oldest], [middle, oldest], [middle], [newest, middle, oldest])}
    assert len(ids) == 1


def test_two_subagents_that_did_the_same_in_turns_of_their_own_are_two():
    call = counted(tokens(10, 0, 1, 0), tokens(10, 0, 1, 0))
    turns = [
        {"type": "turn_context", "payload": {"turn_id": f"01a0edb0-b845-7982-bf2a-00000000000{n}"}} for n in (1, 2)
    ]
    heads = [meta(f"agent-000000000000{n}", parent_thread_id="parent-00000000001") for n in (1, 2)]
    one, two = (all_of([head, turn, call])[0] for head, turn in zip(heads, turns, strict=True))
    assert one.id != two.id
    assert one.tags == two.tags == ("subagent",)


@given(st.lists(st.tuples(*[st.integers(1, 10**6)] * 4), min_size=1, max_size=8), st.data())
def test_repeated_totals_count_nothing_and_every_call_counts_once(sizes: list[Call], data: st.DataObject):
    calls = [(asked + cached, cached, said + thought, thought) for asked, cached, said, thought in sizes]
    lines, total = [meta()], (0, 0, 0, 0)
    for call in calls:
        total = (total[0] + call[0], total[1] + call[1], total[2] + call[2], total[3] + call[3])
        has_last = data.draw(st.booleans())
        lines += [counted(tokens(*total), tokens(*call) if has_last else None)] * data.draw(st.integers(1, 3))
    entries = all_of(lines)
    assert [
        (e.usage.input_total, e.usage.cached, e.usage.output_total, e.usage.reasoning) for e in entries if e.usage
    ] == calls
    assert len({entry.id for entry in entries}) == len(calls)


def test_a_total_that_begins_anew_after_a_resume_is_a_call():
    lines = [meta(), counted(tokens(900, 0, 90, 0), tokens(900, 0, 90, 0)), counted(tokens(50, 0, 5, 0), None)]
    assert [entry.usage for entry in all_of(lines)] == [Usage(input=900, output=90), Usage(input=50, output=5)]


def test_a_count_of_what_the_context_holds_is_no_call():
    full = {**tokens(0, 0, 0, 0), "total_tokens": 258_400}
    assert all_of([meta(), counted(full, full), counted(None, None)]) == []


def test_a_model_that_is_named_nowhere_is_left_open():
    (entry,) = all_of([meta(), counted(tokens(10, 0, 1, 0), tokens(10, 0, 1, 0))])
    assert (entry.model, entry.feature) == ("", "")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (counted(tokens(-1, 0, 1, 0), None), "input_tokens: '-1' is no whole number"),
        (counted(tokens(1, 5, 1, 0), tokens(1, 5, 1, 0)), "more than their total"),
        ({"type": "event_msg", "payload": None}, "without its payload"),
        ({"type": "token_usage_record", "payload": {"usage": 3}}, "usage: no object"),
        ({**counted(tokens(1, 0, 1, 0), None), "timestamp": "soon"}, "a text is no time"),
    ],
)
def test_a_line_that_cannot_be_true_is_refused_with_its_reason(line: dict[str, Any], reason: str):
    with pytest.raises(BadRecord, match=reason):
        all_of([meta(), line])


def test_only_its_own_samples_are_taken_for_it():
    for path in sorted(SAMPLES.iterdir()):
        assert (read(path.name)[0].format.name == "codex") == path.name.startswith("codex"), path.name


@given(st.lists(rows(KNOWN) | damaged(GOOD, KNOWN), min_size=1, max_size=4))
def test_whatever_lines_hold_they_give_entries_or_a_reason(lines: list[dict[str, Any]]):
    reader = codex.FORMATS[0].open((), Options())
    for line in lines:
        check(reader, line)
