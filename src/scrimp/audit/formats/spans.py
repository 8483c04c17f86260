"""Spans of OpenTelemetry as JSON has them: OTLP's nesting and typed values, or flat ones as exporters print them.

A span is exported when it has ended, so those below it come before it: that tells which ones lie around calls.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from scrimp.audit.formats.base import Row, mapping, text
from scrimp.audit.formats.fields import Names, cell, objects

Attributes = Mapping[str, Any]
TIMES: Names = {
    "at": ("startTimeUnixNano", "start_time_unix_nano", "start_time", "startTime"),
    "end": ("endTimeUnixNano", "end_time_unix_nano", "end_time", "endTime"),
}
SCOPES = ("scopeSpans", "scope_spans")
RESOURCES = ("resourceSpans", "resource_spans")
REMEMBERED = 100_000
"""Spans with a call below them that are waited for; a parent in another service never comes."""


class Span(NamedTuple):
    """One span. `parent` is "" for a root; `times` is what has its TIMES; `message` says why it failed."""

    trace: str
    id: str
    parent: str
    times: Row
    attributes: Attributes
    resource: Attributes
    failed: bool
    message: str


class Above:
    """Remembers, span by span, which of those to come have a call below them."""

    def __init__(self) -> None:
        self._waited_for: dict[tuple[str, str], None] = {}

    def has_call(self, span: Span, is_call: bool) -> bool:
        """Whether a call lies below a span; and remember for its parent whether it is one, or has one below it."""
        here = (span.trace, span.id)
        has_call = here in self._waited_for
        self._waited_for.pop(here, None)
        if (has_call or is_call) and span.parent:
            self._waited_for[span.trace, span.parent] = None
            if len(self._waited_for) > REMEMBERED:
                del self._waited_for[next(iter(self._waited_for))]
        return has_call


def is_one(row: Row) -> bool:
    """Whether a row is a document of spans, the spans of one resource, or a span, flat or as OTLP has it."""
    if not row.keys().isdisjoint((*RESOURCES, *SCOPES)):
        return True
    has_id = cell(row, "spanId", "span_id", "context.span_id") is not None
    return has_id and isinstance(row.get("attributes"), dict | list)


def within(row: Row) -> list[Span]:
    """The spans of a row, those that ended first before others. BadRecord where it is none of the known shapes."""
    if row.keys().isdisjoint((*RESOURCES, *SCOPES)):
        return [_span(row, _resource(row))]
    documents: list[Row] = [one for name in RESOURCES if name in row for one in objects(row[name], name)]
    found = [
        _span(span, _resource(document))
        for document in documents or [row]
        for name in SCOPES
        for scope in objects(document.get(name, []), name)
        for span in objects(scope.get("spans", []), "spans")
    ]
    # spans of several scopes need not come in the order they ended; the shorter of two is the one below
    return sorted(found, key=lambda span: (_nanoseconds(span, "end"), -_nanoseconds(span, "at")))


def _nanoseconds(span: Span, name: str) -> int:
    said = text(cell(span.times, *TIMES[name]))
    return int(said) if len(said) < 20 and said.isdecimal() else 0


def _resource(row: Row) -> Attributes:
    return _attributes(mapping(row.get("resource")).get("attributes"))


def _span(row: Row, resource: Attributes) -> Span:
    code = text(cell(row, "status.code", "status.status_code", "status_code"))
    return Span(
        trace=_id(cell(row, "traceId", "trace_id", "context.trace_id")),
        id=_id(cell(row, "spanId", "span_id", "context.span_id")),
        parent=_id(cell(row, "parentSpanId", "parent_span_id", "parent_id")),
        times=row,
        attributes=_attributes(row.get("attributes")),
        resource=resource,
        failed=code.removeprefix("STATUS_CODE_").upper() in ("2", "ERROR"),
        message=text(cell(row, "status.message", "status.description", "status_message")),
    )


def _id(value: Any) -> str:
    return text(value).removeprefix("0x")


def _attributes(found: Any) -> Attributes:
    """Attributes by name, from an object or from OTLP's list of keys with typed values."""
    if isinstance(found, list):
        return {text(one.get("key")): _value(one.get("value")) for one in objects(found, "attributes")}
    return mapping(found)


def _value(found: Any) -> Any:
    """What an OTLP value holds, such as {"intValue": "7"}; None for bytes."""
    if not isinstance(found, dict) or not found:
        return found
    name, held = next(iter(found.items()))
    kind = name.replace("_", "").lower()
    if kind == "intvalue":  # as text, or as a number
        said = text(held)
        return int(said) if len(said) < 20 and said.removeprefix("-").isdecimal() else held
    if kind in ("arrayvalue", "kvlistvalue"):
        values = mapping(held).get("values") or []
        return [_value(one) for one in values] if kind == "arrayvalue" else _attributes(values)
    return held if kind in ("stringvalue", "boolvalue", "doublevalue") else None
