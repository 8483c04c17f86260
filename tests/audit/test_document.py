"""The rows of JSON documents come out with their right lines, whatever is damaged around them."""

from __future__ import annotations

import io
import json
import random
from typing import Any

import pytest
from damage import Made, cases, damaged, hits, lost, read
from hypothesis import given
from hypothesis import strategies as st

from scrimp.audit.document import Document
from scrimp.audit.framing import Layout

JSON = Layout("json")


def row(at: int, chance: random.Random) -> dict[str, Any]:
    """A row with objects and lists of objects in it."""
    return {
        "id": at,
        "model": chance.choice(["gpt-4o", 'claude "x"', "é", "東京"]),
        "usage": {"in": chance.randrange(1000), "of": {"cached": 3}},
        "messages": [{"role": "user", "content": "a {b} ]\n[c]"}, {"role": "assistant", "content": ""}],
        "choices": [{"id": 5, "finish": "stop"}],
        "ok": True,
    }


def made(count: int, chance: random.Random) -> list[dict[str, Any]]:
    return [row(at, chance) for at in range(count)]


def one_a_line(begin: str, end: str, lead: str = "", comma: str = ",") -> Any:
    """A maker of documents with one row a line."""

    def make(count: int, chance: random.Random) -> Made:
        found = made(count, chance)
        texts = [lead + json.dumps(one, ensure_ascii=False) + comma for one in found]
        texts[-1] = texts[-1].removesuffix(",")
        lines = [begin, *texts, end]
        return [line.encode() for line in lines], [(at, at, one) for at, one in enumerate(found, 1)]

    return make


def aligned(count: int, chance: random.Random) -> Made:
    """Rows under each other, the brackets on the lines of the first and the last."""
    found = made(count, chance)
    lines = [" " + json.dumps(one) + "," for one in found]
    lines[0] = "[" + lines[0][1:]
    lines[-1] = lines[-1].removesuffix(",") + "]"
    return [line.encode() for line in lines], [(at, at, one) for at, one in enumerate(found)]


def pretty(document: Any, depth: int, indent: int = 2) -> Any:
    """A maker of documents as printers write them; rows begin after `depth` spaces."""

    def make(count: int, chance: random.Random) -> Made:
        found = made(count, chance)
        lines = json.dumps(document(found), indent=indent).encode().split(b"\n")
        begins = [at for at, line in enumerate(lines) if line == b" " * depth + b"{"]
        ends = [at for at, line in enumerate(lines) if line.rstrip(b",") == b" " * depth + b"}"]
        return lines, list(zip(begins, ends, found, strict=True))

    return make


def concatenated(count: int, chance: random.Random) -> Made:
    """Objects one after another without a list."""
    lines: list[bytes] = []
    units = []
    for one in made(count, chance):
        own = json.dumps(one, indent=4).encode().split(b"\n")
        units.append((len(lines), len(lines) + len(own) - 1, one))
        lines += own
    return lines, units


