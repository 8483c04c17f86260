"""Tables of names become entries, free labels are known, tokens are disjoint, and prices agree with what logs say."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reading import read

from scrimp.audit.entry import BadRecord, Entry
from scrimp.audit.formats.fields import (
    PARTS,
    acted,
    cell,
    disjoint,
    entries_of,
    fill,
    label,
    lasted,
    objects,
    opened,
    project,
    tag,
    tokens,
)
from scrimp.call import Price
from scrimp.prices.book import Book

LOGS = (
    "litellm.csv", "litellm.json", "litellm.jsonl", "litellm_daily.csv", "langfuse.csv", "langfuse.jsonl", "helicone.jsonl",
    "helicone_tool.csv", "helicone_ui.jsonl", "openrouter.csv", "openrouter_calls.csv",
)  # fmt: skip
"""Samples whose invented calls cost what their providers would have asked."""
NUMBERS = st.integers(0, 10**9)


@pytest.mark.parametrize("log", LOGS)
def test_tokens_in_their_classes_cost_what_the_log_says_was_paid(log):
    book = Book.load()
    compared = 0
    for entry in read(log)[1]:
        if entry.usage is None or entry.logged is None or entry.from_cache:
            continue
        when, tier = entry.at, entry.tier
        price = book.price(entry.answered or entry.model, entry.usage, provider=entry.provider, when=when, tier=tier)
        assert isinstance(price, Price) and price.total == entry.logged
        compared += 1
    assert compared


def test_the_first_cell_that_holds_something_counts_also_inside_objects_and_their_text():
    assert cell({"a": "", "b": None, "c": 0, "d": 1}, "a", "b", "c", "d") == 0
    row = {"m": {"a": {"b": 7}}, "t": '{"a": "x"}', "m.a": "plain"}
    assert (cell(row, "m.a.b"), cell(row, "t.a"), cell(row, "m.a")) == (7, "x", "plain")
    assert cell({"m": "no JSON"}, "m.a", "n.a", "x") is None
    assert opened(row, "t", "u") == {**row, "t": {"a": "x"}, "u": {}}


def test_a_table_fills_what_a_row_tells_and_leaves_the_rest():
    names = {"at": ("t",), "end": ("e",), "user": ("u", "v"), "logged": ("c",), "stream": ("s",), "tier": ("r",)}
    row = {"t": 1762500000, "e": 1762500001.5, "u": "", "v": 7, "c": "$0.25", "s": "True", "r": "Flex"}
    entry = fill(Entry(feature="mail"), row, names)
    assert entry == Entry(
        at=1762500000 * 10**9,
        duration=1_500_000_000,
        user="7",
        logged=250_000_000,
        stream=True,
        tier="flex",
        feature="mail",
    )
    assert fill(Entry(provider="api.openai.com"), {"p": "azure"}, {"provider": ("p",)}).provider == "api.openai.com"
    assert fill(Entry(), {"c": {"usd": 1}}, {"logged": ("c",)}).logged is None


@pytest.mark.parametrize("value", ["soon", True, [1], -5])
def test_a_time_that_is_none_makes_the_row_a_bad_one(value: Any):
    with pytest.raises(BadRecord):
        fill(Entry(), {"timestamp": value}, {"at": ("timestamp",)})


@pytest.mark.parametrize(
    ("value", "unit", "milliseconds"),
    [
        ("1.5", 1_000_000, 1.5),
        (2, 10**9, 2000),
        (0.25, 0, 250),
        ("0.25", 0, 250),
        (250, 0, 250),
        (1250.5, 0, 1250.5),
        *((odd, 1_000_000, 0) for odd in (None, "", "fast", "nan", "1e400", 10**400, -1, True, [])),
    ],
)
def test_a_duration_is_read_in_the_unit_it_is_meant_in(value: Any, unit: int, milliseconds: float):
    assert lasted(value, unit) == milliseconds * 1_000_000


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("feature", "feature"),
        ("Use-Case", "feature"),
        ("taskName", "feature"),
        ("env", "environment"),
        ("user id", "user"),
        ("userId", "user"),
        ("project", "team"),
        ("api_key_id", "key"),
    ],
)
def test_a_property_with_a_known_name_is_a_label(name, field):
    entry = Entry()
    label(entry, {name: "x"}, tags=True)
    assert (getattr(entry, field), entry.tags) == ("x", ())


def test_the_first_of_several_names_counts_and_what_is_there_stays():
    entry = Entry(feature="search")
    label(entry, {"user": "", "user_id": 7, "end_user": "b", "feature": "other"}, tags=True)
    assert (entry.user, entry.feature, entry.tags) == ("7", "search", ())


def test_other_properties_are_tags_only_where_that_is_asked_for():
    entry = Entry(tags=("eu",))
    label(entry, {"plan": "gold", "count": 3, "empty": "", "nested": {"a": 1}})
    assert entry.tags == ("eu",)
    label(entry, {"plan": "gold", "count": 3, "empty": "", "nested": {"a": 1}}, tags=True)
    assert entry.tags == ("eu", "plan=gold", "count=3")


def test_tags_may_be_a_list_or_its_text_and_may_name_labels():
    entry = Entry(feature="search")
    tag(entry, '["eu", "team:support", "feature=mail:in", "x:y", 5, null]')
    assert (entry.team, entry.feature, entry.tags) == ("support", "search", ("eu", "x:y", "5"))
    tag(entry, None)
    tag(entry, "a, b,")
    assert entry.tags == ("eu", "x:y", "5", "a", "b")


def test_tokens_are_read_by_name_and_a_bad_one_is_named():
    names = {"input": ("a", "b"), "output": ("c",)}
    assert tokens({"a": "", "b": "1,024"}, names) == {"input": 1024, "output": 0}
    with pytest.raises(BadRecord, match="b: '-1' is no whole number"):
        tokens({"b": -1}, names)


@given(st.fixed_dictionaries({name: NUMBERS for total, parts in PARTS.items() for name in (total, *parts)}))
def test_no_token_inside_a_total_is_lost_or_counted_twice(told: dict[str, int]):
    usage = disjoint(told)
    assert (usage.input_total, usage.output_total) == (told["input"], told["output"])
    assert all(getattr(usage, part) <= told[part] for parts in PARTS.values() for part in parts)
    if any(sum(told[part] for part in parts) > told[total] for total, parts in PARTS.items()):
        with pytest.raises(BadRecord, match="more than their total"):
            disjoint(told, strict=True)
    else:
        assert disjoint(told, strict=True) == usage


def test_a_part_that_cannot_be_read_leaves_the_others():
    def one(part: int) -> list[Entry]:
        if part < 0:
            raise BadRecord("below 0")
        return [Entry(calls=part)]

    found = []
    with pytest.raises(BadRecord, match=r"1 of 3 parts: below 0"):
        for entry in entries_of([1, -1, 2], one, "parts"):
            found.append(entry.calls)
    assert found == [1, 2]
    with pytest.raises(BadRecord, match="^below 0$"):
        list(entries_of([-1], one, "parts"))


@pytest.mark.parametrize("found", [3, {}, ["a"], [{}, None]])
def test_what_should_be_a_list_of_objects_and_is_none_is_refused(found: Any):
    with pytest.raises(BadRecord, match="data: no list of objects"):
        objects(found, "data")


def test_equal_actions_give_equal_text_and_none_gives_none():
    assert acted([["read", {"a": 1, "b": 2}]]) == acted([["read", {"b": 2, "a": 1}]]) == '[["read",{"a":1,"b":2}]]'
    assert acted([]) == acted([["read", "\ud800"]]) == ""


@pytest.mark.parametrize("folder", ["/home/lea/shop", "/home/lea/shop/", "C:\\code\\shop\\", "shop"])
def test_a_project_is_named_after_its_folder(folder: str):
    assert project(folder) == "shop"
