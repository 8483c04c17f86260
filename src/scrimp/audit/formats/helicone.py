"""Helicone requests: answers of its query API and its export tool (JSON, JSONL, CSV), and the export of its UI.

Prompt tokens leave out the cached ones here: reads and writes of the prompt cache stand beside them. Where the answer's
own body is kept, its usage is believed before the columns.
https://github.com/Helicone/helicone (packages/llm-mapper/types.ts; packages/cost/usage; examples/export)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scrimp.audit.entry import Entry
from scrimp.audit.formats.base import Format, Row, Sample, amount, body, count, each, mapping, moment, parsed, text
from scrimp.audit.formats.gateway import add_answer, asked, first, label, lasted, tag
from scrimp.call import Api, Usage
from scrimp.wire.paths import APIS

NOT_KEPT = b'"helicone_message"'
"""A mark of the note that stands where a body was not fetched."""
NO_ID = "00000000-0000-0000-0000-000000000000"
CANCELLED = -3
"""The status of a request whose client left. Others below 100 mean that no answer came."""
MAPPERS: dict[str, Api] = {
    "ai-gateway-chat": "openai.chat",
    "ai-gateway-responses": "openai.responses",
    "openai-chat": "openai.chat",
    "openai-response": "openai.responses",
    "openai-embedding": "openai.embeddings",
    "openai-instruct": "openai.completions",
    "anthropic-chat": "anthropic.messages",
    "gemini-chat": "gemini.generate",
}
"""What the UI calls a kind of request -> its dialect."""
KINDS = ("tool", "vector-db", "data")
"""Kinds of requests that ask no model."""
SHAPES: tuple[tuple[str, Api], ...] = (
    ("contents", "gemini.generate"),
    ("anthropic_version", "anthropic.messages"),
    ("system", "anthropic.messages"),
    ("messages", "openai.chat"),
    ("prompt", "openai.completions"),
    ("input", "openai.responses"),
)
"""Keys of a request's body -> its dialect, where its path is not known."""
PROPERTIES = {"Helicone-Session-Id": "session", "Helicone-Session-Name": "feature", "Helicone-User-Id": "user"}
"""Helicone's own properties -> the labels that they are; the rest of its own are no tags."""
UI = {
    "requestId": "request_id",
    "createdAt": "request_created_at",
    "path": "request_path",
    "promptTokens": "prompt_tokens",
    "completionTokens": "completion_tokens",
    "promptCacheReadTokens": "prompt_cache_read_tokens",
    "promptCacheWriteTokens": "prompt_cache_write_tokens",
    "latency": "delay_ms",
    "timeToFirstToken": "time_to_first_token",
    "user": "request_user_id",
    "customProperties": "request_properties",
    "cacheReferenceId": "cache_reference_id",
    "cacheEnabled": "cache_enabled",
    "promptId": "prompt_id",
    "targetUrl": "target_url",
    "provider": "provider",
    "cost": "cost",
}
"""Names in the metadata of the UI's export -> those of the API."""


def _fits(sample: Sample) -> bool:
    api = sample.has("request_created_at") and (sample.has("response_status") or sample.has("request_properties"))
    return api or sample.has("heliconeMetadata")


def read(row: Row) -> tuple[Entry, ...]:
    """The entry of a request; none for a logged tool, database or data call."""
    cells = _as_api(row) if "heliconeMetadata" in row else dict(row)
    asked_for, answered = _json(cells.get("request_body")), _json(cells.get("response_body"))
    if text(cells.get("_type")) in KINDS or text(asked_for.get("_type")).replace("_", "-") in KINDS:
        return ()
    request = asked(asked_for)
    entry = Entry(
        id=text(first(cells, "request_id", "response_id")),
        at=moment(cells.get("request_created_at")),
        api=_api(cells, request),
        provider=_provider(cells),
        model=text(first(cells, "model_override", "request_model", "model")) or text(asked_for.get("model")),
        answered=text(cells.get("response_model")),
        stream=request.get("stream") is True or bool(lasted(cells.get("time_to_first_token"), 1)),
        user=text(cells.get("request_user_id")),
        duration=lasted(first(cells, "delay_ms", "latency", "latency_ms"), 1_000_000),
        logged=amount(first(cells, "cost", "cost_usd", "costUSD")),
        from_cache=_from_cache(cells),
        request=body(request),
    )
    _add_labels(entry, cells)
    _add_answer(entry, cells, answered)
    return (entry,)


