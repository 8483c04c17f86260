"""Requests with their responses as JSON lines, however a team happens to write them down; every line is read by itself.

Bodies side by side, HTTP exchanges, batch results, answers alone, conversations whose last message is the answer: the
keys of a row tell which it is. Usage is left inside the answer, where `scrimp.wire.answer` reads it for the replay.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from scrimp.audit.entry import BadRecord, Entry
from scrimp.audit.formats.base import Format, Row, Sample, amount, body, each, mapping, moment, parsed, text
from scrimp.audit.formats.bodies import NOTHING, Half, api_of, half, is_answer, is_named, reports, saying, trouble
from scrimp.audit.formats.exchange import ASKED, Exchange, address, exchange
from scrimp.audit.formats.fields import Names, cell, fill, label, objects, tag, tokens
from scrimp.call import Usage
from scrimp.wire.counts import usage_of

NO_HTTP = Exchange()
PROMPTS = ("messages", "prompt", "input")
PARAMETERS = frozenset((
    "frequency_penalty", "function_call", "functions", "input", "instructions", "logit_bias", "max_completion_tokens",
    "max_output_tokens", "max_tokens", "messages", "model", "n", "parallel_tool_calls", "presence_penalty", "prompt",
    "reasoning", "reasoning_effort", "response_format", "seed", "stop", "stop_sequences", "stream", "system",
    "temperature", "text", "thinking", "tool_choice", "tools", "top_k", "top_p",
))  # fmt: skip
"""Keys of a row that are its request, where the request has no key of its own."""
BESIDE: Names = {
    "at": ("timestamp", "time", "created_at", "created", "start_time", "startTime", "started_at", "datetime", "ts"),
    "end": ("end_time", "endTime", "ended_at", "completed_at", "finished_at"),
    "ms": ("latency_ms", "duration_ms", "elapsed_ms", "response_time_ms", "delay_ms"),
    "s": ("latency_s", "duration_s", "elapsed_s", "latency_seconds", "duration_seconds"),
    "duration": ("latency", "duration", "elapsed", "response_time"),
    "logged": ("cost", "cost_usd", "total_cost", "response_cost", "spend"),
    "provider": ("provider", "provider_name", "vendor", "api_base", "base_url"),
}
"""What a team writes beside a call; the request's own `user` and `metadata`, and headers, are read by `attribute`."""
_FIELDS = {column: field for field, columns in BESIDE.items() for column in columns}
FOREIGN = ("call_type", "traceId", "request_created_at", "sessionId", "resourceSpans", "resource_spans", "hash_ids")
"""Keys that rows of other formats have, which hold messages and responses too."""
STATS: Names = {"calls": ("api_calls",), "input": ("tokens_sent",), "output": ("tokens_received",)}
"""What SWE-agent sums up."""
NOT_RUN = ("batch_expired", "batch_cancelled")
"""Errors of a batch's lines that no model was asked for."""


def read(row: Row) -> Iterable[Entry]:
    """The calls in a row: one, or none where it is no call of a model, or several where it is a whole trajectory."""
    if "custom_id" in row:
        return _batch(row)
    if "model_stats" in row:
        return _trajectory(row)
    if isinstance(row.get("kind"), str) and isinstance(row.get("text"), str):
        return (_entry(row, NOTHING, half(row["text"])),)
    return _exchange(row)


def _exchange(row: Row) -> tuple[Entry, ...]:
    http = exchange(row)
    request, answer = _sides(row, http)
    if http.uri and not _is_call(http, request, answer):
        return ()
    failed = http.failed or row.get("error")
    if answer is NOTHING and not failed and http.status < 400:
        return ()  # a request without an answer is no call yet
    entry = _entry(row, request, answer, http)
    if failed and not entry.error and not is_answer(answer.top):
        entry.status = http.status if http.status >= 400 else 0
        found = mapping(failed)
        entry.error = text(cell(found, "message", "type", "code") if found else failed)[:200] or "error"
    return (entry,)


def _sides(row: Row, http: Exchange) -> tuple[Half, Half]:
    """The request and the answer: each under its key, or an answer alone, or a request's own keys in the row with the
    answer beside them or as the last of its messages."""
    if not row.keys().isdisjoint(ASKED):
        request, answer = half(http.request), half(http.answer)
        if http.uri or http.status:
            return request, answer
        if request.words:
            asks = {"model": text(row.get("model")), "messages": [{"role": "user", "content": request.words}]}
            request = Half(body(asks), asks)
        return request, _saying(answer)
    is_conversation = "messages" in row or (http.answer and any(row.get(key) for key in PROMPTS))
    if is_named(row) or (not is_conversation and (is_answer(row) or not http.answer)):
        if not is_answer(row) and not row.get("error"):
            raise BadRecord(
                f"neither a request with its response nor an answer; it has {', '.join(sorted(row)[:8])[:120]}"
            )
        return NOTHING, Half(body(row), row)
    answer = _saying(half(http.answer))
    if not is_conversation:
        return NOTHING, answer
    asks = {key: value for key, value in row.items() if key in PARAMETERS}
    messages: list[dict[str, Any]] = []
    if "messages" in row:
        asks["messages"] = messages = objects(parsed(row["messages"]), "messages")
    if answer is NOTHING and isinstance(row.get("choices"), list):
        answer = Half(body(row), row)
    elif answer is NOTHING and not row.get("error") and messages and messages[-1].get("role") == "assistant":
        asks["messages"], answer = messages[:-1], saying(messages[-1])
    return Half(body(asks), asks), answer


def _saying(answer: Half) -> Half:
    """An answer, also one that was logged as words or as a message alone, as the body that brings it."""
    if answer.words:
        return saying({"role": "assistant", "content": answer.words})
    is_message = "role" in answer.top and "content" in answer.top and answer.top.get("type") != "message"
    return saying(answer.top) if is_message else answer


