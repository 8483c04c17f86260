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
    "audio", "banana", "bge", "embed", "embedding", "ft", "guard", "image", "live", "moderation", "ocr", "omni",
    "realtime", "rerank", "research", "robotics", "safeguard", "search", "sonic", "transcribe", "tts", "voice",
    "voyage", "whisper",
})  # fmt: skip
"""Words of models that do not simply answer text: nothing stands in for them, and they for nothing."""
SPECIAL = frozenset({
    "agent", "base", "build", "chat", "chatgpt", "code", "codellama", "coder", "codestral", "codex", "cyber",
    "devstral", "extended", "free", "mythos", "rosalind", "thinking", "vision", "vl",
})  # fmt: skip
"""Words of models for something special: only for what is so already."""
TRIALS = frozenset({"exp", "preview"})
FILLERS = TRIALS | frozenset({"chat", "instruct", "it", "latest", "v"})
FAMILIES = {"o": "gpt", "chatgpt": "gpt", "ministral": "mistral", "magistral": "mistral", "mixtral": "mistral"}
"""First word of a name -> the family whose tokens it shares, where that is called otherwise."""
UNKNOWN_CONTEXT = 32_000
"""Tokens that a model takes whose context window the list does not know."""
NEWER_OF_LINE, NEAREST = 0.7, 0.6
"""Parts of what was paid that the model to try first costs at most: a newer one of the same line, or another."""
MOST = 5
STEPS = (1.6, 2.5, 4.0, 10.0, float("inf"))
"""A price step is everything down to this part of its dearest; the first of these that gives few enough steps."""

_PLACE = re.compile(r"(?:.*/)?(?:[a-z]+\.)*")
_REVISION = re.compile(r"-v\d+:\d+$")
_DATE = re.compile(r"[-@](?:20\d\d-?[01]\d-?[0-3]\d|\d\d-20\d\d|[0-3]\d{3}|00\d)(?=[-@]|$)")
_WINDOW = re.compile(r"\d+k")
_VERSION = re.compile(r"(?<![\d.])(\d{1,2})(?:[.-](\d{1,2}))?o?(?![\da-z.])")


class Name(msgspec.Struct, frozen=True):
    """What a model's name says. `place`: what stands before and after it ("openai/", "us.anthropic.", "batch").

    `version` is read as a decimal (4.20 is before 4.3), None where there is none. `age` orders a line's models from old
    to new: of one version, the name without a date is the newest. `has_age`: whether it says at all how new it is.
    """

    place: tuple[str, str]
    family: str
    line: tuple[str, ...]
    version: float | None
    age: tuple[float, bool, str]
    has_age: bool
    words: frozenset[str]


class Stand(msgspec.Struct):
    """A model that may stand in. `cost`: what all calls would cost on it, `of_left`: what is left of them."""

    name: Name
    offer: Offer
    cost: int
    flags: tuple[str, ...] = ()
    of_left: int = 0


def short(model: str) -> str:
    """A model's name without its maker or region."""
    return _PLACE.sub("", model, count=1)


def read_name(model: str) -> Name:
    """Take a model's name apart: "us.anthropic.claude-haiku-4-5-20251001-v1:0" -> claude, (haiku,), 4.5."""
    whole, _, ending = _REVISION.sub("", model.lower()).partition(":")
    bare = short(whole)
    words = frozenset(re.findall(r"[a-z]+", f"{bare}:{ending}"))
    dated = "".join(_DATE.findall(bare))
    plain = _DATE.sub("", bare)
    number = _VERSION.search(plain)
    version = float(f"{number[1]}.{number[2] or 0}") if number else None
    plain = _VERSION.sub("-", plain, count=1).replace("gpt-oss", "oss")  # another tokenizer
    head, *line = [part for part in re.split(r"[^a-z\d]+", plain) if part] or [""]
    if head == "o" and version is not None:
        version = 4 + version / 10  # o1, o3 and o4 count by themselves; they are of the time of GPT-4
    family = FAMILIES.get(head, head)
    if family != head:
        line.insert(0, head)
    kept = tuple(part for part in line if part not in FILLERS and not _WINDOW.fullmatch(part))
    age = (version or 0.0, not dated, dated)
    has_age = version is not None or dated != "" or "latest" in words
    return Name((whole.removesuffix(bare), ending), family, kept, version, age, has_age, words)


def fitting(book: Book, own: Name, provider: str, largest: int) -> list[tuple[str, str]]:
    """The models (provider, model) that could take calls of at most `largest` tokens, at the provider they go to now.

    They are of the same maker, or servers of the user's own; "user" is the provider of prices of the user's own.
    """
    same: dict[tuple[str, str], Name] = {}
    servers: list[tuple[str, str]] = []
    if own.words & NO_CHAT:
        return []
    for rates, _ in chain(book.models("", provider) if provider else (), book.models("", "user")):
        name = read_name(rates.model)
        if name.words & NO_CHAT or largest > (rates.context or UNKNOWN_CONTEXT):
            continue
        is_theirs = rates.provider == "user"
        if name.family == own.family:
            is_there = is_theirs or (name.place == own.place and rates.femto.get("output", 0) > 0)
            if is_there and not rates.deprecated and not name.words & SPECIAL - own.words:
                same[rates.provider, rates.model] = name
        elif is_theirs:
            servers.append((rates.provider, rates.model))
    newest = {name.line: name.version for name in sorted(same.values(), key=lambda name: name.age)}
    return [*(model for model, name in same.items() if _is_current(name, own, newest[name.line])), *servers]


def _is_current(name: Name, own: Name, newest: float | None) -> bool:
    """Whether it is of no older generation; the newest of a line may be one behind, as makers bring the largest first.

    OpenAI's o models have no successors by that name. Where the replaced model says how new it is, others have to.
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
        line = (one.name.family, *one.name.line)
        fresh[line] = [*(older for older in fresh.get(line, ()) if older.cost < one.cost), one]
    return sorted(chain(*fresh.values()), key=lambda one: (-one.cost, one.offer.model))


def nearest(stands: Sequence[Stand], paid: int, own: Name) -> Stand:
    """The one of `current` ones to try first: a newer model of the same line if it saves enough; else, of those near
    the dearest that saves well, the newest (an older generation's only where there is no other); else the cheapest."""
    newer = [one for one in stands if one.name.line == own.line and one.name.age > own.age]
    newer = [one for one in newer if one.cost <= paid * NEWER_OF_LINE]
    if newer:
        return max(newer, key=lambda one: one.name.age)
    well = [one for one in stands if one.cost <= paid * NEAREST]
    abreast = [one for one in well if int(one.name.version or 0) >= int(own.version or 0)]
    return _steps(abreast or well or stands[-1:], STEPS[0])[0]


def thin(stands: Sequence[Stand], kept: Stand) -> list[Stand]:
    """At most `MOST` of `current` ones, dearest first: `kept`, and of the others the newest of each price step."""
    others = [one for one in stands if one is not kept]
    steps = next(steps for factor in STEPS if len(steps := _steps(others, factor)) < MOST)
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
