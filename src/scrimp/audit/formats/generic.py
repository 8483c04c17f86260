"""CSV or JSON lines of anybody's making: columns are mapped to what they mean, by name, or as the user says.

The guess is made once for a file, with a look at its values, and shown before the numbers (`preview`); every column
of it can be overridden: `--map input=COLUMN`, or taken out: `--map input=`.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from scrimp.audit.entry import BadRecord, Entry
from scrimp.audit.formats.base import Format, Options, Read, Row, Sample, amount, body, count, moment, parsed, text
from scrimp.audit.formats.bodies import saying
from scrimp.audit.formats.fields import lasted
from scrimp.call import Usage
from scrimp.errors import ScrimpError

MEANINGS = {meaning: tuple(names.split()) for meaning, names in {
    "time": "timestamp time created_at start_time request_time requested_at started_at created datetime date ts at",
    "model": "model model_name model_id model_asked deployment engine",
    "provider": "provider provider_name vendor api_base",
    "input": "input_tokens prompt_tokens context_tokens request_tokens tokens_in input_length prompt_length "
    "num_prompt_tokens num_input_tokens input_token_count prompt_token_count tokens_input tokens_prompt input",
    "output": "output_tokens completion_tokens generated_tokens response_tokens answer_tokens tokens_out output_length "
    "num_generated_tokens num_output_tokens output_token_count completion_token_count tokens_output tokens_completion "
    "output",
    "cached": "cached_tokens cache_read_tokens cached_input_tokens cache_read_input_tokens input_cached_tokens "
    "prompt_cache_read_tokens cached",
    "cache_write": "cache_write_tokens cache_creation_tokens cache_creation_input_tokens prompt_cache_write_tokens",
    "reasoning": "reasoning_tokens thinking_tokens",
    "id": "id request_id call_id trace_id generation_id",
    "user": "user user_id end_user customer customer_id",
    "feature": "feature feature_name use_case app application route task endpoint workload name",
    "team": "team team_id project project_id department",
    "key": "key_name api_key_id key api_key",
    "session": "session session_id conversation_id thread_id",
    "status": "status status_code http_status response_status",
    "finish": "finish_reason stop_reason finish",
    "tier": "service_tier tier",
    "cost": "cost spend cost_usd total_cost price usd",
    "duration": "duration_ms latency_ms elapsed_ms delay_ms",
    "prompt": "prompt question query input_text prompt_text",
    "answer": "answer response completion output_text response_text answer_text",
}.items()}  # fmt: skip
"""What a column may mean -> the names it goes by, as `plain` writes them; earlier ones are believed first."""
LABELS = ("id", "provider", "model", "finish", "tier", "feature", "user", "team", "session")
BESIDE = ("cache_read_input_tokens", "cache_creation_input_tokens")
"""Columns of cached tokens that are not within `input_tokens`, as Anthropic counts; every other log has them in it."""
ABSENT = "\0"
"""Where a meaning has no column; "" is one, of a header with an empty name."""
_STATUS = re.compile(r"([1-9][0-9][0-9])(?:\.0)?\b")


def plain(column: str) -> str:
    """ "ContextTokens", "Context tokens" and "context-tokens" are all "context_tokens"."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", column.strip())
    return re.sub(r"[^a-z0-9]+", "_", words.lower()).strip("_")


def guess(columns: tuple[str, ...]) -> dict[str, str]:
    """Meaning -> column, by name; no column means two things."""
    named = {plain(column).replace("_", ""): column for column in reversed(columns)}
    found: dict[str, str] = {}
    for meaning, names in MEANINGS.items():
        columns_so_named = (named.get(name.replace("_", ""), ABSENT) for name in names)
        column = next((one for one in columns_so_named if one not in (ABSENT, *found.values())), ABSENT)
        if column != ABSENT:
            found[meaning] = column
    return found


def columns_of(columns: tuple[str, ...], given: dict[str, str]) -> dict[str, str]:
    """Meaning -> column: the guess, what the user says put over it. ScrimpError where that is not there."""
    for meaning, column in given.items():
        if meaning not in MEANINGS:
            raise ScrimpError(f"--map: {meaning!r} is nothing a column can mean", hint=f"One of: {', '.join(MEANINGS)}")
        if column and column not in columns:
            raise ScrimpError(f"--map: there is no column {column!r}", hint=f"Columns: {', '.join(columns)}")
    free = tuple(column for column in columns if column not in given.values())
    return {meaning: column for meaning, column in (guess(free) | given).items() if column}


def preview(columns: tuple[str, ...], options: Options) -> str:
    """How the columns are understood, in one line: "time=TIMESTAMP, input=ContextTokens"."""
    return ", ".join(f"{meaning}={column}" for meaning, column in columns_of(columns, options.columns).items())


