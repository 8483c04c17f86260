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
from scrimp.audit.formats.meanings import MEANINGS, guess, plain
from scrimp.call import Usage
from scrimp.errors import ScrimpError

LABELS = ("id", "provider", "model", "finish", "tier", "feature", "user", "team", "session")
"""Meanings that are text in an entry, under the same name."""
BESIDE = ("cache_read_input_tokens", "cache_creation_input_tokens")
"""Columns of cached tokens that are not within `input_tokens`, as Anthropic counts; every other log has them in it."""
FAILED = ("error", "failed", "failure", "timeout")
"""What a column of statuses says of a call that gave nothing."""
_STATUS = re.compile(r"([1-9][0-9][0-9])(?:\.0)?\b")
COUNTED = ("prompt", "completion")
"""Columns that are token counts where they hold numbers."""


EITHER = ("input", "output")
"""Names of columns that hold texts as often as counts; other names are believed, whatever their first rows say."""


def columns_of(columns: tuple[str, ...], given: dict[str, str]) -> dict[str, str]:
    """Meaning -> column: the guess, what the user says put over it. ScrimpError where that is not there."""
    for meaning, column in given.items():
        if meaning not in MEANINGS:
            raise ScrimpError(f"--map: {meaning!r} is nothing a column can mean", hint=f"One of: {', '.join(MEANINGS)}")
        if column and column not in columns:
            raise ScrimpError(f"--map: there is no column {column!r}", hint=f"Columns: {', '.join(columns)}")
    free = tuple(column for column in columns if column not in given.values())
    return {meaning: column for meaning, column in (guess(free) | given).items() if column}


def settle(sample: Sample, options: Options) -> Options:
    """The options with every column named that the reader is to use, after a look at the values of those guessed.

    A column "input" of texts is prompts, one "prompt" of numbers is token counts, and a column of times that are none
    is not read. ScrimpError where `options` names what is not there, or nothing is left to count calls by.
    """
    given = options.columns
    guessed = {name: column for name, column in columns_of(sample.columns, given).items() if name not in given}
    _look_at_values(sample, guessed)
    means = guessed | {meaning: column for meaning, column in given.items() if column}
    _check(sample.columns, means)
    return Options(means | {meaning: "" for meaning in MEANINGS if meaning not in means}, options.model)


def _look_at_values(sample: Sample, guessed: dict[str, str]) -> None:
    for tokens, texts in (("input", "prompt"), ("output", "answer")):
        column = guessed.get(tokens, "")
        if plain(column) in EITHER and _holds(sample, column, _is_count) is False:
            del guessed[tokens]
            guessed.setdefault(texts, column)
        column = guessed.get(texts, "")
        if _holds(sample, column, _is_count):
            del guessed[texts]
            if plain(column) in COUNTED:
                guessed.setdefault(tokens, column)
    times = [row[guessed["time"]] for row in sample.rows if row.get(guessed["time"])] if "time" in guessed else []
    if times and not any(map(_is_time, times)):
        del guessed["time"]


def _check(columns: tuple[str, ...], means: dict[str, str]) -> None:
    """ScrimpError where there is nothing to know the tokens of a call by."""
    if means.keys() & {"input", "prompt"}:
        return
    total = next((column for column in columns if plain(column) in ("total_tokens", "tokens", "total")), "")
    alone = f"; {total} alone is not enough, as input and output tokens have different prices" if total else ""
    raise ScrimpError(
        f"no column of input tokens among {', '.join(columns)}{alone}",
        hint="Name them: --map input=COLUMN --map output=COLUMN",
    )


def _holds(sample: Sample, column: str, test: Callable[[object], bool]) -> bool | None:
    """Whether most values of a column pass a test; None where it has none."""
    values = [row[column] for row in sample.rows if row.get(column) not in (None, "")]
    return sum(map(test, values)) * 2 > len(values) if values else None


def _is_count(value: object) -> bool:
    try:
        count(value)
    except BadRecord:
        return False
    return True