def _is_call(http: Exchange, request: Half, answer: Half) -> bool:
    """Whether an HTTP exchange asked a model, or brought an answer that was being waited for."""
    purpose = address(http.uri).purpose
    if purpose == "look-up":
        return http.method in ("", "GET") and http.status < 400
    if purpose == "free" or http.method not in ("", "POST"):
        return False
    return purpose == "call" or is_answer(answer.top) or "messages" in request.top or "contents" in request.top


def _entry(row: Row, request: Half, answer: Half, http: Exchange = NO_HTTP) -> Entry:
    where = address(http.uri)
    top = answer.top
    status, error = trouble(answer, http.status)
    entry = Entry(
        id=text(row.get("id")) or text(row.get("request_id")) or text(top.get("id")),
        api=where.api if where.api != "other" else api_of(top, request.top),
        provider=where.host,
        model=text(request.top.get("model")) or where.model,
        status=status,
        error=error,
        stream=answer.stream,
        request=request.raw,
        answer=answer.raw or answer.words.encode(errors="replace"),
        headers=http.headers,
    )
    if not entry.provider and http.headers:
        entry.provider = next((value for name, value in http.headers if name == "host"), "")
    _note(entry, row)
    if entry.at is None:
        entry.at = moment(top.get("created") or top.get("created_at") or top.get("createTime") or None)
    if entry.logged is None and "usage" in top:  # OpenRouter's
        entry.logged = amount(cell(top, "usage.cost"))
    if row is top:
        entry.answered = text(row.get("model"))
    else:
        entry.model = entry.model or text(row.get("model"))
        entry.usage = _usage_beside(row, answer, entry)
    return entry


def _note(entry: Entry, row: Row) -> None:
    """Write down what stands beside the bodies. BadRecord where a time is none."""
    told: dict[str, tuple[str, ...]] = {}
    for column in row:
        if column in _FIELDS:
            told[_FIELDS[column]] = (*told.get(_FIELDS[column], ()), column)
    fill(entry, row, told)
    label(entry, row)
    tag(entry, row.get("tags"))
    if "metadata" in row:
        found = mapping(row["metadata"])
        label(entry, found)
        tag(entry, found.get("tags"))


def _usage_beside(row: Row, answer: Half, entry: Entry) -> Usage | None:
    """The tokens that a log keeps outside of the answer; None where the answer tells them itself."""
    beside = row.get("usage")
    if beside is None and "prompt_tokens" not in row and "input_tokens" not in row:
        return None
    if reports(answer.top) or (answer.stream and b'"usage' in answer.raw):
        return None
    return usage_of(mapping(beside) or row, entry.api.startswith("anthropic"))


def _batch(row: Row) -> tuple[Entry, ...]:
    """A line of a batch's output, at batch prices; nothing for a line of its input, and for what was never run.

    https://platform.openai.com/docs/guides/batch and https://platform.claude.com/docs/en/build-with-claude/batch-processing
    """
    result, error = row.get("result"), row.get("error")
    if isinstance(result, dict):
        found = cell(result, "message", "error")
        entries: tuple[Entry, ...] = (_entry(row, NOTHING, half(found)),) if found else ()
    elif mapping(error).get("code") in NOT_RUN or (not error and not row.get("response")):
        if not row.keys() & {"response", "error", "body", "params"}:
            raise BadRecord("a line of a batch with neither a request nor a result")
        return ()
    else:
        entries = _exchange(row)
    for entry in entries:
        entry.tier = "batch"
        if isinstance(result, dict):
            entry.api = "anthropic.messages"
    return entries


def _trajectory(row: Row) -> Iterator[Entry]:
    """An agent's run: its sums where it kept them, else a call for each of the model's messages.

    SWE-agent counts `total_cost` over all runs of a process and the rest for one run, so `instance_cost` is the cost.
    Sums of 0 say that nothing was counted (a replay, a demonstration): then every message of the model stands for a
    call that was sent all the messages before it, its tokens to be counted from the texts.
    """
    stats = mapping(row.get("model_stats"))
    told = tokens(stats, STATS)
    entry = Entry(api="openai.chat", model=text(row.get("model")))
    _note(entry, row)
    entry.session = entry.session or text(cell(row, "instance_id", "source"))
    if told["calls"] and (told["input"] or told["output"]):
        entry.aggregate, entry.calls = True, told.pop("calls")
        entry.usage = Usage(**told)
        entry.logged = amount(stats.get("instance_cost") or stats.get("total_cost"))
        yield entry
        return
    before: list[bytes] = []
    for message in objects(parsed(row.get("messages")), "messages"):
        if message.get("role") == "assistant":
            request = b'{"messages":[' + b",".join(before) + b"]}"
            yield msgspec.structs.replace(entry, request=request, answer=saying(message).raw)
        before.append(body(message) or b"{}")


def _takes(row: Row) -> bool:
    """Whether a row is surely one of these, and none of another format's."""
    if not row.keys().isdisjoint(FOREIGN):
        return False
    if "custom_id" in row or "model_stats" in row or is_named(row) or reports(row):
        return True
    if isinstance(row.get("kind"), str) and isinstance(row.get("text"), str):
        return "provider" in row
    if isinstance(parsed(row.get("messages")), list):
        return True
    http = exchange(row)
    if any(isinstance(parsed(row.get(key)), dict) for key in ASKED):
        return http.answer is not None or http.status != 0 or "error" in row
    return is_answer(mapping(http.answer))


def _fits(sample: Sample) -> bool:
    return any(map(_takes, sample.rows[:20]))


FORMATS = (Format("pairs", "requests with their responses", _fits, each(read)),)
