"""A recorded call through the pipeline: its entry becomes a Call, PLAN runs over it, the recorded answer is priced.

What comes out is a row of the audit's working file: labels, tokens, money, hashes of what was asked, and no text of it.
Nothing is sent: the recorded answer stands where the provider's would.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Coroutine, Mapping
from typing import Any, TypeGuard

import msgspec

from scrimp.audit.entry import Entry
from scrimp.audit.prefix import Memory
from scrimp.call import Answer, Ask, Basis, Call, Cost, Saving, Target, Try, Usage
from scrimp.config import Config
from scrimp.errors import ScrimpError
from scrimp.pipeline import plan
from scrimp.report.labels import clean
from scrimp.steps.price import price, weigh
from scrimp.wire.answer import read_body, read_stream
from scrimp.wire.exact import exact_key, is_deterministic, why_never
from scrimp.wire.paths import APIS
from scrimp.wire.request import read_request
from scrimp.world import World

PATHS: dict[str, str] = {api: path for path, api in APIS.items()}
ANY_PATH = "/v1/chat/completions"
LABELS = ("feature", "user", "team", "session", "environment")
SECRET = "scrimp audit"
"""Every process of an audit names tenants alike; these names leave it nowhere."""
SHORT_ID = 16
"""Ids shorter than this may be row numbers: there the call's own figures count too."""


_WORD = 2**64 - 1
LONGEST = 200
"""Characters of a name or reason."""
_SECRET = re.compile(r"\b(?:(?:sk|pk|gsk|xai|rk|pplx|r8|hf|api|key)[-_]|AIza)[\w-]{16,}")


class CallRow(msgspec.Struct, array_like=True):
    """One call in the working file (work.py). Money in nanodollars, times in ns, tokens as billed.

    `id` and `exact`, `action`: hashes (63 bits); None where there is nothing to hash. `more`: the whole usage as JSON
    where it has classes without a column. `savings`: JSON rows [strategy, nano, kind]. `prefix`: 8 bytes for each block
    of the prompt (prefix.py), `unit` what a block is: tokens, or 0 for bytes. `prompt`: bytes of the prompt.
    `broke` and `same`: where it left the prompt before it, and how many bytes after that are the same again.
    """

    id: int
    file: int
    line: int
    at: int | None
    calls: int
    aggregate: int
    feature: str
    user: str
    team: str
    key: str
    session: str
    tags: str
    provider: str
    model: str
    price_model: str
    api: str
    status: int
    error: str
    finish: str
    tier: str
    basis: str
    unpriced: str
    flags: str
    input: int
    cached: int
    written: int
    written_1h: int
    output: int
    reasoning: int
    more: str
    input_total: int
    output_total: int
    list: int
    paid: int
    overhead: int
    savings: str
    logged: int | None
    duration: int
    exact: int | None
    deterministic: int
    action: int | None
    prefix: bytes
    unit: int
    prompt: int
    broke: int | None
    same: int


def audit_config(config: Config) -> Config:
    """The configuration as the audit uses it: prices and labels, but no store, no keys and no steps of the user's."""
    providers = {name: msgspec.structs.replace(one, api_key="") for name, one in config.providers.items()}
    return msgspec.structs.replace(config, store=":memory:", providers=providers, step=())


