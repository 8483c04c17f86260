"""Labels among properties and tags, bodies that are there in part, and prices that agree with what the logs say."""

from __future__ import annotations

import json

import pytest
from reading import read

from scrimp.audit.entry import Entry
from scrimp.audit.formats.gateway import add_answer, asked, first, label, lasted, tag
from scrimp.call import Price
from scrimp.prices.book import Book

LOGS = (
    "litellm.csv", "litellm.json", "litellm.jsonl", "litellm_daily.csv", "langfuse.csv", "langfuse.jsonl", "helicone.jsonl",
    "helicone_tool.csv", "helicone_ui.jsonl", "openrouter.csv", "openrouter_calls.csv",
)  # fmt: skip
"""Samples whose invented calls cost what their providers would have asked."""


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


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("feature", "feature"),
        ("Use-Case", "feature"),
        ("taskName", "feature"),
        ("env", "environment"),
        ("user id", "user"),
    ],
)
def test_a_property_with_a_known_name_is_a_label(name, field):
    entry = Entry()
    label(entry, {name: "x"}, tags=True)
    assert (getattr(entry, field), entry.tags) == ("x", ())


def test_other_properties_are_tags_only_where_that_is_asked_for():
    entry = Entry(tags=("eu",))
    label(entry, {"plan": "gold", "count": 3, "empty": "", "nested": {"a": 1}})
    assert entry.tags == ("eu",)
    label(entry, {"plan": "gold", "count": 3, "empty": "", "nested": {"a": 1}}, tags=True)
    assert entry.tags == ("eu", "plan=gold", "count=3")


def test_a_label_that_is_there_stays_and_its_double_is_no_tag():
    entry = Entry(feature="search")
    label(entry, {"feature": "other"}, tags=True)
    tag(entry, ["feature:third"])
    assert (entry.feature, entry.tags) == ("search", ())


def test_tags_may_be_a_list_or_its_text_and_may_name_labels():
    entry = Entry()
    tag(entry, '["eu", "team:support", "feature=mail:in", "x:y", 5, null]')
    assert (entry.team, entry.feature, entry.tags) == ("support", "mail:in", ("eu", "x:y", "5"))
    tag(entry, None)
    tag(entry, "eu")
    assert entry.tags == ("eu", "x:y", "5")


def test_a_request_without_what_was_asked_is_none():
    assert asked('{"model": "m", "messages": [{"role": "user"}]}') == {"model": "m", "messages": [{"role": "user"}]}
    for left_out in ({"model": "m"}, {"model": "m", "messages": []}, "{}", "", None, "text", '["a"]'):
        assert asked(left_out) == {}


def test_an_answer_gives_its_finish_and_tier_where_the_log_has_none():
    said = {"choices": [{"finish_reason": "length", "message": {"content": "x"}}], "service_tier": "flex"}
    entry = Entry(api="openai.chat", tier="batch")
    add_answer(entry, json.dumps(said))
    assert (entry.finish, entry.tier, json.loads(entry.answer)) == ("length", "batch", said)


def test_an_answer_with_a_mark_is_left_out_but_still_read():
    entry = Entry(api="openai.chat")
    reading = add_answer(entry, {"model": "m-1", "choices": [{"message": {"content": "gone away"}}]}, (b"gone",))
    assert (entry.answer, reading.model) == (b"", "m-1")


@pytest.mark.parametrize(
    ("value", "duration"),
    [("1.5", 1_500_000), (2, 2_000_000), (None, 0), ("", 0), ("nan", 0), ("1e400", 0), (-1, 0), (True, 0), ([], 0)],
)
def test_a_duration_is_a_number_of_units_or_nothing(value, duration):
    assert lasted(value, 1_000_000) == duration


def test_the_first_cell_that_holds_something_counts():
    assert first({"a": "", "b": None, "c": 0, "d": 1}, "a", "b", "c", "d") == 0
    assert first({}, "a") is None
