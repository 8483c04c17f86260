"""Which models of the price list could take another one's place: of its maker, where it is sold, and not older.

The list has no dates of release and no families, so a model's name tells: "gpt-5.4-mini" is of the gpt family, its mini
line, version 5.4. Of a line only what no newer version undercuts counts; what is left is thinned to a few price steps.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import chain

import msgspec

from scrimp.audit.findings.repricing import Offer
from scrimp.prices.book import Book

NO_CHAT = frozenset({
    "ada", "asr", "audio", "babbage", "banana", "bge", "computer", "curie", "davinci", "embed", "embedding",
    "embeddings", "ft", "guard", "image", "imagen", "live", "moderation", "ocr", "omni", "realtime", "rerank",
    "research", "robotics", "safeguard", "search", "sonic", "speech", "transcribe", "tts", "veo", "video",
    "voice", "voxtral", "voyage", "whisper",
})  # fmt: skip
"""Words of models that do not simply answer text: nothing stands in for them, and they for nothing."""
SPECIAL = frozenset({
    "agent", "base", "build", "chat", "chatgpt", "code", "codellama", "coder", "codestral", "codex", "cyber",
    "devstral", "extended", "free", "math", "mythos", "rosalind", "thinking", "vision", "vl",
})  # fmt: skip
"""Words of models for something special: only for what is so already."""
TRIALS = frozenset({"exp", "preview"})
FILLERS = TRIALS | frozenset({"chat", "instruct", "it", "latest", "v"})
FAMILIES = {"o": "gpt", "chatgpt": "gpt", "ministral": "mistral", "magistral": "mistral", "mixtral": "mistral"}
"""First word of a name -> the family whose tokens it shares, where that is called otherwise."""
REASONING_GENERATION = 4
"""OpenAI's o1, o3 and o4 count by themselves; they are of the time of GPT-4."""
UNKNOWN_CONTEXT = 32_000
"""Tokens that a model takes whose context window the list does not know."""
NEWER_OF_LINE = 0.7
"""A newer model of the same line is the one to try first if it costs at most this part of what was paid."""
NEAREST = 0.6
"""Else one that costs at most this part."""
MOST = 5
STEPS = (1.6, 2.5, 4.0, 10.0, float("inf"))
"""A price step is everything down to this part of its dearest; the first of these that gives few enough steps."""

_PLACE = re.compile(r"(?:.*/)?(?:[a-z]+\.)*")
_REVISION = re.compile(r"-v\d+:\d+$")
_DATE = re.compile(r"[-@](?:20\d\d-?[01]\d-?[0-3]\d|\d\d-20\d\d|[0-3]\d{3}|00\d)(?=[-@]|$)")
_WINDOW = re.compile(r"\d+k")
_VERSION = re.compile(r"(?<![\d.])(\d{1,2})(?:[.-](\d{1,2}))?o?(?![\da-z.])")


class Name(msgspec.Struct, frozen=True):
    """What a model's name says. `place`: what stands before it ("openai/", "us.anthropic."); `ending`: ":free".

    `version` is read as a decimal (4.20 is before 4.3), None where there is none; `dated`: of one day's model.
    """

    place: str
    ending: str
    family: str
    line: tuple[str, ...]
    version: float | None
    dated: str
    words: frozenset[str]

    @property
    def age(self) -> tuple[float, bool, str]:
        """Orders a line's models from old to new; of one version, the undated name is the newest."""
        return self.version or 0.0, not self.dated, self.dated

    @property
    def has_age(self) -> bool:
        """Whether it says at all how new it is."""
        return self.version is not None or bool(self.dated) or "latest" in self.words


class Stand(msgspec.Struct):
    """A model that may stand in. `cost`: what the calls would cost on it, `of_left`: in place of what is left of them.

    `server`: one of the user's own, whose tokens are others.
    """

    name: Name
    offer: Offer
    cost: int
    flags: tuple[str, ...] = ()
    server: bool = False
    of_left: int = 0


def read_name(model: str) -> Name:
    """Take a model's name apart: "us.anthropic.claude-haiku-4-5-20251001-v1:0" -> claude, (haiku,), 4.5."""
    bare, _, ending = _REVISION.sub("", model.lower()).partition(":")
    plain = _PLACE.sub("", bare, count=1)
    place = bare.removesuffix(plain)
    words = frozenset(re.findall(r"[a-z]+", f"{plain}:{ending}"))
    dated = "".join(_DATE.findall(plain))
    plain = _DATE.sub("", plain)
    number = _VERSION.search(plain)
    version = float(f"{number[1]}.{number[2] or 0}") if number else None
    if number:
        plain = f"{plain[: number.start()]}-{plain[number.end() :]}"
    head, *line = [part for part in re.split(r"[^a-z\d]+", plain) if part] or [""]
    if head == "gpt" and line[:1] == ["oss"]:
        head = "gpt-oss"  # open weights, another tokenizer than the API's models
    if head == "o" and version is not None:
        version = REASONING_GENERATION + version / 10
    family = FAMILIES.get(head, head)
    if family != head:
        line.insert(0, head)
    kept = tuple(part for part in line if part not in FILLERS and not _WINDOW.fullmatch(part))
    return Name(place, ending, family, kept, version, dated, words)