def page(rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {"object": "page", "data": rows, "has_more": False}


WAYS = {
    "a list, one row a line": (one_a_line("[", "]"), 0),
    "a list, commas before": (one_a_line("[", "]", "  "), 0),
    "a list, brackets beside rows": (aligned, 0),
    "a page, one row a line": (one_a_line('{"object": "page", "data": [', '], "has_more": false}'), 1),
    "objects one after another": (concatenated, 0),
    "a pretty list": (pretty(list, 2), 0),
    "a pretty page": (pretty(page, 4), 3),
    "a pretty page with tabs of one": (pretty(page, 2, 1), 3),
}
"""Way of writing -> its maker, and how many lines of it are before the rows and have to be sound."""


@pytest.mark.parametrize("way", WAYS)
def test_five_percent_of_damaged_lines_lose_only_the_rows_they_are_in(way: str) -> None:
    make, first = WAYS[way]
    chance = random.Random(14)
    for count in (3, 100, 5_000):
        lines, units = make(count, chance)
        assert lost(JSON, lines, units, hits(lines, chance, first), chance) == 0


@pytest.mark.parametrize("way", WAYS)
def test_one_damaged_line_costs_one_row_wherever_it_is(way: str) -> None:
    make, first = WAYS[way]
    for seed in range(300):
        chance = random.Random(seed)
        lines, units = make(6, chance)
        assert lost(JSON, lines, units, {chance.randrange(first, len(lines))}, chance) == 0


@given(st.sampled_from(sorted(WAYS)).flatmap(lambda way: cases(*WAYS[way])), st.integers(1, 300))
def test_rows_do_not_depend_on_the_size_of_pieces(case, size: int) -> None:
    (lines, _), hit, chance = case
    data = b"\n".join(damaged(line, chance) if at in hit else line for at, line in enumerate(lines))
    assert read(JSON, data, size) == read(JSON, data)


@given(st.sampled_from(sorted(WAYS)), st.integers(1, 20), st.integers(0, 2**32))
def test_every_row_of_a_sound_document_is_read(way: str, count: int, seed: int) -> None:
    lines, units = WAYS[way][0](count, random.Random(seed))
    assert read(JSON, b"\n".join(lines)) == [(first + 1, one) for first, _, one in units]


@given(
    st.lists(
        st.dictionaries(st.text(max_size=3), st.recursive(st.integers() | st.text(), st.lists, max_leaves=5)),
        max_size=8,
    ),
    st.integers(1, 64),
)
def test_whatever_the_rows_of_a_list_hold_they_are_read(found: list[dict[str, Any]], size: int) -> None:
    for text in (json.dumps(found), json.dumps(found, indent=1), json.dumps(found, ensure_ascii=False)):
        data = text.encode("utf-8", "replace")
        assert [one for _, one in read(JSON, data, size)] == json.loads(data)


@pytest.mark.parametrize("way", WAYS)
def test_a_document_may_arrive_in_two_parts_cut_anywhere(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scrimp.audit.document.AROUND", 48)  # else all of so short a document is read at once
    lines, units = WAYS[way][0](2, random.Random(3))
    data = b"\n".join(lines).replace(b"true", rb'[-1.5e2, -Infinity, "\ud83d\ude00"]')
    whole = [text for _, text in Document(io.BytesIO(data).read, 1 << 20).rows()]
    assert len(whole) == len(units)
    for at in range(1, len(data)):
        given = [data[at:], data[:at]]
        document = Document(lambda size, given=given: given.pop() if given else b"", 1)
        assert [text for _, text in document.rows()] == whole


@pytest.mark.parametrize("way", WAYS)
def test_damaged_documents_give_the_same_rows_in_pieces_of_any_size(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scrimp.audit.document.AROUND", 48)
    make, first = WAYS[way]
    for seed in range(40):
        chance = random.Random(seed)
        lines, _ = make(12, chance)
        hit = hits(lines, chance, first)
        data = b"\n".join(damaged(line, chance) if at in hit else line for at, line in enumerate(lines))
        whole = read(JSON, data)
        assert all(read(JSON, data, size) == whole for size in (1, 13, 100, 701))


def test_pages_one_after_another_are_all_read() -> None:
    pages = b"".join(json.dumps(page([{"a": at}, {"a": at + 1}]), indent=2).encode() for at in (0, 2, 4))
    assert [one for _, one in read(JSON, pages, 64)] == [{"a": at} for at in range(6)]
    assert [one for _, one in read(JSON, b'{"data": []}\n[{"a": 1}] [{"a": 2}]')][:1] != []


def test_a_page_is_entered_though_the_end_of_the_one_before_is_damaged() -> None:
    pages = [json.dumps(page(found), indent=2) for found in ([{"a": 1}] * 4, [{"a": 2}] * 4)]
    found = read(JSON, "\n".join((pages[0][:-20], pages[1])).encode())
    assert [one["a"] for _, one in found if isinstance(one, dict)] == [1] * 4 + [2] * 4
    assert len([one for _, one in found if isinstance(one, str)]) <= 1


def test_rows_with_lists_in_them_are_entered_by_nobody() -> None:
    rows = [{"id": at, "spans": [{"x": 1}, {"x": 2}]} for at in range(6)]
    text = json.dumps(rows, indent=2)
    assert [one for _, one in read(JSON, text.encode())] == rows
    found = read(JSON, text.replace('"id": 2', '"id": 2 2').encode())
    assert [one for _, one in found if isinstance(one, dict)] == [one for one in rows if one["id"] != 2]


def test_a_brace_too_many_before_the_first_row_hides_no_other() -> None:
    text = json.dumps([{"id": at, "of": [{"x": 1}]} for at in range(4)], indent=2)
    found = read(JSON, text.replace("  {", " { {", 1).encode())
    assert [one["id"] for _, one in found if isinstance(one, dict) and "id" in one] == [1, 2, 3]


def test_a_call_with_a_list_in_it_is_a_row_and_no_document() -> None:
    call = {"model": "m", "data": [{"a": 1}]}
    assert read(JSON, json.dumps(call, indent=2).encode()) == [(1, call)]


def test_an_object_that_lost_the_beginning_of_a_part_costs_no_other() -> None:
    text = json.dumps([{"id": 1, "usage": {"in": 1}, "model": "a"}, {"id": 2}, {"id": 3}], indent=2)
    found = read(JSON, text.replace('"usage": {', "").encode())
    assert [one for _, one in found if isinstance(one, dict)][-2:] == [{"id": 2}, {"id": 3}]
    assert [line for line, one in found if isinstance(one, str)] == [7]


def test_a_damaged_row_of_a_document_on_one_line_costs_that_row() -> None:
    rows = [json.dumps({"id": at, "of": [{"x": 1}]}) for at in range(6)]
    rows[3] = rows[3].replace("]", "")
    found = read(JSON, f"[{', '.join(rows)}]".encode())
    assert [one["id"] for _, one in found if isinstance(one, dict)] == [0, 1, 2, 4, 5]


def test_a_list_that_a_damaged_row_leaves_open_takes_no_other_rows_with_it() -> None:
    rows = [json.dumps({"id": at, "messages": [{"x": 1}, {"x": 2}]}) for at in range(4)]
    rows[1] = rows[1][: rows[1].index(', {"x": 2}')]
    found = read(JSON, ('{"data": [\n' + ",\n".join(rows) + "\n]}").encode())
    assert [one["id"] for _, one in found if isinstance(one, dict)] == [0, 2, 3]


def test_a_document_cut_off_gives_the_rows_before() -> None:
    text = json.dumps(made(5, random.Random(1)), indent=2)
    found = read(JSON, text[: text.index('"id": 3')].encode())
    assert [one["id"] for _, one in found if isinstance(one, dict)] == [0, 1, 2]


def test_memory_stays_flat_over_a_long_document_on_one_line() -> None:
    given = iter([b"[", *[b'{"a": "' + b"x" * 1000 + b'"},' for _ in range(20_000)], b'{"a": 1}]'])
    document = Document(lambda size: next(given, b""), 1)
    held = [len(document._text) for _ in document.rows()]
    assert len(held) == 20_001 and max(held) < 100_000
