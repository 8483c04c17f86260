"""Prompts as a provider's cache sees them: what they share, in which order, and where they part."""

from __future__ import annotations

import base64
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrimp.audit.prefix import ENDS, HASH, KEPT, MOST_FEATURES, SOLID, Memory, divergence, hashes
from scrimp.call import Api

RULES = "Answer in the language of the question and never promise a refund. " * 100
CHAT: Api = "openai.chat"
CLAUDE: Api = "anthropic.messages"


def blocks(prefix: bytes) -> list[bytes]:
    """The hashes of a prompt, one by one."""
    return [prefix[at : at + HASH] for at in range(0, len(prefix), HASH)]


def shared(one: bytes, other: bytes) -> int:
    """How many first blocks are the same."""
    pairs = zip(blocks(one), blocks(other), strict=False)
    return next(
        (place for place, (left, right) in enumerate(pairs) if left != right), min(len(one), len(other)) // HASH
    )


def seen(body: dict[str, Any], api: Api = CHAT) -> tuple[bytes, int]:
    """Hashes and bytes of a prompt that comes first."""
    return Memory().seen("f", api, body)[:2]


def chat(system: str, *turns: str) -> dict[str, Any]:
    """A conversation: what was said by turns."""
    said = [{"role": ("user", "assistant")[at % 2], "content": text} for at, text in enumerate(turns)]
    return {"model": "gpt-4o", "messages": [{"role": "system", "content": system}, *said]}


@given(st.binary(max_size=3000), st.binary(max_size=3000), st.binary(max_size=3000))
def test_prompts_share_exactly_the_blocks_before_they_part(start: bytes, one: bytes, other: bytes) -> None:
    first, second = start * 3 + b"\0" + one, start * 3 + b"\1" + other
    alike = sum(end <= len(start) * 3 for end in ENDS)
    assert shared(hashes(first), hashes(second)) == alike
    assert len(hashes(first)) == HASH * sum(end <= len(first) for end in ENDS)


def test_hashes_of_the_largest_prompt_stay_small() -> None:
    assert len(hashes(b"x" * (5 * 1024 * 1024))) == HASH * len(ENDS) < 1500


def test_tools_come_before_system_and_system_before_messages_however_the_body_has_them() -> None:
    parts: list[tuple[str, Any]] = [
        ("messages", [{"role": "user", "content": "u" * 2000}]),
        ("system", "s" * 2000),
        ("tools", [{"name": "t" * 2000, "input_schema": {}}]),
    ]
    whole, size = seen(dict(parts), CLAUDE)
    assert (whole, size) == seen(dict(reversed(parts)), CLAUDE)
    assert size > 6000
    assert shared(whole, seen({**dict(parts), "tools": []}, CLAUDE)[0]) == 0
    assert shared(whole, seen({**dict(parts), "system": "other"}, CLAUDE)[0]) == 1
    assert shared(whole, seen({**dict(parts), "messages": []}, CLAUDE)[0]) == 3


@pytest.mark.parametrize(
    "api, body",
    [
        (CHAT, {"tools": [{"type": "function"}], "messages": [{"role": "user", "content": RULES}]}),
        ("openai.responses", {"instructions": RULES, "input": "Hello"}),
        ("openai.completions", {"prompt": RULES}),
        (CLAUDE, {"system": RULES, "messages": []}),
        ("gemini.generate", {"systemInstruction": {"parts": [{"text": RULES}]}, "contents": []}),
        ("bedrock.converse", {"system": [{"text": RULES}], "messages": []}),
        ("other", {"messages": [{"role": "user", "content": RULES}]}),
    ],
)
def test_every_dialect_shows_its_prompt(api: Api, body: dict[str, Any]) -> None:
    prefix, size = seen(body, api)
    assert len(prefix) == HASH * (len(RULES) // 1024)
    assert len(RULES) <= size < len(RULES) + 100


def test_what_is_not_read_by_the_model_does_not_matter() -> None:
    body = chat(RULES, "Hello")
    assert seen(body) == seen({**body, "model": "gpt-5", "temperature": 0, "user": "u-1", "stream": True})


def test_settings_that_end_a_claude_cache_end_it_where_they_do() -> None:
    body = {"system": RULES, "messages": [{"role": "user", "content": RULES}]}
    chosen = {**body, "tool_choice": {"type": "any"}}
    assert shared(seen(body, CLAUDE)[0], seen(chosen, CLAUDE)[0]) == len(RULES) // 1024


def test_marks_for_the_cache_are_no_part_of_the_prompt() -> None:
    def asked(first: dict[str, Any], second: dict[str, Any]) -> tuple[bytes, int]:
        texts = [{"type": "text", "text": RULES, **first}, {"type": "text", "text": "And now?", **second}]
        return seen({"messages": [{"role": "user", "content": texts}]}, CLAUDE)

    mark = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
    assert asked({}, {}) == asked(mark, {}) == asked({}, mark) == asked(mark, mark)
    point = [{"text": RULES}, {"cachePoint": {"type": "default"}}]
    assert seen({"system": point}, "bedrock.converse") == seen({"system": point[:1]}, "bedrock.converse")


def test_a_text_that_speaks_of_marks_is_text() -> None:
    speaks, other = ('Set "cache_control" on ' + RULES, 'Set "cache_contro1" on ' + RULES)
    assert seen({"system": speaks}, CLAUDE)[1] == seen({"system": other}, CLAUDE)[1]
    assert seen({"system": speaks}, CLAUDE) != seen({"system": other}, CLAUDE)


def test_a_picture_is_not_billed_by_its_bytes() -> None:
    def asked(picture: bytes) -> tuple[bytes, int]:
        url = "data:image/png;base64," + base64.b64encode(picture).decode()
        return seen({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}]})

    one, other = asked(bytes(range(256)) * 4000), asked(bytes(reversed(range(256))) * 400)
    assert one[1] == other[1] < SOLID + 200
    assert one[0] != other[0]


