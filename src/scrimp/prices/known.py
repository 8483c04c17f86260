"""What the providers state and the price library does not carry, each with its source.

A price got from here is flagged `derived:...`. A price of one's own in `[models]` wins over all of it; whatever
stands in neither is unpriced.
"""

from __future__ import annotations

from fractions import Fraction

STANDARD_TIERS = frozenset({"", "default", "standard", "auto", "on_demand", "global", "not_available"})
"""Words of a response's service tier (or of Anthropic's `inference_geo`) that mean the plain list price."""

TIER_ALIASES = {"on_demand_flex": "flex", "on_demand_priority": "priority"}
"""Vertex AI's `trafficType` -> the tier's name."""

CONTEXTS: dict[str, dict[str, str]] = {
    "batch": {"processing": "batch"},
    "fast": {"service_tier": "fast", "speed": "fast"},
}
"""Tier -> what the price library calls it; any other name is its `service_tier`. OpenAI's fast is a service tier,
Anthropic's a speed."""

PROVIDER_ALIASES = {"fireworks_ai": "fireworks", "azure_ai": "azure"}
"""LiteLLM's names of providers, where the list does not know them by a rule of its own."""

STAND_INS = {("google", "flex"): "batch", ("azure", "batch"): "batch"}
"""(Provider asked, tier) -> the tier whose price holds, at the model's maker too.

Gemini: flex costs what batch costs, half, https://ai.google.dev/gemini-api/docs/optimization (LiteLLM 1.109.1's table
agrees for 2.5 and 3.x, in what it has for cached reads too).
Azure: batch is 50 % less than global standard, https://learn.microsoft.com/en-us/azure/ai-foundry/openai/how-to/batch;
the makers' batch prices in the list are the same half.
"""

SURCHARGES = {("anthropic", "us"): Fraction(11, 10)}
"""(Provider, `inference_geo`) -> factor on every token class:
https://platform.claude.com/docs/en/build-with-claude/data-residency."""

DERIVED = {("openai", "cache_write_12h"): ("input", Fraction(5, 2))}
"""(Provider of the row, class) -> the class it is a multiple of, where the list has no price of its own.

OpenAI's prompt caching guide, gpt-5.6 and later: a write that lives 12 hours (Responses only) costs 2.5 x input.
"""
