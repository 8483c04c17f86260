"""LiteLLM: rows of its LiteLLM_SpendLogs table (CSV, JSON, JSONL), its standard logging payloads, its daily tables.

Prompt tokens hold the cached ones here, Anthropic's too; what is inside them stands in the metadata's usage object.
https://github.com/BerriAI/litellm (schema.prisma; proxy/spend_tracking/spend_tracking_utils.py; docs: logging_spec)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from scrimp.audit.entry import BadRecord, Entry
from scrimp.audit.formats.base import Format, Row, Sample, amount, body, count, each, mapping, moment, parsed, text
from scrimp.audit.formats.gateway import add_answer, asked, first, label, lasted, tag
from scrimp.call import Api, Usage
from scrimp.wire.counts import usage_of

APIS: dict[str, Api] = {
    "completion": "openai.chat",
    "text_completion": "openai.completions",
    "embedding": "openai.embeddings",
    "responses": "openai.responses",
    "anthropic_messages": "anthropic.messages",
    "generate_content": "gemini.generate",
    "generate_content_stream": "gemini.generate",
}
"""A call type, without the "a" of the asynchronous ones -> the dialect of its bodies."""
CHANGED = (b"litellm_truncated", b"redacted-by-litellm")
"""Marks of bodies whose long texts LiteLLM has shortened, or whose texts it has taken out: they would look alike."""
NOBODY = "default_user_id"
"""The user of calls made with the proxy's master key."""
TOTALS = ("prompt_tokens", "completion_tokens", "total_tokens")
_INPUT = {"openai.embeddings": "input", "openai.responses": "input", "openai.completions": "prompt"}


def _fits(sample: Sample) -> bool:
    return sample.has("call_type", "startTime", "prompt_tokens", "completion_tokens")


def _fits_daily(sample: Sample) -> bool:
    return sample.has("date", "api_requests", "spend", "prompt_tokens", "completion_tokens")


def read(row: Row) -> tuple[Entry, ...]:
    """The entry of a row; none where it neither names a model nor has tokens or spend (a tool call, a file)."""
    notes = mapping(row.get("metadata"))
    reported = _reported(row, notes)
    entry = Entry(
        id=text(first(row, "request_id", "id")),
        at=moment(row.get("startTime")),
        api=_api(text(row.get("call_type"))),
        provider=_provider(row),
        model=text(first(row, "model_group", "model")),
        answered=text(row.get("model")),
        usage=_usage(reported),
        tier=text(reported.get("service_tier")).lower(),
        team=text(notes.get("user_api_key_team_alias")) or text(row.get("team_id")),
        key=text(notes.get("user_api_key_alias")) or text(row.get("api_key")) or text(notes.get("user_api_key_hash")),
        session=text(first(row, "session_id", "trace_id")),
        logged=amount(first(row, "spend", "response_cost")),
        from_cache=str(row.get("cache_hit")).lower() == "true",
    )
    _add_labels(entry, row, notes)
    _add_times(entry, row)
    _add_bodies(entry, row, notes)
    _add_ending(entry, row, notes)
    if entry.model or entry.usage or entry.logged or entry.error:
        return (entry,)
    return ()


def _api(call_type: str) -> Api:
    return APIS.get(call_type) or APIS.get(call_type.removeprefix("a"), "other")


def _provider(row: Row) -> str:
    name = text(first(row, "custom_llm_provider", "api_base"))
    return "litellm" if name == "litellm_proxy" else name


def _reported(row: Row, notes: Mapping[str, Any]) -> Mapping[str, Any]:
    """The usage object, as far as the row has one; {} where no tokens are counted."""
    totals = {name: count(row.get(name), name) for name in TOTALS}
    if not any(totals.values()):
        return {}
    whole = mapping(notes.get("usage_object"))
    if whole and (usage := usage_of(whole)) is not None and usage.input_total + usage.output_total:
        return whole
    return {**mapping(notes.get("additional_usage_values")), **totals}


def _usage(reported: Mapping[str, Any]) -> Usage | None:
    usage = usage_of(reported)
    if usage is None:
        return None
    inside = mapping(reported.get("prompt_tokens_details"))
    written = mapping(inside.get("cache_creation_token_details"))
    long = min(usage.cache_write, count(written.get("ephemeral_1h_input_tokens"), "ephemeral_1h_input_tokens"))
    searches = usage.searches or count(inside.get("web_search_requests"), "web_search_requests")
    return msgspec.structs.replace(
        usage,
        cache_write=usage.cache_write - long,
        cache_write_1h=usage.cache_write_1h + long,
        searches=searches,
    )


