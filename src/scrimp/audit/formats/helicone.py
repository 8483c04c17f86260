"""Helicone requests: answers of its query API and its export tool (JSON, JSONL, CSV), and the export of its UI.

Prompt tokens leave out the cached ones here: reads and writes of the prompt cache stand beside them. Where the answer's
own body is kept, its usage is believed before the columns.
https://github.com/Helicone/helicone (packages/llm-mapper/types.ts; packages/cost/usage; examples/export)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scrimp.audit.entry import Entry
from scrimp.audit.formats.base import Format, Row, Sample, body, each, parsed, text
from scrimp.audit.formats.bodies import add_answer, api_of, asking
from scrimp.audit.formats.exchange import address
from scrimp.audit.formats.fields import Names, cell, fill, label, lasted, opened, tag, tokens
from scrimp.call import Usage

CALL: Names = {
    "id": ("request_id", "heliconeMetadata.requestId", "response_id"), "answered": ("response_model",),
    "at": ("request_created_at", "heliconeMetadata.createdAt"), "model": ("model_override", "request_model", "model"),
    "ms": ("delay_ms", "latency", "latency_ms", "heliconeMetadata.latency"),
    "provider": ("provider", "heliconeMetadata.provider"), "user": ("request_user_id", "heliconeMetadata.user"),
    "logged": ("cost", "cost_usd", "costUSD", "heliconeMetadata.cost"),
}  # fmt: skip
"""The API's names, and those of the UI's export."""
TOKENS: Names = {
    "input": ("prompt_tokens", "heliconeMetadata.promptTokens"), "audio_input": ("prompt_audio_tokens",),
    "cached": ("prompt_cache_read_tokens", "heliconeMetadata.promptCacheReadTokens"),
    "cache_write": ("prompt_cache_write_tokens", "heliconeMetadata.promptCacheWriteTokens"),
    "output": ("completion_tokens", "heliconeMetadata.completionTokens"),
    "audio_output": ("completion_audio_tokens",),
}  # fmt: skip
WHERE = ("request_path", "target_url", "heliconeMetadata.path")
PROPERTIES = {"Helicone-Session-Id": "session", "Helicone-Session-Name": "feature", "Helicone-User-Id": "user"}
"""Helicone's own properties -> the labels that they are; the rest of its own are no tags."""
KINDS = ("tool", "vector-db", "data")
"""Kinds of requests that ask no model."""
NO_ID = "00000000-0000-0000-0000-000000000000"
NOT_KEPT = b'"helicone_message"'
"""A mark of the note that stands where a body was not fetched."""
CANCELLED = -3
"""The status of a request whose client left. Others below 100 mean that no answer came."""


def read(row: Row) -> tuple[Entry, ...]:
    """The entry of a request; none for a logged tool, database or data call."""
    row = opened(row, "heliconeMetadata", "raw")
    sent = _json(cell(row, "request_body", "raw.request"))
    if (text(row.get("_type")) or text(sent.get("_type"))).replace("_", "-") in KINDS:
        return ()
    request, answer = asking(sent), _json(cell(row, "response_body", "raw.response"))
    entry = fill(Entry(request=body(request)), row, CALL)
    entry.model = entry.model or text(sent.get("model"))
    paths = (address(text(cell(row, name))).api for name in WHERE)
    entry.api = next((api for api in paths if api != "other"), api_of(answer, request))
    entry.provider = {"x": "xai", "custom": ""}.get(entry.provider.lower(), entry.provider.lower())
    entry.provider = entry.provider or text(row.get("target_url"))
    first_token = cell(row, "time_to_first_token", "heliconeMetadata.timeToFirstToken")
    entry.stream = request.get("stream") is True or lasted(first_token, 1) > 0
    # a row that refers to another request has its answer from Helicone's own cache
    other = text(cell(row, "cache_reference_id", "heliconeMetadata.cacheReferenceId"))
    entry.from_cache = other not in ("", NO_ID, entry.id)
    _add_labels(entry, row)
    _add_answer(entry, row, answer)
    return (entry,)


def _json(value: Any) -> dict[str, Any]:
    """A cell that is an object; the export tool's CSV doubles its quotation marks once more than CSV does."""
    found = parsed(value)
    if found is None and isinstance(value, str) and '""' in value:
        found = parsed(value.replace('""', '"'))
    return found if isinstance(found, dict) else {}


def _add_labels(entry: Entry, row: Row) -> None:
    told = _json(cell(row, "request_properties", "properties", "heliconeMetadata.customProperties"))
    named = {PROPERTIES.get(name, name): value for name, value in told.items()}
    label(entry, {name: value for name, value in named.items() if not name.startswith("Helicone-")}, tags=True)
    tag(entry, told.get("tags"))
    # a managed prompt is what its calls are for, where nothing else says so
    entry.feature = entry.feature or text(cell(row, "prompt_id", "heliconeMetadata.promptId"))


def _add_answer(entry: Entry, row: Row, answer: Mapping[str, Any]) -> None:
    """What came back. Helicone writes 0 tokens where it knows none."""
    reading = add_answer(entry, answer, (NOT_KEPT,))
    entry.answered = entry.answered or reading.model
    usage = Usage(**tokens(row, TOKENS))
    entry.usage = reading.usage if reading.usage not in (None, Usage()) else usage if usage != Usage() else None
    code = text(cell(row, "response_status", "status", "heliconeMetadata.status.code"))
    status = int(code) if len(code) <= 4 and code.removeprefix("-").isdecimal() else 200
    if status == CANCELLED:
        entry.cut = True
    elif status < 100:
        entry.status, entry.error = 0, "no answer"
    elif status >= 400:
        entry.status, entry.error = min(status, 599), (reading.error or f"status {status}")[:200]


def _fits(sample: Sample) -> bool:
    api = sample.has("request_created_at") and (sample.has("response_status") or sample.has("request_properties"))
    return api or sample.has("heliconeMetadata")


FORMATS = (Format("helicone", "Helicone requests", _fits, each(read)),)