def settle(sample: Sample, options: Options) -> Options:
    """The options with every column named that the reader is to use, after a look at the values of those guessed.

    A column "input" of texts is prompts, one "prompt" of numbers is token counts, and a column of times of which none
    is one is not read. ScrimpError where `options` names what is not there, or nothing is left to count calls by.
    """
    given = options.columns
    guessed = {name: column for name, column in columns_of(sample.columns, given).items() if name not in given}
    for tokens, texts in (("input", "prompt"), ("output", "answer")):
        column = guessed.get(tokens, ABSENT)
        counts = _readable(sample, column, count)
        if plain(column) == tokens and counts and sum(counts) * 2 <= len(counts):
            del guessed[tokens]
            guessed.setdefault(texts, column)
        column = guessed.get(texts, ABSENT)
        counts = _readable(sample, column, count)
        if sum(counts) * 2 > len(counts):
            del guessed[texts]
            if plain(column) in ("prompt", "completion"):
                guessed.setdefault(tokens, column)
    times = _readable(sample, guessed.get("time", ABSENT), moment)
    if times and not any(times):
        del guessed["time"]
    means = guessed | {meaning: column for meaning, column in given.items() if column}
    if not means.keys() & {"input", "prompt"}:
        hint = "Name them: --map input=COLUMN --map output=COLUMN"
        raise ScrimpError(f"no column of input tokens among {', '.join(sample.columns)}", hint=hint)
    return Options(means | {meaning: "" for meaning in MEANINGS if meaning not in means}, options.model)


def _readable(sample: Sample, column: str, read: Callable[[object], object]) -> list[bool]:
    """Whether each value of a column can be read so."""
    found: list[bool] = []
    for value in (row[column] for row in sample.rows if row.get(column) not in (None, "")):
        try:
            read(value)
            found.append(True)
        except BadRecord:
            found.append(False)
    return found


def _fits(sample: Sample) -> bool:
    try:
        means = settle(sample, Options()).columns
    except ScrimpError:
        return False
    return bool(means["input"] and means["output"]) or bool(means["prompt"] and means["answer"])


def _open(columns: tuple[str, ...], options: Options) -> Read:
    means = columns_of(columns, options.columns)
    fields = tuple((*what, means[meaning]) for meaning, what in FIELDS.items() if meaning in means)
    time, status, prompt, answer = (means.get(name, ABSENT) for name in ("time", "status", "prompt", "answer"))
    usage = _usage_of(means)

    def read(row: Row) -> tuple[Entry]:
        entry = Entry(at=moment(row.get(time)), usage=usage(row))
        for field, read_cell, column in fields:
            setattr(entry, field, read_cell(row.get(column)))
        if status in row:
            said = text(row[status])
            number = _STATUS.match(said)
            if number or said.lower() in ("error", "failed", "failure", "timeout"):
                entry.status, entry.error = (int(number[1]), "") if number else (500, said)
        if prompt != ABSENT:
            _add_texts(entry, row.get(prompt), row.get(answer))
        return (entry,)

    return read


def _usage_of(means: dict[str, str]) -> Callable[[Row], Usage | None]:
    """What reads the usage of a row: None where no column has any, or where texts stand in for what a row lacks."""
    asked, said = means.get("input", ABSENT), means.get("output", ABSENT)
    parts = cached, written, thought = tuple(means.get(name, ABSENT) for name in ("cached", "cache_write", "reasoning"))
    has_parts = any(column != ABSENT for column in parts)
    beside = plain(asked) == "input_tokens" and any(plain(column) in BESIDE for column in parts)

    def usage(row: Row) -> Usage | None:
        if row.get(asked) in (None, ""):  # what was asked is unknown, not nothing
            if "prompt" in means or row.get(said) not in (None, ""):
                return None
            raise BadRecord("it has no number of tokens")
        given, made = count(row.get(asked), "input"), count(row.get(said), "output")
        if not has_parts:
            return Usage(input=given, output=made)
        hit, wrote = count(row.get(cached), "cached"), count(row.get(written), "cache writes")
        inside = 0 if beside else hit + wrote
        if inside > given:
            raise BadRecord("it has more cached tokens than input tokens")
        hidden = min(count(row.get(thought), "reasoning"), made)
        return Usage(input=given - inside, cached=hit, cache_write=wrote, output=made - hidden, reasoning=hidden)

    return usage


def _key(value: object) -> str:
    said = text(value)
    return f"...{said[-4:]}" if said.startswith("sk-") else said  # no report may show a key that works


FIELDS: dict[str, tuple[str, Callable[[object], object]]] = {
    **{name: (name, text) for name in LABELS},
    "key": ("key", _key),
    "cost": ("logged", amount),
    "duration": ("duration", lambda value: lasted(value, 1_000_000)),
}
"""Meaning -> the field of an entry that it is, and what reads its cell."""


def _add_texts(entry: Entry, prompt: object, answer: object) -> None:
    """The request and the answer of texts: a prompt, or a list of messages as JSON."""
    messages = parsed(prompt) if isinstance(prompt, str) and prompt[:1] == "[" else prompt
    if not (isinstance(messages, list) and all(isinstance(one, dict) and "role" in one for one in messages)):
        messages = [{"role": "user", "content": _written(prompt)}]
    entry.api = "openai.chat"
    entry.request = body({"model": entry.model, "messages": messages})
    entry.answer = saying({"role": "assistant", "content": _written(answer)}).raw


def _written(value: object) -> str:
    return value if isinstance(value, str) else body(value).decode()


FORMATS = (Format("generic", "CSV or JSON lines", _fits, _open, settle=settle),)
