"""What share of recorded exchanges is read and priced, by provider and shape, and what is not, each with its reason.

Run as `./dev python tests/bench/recorded.py`. Totals are checked against the raw JSON by a walk of its own, which
shares no code with the reader: the provider's total where it gives one, else the sum of its fields.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from scrimp.call import Price, Usage
from scrimp.prices.book import Book, Unpriced
from scrimp.wire.answer import Reading, read_body, read_stream

TRACES = Path(__file__).resolve().parents[3] / "shared" / "data" / "traces"

_CALLS = re.compile(
    r"(/chat/completions|/completions|/responses(/compact|/resp_\w+)?|/messages|/converse(-stream)?|/invoke"
    r"|:(stream)?[gG]enerateContent|/embeddings)$"
)


class Row(NamedTuple):
    """One exchange: what was read of it, what its raw JSON says, and why it has no usage where it has none.

    `said` is (input, output) by the independent walk, None where it finds no usage; `reason` is "" for what was read.
    """

    source: str
    provider: str
    shape: str
    model: str
    reading: Reading
    said: tuple[int, int] | None
    reason: str

    @property
    def consistent(self) -> bool:
        """Whether the usage adds up to what the provider says."""
        usage = self.reading.usage
        return usage is not None and (usage.input_total, usage.output_total) == self.said


def rows(traces: Path = TRACES) -> Iterator[Row]:
    """Every recorded exchange and fixture, read."""
    for line in (traces / "recorded_exchanges.jsonl").read_text().splitlines():
        yield _exchange(json.loads(line))
    for line in (traces / "provider_fixtures.jsonl").read_text().splitlines():
        yield _fixture(json.loads(line))


def _exchange(found: dict[str, Any]) -> Row:
    address = urlsplit(found["uri"])
    path = unquote(address.path)
    body = found["response"]
    raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    streams = raw.lstrip().startswith((b"data:", b"event:", b": "))
    reading = (read_stream if streams else read_body)(None, raw)
    asked = re.search(r"/model/(.+)/[\w-]+$|/models/([^/:]+)", path)
    request = found["request"] if isinstance(found["request"], dict) else {}
    model = reading.model or request.get("model") or (asked[1] or asked[2] if asked else "")
    called = _CALLS.search(path)
    reason = "" if reading.usage else _reason(reading, found["status"], "" if called else path)
    shape = re.sub(r"resp_\w+", "ID", called[1].strip("/:")) if called else "other"
    said = _said(raw.decode())
    return Row(found["source"], address.netloc, f"{shape}{' stream' if streams else ''}", model, reading, said, reason)


def _fixture(found: dict[str, Any]) -> Row:
    text = found["text"]
    streams = found["kind"] == "stream"
    reading = read_stream(None, text.splitlines()) if streams else read_body(None, text.encode())
    reason = "" if reading.usage else _reason(reading, 200, "")
    shape = f"fixture {found['kind']}"
    return Row(found["source"], found["provider"], shape, reading.model, reading, _said(text), reason)


def _reason(reading: Reading, status: int, path: str) -> str:
    if status != 200 or reading.error:
        return f"error: {(reading.error or str(status))[:80]}"
    return f"no call of a model: {path}" if path else "no usage is reported"


def _said(text: str) -> tuple[int, int] | None:
    """Input and output by the last usage object in the raw text, found and added up without the reader's help."""
    found: list[dict[str, Any]] = []
    try:
        documents = [json.loads(text)]
    except ValueError:
        documents = []
        for line in text.splitlines():
            try:
                documents.append(json.loads(line.removeprefix("data:")))
            except ValueError:
                continue
    for document in documents:
        found.extend(_walk(document))
    merged: dict[str, Any] = {}
    for usage in found:
        merged.update({key: value for key, value in usage.items() if value})
    return _added(merged) if merged else None


def _walk(value: object) -> Iterator[dict[str, Any]]:
    if not isinstance(value, dict):
        return
    for key, item in value.items():
        if key in ("usage", "usageMetadata") and isinstance(item, dict):
            if any(isinstance(number, int) and "oken" in name for name, number in item.items()):
                yield item
        elif key in ("response", "message", "interaction", "metadata"):
            yield from _walk(item)


def _added(usage: dict[str, Any]) -> tuple[int, int]:
    def number(*names: str) -> int:
        return sum(usage.get(name) or 0 for name in names)

    asked = number("prompt_tokens", "promptTokenCount", "toolUsePromptTokenCount", "total_input_tokens")
    asked += number("total_tool_use_tokens", "input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
    asked += number("inputTokens", "cacheReadInputTokens", "cacheWriteInputTokens")
    total = number("total_tokens", "totalTokenCount", "totalTokens")
    answered = total - asked if total else number("output_tokens")
    for one in usage.get("iterations") or ():
        if one["type"] == "compaction":
            asked += one["input_tokens"] + one["cache_read_input_tokens"] + one["cache_creation_input_tokens"]
            answered += one["output_tokens"]
    return asked, answered


def price(row: Row, usage: Usage, book: Book) -> Price | Unpriced:
    """What a row costs at today's list price, at the provider that was called."""
    return book.price(row.model, usage, provider=row.provider, tier=row.reading.tier)


def main() -> int:
    """Print the table and the lists; 1 where something with a usage was not read or does not add up, 2 without data."""
    if not TRACES.is_dir():
        print("recorded.py: the recorded exchanges are not here; they belong in ../shared/data/traces", file=sys.stderr)
        return 2
    table: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    unread: Counter[str] = Counter()
    unpriced: Counter[str] = Counter()
    wrong: list[str] = []
    book = Book.load()
    for row in rows():
        cells = table[row.provider, row.shape]
        usage = row.reading.usage
        cells["all"] += 1
        cells["usage"] += row.said is not None
        cells["read"] += usage is not None
        cells["add up"] += row.consistent
        if usage is None:
            unread[f"{row.reason}  ({row.provider})"] += 1
        else:
            cost = price(row, usage, book)
            cells["priced"] += isinstance(cost, Price)
            if isinstance(cost, Unpriced):
                unpriced[f"{cost.reason}  ({row.provider})"] += 1
        if row.said is not None and not row.consistent:
            wrong.append(f"{row.source}: the provider says {row.said}, read {usage}")
    _print_table(table)
    for title, counted in (("Not read", unread), ("Read, but not priced", unpriced)):
        print(f"\n{title}: {counted.total()}")
        for reason, times in sorted(counted.items()):
            print(f"{times:5}  {reason}")
    print(f"\nWith a usage, but not read as the provider says: {len(wrong)}")
    print("\n".join(wrong))
    return 1 if wrong else 0


def _print_table(table: dict[tuple[str, str], Counter[str]]) -> None:
    columns = ("all", "usage", "read", "add up", "priced")
    print(f"{'provider':40} {'shape':30}" + "".join(f"{name:>8}" for name in columns))
    total: Counter[str] = Counter()
    for (provider, shape), cells in sorted(table.items()):
        total.update(cells)
        print(f"{provider[-40:]:40} {shape:30}" + "".join(f"{cells[name]:8}" for name in columns))
    print(f"{'':71}" + "".join(f"{total[name]:8}" for name in columns))


if __name__ == "__main__":
    sys.exit(main())
