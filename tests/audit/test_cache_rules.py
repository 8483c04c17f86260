"""The rules of prompt caches, held against the models that the price book knows."""

from __future__ import annotations

import re

import pytest

from scrimp.audit.cache_rules import HOUR, MINUTE, RULES, rule_for
from scrimp.prices.book import Book

NAMES = [f"{rates.provider}/{rates.model}" for rates, _ in Book.load().models()]


@pytest.mark.parametrize(
    "name, minimum",
    [
        ("anthropic/claude-opus-5", 512),
        ("anthropic/claude-fable-5", 512),
        ("aws/global.anthropic.claude-opus-5", 512),
        ("anthropic/claude-opus-4-8", 1024),
        ("openrouter/anthropic/claude-opus-4.8-fast", 1024),
        ("anthropic/claude-opus-4-1", 1024),
        ("aws/regional.anthropic.claude-opus-4-20250514-v1:0", 1024),
        ("anthropic/claude-sonnet-4-0", 1024),
        ("anthropic/claude-sonnet-4-5", 1024),
        ("anthropic/claude-sonnet-5", 1024),
        ("google/claude-4-sonnet", 1024),
        ("openrouter/claude-3.5-sonnet", 1024),
        ("anthropic/claude-opus-4-7", 2048),
        ("anthropic/claude-3-5-haiku-latest", 2048),
        ("anthropic/claude-opus-4-5", 4096),
        ("anthropic/claude-opus-4-6", 4096),
        ("anthropic/claude-haiku-4-5", 4096),
        ("anthropic/claude-opus-5-5", 4096),
        ("anthropic/claude-sonnet-7", 4096),
    ],
)
def test_claude_has_to_be_asked_and_caches_from_a_size_on(name: str, minimum: int) -> None:
    rule = rule_for(*name.split("/", 1))
    assert rule is not None
    assert (rule.maker, rule.asked, rule.minimum) == ("Anthropic", True, minimum)
    assert (rule.short, rule.long, rule.after) == (5 * MINUTE, 5 * MINUTE, 2)


@pytest.mark.parametrize(
    "name, asked",
    [
        ("openai/gpt-4o", False),
        ("openai/gpt-4.1-mini", False),
        ("openai/gpt-5", False),
        ("openai/gpt-5.5", False),
        ("openai/o3", False),
        ("azure/o4-mini", False),
        ("openrouter/openai/gpt-4o", False),
        ("aws/openai.gpt-5.4", False),
        ("openai/gpt-5.6-sol", True),
        ("openai/gpt-6.1-sol", True),
        ("openai/gpt-10", True),
        ("aws/global.openai.gpt-6-luna", True),
    ],
)
def test_openai_matches_at_breakpoints_from_gpt_5_6_on(name: str, asked: bool) -> None:
    rule = rule_for(*name.split("/", 1))
    assert rule is not None
    assert (rule.maker, rule.minimum, rule.asked) == ("OpenAI", 1024, asked)
    assert rule.step == (1 if asked else 128)
    assert rule.short == (30 * MINUTE if asked else 5 * MINUTE)


@pytest.mark.parametrize(
    "name",
    [
        "openai/gpt-4", "openai/gpt-3.5-turbo", "openai/gpt-oss-20b", "openai/text-embedding-3-small", "own/gpt-4o",
        "google/gemini-2.0-flash", "google/gemini-1.5-pro", "moonshotai/kimi-k2", "together/deepseek-v3", "/",
    ],
)  # fmt: skip
def test_who_documents_nothing_has_no_rule(name: str) -> None:
    assert rule_for(*name.split("/", 1)) is None


def test_names_are_read_in_any_case() -> None:
    assert rule_for("OpenAI", "GPT-4o") is rule_for("openai", "gpt-4o") is not None


@pytest.mark.parametrize("pattern, rule", RULES)
def test_every_rule_counts_for_a_model_that_has_a_price(pattern: str, rule: object) -> None:
    found = [name for name in NAMES if re.search(pattern, name.lower())]
    assert any(rule_for(*name.split("/", 1)) is rule for name in found), f"{pattern} fits none first"


def test_every_rule_can_be_played_by() -> None:
    for _, rule in RULES:
        assert rule.minimum % rule.step == 0 < rule.step
        assert MINUTE <= rule.short <= rule.long <= 24 * HOUR
        assert rule.how.endswith(".")