@pytest.mark.parametrize(
    "api, body",
    [
        ("openai.embeddings", {"input": RULES}),
        ("anthropic.count_tokens", {"system": RULES}),
        ("openai.responses", {"input": RULES, "previous_response_id": "resp_1"}),
        ("openai.responses", {"input": RULES, "conversation": "conv_1"}),
        ("openai.responses", {"input": RULES, "prompt": {"id": "pmpt_1"}}),
        ("gemini.generate", {"contents": [RULES], "cachedContent": "cachedContents/1"}),
        (CHAT, {}),
    ],
)
def test_a_prompt_that_is_not_shown_whole_is_none(api: Api, body: dict[str, Any]) -> None:
    assert Memory().seen("f", api, body) == (b"", 0, None, 0)


def test_strange_bodies_do_no_harm() -> None:
    half = json.loads('"\\ud800"')
    assert seen({"messages": [{"role": "user", "content": half * 2000}]})[1] > 2000
    assert seen({"messages": {"no": "list"}, "tools": 7})[1] > 0
    deep: Any = "x"
    for _ in range(100_000):
        deep = [deep]
    assert Memory().seen("f", CHAT, {"messages": [deep]}) == (b"", 0, None, 0)


def test_a_conversation_that_grows_or_starts_again_is_no_break() -> None:
    memory = Memory()
    turns = ("Hello", "Hi. What is it?", "My parcel", "Which one?", "The blue one")
    for upto in (1, 3, 5, 5, 1):
        assert memory.seen("f", CHAT, chat(RULES, *turns[:upto]))[2:] == (None, 0)
    text = Memory()
    for prompt in ("Once", "Once upon", "Once upon a time", "Once"):
        assert text.seen("f", "openai.completions", {"prompt": prompt})[2:] == (None, 0)


def test_a_time_in_a_system_prompt_is_where_it_breaks() -> None:
    def asked(second: int) -> dict[str, Any]:
        return chat(f"You are Ada. It is 10:31:{second}. {RULES}", "Where is my parcel?" + "?" * second)

    memory = Memory()
    assert memory.seen("f", CHAT, asked(17))[2:] == (None, 0)
    broke, same = memory.seen("f", CHAT, asked(28))[2:]
    assert broke is not None
    written = msgspec.json.encode(asked(28)["messages"][0])
    assert written[:broke].endswith(b"10:31:") and written[broke : broke + 2] == b"28"
    alike_again = b'{"role":"user","content":"Where is my parcel?' + b"?" * 17
    assert same == len(written) - broke - 2 + len(alike_again)


def test_prompts_are_compared_within_their_feature() -> None:
    memory = Memory()
    for feature in ("a", "b"):
        assert memory.seen(feature, CHAT, chat(f"{feature} {RULES}", "Hello"))[2:] == (None, 0)
    assert memory.seen("a", CHAT, chat(f"c {RULES}", "Hello"))[2] is not None


def test_only_so_many_features_are_remembered() -> None:
    memory = Memory()
    for number in range(MOST_FEATURES):
        memory.seen(str(number), CHAT, chat("one", "Hello"))
    memory.seen("0", CHAT, chat("one", "Hello"))
    memory.seen("one more", CHAT, chat("one", "Hello"))
    assert memory.seen("0", CHAT, chat("two", "Hello"))[2] is not None
    assert memory.seen("1", CHAT, chat("two", "Hello"))[2] is None


def test_beyond_what_is_kept_of_a_prompt_no_break_is_seen() -> None:
    memory = Memory()
    memory.seen("f", CHAT, chat("x" * KEPT, "one"))
    assert memory.seen("f", CHAT, chat("x" * KEPT, "two"))[2:] == (None, 0)


PART = st.binary(max_size=12)


@given(PART, PART, PART, PART, st.binary(max_size=6))
def test_a_break_is_found_where_comparing_byte_by_byte_finds_it(
    start: bytes, one: bytes, other: bytes, end: bytes, tail: bytes
) -> None:
    before, now = start + one + end, start + other + end
    broke, same = divergence([before, tail, b"x"], [now, tail, b"y"])
    if before == now:
        assert (broke, same) == (len(now) + len(tail), 0)
        return
    at = next((at for at in range(min(len(before), len(now))) if before[at] != now[at]), min(len(before), len(now)))
    assert broke == at
    rest, new = before[at:], now[at:]
    ends = [size for size in range(min(len(rest), len(new)) + 1) if rest[len(rest) - size :] == new[len(new) - size :]]
    assert same == max(ends) + len(tail)
