"""LiteLLM: rows of its LiteLLM_SpendLogs table (CSV, JSON, JSONL), its standard logging payloads, its daily tables.

Prompt tokens hold the cached ones here, Anthropic's too; what is inside them stands in the metadata's usage object.
https://github.com/BerriAI/litellm (schema.prisma; proxy/spend_tracking/spend_tracking_utils.py; docs: logging_spec)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from scrimp.audit.entry import BadRecord, Entry
from scrimp.audit.formats.base import Format, Row, Sample, body, count, each, mapping, moment, parsed, text
from scrimp.audit.formats.bodies import add_answer, asking
from scrimp.audit.formats.fields import Names, cell, fill, is_true, label, opened, tag, tokens
from scrimp.call import Api, Usage
from scrimp.wire.counts import usage_of

CALL: Names = {
    "id": ("request_id", "id"), "at": ("startTime", "date"), "end": ("endTime",), "ms": ("request_duration_ms",),
    "provider": ("custom_llm_provider", "api_base"), "model": ("model_group", "model"), "answered": ("model",),
    "team": ("metadata.user_api_key_team_alias", "team_id"),
    "key": ("metadata.user_api_key_alias", "api_key", "metadata.user_api_key_hash"),
    "session": ("session_id", "trace_id"), "logged": ("spend", "response_cost"), "from_cache": ("cache_hit",),
}  # fmt: skip
TOTALS = ("prompt_tokens", "completion_tokens", "total_tokens")
DAYS = ("cache_read_input_tokens", "cache_creation_input_tokens")
"""What the daily tables know of what is inside the prompt tokens."""
USERS = ("end_user", "end_user_id", "user", "user_id", "metadata.user_api_key_user_id")
NOBODY = "default_user_id"
"""The user of calls made with the proxy's master key."""
APIS: dict[str, Api] = {
    "completion": "openai.chat", "text_completion": "openai.completions", "embedding": "openai.embeddings",
    "responses": "openai.responses", "anthropic_messages": "anthropic.messages",
    "generate_content": "gemini.generate", "generate_content_stream": "gemini.generate",
}  # fmt: skip
"""A call type, without the "a" of the asynchronous ones -> the dialect of its bodies."""
CHANGED = (b"litellm_truncated", b"redacted-by-litellm")
"""Marks of bodies whose long texts LiteLLM has shortened, or whose texts it has taken out: they would look alike."""


def read(row: Row) -> tuple[Entry, ...]:
    """The entry of a row; none where it neither names a model nor has tokens or spend (a tool call, a file)."""
    row = opened(row, "metadata")
    notes = row["metadata"]
    kind = text(row.get("call_type"))
    entry = fill(Entry(api=APIS.get(kind) or APIS.get(kind.removeprefix("a"), "other")), row, CALL)
    if entry.provider == "litellm_proxy":
        entry.provider = "litellm"
    _add_usage(entry, row, notes)
    _add_labels(entry, row, notes)
    end, start = moment(row.get("endTime")), moment(row.get("completionStartTime"))
    # where no first token was noted, LiteLLM writes the end there
    entry.stream = start is not None and end is not None and start < end
    _add_bodies(entry, row, notes)
    if "batch" in kind:
        entry.tier, entry.aggregate = "batch", True
    if "failure" in (row.get("status"), notes.get("status")):
        said = mapping(notes.get("error_information")) or mapping(row.get("error_information"))
        code = text(said.get("error_code"))
        entry.status = int(code) if len(code) == 3 and code.isdecimal() and "400" <= code < "600" else 500
        entry.error = text(cell(said, "error_class", "error_message"))[:200] or "failure"
    return (entry,) if entry.model or entry.usage or entry.logged or entry.error else ()


def read_day(row: Row) -> tuple[Entry, ...]:
    """The calls of a day, by user, team or tag, key and model; none where nothing was asked."""
    calls = count(row.get("api_requests"), "api_requests")
    entries = read({name: value for name, value in row.items() if name != "id"}) if calls else ()
    for entry in entries:
        if entry.at is None:
            raise BadRecord("it has no date")
        entry.aggregate, entry.calls = True, calls
        tag(entry, [row.get("tag")])
    return entries


def _add_usage(entry: Entry, row: Row, notes: Mapping[str, Any]) -> None:
    """The usage object, else the totals; neither where no tokens are counted."""
    totals = tokens(row, {name: (name,) for name in (*TOTALS, *DAYS)})
    if not any(totals.values()):
        return
    reported = mapping(notes.get("usage_object"))
    usage = usage_of(reported)
    if usage is None or not usage.input_total + usage.output_total:
        reported = {**totals, **mapping(notes.get("additional_usage_values"))}
        usage = usage_of(reported) or Usage()
    inside = mapping(reported.get("prompt_tokens_details"))
    long = cell(inside, "cache_creation_token_details.ephemeral_1h_input_tokens")
    long = min(usage.cache_write, count(long, "ephemeral_1h_input_tokens"))
    searches = usage.searches or count(inside.get("web_search_requests"), "web_search_requests")
    parts = {"cache_write": usage.cache_write - long, "cache_write_1h": usage.cache_write_1h + long}
    entry.usage = msgspec.structs.replace(usage, **parts, searches=searches)
    entry.tier = text(reported.get("service_tier")).lower()


def _add_labels(entry: Entry, row: Row, notes: Mapping[str, Any]) -> None:
    users = (text(cell(row, name)) for name in USERS)
    entry.user = next((user for user in users if user and user != NOBODY), "")
    said = parsed(row.get("request_tags"))
    # LiteLLM itself adds the client's name to the tags
    tag(entry, [one for one in said if not text(one).startswith("User-Agent:")] if isinstance(said, list) else [])
    label(entry, mapping(notes.get("spend_logs_metadata")), tags=True)
    label(entry, mapping(notes.get("requester_metadata")))


def _add_bodies(entry: Entry, row: Row, notes: Mapping[str, Any]) -> None:
    messages = parsed(row.get("messages"))
    if isinstance(messages, list) and all(isinstance(one, dict) for one in messages):
        messages = {"model": entry.model, "input" if entry.api == "openai.responses" else "messages": messages}
    request = asking(row.get("proxy_server_request")) or asking(messages)
    raw = body(request)
    if not any(mark in raw for mark in CHANGED):
        entry.request = raw
    entry.stream = entry.stream or is_true(request.get("stream"))
    model = add_answer(entry, row.get("response"), CHANGED).model
    if entry.provider.startswith(
        "azure"
    ):  # a deployment's name says nothing: the answer, or its price, names the model
        entry.answered = model or text(cell(notes, "model_map_information.model_map_key")) or entry.answered


def _fits(*columns: str) -> Callable[[Sample], bool]:
    return lambda sample: sample.has("prompt_tokens", "completion_tokens", *columns)


CALLS, SUMS = _fits("call_type", "startTime"), _fits("date", "api_requests", "spend")
MISSING = ("single calls (outliers, repeats, retries)", "which cache writes live for an hour")
FORMATS = (
    Format("litellm", "LiteLLM spend log", CALLS, each(read)),
    Format("litellm-daily", "LiteLLM daily spend", SUMS, each(read_day), missing=MISSING),
)
