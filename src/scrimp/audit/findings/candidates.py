"""Which models of the price list could take another one's place: of its maker, where it is sold, and not older.

The list has no dates of release and no families, so a model's name tells: "gpt-5.4-mini" is of the gpt family, its mini
line, version 5.4. Of a line only what no newer version undercuts counts; what is left is thinned to a few price steps.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from scrimp.audit.findings.repricing import Offer
from scrimp.prices.book import Book, Rates

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
FILLERS = frozenset({"chat", "exp", "instruct", "it", "latest", "preview", "v"})
TRIALS = frozenset({"exp", "preview"})
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
STEPS = (1.6, 2.0, 2.5, 3.0, 4.0, 6.0, 10.0, 30.0, float("inf"))
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
    is_latest: bool
    dated: str
    words: frozenset[str]

    @property
    def age(self) -> tuple[float, bool, bool, str]:
        """Orders a line's models from old to new; of one version, the undated name is the newest."""
        return self.version or 0.0, self.is_latest, not self.dated, self.dated


class Stand(msgspec.Struct):
    """A model that may stand in. `cost`: what the calls would cost on it, `of_left`: in place of what is left of them.

    `server`: one of the user's own, whose tokens are others.
    """

    name: Name
    offer: Offer
    cost: int
    of_left: int = 0
    server: bool = False


def read_name(model: str) -> Name:
    """Take a model's name apart: "us.anthropic.claude-haiku-4-5-20251001-v1:0" -> claude, (haiku,), 4.5."""
    bare, _, ending = _REVISION.sub("", model.lower()).partition(":")
    found = _PLACE.match(bare)
    place = found.group() if found else ""
    bare = bare[len(place) :]
    words = frozenset(re.findall(r"[a-z]+", f"{bare}:{ending}"))
    dates = _DATE.findall(bare)
    plain = _DATE.sub("", bare)
    number = _VERSION.search(plain)
    version = float(f"{number[1]}.{number[2] or 0}") if number else None
    if number:
        plain = f"{plain[: number.start()]}-{plain[number.end() :]}"
    head, *line = [part for part in re.split(r"[^a-z\d]+", plain) if part] or [""]
    if head == "gpt" and line[:1] == ["oss"]:
        head = "gpt-oss"  # open weights, another tokenizer than the API's models
    family = FAMILIES.get(head, head)
    if head == "o" and version is not None:
        version = REASONING_GENERATION + version / 10
    if family != head:
        line.insert(0, head)
    kept = tuple(part for part in line if part not in FILLERS and not _WINDOW.fullmatch(part))
    return Name(place, ending, family, kept, version, "latest" in words, "".join(dates), words)


def answers_text(name: Name) -> bool:
    """Whether it is a model that another one could stand in for."""
    return not name.words & NO_CHAT


def fitting(book: Book, own: Name, provider: str, largest: int) -> tuple[list[str], list[str]]:
    """The models that could take calls of at most `largest` tokens: of the same maker, and servers of the user's own.

    `provider`: where the calls go now. A price of the user's own for a model of the maker is one of the first.
    """
    same: dict[str, Name] = {}
    others: list[str] = []
    for rates, _ in book.models("", provider) if provider else ():
        name = read_name(rates.model)
        paid = rates.femto.get("input", 0) and rates.femto.get("output", 0)
        if paid and (name.place, name.ending) == (own.place, own.ending) and _fits(name, rates, own, largest):
            same[rates.model] = name
    for rates, _ in book.models("", "user"):
        name = read_name(rates.model)
        if name.family != own.family and answers_text(name) and _holds(rates, largest):
            others.append(rates.model)
        elif _fits(name, rates, own, largest):
            same[rates.model] = name
    newest: dict[tuple[str, ...], float] = {}
    for name in same.values():
        newest[name.line] = max(newest.get(name.line, 0.0), name.version or 0.0)
    return [model for model, name in same.items() if _is_current(name, own, newest[name.line])], others


def _fits(name: Name, rates: Rates, own: Name, largest: int) -> bool:
    special = name.words & SPECIAL - own.words
    of_own = name.family == own.family and answers_text(name) and not special
    return of_own and not rates.deprecated and _holds(rates, largest)


def _is_current(name: Name, own: Name, newest: float) -> bool:
    """Whether it is no older than the model to be replaced, by its generation; the newest of a line may be one behind.

    (Makers bring out a generation's largest model first; OpenAI's o models have no successors by that name.) Where the
    model to be replaced says how new it is, others have to.
    """
    if name.words & TRIALS and (name.version or 0.0) < (own.version or 0.0):
        return False
    if own.version is None or name.version is None:
        is_known = name.version is not None or name.is_latest or name.dated != ""
        return is_known or not (own.version is not None or own.is_latest or own.dated)
    behind = int(own.version) - int(name.version)
    return behind <= (1 if name.version == newest and name.line[:1] != ("o",) else 0)


def _holds(rates: Rates, largest: int) -> bool:
    return largest <= (rates.context or UNKNOWN_CONTEXT)


def current(stands: Sequence[Stand]) -> list[Stand]:
    """Without what a newer model of the same line undercuts; dearest first."""
    fresh = [one for one in stands if not any(_beats(other, one) for other in stands)]
    return sorted(fresh, key=lambda one: (-one.cost, one.offer.model))


def _beats(other: Stand, one: Stand) -> bool:
    """Whether `other` is of the same line, newer (or the same and cheaper, or shorter called), and costs no more."""
    if other is one or other.name.line != one.name.line or other.cost > one.cost:
        return False
    keys = [(x.name.age, -x.cost, -len(x.offer.model), x.offer.model) for x in (other, one)]
    return keys[0] > keys[1]


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
    if well:
        abreast = [one for one in well if int(one.name.version or 0) >= int(own.version or 0)]
        return _newest(
            _steps(abreast or well, STEPS[0])[0]
        ), f"It is the nearest step in price that saves {1 - NEAREST:.0%} or more."
    return stands[-1], "It is the cheapest that these calls fit."


def thin(stands: Sequence[Stand], kept: Stand) -> list[Stand]:
    """At most `MOST` of `current` ones, dearest first: `kept`, and of the others the newest of each price step."""
    others = [one for one in stands if one is not kept]
    for factor in STEPS:
        steps = _steps(others, factor)
        if len(steps) < MOST:
            break
    return sorted([kept, *map(_newest, steps)], key=lambda one: (-one.cost, one.offer.model))


def _newest(stands: Sequence[Stand]) -> Stand:
    return max(stands, key=lambda one: one.name.age[:2])


def _steps(stands: Sequence[Stand], factor: float) -> list[list[Stand]]:
    steps: list[list[Stand]] = []
    for one in stands:
        if steps and one.cost * factor >= steps[-1][0].cost:
            steps[-1].append(one)
        else:
            steps.append([one])
    return steps
