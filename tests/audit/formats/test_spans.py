"""Spans as JSON: OTLP's nesting and values, exporters' flat ones, and which spans have a call below them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from strange import rows

from scrimp.audit.entry import BadRecord
from scrimp.audit.formats.spans import REMEMBERED, Above, Span, is_one, within

KNOWN = [
    *(
        "resourceSpans",
        "resource_spans",
        "scopeSpans",
        "scope_spans",
        "spans",
        "resource",
        "attributes",
        "key",
        "value",
    ),
    *(
        "traceId",
        "spanId",
        "parentSpanId",
        "startTimeUnixNano",
        "endTimeUnixNano",
        "status",
        "code",
        "message",
        "context",
    ),
    *("stringValue", "intValue", "arrayValue", "values", "kvlistValue", "trace_id", "span_id", "context.span_id"),
]


def span(name: str, parent: str = "", trace: str = "t") -> Span:
    return Span(trace, name, parent, {}, {}, {}, False, "")


def otlp(name: str, end: int, **more: Any) -> dict[str, Any]:
    return {"traceId": "t", "spanId": name, "startTimeUnixNano": "1", "endTimeUnixNano": str(end), **more}


def test_otlp_values_are_what_they_hold():
    values = {
        "text": {"stringValue": "a"},
        "whole": {"intValue": "-7"},
        "number": {"intValue": 7},
        "part": {"doubleValue": 0.5},
        "is": {"boolValue": False},
        "list": {"arrayValue": {"values": [{"stringValue": "a"}, {"intValue": "1"}]}},
        "map": {"kvlistValue": {"values": [{"key": "in", "value": {"stringValue": "b"}}]}},
        "snake": {"string_value": "c"},
        "bytes": {"bytesValue": "aGk="},
    }
    (found,) = within({"attributes": [{"key": key, "value": value} for key, value in values.items()], "traceId": "t"})
    assert found.attributes == {
        "text": "a", "whole": -7, "number": 7, "part": 0.5, "is": False, "list": ["a", 1], "map": {"in": "b"},
        "snake": "c", "bytes": None,
    }  # fmt: skip


@pytest.mark.parametrize("names", [("resourceSpans", "scopeSpans"), ("resource_spans", "scope_spans")])
def test_a_document_gives_the_spans_of_all_its_scopes_in_the_order_they_ended(names: tuple[str, str]):
    scopes = [{"spans": [otlp("outer", 9), otlp("late", 12)]}, {"spans": [otlp("inner", 5)]}]
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "desk"}}]}
    document = {names[0]: [{"resource": resource, names[1]: scopes}]}
    found = within(document)
    assert [one.id for one in found] == ["inner", "outer", "late"]
    assert found[0].resource == {"service.name": "desk"}
    assert within(document[names[0]][0]) == found


def test_a_span_of_an_exporter_has_its_context_in_an_object():
    row = {
        "context": {"trace_id": "0xab", "span_id": "0x01"},
        "parent_id": "0x02",
        "start_time": "2026-10-05T08:00:00.000000Z",
        "status": {"status_code": "ERROR", "description": "Overloaded"},
        "attributes": {"a": 1},
    }
    (found,) = within(row)
    assert found[:3] == ("ab", "01", "02")
    assert (found.attributes, found.failed, found.message) == ({"a": 1}, True, "Overloaded")


@pytest.mark.parametrize(
    ("status", "failed"),
    [({"code": 2}, True), ({"code": "STATUS_CODE_ERROR"}, True), ({"code": 1}, False), ({}, False)],
)
def test_a_status_tells_a_failure(status: dict[str, Any], failed: bool):
    assert within(otlp("a", 2, status=status))[0].failed == failed


@pytest.mark.parametrize("row", [{"resourceSpans": 1}, {"scopeSpans": ["a"]}, {"scopeSpans": [{"spans": {}}]}])
def test_what_is_not_nested_as_it_should_be_is_a_bad_row(row: dict[str, Any]):
    with pytest.raises(BadRecord, match="no list of objects"):
        within(row)


def test_every_span_above_a_call_is_told_and_no_other():
    above = Above()
    assert not above.has_call(span("call", "step"), True)
    assert not above.has_call(span("tool", "step"), False)
    assert above.has_call(span("step", "agent"), False)
    assert not above.has_call(span("agent", trace="another"), False)
    assert above.has_call(span("agent"), False)
    assert not above.has_call(span("agent"), False)  # told once: it is forgotten


def test_parents_that_never_come_are_forgotten():
    above = Above()
    for number in range(REMEMBERED + 1):
        above.has_call(span(f"call{number}", f"parent{number}"), True)
    assert not above.has_call(span("parent0"), False)
    assert above.has_call(span("parent1"), False)


@given(rows(KNOWN))
def test_whatever_a_row_holds_it_gives_spans_or_a_reason(row: dict[str, Any]):
    assert isinstance(is_one(row), bool)
    try:
        assert all(isinstance(one, Span) for one in within(row))
    except BadRecord as error:
        assert str(error)
