"""Reports in buckets: taken apart, one bad result costs only itself, and what two exports have gets one id."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from strange import rows

from scrimp.audit.entry import BadRecord, Entry
from scrimp.audit.formats.base import Sample
from scrimp.audit.formats.buckets import billed, entries, kind_of

MONDAY = {"start_time": 1762473600, "end_time": 1762560000}
KNOWN = ["data", "results", "start_time", "model", "n"]


def model(result: Any) -> Entry | None:
    """The result's model with its time; bad where it has none, nothing where it is empty."""
    if "model" not in result:
        raise BadRecord("no model")
    return Entry(model=str(result["model"]), at=result.get("start_time")) if result["model"] else None


def made(row: dict[str, Any]) -> list[Entry]:
    return list(entries(row, model, "test"))


def test_a_page_a_bucket_and_a_flat_row_give_the_same_entry():
    bucket = {**MONDAY, "results": [{"model": "a"}]}
    flat, nested, page = made({**MONDAY, "model": "a"}), made(bucket), made({"data": [bucket], "has_more": False})
    assert flat == nested == page
    assert flat == [Entry(id=flat[0].id, model="a", at=1762473600)]


def test_a_result_that_cannot_be_read_leaves_the_others_of_its_bucket():
    found = []
    with pytest.raises(BadRecord, match=r"1 of 3 results: no model"):
        for entry in entries({**MONDAY, "results": [{"model": "a"}, {}, {"model": "b"}]}, model, "test"):
            found.append(entry.model)
    assert found == ["a", "b"]


def test_an_empty_bucket_and_an_empty_result_give_nothing():
    assert made({**MONDAY, "results": []}) == made({**MONDAY, "model": ""}) == []


@pytest.mark.parametrize("row", [{"data": 3}, {"data": ["a"]}, {"results": {}}, {"results": [None]}])
def test_what_should_be_a_list_of_objects_and_is_none_is_a_bad_row(row: dict[str, Any]):
    with pytest.raises(BadRecord, match="no list of objects"):
        made(row)


def test_a_result_has_one_id_in_every_export_and_another_where_it_says_something_else():
    first, again = made({**MONDAY, "model": "a", "n": 1}), made({"n": 1, "model": "a", **MONDAY})
    assert first == again
    others = [{**MONDAY, "model": "a", "n": 2}, {**MONDAY, "model": "b", "n": 1}, {"model": "a", "n": 1}]
    assert len({first[0].id, *(made(row)[0].id for row in others)}) == 4


def test_two_equal_results_of_one_bucket_are_two():
    one, two = made({**MONDAY, "results": [{"model": "a"}, {"model": "a"}]})
    assert one.id != two.id


def sample(*rows: dict[str, Any], columns: tuple[str, ...] = ()) -> Sample:
    return Sample("report", "json", columns or tuple(rows[0]), rows)


@pytest.mark.parametrize(
    ("report", "kind"),
    [
        (sample({**MONDAY, "results": [{"model": "a"}]}), "usage"),
        (sample({**MONDAY, "results": []}), "usage"),
        (sample({"data": [{**MONDAY, "results": []}, {**MONDAY, "results": [{"amount": 1}]}]}), "costs"),
        (sample({**MONDAY, "n": 1, "amount": 2}), "costs"),
        (sample(columns=("start_time", "n")), "usage"),
        (sample({**MONDAY, "model": "a"}), ""),
        (sample({"starting_at": 1, "results": []}), ""),
    ],
)
def test_a_report_is_told_by_its_buckets_or_its_flat_rows(report: Sample, kind: str):
    assert kind_of(report, ("start_time",), lambda row: "n" in row, ("amount",)) == kind


@pytest.mark.parametrize(
    ("value", "currency", "found"),
    [("0.5", "usd", 500_000_000), (2, None, 2 * 10**9), ("", "usd", None), (0, "USD", None), (None, "eur", None)],
)
def test_what_was_billed_is_an_amount_of_dollars_or_nothing(value: Any, currency: Any, found: int | None):
    entry = billed(Entry(), value, currency)
    assert (entry and entry.logged) == found


@pytest.mark.parametrize(("value", "currency"), [("much", "usd"), (1, "eur")])
def test_what_is_no_amount_of_dollars_is_refused(value: Any, currency: str):
    with pytest.raises(BadRecord, match="amount"):
        billed(Entry(), value, currency)


@given(rows(KNOWN))
def test_whatever_a_row_holds_it_gives_entries_or_a_reason(row: dict[str, Any]):
    assert kind_of(sample(row), ("start_time",), bool, ("n",)) in ("", "usage", "costs")
    try:
        assert all(isinstance(entry, Entry) for entry in made(row))
    except BadRecord as error:
        assert str(error)