class Replay:
    """Replays entries, one after the other. `model`: for calls that name none; `prompts`: a piece's memory of them."""

    def __init__(self, config: Config, model: str, prompts: Memory) -> None:
        self.world = World(audit_config(config), {"SCRIMP_SECRET": SECRET}, "")
        self.world.book  # noqa: B018  (read once, before the first call is timed)
        self.model = model
        self.prompts = prompts

    def row(self, entry: Entry, file: int, line: int, nth: int = 0) -> CallRow:
        """The row of an entry: the `nth` one at a line of a file (its number)."""
        call, body = self._call(entry)
        refused = ""
        try:
            _finish(plan(call, self.world))
        except ScrimpError as error:
            refused = error.message
        call.answer = _answer(entry, call.ask)
        call.tries = [Try(entry.provider, call.ask.model or entry.model, call.mono, call.answer.status)]
        self._price(call, entry)
        row = self._as_row(call, entry, body, refused)
        row.id = identity(entry, row, file, line, nth)
        row.file, row.line = file, line
        return row

    def _call(self, entry: Entry) -> tuple[Call, Mapping[str, Any]]:
        model = entry.model or ("" if entry.answered else self.model)
        body: Mapping[str, Any] = {}
        ask = Ask(api=entry.api, model=model, stream=entry.stream)
        if entry.request:
            try:
                body = msgspec.json.decode(entry.request)
                ask = read_request(entry.api, entry.request)
            except (ScrimpError, msgspec.DecodeError, UnicodeError, RecursionError):
                body = {}
            body = body if isinstance(body, Mapping) else {}
            ask.model = ask.model or model
            ask.stream = entry.stream
        call = Call(
            id=entry.id,
            at=entry.at or 0,
            mono=0,
            path=PATHS.get(entry.api, ANY_PATH),
            headers=_headers(entry),
            dialect="anthropic" if entry.api.startswith("anthropic") else "openai",
            raw=entry.request or None,
            ask=ask,
        )
        return call, body

    def _price(self, call: Call, entry: Entry) -> None:
        answer = call.answer
        assert answer is not None
        asked = call.ask.model
        when = entry.at
        if entry.usage is not None and answer.status < 300:
            size = _size(entry, entry.usage)
            basis: Basis = "exact"
            call.cost, call.savings = weigh(
                self.world, answer.model, asked, entry.provider, entry.usage, basis, answer.tier, when, size
            )
            if entry.aggregate and not entry.calls and entry.size is None:
                call.cost.flags = (*call.cost.flags, "size-unknown")
        elif answer.usage is None and not answer.body and answer.status < 300:
            call.cost = _stated(entry)
        else:
            price(call, self.world)
            if call.cost is not None and call.cost.unpriced.endswith("reports no usage"):
                call.cost.unpriced = "the answer reports no usage"
        if entry.at is not None and entry.at < (self.world.book.since or 0) and _is_listed(call.cost):
            call.cost.flags = ("earliest-known", *call.cost.flags)
        if entry.from_cache and call.cost is not None:
            call.savings = [Saving("log_cache", call.cost.list)] if call.cost.list else []
            call.cost.paid = 0

    def _as_row(self, call: Call, entry: Entry, body: Mapping[str, Any], refused: str) -> CallRow:
        answer, cost, who = call.answer or Answer(), call.cost or Cost(), call.who
        usage = cost.usage
        failed = entry.error or (f"status {answer.status}" if answer.status >= 300 else "")
        prefix, prompt, broke, same = self._prompt(entry, who.feature, body)
        return CallRow(
            id=0, file=0, line=0, at=entry.at, calls=entry.calls, aggregate=int(entry.aggregate),
            feature=who.feature, user=who.user, team=who.team, key=line_of(entry.key) or who.key,
            session=who.session, tags=",".join(sorted(set(who.tags))), provider=line_of(_host(entry.provider)),
            model=line_of(answer.model or call.ask.model), price_model=cost.price_model, api=entry.api,
            status=answer.status, error=line_of(failed or refused), finish=line_of(answer.finish),
            tier=line_of(answer.tier), basis=cost.basis, unpriced=line_of(cost.unpriced), flags=",".join(cost.flags),
            input=usage.input, cached=usage.cached, written=usage.cache_write, written_1h=usage.cache_write_1h,
            output=usage.output, reasoning=usage.reasoning, more=_more(usage), input_total=usage.input_total,
            output_total=usage.output_total, list=cost.list, paid=cost.paid, overhead=cost.overhead,
            savings=_savings(call.savings), logged=entry.logged, duration=entry.duration,
            exact=_exact(call, entry, body),
            deterministic=int(is_deterministic(entry.api, call.ask.model, body)) if body else 0,
            action=hashed(entry.action.encode(errors="replace")) if entry.action else None,
            prefix=prefix, unit=entry.block_tokens, prompt=prompt, broke=broke, same=same
        )  # fmt: skip

    def _prompt(self, entry: Entry, feature: str, body: Mapping[str, Any]) -> tuple[bytes, int, int | None, int]:
        if entry.blocks:
            return b"".join((one & _WORD).to_bytes(8, "big") for one in entry.blocks), 0, None, 0
        return self.prompts.seen(feature, entry.api, body) if body else (b"", 0, None, 0)


def _stated(entry: Entry) -> Cost:
    """The cost of what the log gives no tokens of: in a cost report, the amount that it states."""
    if not entry.aggregate or entry.logged is None:
        return Cost(unpriced="the log has no token counts")
    amount, entry.logged = entry.logged, None  # nothing of ours to compare it with
    return Cost(list=amount, paid=amount, flags=("stated",))


def _is_listed(cost: Cost | None) -> TypeGuard[Cost]:
    """Whether a cost goes by the price list, not by a price of the user's own."""
    return cost is not None and bool(cost.list) and not {"user", "earliest-known"} & set(cost.flags)


