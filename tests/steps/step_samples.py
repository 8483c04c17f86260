"""Calls and worlds for the tests of single steps: real ones, made in a line."""

from __future__ import annotations

from typing import Any

from scrimp.call import Answer, Ask, Call, Try
from scrimp.config import convert
from scrimp.world import World

NOVEMBER = 1_795_500_000_000_000_000
"""24 November 2026, when these tests' calls are made: prices are dated."""
CHAT = b'{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Tell me a story"}]}'


def a_world(tree: dict[str, Any] | None = None, env: dict[str, str] | None = None, upstream: str = "") -> World:
    """A world that keeps its records in memory; not opened."""
    return World(convert({"store": ":memory:", **(tree or {})}), env or {}, upstream)


def a_call(answer: Answer | None = None, provider: str = "openai", **parts: Any) -> Call:
    """A call that was tried once at a provider, asked for gpt-4o-mini unless `ask` says otherwise."""
    ask = parts.pop("ask", None) or Ask(api="openai.chat", model="gpt-4o-mini", parsed=True)
    attempt = Try(provider, ask.model.rpartition("/")[2], 0, status=answer.status if answer else 0)
    values: dict[str, Any] = {
        "id": "c", "at": NOVEMBER, "mono": 0, "path": "/v1/chat/completions", "raw": CHAT, "tries": [attempt],
    }  # fmt: skip
    return Call(ask=ask, answer=answer, **values | parts)
