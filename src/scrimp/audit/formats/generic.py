"""CSV or JSON lines of anybody's making: columns are mapped to what they mean, by name, or as the user says.

The guess is shown before the numbers (`preview`), and every column of it can be overridden: `--map input=COLUMN`.
"""

from __future__ import annotations

import re


from scrimp.audit.entry import BadRecord, Entry
from scrimp.audit.formats.base import Format, Options, Read, Row, Sample, amount, body, count, moment, text
from scrimp.call import Usage
from scrimp.errors import ScrimpError

MEANINGS: dict[str, tuple[str, ...]] = {
    "time": ("time", "timestamp", "created_at", "createdat", "created", "date", "datetime", "start_time", "starttime", "ts", "at"),
    "model": ("model", "model_name", "modelname", "model_id", "model_asked", "deployment", "engine"),
    "provider": ("provider", "provider_name", "vendor", "api_base"),
    "input": (
        "input", "input_tokens", "prompt_tokens", "context_tokens", "request_tokens", "tokens_in", "input_length",
        "prompt_length", "num_prompt_tokens", "input_token_count", "prompt_token_count", "tokens_input", "n_input_tokens",
    ),
    "output": (
        "output", "output_tokens", "completion_tokens", "generated_tokens", "response_tokens", "answer_tokens", "tokens_out",
        "output_length", "num_generated_tokens", "output_token_count", "completion_token_count", "tokens_output",
    ),
    "cached": ("cached", "cached_tokens", "cache_read_tokens", "cached_input_tokens", "cache_read_input_tokens", "prompt_cache_read_tokens"),
    "cache_write": ("cache_write_tokens", "cache_creation_tokens", "cache_creation_input_tokens", "prompt_cache_write_tokens"),
    "reasoning": ("reasoning_tokens", "thinking_tokens"),
    "id": ("id", "request_id", "requestid", "call_id", "trace_id", "generation_id"),
    "user": ("user", "user_id", "userid", "end_user", "customer", "customer_id"),
    "feature": ("feature", "feature_name", "use_case", "usecase", "app", "application", "name", "route", "task", "endpoint", "workload"),
    "team": ("team", "team_id", "project", "project_id", "department"),
    "key": ("key", "api_key", "api_key_id", "apikey", "key_name"),
    "session": ("session", "session_id", "sessionid", "conversation_id", "thread_id"),
    "status": ("status", "status_code", "http_status", "response_status"),
    "finish": ("finish_reason", "stop_reason", "finish"),
    "tier": ("service_tier", "tier"),
    "cost": ("cost", "spend", "cost_usd", "total_cost", "price", "usd"),
    "duration": ("duration_ms", "latency_ms", "elapsed_ms", "delay_ms"),
    "prompt": ("prompt", "question", "query", "input_text", "prompt_text"),
    "answer": ("answer", "response", "completion", "output_text", "response_text", "answer_text"),
}  # fmt: skip
"""What a column may mean -> the names it goes by, in lower case with words joined by "_"."""


def guess(columns: tuple[str, ...]) -> dict[str, str]:
    """Meaning -> column, by name; the first name of a meaning that is there wins, and no column means two things."""
    plain = {_plain(column): column for column in reversed(columns)}
    found: dict[str, str] = {}
    for meaning, names in MEANINGS.items():
        for name in names:
            if name in plain and plain[name] not in found.values():
                found[meaning] = plain[name]
                break
    return found


def _plain(column: str) -> str:
    """ "ContextTokens", "Context tokens" and "context-tokens" are all "context_tokens"."""
    split = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", column.strip())
    return re.sub(r"[^a-z0-9]+", "_", split.lower()).strip("_")


def columns_of(columns: tuple[str, ...], given: dict[str, str]) -> dict[str, str]:
    """The guess with what the user says put over it. ScrimpError where that names what is not there."""
    for meaning, column in given.items():
        if meaning not in MEANINGS:
            raise ScrimpError(f"--map: {meaning!r} is nothing a column can mean", hint=f"One of: {', '.join(MEANINGS)}")
        if column and column not in columns:
            raise ScrimpError(f"--map: there is no column {column!r}", hint=f"Columns: {', '.join(columns)}")
    guessed = {meaning: column for meaning, column in guess(columns).items() if column not in given.values()}
    return {meaning: column for meaning, column in (guessed | given).items() if column}


def _fits(sample: Sample) -> bool:
    found = guess(sample.columns)
    return ("input" in found and "output" in found) or ("prompt" in found and "answer" in found)


def _open(columns: tuple[str, ...], options: Options) -> Read:
    means = columns_of(columns, options.columns)
    if not means.keys() & {"input", "output", "prompt"}:
        raise ScrimpError(
            f"no column of tokens among {', '.join(columns)}", hint="Name it: --map input=COLUMN --map output=COLUMN"
        )
    return lambda row: (_entry(row, means),)


def _entry(row: Row, means: dict[str, str]) -> Entry:
    def cell(meaning: str) -> object:
        column = means.get(meaning)
        return row.get(column) if column else None

    entry = Entry(
        id=text(cell("id")),
        at=moment(cell("time")),
        provider=text(cell("provider")),
        model=text(cell("model")),
        finish=text(cell("finish")),
        tier=text(cell("tier")),
        feature=text(cell("feature")),
        user=text(cell("user")),
        team=text(cell("team")),
        key=text(cell("key")),
        session=text(cell("session")),
        logged=amount(cell("cost")),
    )
    if "status" in means:
        entry.status, entry.error = _status(text(cell("status")))
    if "duration" in means:
        entry.duration = int(float(text(cell("duration")) or 0) * 1_000_000)
    if "input" in means or "output" in means:
        entry.usage = _usage(cell("input"), cell("output"), cell("cached"), cell("cache_write"), cell("reasoning"))
    if "prompt" in means:
        _add_texts(entry, cell("prompt"), cell("answer"))
    return entry


def _usage(given: object, made: object, cached: object, written: object, reasoning: object) -> Usage | None:
    """Cached tokens are inside the input here, as most logs have it, unless there are more of them."""
    if given in (None, "") and made in (None, ""):
        raise BadRecord("it has no number of tokens")
    asked, read, wrote = count(given, "input"), count(cached, "cached"), count(written, "cache writes")
    said, thought = count(made, "output"), count(reasoning, "reasoning")
    inside = read + wrote <= asked
    thought = min(thought, said)
    rest = asked - read - wrote if inside else asked
    return Usage(input=rest, cached=read, cache_write=wrote, output=said - thought, reasoning=thought)


def _status(said: str) -> tuple[int, str]:
    if said.isdigit():
        return int(said), ""
    return (500, said) if said.lower() in ("error", "failed", "failure", "timeout") else (200, "")


def _add_texts(entry: Entry, prompt: object, answer: object) -> None:
    entry.api = "openai.chat"
    entry.request = body({"model": entry.model, "messages": [{"role": "user", "content": text(prompt)}]})
    entry.answer = body({"choices": [{"message": {"role": "assistant", "content": text(answer)}}]})


def preview(columns: tuple[str, ...], options: Options) -> str:
    """How the columns are understood, in one line."""
    means = columns_of(columns, options.columns)
    return ", ".join(f"{meaning}={column}" for meaning, column in means.items())


FORMATS = (Format("generic", "CSV or JSON lines", _fits, _open),)