def _is_time(value: object) -> bool:
    try:
        return moment(value) is not None
    except BadRecord:
        return False


def _fits(sample: Sample) -> bool:
    try:
        means = settle(sample, Options()).columns
    except ScrimpError:
        return False
    return bool(means["input"] and means["output"]) or bool(means["prompt"] and means["answer"])


def _open(columns: tuple[str, ...], options: Options) -> Read:
    means = columns_of(columns, options.columns)
    _check(columns, means)
    fields = tuple((*what, means[meaning]) for meaning, what in PLAIN.items() if meaning in means)
    time, status, prompt, answer = (means.get(name, "") for name in ("time", "status", "prompt", "answer"))
    usage = _usage_of(means)

    def read(row: Row) -> tuple[Entry]:
        entry = Entry(at=moment(row.get(time)), usage=usage(row))
        for field, read_cell, column in fields:
            setattr(entry, field, read_cell(row.get(column)))
        if status:
            entry.status, entry.error = _status(text(row.get(status)))
        if prompt:
            _add_texts(entry, row.get(prompt), row.get(answer))
        return (entry,)

    return read


def _usage_of(means: dict[str, str]) -> Callable[[Row], Usage | None]:
    """What reads the usage of a row: None where no column has any, or where texts stand in for what a row lacks."""
    given, made = means.get("input", ""), means.get("output", "")
    cached, written, thought = (means.get(name, "") for name in ("cached", "cache_write", "reasoning"))
    if not given and not made:
        return lambda row: None
    beside = plain(given) == "input_tokens" and any(plain(column) in BESIDE for column in (cached, written))
    has_texts = "prompt" in means

    def whole(row: Row) -> Usage | None:
        asked, said = row.get(given), row.get(made)
        if asked in (None, ""):  # what was asked is unknown, not nothing
            if has_texts or said not in (None, ""):
                return None
            raise BadRecord("it has no number of tokens")
        return Usage(input=count(asked, "input"), output=count(said, "output"))

    def parts(row: Row) -> Usage | None:
        usage = whole(row)
        if usage is None:
            return None
        hit, wrote = count(row.get(cached), "cached"), count(row.get(written), "cache writes")
        apart = 0 if beside else hit + wrote
        if apart > usage.input:
            raise BadRecord("it has more cached tokens than input tokens")
        hidden = min(count(row.get(thought), "reasoning"), usage.output)
        return Usage(
            input=usage.input - apart, cached=hit, cache_write=wrote, output=usage.output - hidden, reasoning=hidden
        )

    return parts if cached or written or thought else whole


def _key(value: object) -> str:
    said = text(value)
    return f"...{said[-4:]}" if said.startswith("sk-") else said  # no report may show a key that works


def _status(said: str) -> tuple[int, str]:
    """A status and, where it is no number but a word for a failure, that word."""
    if found := _STATUS.match(said):
        return int(found[1]), ""
    return (500, said) if said.lower() in FAILED else (200, "")


PLAIN: dict[str, tuple[str, Callable[[object], object]]] = {
    **{name: (name, text) for name in LABELS},
    "key": ("key", _key),
    "cost": ("logged", amount),
    "duration": ("duration", lambda value: lasted(value, 1_000_000)),
}
"""Meaning -> the field of an Entry that it is, and what reads its cell."""


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


def preview(columns: tuple[str, ...], options: Options) -> str:
    """How the columns are understood, in one line: "time=TIMESTAMP, input=ContextTokens"."""
    return ", ".join(f"{meaning}={column}" for meaning, column in columns_of(columns, options.columns).items())


def not_understood(columns: tuple[str, ...], options: Options) -> tuple[str, ...]:
    """The columns that mean nothing to the reader, in their order."""
    used = columns_of(columns, options.columns).values()
    return tuple(column for column in columns if column not in used)


FORMATS = (Format("generic", "CSV or JSON lines", _fits, _open, settle=settle),)