def _size(entry: Entry, usage: Usage) -> int | None:
    """Input tokens of one call of a sum: as the log says, else the mean, else as of small ones."""
    if not entry.aggregate:
        return None
    if entry.size is not None:
        return entry.size
    return usage.input_total // entry.calls if entry.calls else 0


def _finish(planning: Coroutine[Any, Any, None]) -> None:
    """Run a plan to its end. None of its steps waits here: there is no provider, no network and no other caller."""
    try:
        planning.send(None)
    except StopIteration:
        return
    planning.close()
    raise RuntimeError("a step of the plan waits: it cannot be replayed")


def hashed(text: bytes) -> int:
    """63 bits of a hash: an integer that SQLite can hold."""
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big") >> 1


def identity(entry: Entry, row: CallRow, file: int, line: int, nth: int) -> int:
    """What makes two rows the same call: the log's own id; without one, where it stands."""
    if not entry.id:
        return hashed(b"%d:%d:%d" % (file, line, nth))
    if len(entry.id) >= SHORT_ID:  # with the input, as recorders blank parts of ids; the output may still grow
        return hashed(f"{entry.id}\0{row.input_total}".encode(errors="replace"))
    second = None if entry.at is None else entry.at // 10**9  # exports of one log may differ in what follows
    figures = f"{entry.id}\0{second}\0{row.input_total}\0{row.output_total}"
    return hashed(figures.encode(errors="replace"))


def _headers(entry: Entry) -> list[tuple[bytes, bytes]]:
    """What the log says of the caller, as the headers that `attribute` reads."""
    headers = [
        (f"x-scrimp-{name}".encode(), value.encode(errors="replace"))
        for name in LABELS
        if (value := getattr(entry, name))
    ]
    if entry.tags:
        headers.append((b"x-scrimp-tags", ",".join(entry.tags).encode(errors="replace")))
    for name, value in entry.headers:
        headers.append((name.lower().encode(errors="replace"), value.encode(errors="replace")))
    return headers


def _answer(entry: Entry, ask: Ask) -> Answer:
    """The recorded answer, read as the gateway reads one."""
    answer = Answer(
        status=entry.status or (0 if entry.error else 200),
        model=entry.answered,
        tier=entry.tier,
        finish=entry.finish,
        usage=entry.usage,
        whole=not entry.cut,
        body=entry.answer,
    )
    if entry.answer and (entry.usage is None or not (entry.answered and entry.finish)):
        streams = entry.answer.lstrip()[:1] not in (b"{", b"[") or entry.stream
        reading = (read_stream if streams else read_body)(entry.api, entry.answer)
        ask.stream = streams
        answer.model = answer.model or reading.model
        answer.tier = answer.tier or reading.tier
        answer.finish = answer.finish or reading.finish
        answer.usage = answer.usage or reading.usage
        if reading.error and answer.usage is None:
            entry.error = entry.error or reading.error
            answer.status = answer.status if answer.status >= 300 else 500
    elif entry.error and answer.status < 300:
        answer.status = 500 if entry.usage is None else answer.status
    return answer


def _exact(call: Call, entry: Entry, body: Mapping[str, Any]) -> int | None:
    """The key of the exact cache; None where no request is kept, or its answer may never be served again."""
    if not body or entry.aggregate or why_never(body):
        return None
    headers = ((name.decode("latin-1"), value.decode("latin-1")) for name, value in call.headers)
    target = call.targets[0] if call.targets else Target("")
    if not body.get("model"):  # some dialects name it in the path, some logs in a column
        body = {**body, "model": call.ask.model}
    return hashed(exact_key(entry.key, entry.provider or target.provider, call.path, call.query, body, headers))


def _more(usage: Usage) -> str:
    seen = usage.input + usage.cached + usage.cache_write + usage.cache_write_1h
    plain = seen == usage.input_total and usage.output + usage.reasoning == usage.output_total and not usage.searches
    return "" if plain else msgspec.json.encode(usage).decode()


def _savings(savings: list[Saving]) -> str:
    return msgspec.json.encode([(one.strategy, one.nano, one.kind) for one in savings]).decode() if savings else ""


def line_of(text: str) -> str:
    """A name or reason as one short line that can be stored and shown."""
    text = _SECRET.sub(_masked, text) if len(text) > SHORT_ID else text
    return text[:LONGEST] if text.isascii() and text.isprintable() else clean(text)[:LONGEST]


def _masked(key: re.Match[str]) -> str:
    """What looks like a key, cut to its ends as providers show it."""
    return f"{key[0][:3]}...{key[0][-4:]}"


def _host(provider: str) -> str:
    return provider.rpartition("://")[2].partition("/")[0][:100]