def _add_labels(entry: Entry, row: Row, notes: Mapping[str, Any]) -> None:
    users = (text(row.get("end_user")), text(row.get("user")), text(notes.get("user_api_key_user_id")))
    entry.user = next((user for user in users if user and user != NOBODY), "")
    said = parsed(row.get("request_tags"))
    # LiteLLM itself adds the client's name to the tags
    tag(entry, [one for one in said if not text(one).startswith("User-Agent:")] if isinstance(said, list) else [])
    label(entry, mapping(notes.get("spend_logs_metadata")), tags=True)
    label(entry, mapping(notes.get("requester_metadata")))


def _add_times(entry: Entry, row: Row) -> None:
    end = moment(row.get("endTime"))
    start = moment(row.get("completionStartTime"))
    # where no first token was noted, LiteLLM writes the end there
    entry.stream = start is not None and end is not None and start < end
    entry.duration = lasted(row.get("request_duration_ms"), 1_000_000)
    if not entry.duration and end is not None and entry.at is not None:
        entry.duration = max(0, end - entry.at)


def _add_bodies(entry: Entry, row: Row, notes: Mapping[str, Any]) -> None:
    request = asked(row.get("proxy_server_request")) or asked(_from_messages(entry, row.get("messages")))
    raw = body(request)
    if not any(mark in raw for mark in CHANGED):
        entry.request = raw
    entry.stream = entry.stream or request.get("stream") is True
    model = add_answer(entry, row.get("response"), CHANGED).model
    if entry.provider.startswith(
        "azure"
    ):  # a deployment's name says nothing: the answer, or its price, names the model
        entry.answered = (
            model or text(mapping(notes.get("model_map_information")).get("model_map_key")) or entry.answered
        )


def _from_messages(entry: Entry, value: Any) -> Any:
    """A request made from the messages alone; what is a request already stays as it is."""
    found = parsed(value)
    if found is None:
        found = text(value)
    if isinstance(found, dict):
        return found
    if entry.api == "other" or not found or not isinstance(found, list | str):
        return None
    name = _INPUT.get(entry.api, "messages")
    if name == "messages" and isinstance(found, str):
        found = [{"role": "user", "content": found}]
    return {"model": entry.model, name: found}


def _add_ending(entry: Entry, row: Row, notes: Mapping[str, Any]) -> None:
    if "batch" in text(row.get("call_type")):
        entry.tier, entry.aggregate = "batch", True
    if "failure" not in (text(row.get("status")), text(notes.get("status"))):
        return
    said = mapping(notes.get("error_information")) or mapping(row.get("error_information"))
    code = text(said.get("error_code"))
    entry.status = int(code) if len(code) == 3 and code.isdecimal() and "400" <= code < "600" else 500
    entry.error = (text(said.get("error_class")) or text(said.get("error_message")) or "failure")[:200]


def read_daily(row: Row) -> tuple[Entry, ...]:
    """The calls of a day, by user, team or tag, key and model; none where nothing was asked."""
    calls = count(row.get("api_requests"), "api_requests")
    if not calls:
        return ()
    at = moment(row.get("date"))
    if at is None:
        raise BadRecord("it has no date")
    asked_for = count(row.get("prompt_tokens"), "prompt_tokens")
    cached = min(asked_for, count(row.get("cache_read_input_tokens"), "cache_read_input_tokens"))
    written = count(row.get("cache_creation_input_tokens"), "cache_creation_input_tokens")
    written = min(asked_for - cached, written)
    entry = Entry(
        at=at,
        provider=_provider(row),
        model=text(first(row, "model_group", "model")),
        answered=text(row.get("model")),
        usage=Usage(
            input=asked_for - cached - written,
            cached=cached,
            cache_write=written,
            output=count(row.get("completion_tokens"), "completion_tokens"),
        ),
        user=text(first(row, "end_user_id", "user_id")),
        team=text(row.get("team_id")),
        key=text(row.get("api_key")),
        logged=amount(row.get("spend")),
        aggregate=True,
        calls=calls,
    )
    tag(entry, [row.get("tag")])
    return (entry,)


FORMATS = (
    Format("litellm", "LiteLLM spend log", _fits, each(read)),
    Format(
        "litellm-daily",
        "LiteLLM daily spend",
        _fits_daily,
        each(read_daily),
        missing=("single calls (outliers, repeats, retries)", "which cache writes live for an hour"),
    ),
)
