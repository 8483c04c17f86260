"""Spans of OpenTelemetry as JSON has them: OTLP's nesting and typed values, or flat ones as exporters print them.

A span is exported when it has ended, so those below it come before it: that tells which ones lie around calls.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from scrimp.audit.entry import BadRecord
from scrimp.audit.formats.base import Row, mapping, text

Attributes = Mapping[str, Any]
REMEMBERED = 100_000
"""Spans with a call below them that are waited for; a parent in another service never comes."""
_SCOPES = ("scopeSpans", "scope_spans", "instrumentationLibrarySpans")
_RESOURCES = ("resourceSpans", "resource_spans")
_VALUES = ("stringValue", "string_value", "boolValue", "bool_value", "doubleValue", "double_value")
_WHOLE = ("intValue", "int_value")
_LISTS = ("arrayValue", "array_value")
_MAPS = ("kvlistValue", "kvlist_value")


class Span(NamedTuple):
    """One span. `start` and `end` are as written; `parent` is "" for a root; `message` says why it failed."""

    trace: str
    id: str
    parent: str
    start: Any
    end: Any
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
        if has_call:
            del self._waited_for[here]
        if (has_call or is_call) and span.parent:
            self._waited_for[span.trace, span.parent] = None
            if len(self._waited_for) > REMEMBERED:
                del self._waited_for[next(iter(self._waited_for))]
        return has_call


def is_one(row: Row) -> bool:
    """Whether a row is a span, flat or as OTLP has it, or the spans of one resource."""
    if any(name in row for name in _SCOPES):
        return True
    if isinstance(row.get("attributes"), dict | list):
        return "span_id" in mapping(row.get("context")) or "spanId" in row or "span_id" in row
    return "context.span_id" in row and any(name.startswith("attributes.") for name in row)


def within(row: Row) -> list[Span]:
    """The spans of a row, those that ended first before others. BadRecord where it is none of the known shapes."""
    for name in _RESOURCES:
        if name in row:
            return _ordered([span for one in _objects(row[name], name) for span in _of_resource(one)])
    if any(name in row for name in _SCOPES):
        return _ordered(_of_resource(row))
    return [_span(row, _attributes(mapping(row.get("resource")).get("attributes")))]


def _of_resource(row: Row) -> list[Span]:
    resource = _attributes(mapping(row.get("resource")).get("attributes"))
    scopes = [one for name in _SCOPES if name in row for one in _objects(row[name], name)]
    return [_span(span, resource) for scope in scopes for span in _objects(scope.get("spans", []), "spans")]


def _ordered(found: list[Span]) -> list[Span]:
    """In the order they ended, which the spans of several scopes need not have; the shorter of two first."""
    return sorted(found, key=lambda span: (_nanoseconds(span.end), -_nanoseconds(span.start)))


def _nanoseconds(value: Any) -> int:
    said = text(value)
    return int(said) if len(said) < 20 and said.isdecimal() else 0


def _span(row: Row, resource: Attributes) -> Span:
    context, status = mapping(row.get("context")), mapping(row.get("status"))
    code = _first(status, "code", "status_code") or row.get("status_code")
    attributes = row.get("attributes")
    flat = attributes is None
    return Span(
        trace=_id(_first(row, "traceId", "trace_id", "context.trace_id") or context.get("trace_id")),
        id=_id(_first(row, "spanId", "span_id", "context.span_id") or context.get("span_id")),
        parent=_id(_first(row, "parentSpanId", "parent_span_id", "parent_id")),
        start=_first(row, "startTimeUnixNano", "start_time_unix_nano", "start_time", "startTime"),
        end=_first(row, "endTimeUnixNano", "end_time_unix_nano", "end_time", "endTime"),
        attributes=_apart(row) if flat else _attributes(attributes),
        resource=resource,
        failed=text(code).removeprefix("STATUS_CODE_").upper() in ("2", "ERROR"),
        message=text(_first(status, "message", "description") or row.get("status_message")),
    )


def _first(row: Row, *names: str) -> Any:
    for name in names:
        value = row.get(name)
        if value is not None and value != "":
            return value
    return None


def _id(value: Any) -> str:
    return text(value).removeprefix("0x")


def _apart(row: Row) -> Attributes:
    """The attributes of a span whose every attribute is a column."""
    return {name.removeprefix("attributes."): value for name, value in row.items() if name.startswith("attributes.")}


def _attributes(found: Any) -> Attributes:
    """Attributes by name, from an object or from OTLP's list of keys with typed values."""
    if isinstance(found, list):
        return {text(one.get("key")): _value(one.get("value")) for one in _objects(found, "attributes")}
    return mapping(found)


def _value(found: Any) -> Any:
    """What an OTLP value holds; whole numbers are written as text there."""
    if not isinstance(found, dict):
        return found
    for name in _VALUES:
        if name in found:
            return found[name]
    for name in _WHOLE:
        if name in found:
            said = text(found[name])
            return int(said) if len(said) < 20 and said.removeprefix("-").isdecimal() else found[name]
    for name in _LISTS:
        if name in found:
            return [_value(one) for one in _values(found[name])]
    for name in _MAPS:
        if name in found:
            return _attributes(_values(found[name]))
    return None


def _values(found: Any) -> list[Any]:
    held = mapping(found).get("values")
    return held if isinstance(held, list) else []


def _objects(found: Any, name: str) -> list[dict[str, Any]]:
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise BadRecord(f"{name}: no list of objects")
    return found
