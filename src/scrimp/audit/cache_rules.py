"""What providers document of their prompt caches, as data: from which size on, in what steps, for how long, who asks.

Prices are not here: what a read and a write cost is the price book's. Who documents nothing has no rule, and gets no
advice. Read in November 2026: OpenAI https://developers.openai.com/api/docs/guides/prompt-caching, Anthropic
https://platform.claude.com/docs/en/build-with-claude/prompt-caching, Gemini https://ai.google.dev/gemini-api/docs/caching
(no life stated), DeepSeek https://api-docs.deepseek.com/guides/kv_cache, xAI (no minimum, no life)
https://docs.x.ai/developers/advanced-api-usage/prompt-caching, Groq https://console.groq.com/docs/prompt-caching,
Mistral https://docs.mistral.ai/studio-api/conversations/advanced/prompt-caching (no minimum, no life).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

import msgspec

MINUTE = 60_000
HOUR = 60 * MINUTE
UNDOCUMENTED = 1024
"""The minimum taken where a provider documents none."""


class Rule(msgspec.Struct, frozen=True):
    """How a cache keeps prefixes. `minimum` and `step` in tokens; `short` and `long` in ms since the last use.

    These are the shortest and the longest life that is documented, or assumed. `asked`: it holds what a request asks
    for, at the price of a write; else a write costs nothing extra. `after`: how many calls must have shared a prefix
    before the next one surely reads it. `how`: what to do, as a sentence.
    """

    maker: str
    minimum: int
    short: int
    long: int
    how: str
    step: int = 1
    asked: bool = False
    after: Literal[1, 2] = 1


_MARK = (
    "Mark the end of what stays the same with cache_control; for growing conversations put it at the top level of the"
    " request. Where calls come 5 to 60 minutes apart, a life of 1 h at a dearer write may pay too."
)
_POINT = "Mark the end of what stays the same with prompt_cache_breakpoint: else only the newest message's end counts."
_KEY = "Put what stays the same first, and give calls that share it one prompt_cache_key, to meet the same cache."
_FIRST = "Put what stays the same first, and send calls that share it soon after each other."


def _claude(minimum: int) -> Rule:
    return Rule("Anthropic", minimum, 5 * MINUTE, 5 * MINUTE, _MARK, asked=True, after=2)


_GPT = r"^(?:(?:openai|azure)/|openrouter/~?openai/|aws/(?:\w+\.)?openai\.)"
_GEMINI = r"^(?:google|openrouter/~?google)/gemini-"
_NOT_NEWER = r"(?![-.]?\d(?!\d))"
RULES: tuple[tuple[str, Rule], ...] = (
    (r"claude-(?:opus|fable|mythos)-5" + _NOT_NEWER, _claude(512)),
    (r"claude-(?:4-(?:opus|sonnet)|3[-.][57]-sonnet|3-(?:opus|sonnet)|opus-4[-.]8|sonnet-4[-.]5)", _claude(1024)),
    (r"claude-(?:opus-4(?:[-.][01])?|sonnet-[45](?:[-.]0)?)" + _NOT_NEWER, _claude(1024)),
    (r"claude-(?:opus-4[-.]7|sonnet-4[-.]6|3-haiku|3[-.]5-haiku)", _claude(2048)),
    (r"claude-", _claude(4096)),
    (
        _GPT + r"gpt-(?:5\.[6-9]|5\.[1-9]\d|[6-9]|[1-9]\d)",
        Rule("OpenAI", 1024, 30 * MINUTE, 30 * MINUTE, _POINT, asked=True, after=2),
    ),
    (_GPT + r"(?:gpt-(?:4o|4\.|5)|chatgpt-|o[1-4]\b|codex-)", Rule("OpenAI", 1024, 5 * MINUTE, HOUR, _KEY, step=128)),
    (_GEMINI + r"2\.5", Rule("Gemini", 2048, 5 * MINUTE, HOUR, _FIRST)),
    (_GEMINI + r"(?:[3-9]|[1-9]\d)", Rule("Gemini", 4096, 5 * MINUTE, HOUR, _FIRST)),
    (r"^deepseek/", Rule("DeepSeek", 64, HOUR, 24 * HOUR, _FIRST, step=64, after=2)),
    (r"^x-ai/grok-", Rule("xAI", UNDOCUMENTED, 5 * MINUTE, HOUR, "Send x-grok-conv-id with calls that begin alike.")),
    (r"^groq/", Rule("Groq", UNDOCUMENTED, 2 * HOUR, 2 * HOUR, _FIRST)),
    (r"^mistral/", Rule("Mistral", UNDOCUMENTED, 5 * MINUTE, HOUR, _KEY)),
)
"""A pattern for "provider/model" as the price book names it -> the rule; the first that fits counts."""


@lru_cache(1024)
def rule_for(provider: str, model: str) -> Rule | None:
    """The rule of a model at a provider, both as the price book names them; None where none is documented."""
    name = f"{provider}/{model}".lower()
    return next((rule for pattern, rule in RULES if re.search(pattern, name)), None)
