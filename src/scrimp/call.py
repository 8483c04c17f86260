"""The one value that travels the straight line: a Call, and the parts that steps write on it.

Every part has exactly one writer in each phase (WRITERS below; a test holds it). Parts are plain data:
tokens are ints in disjoint classes, money is an int of nanodollars, times are ints of nanoseconds since the epoch.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

NANO = 1_000_000_000
"""Nanodollars in a dollar."""

Mode = Literal["off", "shadow", "on"]
Kind = Literal["measured", "estimated"]
Basis = Literal["exact", "estimated", "assumed-full", "none"]
"""How the billed usage is known: reported by the provider; counted by us from what passed through; the client's own
cap, as the provider bills an answer that was cut in full; or not at all (nothing was used, or nobody knows)."""

Api = Literal[
    "openai.chat", "openai.responses", "openai.embeddings", "openai.completions", "anthropic.messages",
    "anthropic.count_tokens", "gemini.generate", "bedrock.converse", "other"
]  # fmt: skip


class Usage(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """Tokens of one answer as the provider bills them, in disjoint classes: no token is in two fields.

    `cache_write` is a write of the provider's default life (Anthropic 5 minutes, OpenAI 30 minutes).
    `output` is visible text and everything billed with it that has no class of its own.
    `searches` counts server-side web searches (requests, not tokens).
    """

    input: int = 0
    cached: int = 0
    cache_write: int = 0
    cache_write_1h: int = 0
    cache_write_12h: int = 0
    audio_input: int = 0
    audio_cached: int = 0
    image_input: int = 0
    video_input: int = 0
    output: int = 0
    reasoning: int = 0
    audio_output: int = 0
    image_output: int = 0
    rejected_prediction: int = 0
    searches: int = 0

    @property
    def input_total(self) -> int:
        """Input tokens the provider bills: uncached, cached and cache-written ones, of every modality."""
        text = self.input + self.cached + self.cache_write + self.cache_write_1h + self.cache_write_12h
        return text + self.audio_input + self.audio_cached + self.image_input + self.video_input

    @property
    def output_total(self) -> int:
        """Output tokens the provider bills, hidden reasoning and rejected predictions included."""
        return self.output + self.reasoning + self.audio_output + self.image_output + self.rejected_prediction


INPUT_CLASSES = (
    "input", "cached", "cache_write", "cache_write_1h", "cache_write_12h", "audio_input", "audio_cached", "image_input",
    "video_input"
)  # fmt: skip
OUTPUT_CLASSES = ("output", "reasoning", "audio_output", "image_output", "rejected_prediction")
TOKEN_CLASSES = INPUT_CLASSES + OUTPUT_CLASSES


class Price(msgspec.Struct, frozen=True, gc=False):
    """What a usage costs: nanodollars by token class (`searches` too), adding up to `total` exactly.

    `provider` and `model` name the row of the price list that was used; `flags` says what a reader should know
    (`earliest-known`: the call is older than the first dated price; `tier-unpriced:NAME`; `user`: own price file).
    """

    total: int
    classes: dict[str, int]
    provider: str = ""
    model: str = ""
    flags: tuple[str, ...] = ()

    @property
    def usd(self) -> str:
        """The total in dollars as an exact decimal string."""
        return usd(self.total)


def usd(nano: int) -> str:
    """Nanodollars as an exact decimal string of dollars, at least two decimals: 1_500_000_000 -> "1.50"."""
    sign = "-" if nano < 0 else ""
    whole, part = divmod(abs(nano), NANO)
    decimals = f"{part:09d}".rstrip("0").ljust(2, "0")
    return f"{sign}{whole}.{decimals}"


class Ask(msgspec.Struct, gc=False):
    """What the request says, as far as scrimp has to know; the body itself stays bytes. Written by wire.

    `asked_usage` is the client's own `stream_options.include_usage` (None: said nothing).
    `cap` is the client's own limit of output tokens, `n` the number of choices. `labels` are what the dialect's own
    fields say of the caller (user, metadata). `system`, `tools`, `opening` (first user message) are raw JSON pieces
    for the fingerprint, decoded only when it is needed. `parsed` is False for a body that is not JSON we could read.
    """

    api: Api = "other"
    model: str = ""
    stream: bool = False
    asked_usage: bool | None = None
    has_stream_options: bool = False
    cap: int | None = None
    n: int = 1
    tier: str = ""
    labels: dict[str, str] = {}
    system: bytes = b""
    tools: bytes = b""
    opening: bytes = b""
    parsed: bool = False


class Who(msgspec.Struct, gc=False):
    """Who pays: the labels of a call, and where the feature's name came from. Written by attribute."""

    tenant: str = "anonymous"
    key: str = ""
    feature: str = ""
    feature_from: Literal["header", "body", "other-gateway", "fingerprint", "none"] = "none"
    user: str = ""
    team: str = ""
    session: str = ""
    environment: str = ""
    tags: tuple[str, ...] = ()