def _as_api(row: Row) -> dict[str, Any]:
    """A row of the UI's export under the names of the API."""
    said, raw = mapping(row.get("heliconeMetadata")), mapping(row.get("raw"))
    cells = {name: said.get(key) for key, name in UI.items()}
    status = mapping(said.get("status"))
    return {
        **cells,
        "_type": row.get("_type"),
        "model": row.get("model"),
        "request_body": raw.get("request"),
        "response_body": raw.get("response"),
        "response_status": status.get("code"),
    }


def _json(value: Any) -> dict[str, Any]:
    """A cell that is an object; the export tool's CSV doubles its quotation marks once more than CSV does."""
    found = parsed(value)
    if found is None and isinstance(value, str) and '""' in value:
        found = parsed(value.replace('""', '"'))
    return found if isinstance(found, dict) else {}


def _api(cells: Mapping[str, Any], request: Mapping[str, Any]) -> Api:
    kind = MAPPERS.get(text(cells.get("_type")))
    if kind is not None:
        return kind
    for name in ("request_path", "target_url"):
        path = text(cells.get(name)).partition("?")[0]
        for known, api in APIS.items():
            if path.endswith(known.removeprefix("/v1")):
                return api
    return next((api for key, api in SHAPES if key in request), "other")


def _provider(cells: Mapping[str, Any]) -> str:
    name = text(cells.get("provider")).lower()
    if name in ("", "custom"):
        return text(cells.get("target_url"))
    return "xai" if name == "x" else name


def _from_cache(cells: Mapping[str, Any]) -> bool:
    """Whether Helicone's own cache answered: then the row refers to the request whose answer it is."""
    of = text(cells.get("cache_reference_id"))
    return of not in ("", NO_ID, text(cells.get("request_id")))


def _add_labels(entry: Entry, cells: Mapping[str, Any]) -> None:
    properties = _json(cells.get("request_properties")) or _json(cells.get("properties"))
    own = {PROPERTIES.get(name, ""): value for name, value in properties.items() if name.startswith("Helicone-")}
    label(entry, {name: value for name, value in properties.items() if not name.startswith("Helicone-")}, tags=True)
    label(entry, {name: value for name, value in own.items() if name})
    tag(entry, properties.get("tags"))
    # a managed prompt is what its calls are for, where nothing else says so
    entry.feature = entry.feature or text(cells.get("prompt_id"))


def _add_answer(entry: Entry, cells: Mapping[str, Any], answered: Mapping[str, Any]) -> None:
    reading = add_answer(entry, answered, (NOT_KEPT,))
    entry.answered = entry.answered or reading.model
    entry.usage = reading.usage
    usage = _usage(cells)
    if reading.usage is None or reading.usage == Usage():
        entry.usage = usage
    code = text(first(cells, "response_status", "status"))
    status = int(code) if len(code) <= 4 and code.removeprefix("-").isdecimal() else 200
    if status == CANCELLED:
        entry.cut = True
    elif status < 100:
        entry.status, entry.error = 0, "no answer"
    elif status >= 400:
        entry.status, entry.error = min(status, 599), (reading.error or f"status {status}")[:200]


def _usage(cells: Mapping[str, Any]) -> Usage | None:
    """Tokens of the columns; None where they are all 0, which is what Helicone writes where it knows none."""
    names = ("prompt_tokens", "prompt_cache_read_tokens", "prompt_cache_write_tokens", "completion_tokens")
    heard = count(cells.get("prompt_audio_tokens"), "prompt_audio_tokens")
    spoken = count(cells.get("completion_audio_tokens"), "completion_audio_tokens")
    given, cached, written, made = (count(cells.get(name), name) for name in names)
    usage = Usage(input=given, cached=cached, cache_write=written, audio_input=heard, output=made, audio_output=spoken)
    return None if usage == Usage() else usage


FORMATS = (Format("helicone", "Helicone requests", _fits, each(read)),)
