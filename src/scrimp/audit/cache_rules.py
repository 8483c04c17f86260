"""What providers document of their prompt caches, as data: from which size on, in what steps, for how long, who asks.

Prices are not here: what a read and a write cost is the price book's. Who documents nothing has no rule, and gets no
advice. Read in November 2026:
OpenAI https://developers.openai.com/api/docs/guides/prompt-caching (up to GPT-5.5: 1,024 tokens, steps of 128, 5 to 10
minutes of inactivity and at most an hour, some 24 h; from GPT-5.6: matched at breakpoints only, at least 30 minutes),
Anthropic https://platform.claude.com/docs/en/build-with-claude/prompt-caching (minimums by model, 5 minutes or 1 hour,
renewed by reads), Gemini https://ai.google.dev/gemini-api/docs/caching (implicit from 2.5 on, no life stated), DeepSeek
https://api-docs.deepseek.com/guides/kv_cache (a common prefix is kept once two calls shared it), xAI
https://docs.x.ai/developers/advanced-api-usage/prompt-caching (no minimum, no life), Groq
https://console.groq.com/docs/prompt-caching (128 to 1,024 tokens by model, 2 h), Mistral
https://docs.mistral.ai/studio-api/conversations/advanced/prompt-caching (no minimum, no life).
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec

MINUTE = 60_000
HOUR = 60 * MINUTE
UNDOCUMENTED = 1024
"""The minimum taken where a provider documents none."""


class Rule(msgspec.Struct, frozen=True):
    """How a cache keeps prefixes. `minimum` and `step` in tokens; lives in ms since the last use.

    `asked`: it holds what a request asks for, at the price of a write; else it works by itself and a write costs
    nothing extra. `short` and `long` are then two lives to choose from (where they differ, the long one is written at
    its own price), else the shortest and the longest that is documented. `after`: how many calls must have shared a
    prefix before the next one reads it. `how`: what to do, as a sentence.
    """

    maker: str
    minimum: int
    short: int
    long: int
    how: str
    step: int = 1
    asked: bool = False
    after: Literal[1, 2] = 1
    long_write: str = "cache_write"


def _claude(minimum: int) -> Rule:
    return Rule(
        maker="Anthropic",
        minimum=minimum,
        short=5 * MINUTE,
        long=HOUR,
        how="Mark the end of what stays the same with cache_control; for growing conversations put it at the top level"
        " of the request.",
        asked=True,
        long_write="cache_write_1h",
    )


_OPENAI_HINT = (
    "Put what stays the same first, and give calls that share it one prompt_cache_key so that they meet the same cache."
)
_OPENAI = Rule("OpenAI", 1024, 5 * MINUTE, HOUR, _OPENAI_HINT, step=128)
_BREAKPOINTS = Rule(
    maker="OpenAI",
    minimum=1024,
    short=30 * MINUTE,
    long=30 * MINUTE,
    how="Mark the end of what stays the same with prompt_cache_breakpoint: by itself it is matched only at the end of"
    " the newest message.",
    asked=True,
)
_FIRST = "Put what stays the same first, and send calls that share it soon after each other."


def _gemini(minimum: int) -> Rule:
    return Rule("Gemini", minimum, 5 * MINUTE, HOUR, _FIRST)


_GPT = r"^(?:(?:openai|azure)/|openrouter/~?openai/|aws/(?:\w+\.)?openai\.)"
RULES: tuple[tuple[str, Rule], ...] = (
    (r"claude-(?:opus|fable|mythos)-5(?![-.]?\d(?!\d))", _claude(512)),
    (r"claude-opus-4[-.]8", _claude(1024)),
    (r"claude-opus-4(?:[-.][01])?(?![-.]?\d(?!\d))", _claude(1024)),
    (r"claude-4-(?:opus|sonnet)|claude-3[-.][57]-sonnet|claude-3-(?:opus|sonnet)", _claude(1024)),
    (r"claude-sonnet-4[-.]5", _claude(1024)),
    (r"claude-sonnet-[45](?:[-.]0)?(?![-.]?\d(?!\d))", _claude(1024)),
    (r"claude-(?:opus-4[-.]7|sonnet-4[-.]6|3-haiku|3[-.]5-haiku)", _claude(2048)),
    (r"claude-", _claude(4096)),
    (_GPT + r"gpt-(?:5\.[6-9]|5\.[1-9]\d|[6-9]|[1-9]\d)", _BREAKPOINTS),
    (_GPT + r"(?:gpt-(?:4o|4\.|5)|chatgpt-|o[1-4]\b|codex-)", _OPENAI),
    (r"^(?:google|openrouter/~?google)/gemini-2\.5", _gemini(2048)),
    (r"^(?:google|openrouter/~?google)/gemini-(?:[3-9]|[1-9]\d)", _gemini(4096)),
    (r"^deepseek/", Rule("DeepSeek", 64, HOUR, 24 * HOUR, _FIRST, step=64, after=2)),
    (
        r"^x-ai/grok-",
        Rule("xAI", UNDOCUMENTED, 5 * MINUTE, HOUR, "Send x-grok-conv-id with calls that share their beginning."),
    ),
    (r"^groq/", Rule("Groq", UNDOCUMENTED, 2 * HOUR, 2 * HOUR, _FIRST)),
    (
        r"^mistral/",
        Rule("Mistral", UNDOCUMENTED, 5 * MINUTE, HOUR, "Give calls that share their beginning one prompt_cache_key."),
    ),
)
"""A pattern for "provider/model" as the price book names it -> the rule; the first that fits counts."""


def rule_for(provider: str, model: str) -> Rule | None:
    """The rule of a model at a provider, both as the price book names them; None where none is documented."""
    name = f"{provider}/{model}".lower()
    return next((rule for pattern, rule in RULES if re.search(pattern, name)), None)