def fitting(book: Book, own: Name, provider: str, largest: int) -> tuple[list[str], list[str]]:
    """The models that could take calls of at most `largest` tokens: of the same maker, and servers of the user's own.

    `provider`: where the calls go now. A price of the user's own for a model of the maker is one of the first.
    """
    same: dict[str, Name] = {}
    servers: list[str] = []
    if own.words & NO_CHAT:
        return [], []
    for rates, _ in chain(book.models("", provider) if provider else (), book.models("", "user")):
        name = read_name(rates.model)
        is_theirs = rates.provider == "user"
        if name.words & NO_CHAT or largest > (rates.context or UNKNOWN_CONTEXT):
            continue
        if name.family != own.family:
            if is_theirs:
                servers.append(rates.model)
            continue
        is_there = (name.place, name.ending) == (own.place, own.ending) and rates.femto.get("output", 0) > 0
        if (is_there or is_theirs) and not rates.deprecated and not name.words & SPECIAL - own.words:
            same[rates.model] = name
    newest = {name.line: name.version for name in sorted(same.values(), key=lambda name: name.age)}
    return [model for model, name in same.items() if _is_current(name, own, newest[name.line])], servers


def _is_current(name: Name, own: Name, newest: float | None) -> bool:
    """Whether it is no older than the model to be replaced, by its generation; the newest of a line may be one behind.

    (Makers bring out a generation's largest model first; OpenAI's o models have no successors by that name.) Where the
    model to be replaced says how new it is, others have to.
    """
    if name.words & TRIALS and (name.version or 0) < (own.version or 0):
        return False
    if own.version is None or name.version is None:
        return name.has_age or not own.has_age
    behind = int(own.version) - int(name.version)
    return behind <= (1 if name.version == newest and name.line[:1] != ("o",) else 0)


def current(stands: Iterable[Stand]) -> list[Stand]:
    """Without what a newer model of the same line undercuts; dearest first."""
    fresh: dict[tuple[str, ...], list[Stand]] = {}
    for one in sorted(stands, key=lambda one: (one.name.age, -one.cost, -len(one.offer.model), one.offer.model)):
        fresh[one.name.line] = [*(older for older in fresh.get(one.name.line, ()) if older.cost < one.cost), one]
    return sorted(chain(*fresh.values()), key=lambda one: (-one.cost, one.offer.model))


def nearest(stands: Sequence[Stand], paid: int, own: Name) -> tuple[Stand, str]:
    """The one of `current` ones that is to be tried first, and why.

    A newer model of the same line if it saves enough; else, of those near the dearest that saves well, the newest;
    an older generation's only where there is no other.
    """
    newer = [one for one in stands if one.name.line == own.line and one.name.age > own.age]
    newer = [one for one in newer if one.cost <= paid * NEWER_OF_LINE]
    if newer:
        return max(newer, key=lambda one: one.name.age), "It is a newer model of the same line."
    well = [one for one in stands if one.cost <= paid * NEAREST]
    if not well:
        return stands[-1], "It is the cheapest that these calls fit."
    abreast = [one for one in well if int(one.name.version or 0) >= int(own.version or 0)]
    return _steps(abreast or well, STEPS[0])[
        0
    ], f"It is the nearest step in price that saves {1 - NEAREST:.0%} or more."


def thin(stands: Sequence[Stand], kept: Stand) -> list[Stand]:
    """At most `MOST` of `current` ones, dearest first: `kept`, and of the others the newest of each price step."""
    others = [one for one in stands if one is not kept]
    for factor in STEPS:
        steps = _steps(others, factor)
        if len(steps) < MOST:
            break
    return sorted([kept, *steps], key=lambda one: (-one.cost, one.offer.model))


def _steps(stands: Iterable[Stand], factor: float) -> list[Stand]:
    """The newest of each price step; of equals the dearest."""
    steps: list[list[Stand]] = []
    for one in stands:
        if steps and one.cost * factor >= steps[-1][0].cost:
            steps[-1].append(one)
        else:
            steps.append([one])
    return [max(step, key=lambda one: (one.name.version or 0.0, one.name.has_age)) for step in steps]