class Target(msgspec.Struct, gc=False):
    """One way to get an answer: a provider and its own name for the model. Made by route."""

    provider: str
    model: str = ""
    strip_prefix: bool = False


class Try(msgspec.Struct, gc=False):
    """One attempt at a target, begun at `at` (monotonic ns); status 0: no answer came."""

    provider: str
    model: str
    at: int
    status: int = 0
    error: str = ""


class Answer(msgspec.Struct, gc=False):
    """What came back, as far as it was read. Written by send (or, before sending, by a cache step).

    `id` is the answer's own, `request_id` the provider's for support (its header, else the answer's id).
    `whole`: the provider ended the answer in order. `usage` None: the provider reported none.
    `body` is what passed through, as decoded bytes (cut in the middle where it is very large); times are monotonic ns.
    """

    status: int = 0
    model: str = ""
    tier: str = ""
    finish: str = ""
    usage: Usage | None = None
    whole: bool = False
    first_byte_at: int = 0
    id: str = ""
    request_id: str = ""
    body: bytes = b""


class Cost(msgspec.Struct, gc=False):
    """Money of one call in nanodollars; list - sum(savings) + overhead = paid. Written by price.

    `unpriced` says why there is no price ("" when there is one); then list and paid are 0 and the call is counted
    as unpriced wherever sums are shown.
    """

    list: int = 0
    paid: int = 0
    overhead: int = 0
    basis: Basis = "none"
    usage: Usage = Usage()
    unpriced: str = ""
    price_model: str = ""
    flags: tuple[str, ...] = ()

    @property
    def paid_usd(self) -> str:
        """What is paid, in dollars as an exact decimal string."""
        return usd(self.paid)


class Saving(msgspec.Struct, frozen=True, gc=False):
    """What one strategy saved on one call, in nanodollars; negative where it cost more (a cache write)."""

    strategy: str
    nano: int
    kind: Kind = "measured"


Ending = Literal["ok", "provider-error", "no-answer", "broken", "client-left", "refused", "stopped"]


class Outcome(msgspec.Struct, gc=False):
    """How the call ended. Written by settle."""

    ending: Ending
    error: str = ""


class Call(msgspec.Struct):
    """One call through scrimp, from the client's bytes to its row in the records.

    `at` and `mono` are the call's clock (nanoseconds: wall time, monotonic), read once when it arrived.
    `headers` are the client's, names lower-case. `raw` is the body as received (None while it streams through).
    `sent_at`, `left` and `error` are how it went: when the request left us, whether the client hung up, what failed.
    """

    id: str
    at: int
    mono: int
    method: str = "POST"
    path: str = ""
    query: bytes = b""
    headers: list[tuple[bytes, bytes]] = []
    dialect: Literal["openai", "anthropic"] = "openai"
    raw: bytes | None = None
    ask: Ask = msgspec.field(default_factory=Ask)
    who: Who = msgspec.field(default_factory=Who)
    targets: list[Target] = []
    answer: Answer | None = None
    tries: list[Try] = []
    facts: dict[str, Any] = {}
    cost: Cost | None = None
    savings: list[Saving] = []
    outcome: Outcome | None = None
    sent_at: int = 0
    left: bool = False
    error: str = ""

    @property
    def applied(self) -> tuple[str, ...]:
        """The strategies that changed this call or its answer, in pipeline order: what `x-scrimp` tells the client."""
        if not self.facts:
            return ()
        own = ((name, fact) for name, fact in self.facts.items() if not name.startswith("shadow:"))
        return tuple(name for name, fact in own if isinstance(fact, dict) and fact.get("applied"))

    def fact(self, name: str, value: Any) -> None:
        """Leave a fact for `price` and the records; facts are append-only, one name a step."""
        if name in self.facts:
            raise ValueError(f"fact {name!r} is already written")
        self.facts[name] = value

    def header(self, name: bytes) -> bytes | None:
        """The first value of a request header; the name in lower case."""
        for key, value in self.headers:
            if key == name:
                return value
        return None


WRITERS: dict[str, dict[str, str]] = {
    "plan": {"ask": "wire", "raw": "wire", "who": "attribute", "targets": "route"},
    "send": {"answer": "send", "tries": "send", "sent_at": "send", "left": "send", "error": "send"},
    "settle": {"cost": "price", "savings": "price", "outcome": "settle"},
}
"""Part -> its one writer, by phase."""
