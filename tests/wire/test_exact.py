"""Which requests are the same question, and which may never be answered from store."""

from __future__ import annotations

import json
import time
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrimp.call import Api
from scrimp.wire.exact import (
    END_USER,
    HEADERS,
    IDLE,
    NORMAL_FINISH,
    exact_key,
    has_duplicate_keys,
    is_deterministic,
    why_never,
)

BODY: dict[str, Any] = {
    "model": "gpt-4o",
    "temperature": 0,
    "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Which plan is free?"}],
}
NAMES = st.text(max_size=8)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | NAMES
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3))
BODIES = st.dictionaries(NAMES, VALUES, max_size=5)


def key(body: dict[str, Any] = BODY, **other: Any) -> bytes:
    asked = {"tenant": "t", "provider": "openai", "path": "/v1/chat/completions", "query": b""} | other
    return exact_key(body=body, **asked)


def turned(value: Any) -> Any:
    """The same JSON with the keys of every object in the opposite order."""
    if isinstance(value, dict):
        return {name: turned(inner) for name, inner in reversed(value.items())}
    return [turned(inner) for inner in value] if isinstance(value, list) else value


@given(BODIES, st.sampled_from([None, 1, 3]), st.booleans())
def test_key_order_whitespace_and_escapes_make_no_difference(body: dict[str, Any], indent: int, ascii_: bool) -> None:
    text = json.dumps(turned(body), indent=indent, ensure_ascii=ascii_)
    assert key(msgspec.json.decode(text)) == key(msgspec.json.decode(json.dumps(body)))


@given(BODIES, BODIES)
def test_bodies_that_say_something_else_have_other_keys(one: dict[str, Any], other: dict[str, Any]) -> None:
    def said(body: dict[str, Any]) -> str:
        counted = {name: value for name, value in body.items() if name not in IDLE}
        whole = {
            name: int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 else value
            for name, value in counted.items()
        }
        return json.dumps(whole, sort_keys=True)

    assert (key(one) == key(other)) == (said(one) == said(other))


@given(BODIES, NAMES.filter(lambda name: name not in IDLE), VALUES)
def test_every_field_that_is_not_idle_counts_known_or_not(body: dict[str, Any], name: str, value: Any) -> None:
    without = {known: one for known, one in body.items() if known != name}
    assert key(without) != key({**without, name: value})


@given(BODIES, st.sampled_from(sorted(IDLE)), VALUES)
def test_idle_fields_do_not_count(body: dict[str, Any], name: str, value: Any) -> None:
    if name == "metadata" and isinstance(value, dict):
        value.pop("user_id", None)
    without = {known: one for known, one in body.items() if known != name}
    assert key(without) == key({**without, name: value})


@pytest.mark.parametrize("name", ["store", "prompt_cache_options", "n", "seed", "max_tokens", "tools", "invented"])
def test_fields_that_may_change_the_answer_are_not_idle(name: str) -> None:
    assert key() != key({**BODY, name: 2})


@pytest.mark.parametrize("spelling", ["0", "0.0", "0e0", "-0.0", "0.00"])
def test_a_temperature_is_the_same_however_it_is_spelt(spelling: str) -> None:
    assert key(msgspec.json.decode(f'{{"temperature": {spelling}}}')) == key({"temperature": 0})


def test_numbers_further_down_are_as_they_are_spelt() -> None:
    assert key({"input": [1]}) != key({"input": [1.0]})
    assert key({"input": msgspec.json.decode("[1.0]")}) == key({"input": msgspec.json.decode("[1e0]")})


def test_true_is_not_one_and_null_is_not_missing() -> None:
    assert key({"n": True}) != key({"n": 1})
    assert key({"n": None}) != key({})


def test_integers_too_large_for_a_float_stay_apart() -> None:
    assert key({"seed": 2**60}) != key({"seed": 2**60 + 1})
    assert key({"seed": float(2**60)}) != key({"seed": 2**60})


@pytest.mark.parametrize("name", sorted(END_USER))
def test_the_end_user_counts_unless_answers_are_shared(name: str) -> None:
    ann, bob = {**BODY, name: "ann"}, {**BODY, name: "bob"}
    assert key(ann) != key(bob)
    assert key(ann, shared=True) == key(bob, shared=True) == key(shared=True)


def test_anthropics_end_user_counts_though_metadata_does_not() -> None:
    ann, bob = ({**BODY, "metadata": {"user_id": name, "trace": name}} for name in ("ann", "bob"))
    assert key(ann) != key(bob)
    assert key(ann, shared=True) == key(bob, shared=True)
    assert key({**BODY, "metadata": {"user_id": "ann"}}) == key(ann)


PLACES = st.tuples(NAMES, NAMES, NAMES, st.binary(max_size=6))


@given(BODIES, PLACES, PLACES)
def test_tenants_providers_paths_and_queries_are_apart(
    body: dict[str, Any], one: tuple[str, str, str, bytes], other: tuple[str, str, str, bytes]
) -> None:
    assert (exact_key(*one, body=body) == exact_key(*other, body=body)) == (one == other)


@pytest.mark.parametrize("name", sorted(HEADERS))
def test_headers_that_change_an_answer_count(name: str) -> None:
    assert key(headers=[(name, "a")]) != key(headers=[(name, "b")])
    assert key(headers=[(name, "a")]) != key()


@given(st.lists(st.tuples(st.sampled_from(["authorization", "user-agent", "x-scrimp-user", "date"]), NAMES)))
def test_other_headers_do_not(headers: list[tuple[str, str]]) -> None:
    assert key(headers=headers) == key()


@given(st.permutations([("openai-beta", "a"), ("openai-project", "b"), ("openai-beta", "c")]))
def test_the_order_of_headers_makes_no_difference(headers: list[tuple[str, str]]) -> None:
    first = [("openai-beta", "a"), ("openai-beta", "c"), ("openai-project", "b")]
    assert key(headers=headers) == key(headers=first)


def test_a_body_as_deep_as_can_be_decoded_has_a_key() -> None:
    """Somewhere the decoder still goes down and the encoder, which has the question around it, no more."""
    deepest = b""
    for depth in range(700, 1100):
        raw = b'{"a":' * depth + b"1" + b"}" * depth
        try:
            body = msgspec.json.decode(raw)
        except RecursionError:
            break
        deepest = raw
        assert key(body) == key(msgspec.json.decode(raw))
    assert deepest
    assert key(msgspec.json.decode(deepest)) != key(msgspec.json.decode(deepest.replace(b"1", b"2")))


def asking(**fields: Any) -> dict[str, Any]:
    return {**BODY, **fields}


def saying(*parts: Any, **fields: Any) -> dict[str, Any]:
    return asking(messages=[{"role": "user", "content": list(parts)}], **fields)


DEPENDENT = [
    (asking(previous_response_id="resp_1"), "previous_response_id"),
    (asking(conversation={"id": "conv_1"}), "conversation"),
    (asking(background=True), "background"),
    (asking(container="container_1"), "container"),
    (asking(thread={"type": "create"}), "thread"),
    (asking(cachedContent="cachedContents/1"), "cachedContent"),
    (asking(mcp_servers=[{"type": "url", "url": "https://mcp.example"}]), "mcp_servers"),
    (asking(web_search_options={}), "web_search_options"),
    (asking(search_parameters={"mode": "auto"}), "search_parameters"),
    (asking(plugins=[{"id": "web"}]), "plugins"),
    (asking(model="gpt-4o-search-preview"), "looks things up"),
    (asking(model="perplexity/sonar-pro"), "looks things up"),
    (asking(model="o3-deep-research"), "looks things up"),
    (asking(model="openai/gpt-4o:online"), "looks things up"),
    ({"model": "gpt-4o", "prompt": {"id": "pmpt_1"}}, "kept by the provider"),
    (asking(prompt_cache_options={"prewarm": True}), "warms a prompt cache"),
    (asking(max_tokens=0), "warms a prompt cache"),
    (saying({"type": "file", "file": {"file_id": "file-1"}}), "names a file"),
    (saying({"type": "document", "source": {"type": "file", "file_id": "file_1"}}), "names a file"),
    (saying({"type": "container_upload", "file_id": "file_1"}), "names a file"),
    ({"input": [{"role": "user", "content": [{"type": "input_file", "file_id": "file-1"}]}]}, "names a file"),
    ({"input": [{"role": "user", "content": [{"type": "input_image", "file_id": "file-1"}]}]}, "names a file"),
    ({"input": [{"type": "item_reference", "id": "msg_1"}]}, "earlier answer"),
    ({"contents": [{"parts": [{"fileData": {"fileUri": "files/1"}}]}]}, "names a file"),
    ({"messages": [{"content": [{"image": {"source": {"s3Location": {"uri": "s3://b/k"}}}}]}]}, "names a file"),
    ({"messages": [{"role": "assistant", "audio": {"id": "audio_1"}}]}, "earlier answer"),
    (saying({"type": "image_url", "image_url": {"url": "https://e.example/a.png"}}), "address"),
    (saying({"type": "image", "source": {"type": "url", "url": "https://e.example/a.png"}}), "address"),
    (saying({"type": "image_url", "image_url": "https://e.example/a.png"}), "address"),
    ({"input": [{"content": [{"type": "input_file", "file_url": "https://e.example/a.pdf"}]}]}, "address"),
    (
        saying({"type": "tool_result", "content": [{"type": "image", "source": {"type": "file", "file_id": "f"}}]}),
        "names a file",
    ),
    ({"input": [{"type": "additional_tools", "tools": [{"type": "web_search"}]}]}, "the tool web_search"),
    (
        saying({"type": "tool_addition", "tool": {"definition": {"type": "web_fetch_20250910", "name": "web_fetch"}}}),
        "the tool web_fetch_20250910",
    ),
]


@pytest.mark.parametrize(("body", "reason"), DEPENDENT)
def test_an_answer_that_depends_on_more_than_the_request_is_never_served_again(
    body: dict[str, Any], reason: str
) -> None:
    assert reason in why_never(body)


PROVIDERS_TOOLS: list[dict[str, Any]] = [
    {"type": "web_search"},
    {"type": "web_search_preview"},
    {"type": "file_search", "vector_store_ids": ["vs_1"]},
    {"type": "code_interpreter", "container": {"type": "auto"}},
    {"type": "image_generation"},
    {"type": "mcp", "server_label": "x", "server_url": "https://mcp.example"},
    {"type": "programmatic_tool_calling"},
    {"type": "shell", "environment": {"type": "container_auto"}},
    {"type": "shell"},
    {"type": "tool_search"},
    {"type": "namespace", "name": "crm", "tools": [{"type": "mcp"}]},
    {"type": "", "name": "f"},
    {"type": "web_search_20250305", "name": "web_search"},
    {"type": "web_fetch_20250910", "name": "web_fetch"},
    {"type": "code_execution_20250825", "name": "code_execution"},
    {"type": "tool_search_tool_regex_20251119", "name": "tool_search_tool_regex"},
    {"type": "advisor_20260301", "name": "advisor", "model": "claude-opus-5"},
    {"type": "mcp_toolset", "mcp_server_name": "x"},
    {"type": "nobody_knows_this_one"},
    {"googleSearch": {}},
    {"functionDeclarations": [], "codeExecution": {}},
]
CALLERS_TOOLS: list[dict[str, Any]] = [
    {"type": "function", "function": {"name": "f", "parameters": {"properties": {"file_id": {"type": "string"}}}}},
    {"type": "function", "name": "f", "parameters": {}},
    {"type": "custom", "name": "f"},
    {"name": "f", "input_schema": {"type": "object"}},
    {"type": "custom", "name": "f", "input_schema": {"type": "object"}},
    {"type": "bash_20250124", "name": "bash"},
    {"type": "text_editor_20250728", "name": "str_replace_based_edit_tool"},
    {"type": "computer_20251124", "name": "computer"},
    {"type": "computer_toolset_20260801"},
    {"type": "browser_toolset_20260801"},
    {"type": "memory_20250818", "name": "memory"},
    {"type": "computer_use_preview", "environment": "browser"},
    {"type": "local_shell"},
    {"type": "apply_patch"},
    {"functionDeclarations": [{"name": "f"}]},
]


@pytest.mark.parametrize("tool", PROVIDERS_TOOLS)
def test_a_tool_that_the_provider_runs_forbids_it(tool: dict[str, Any]) -> None:
    assert "the provider runs the tool" in why_never(asking(tools=[CALLERS_TOOLS[0], tool]))


def test_bedrocks_own_tools_forbid_it_too() -> None:
    own: dict[str, Any] = {"toolConfig": {"tools": [{"toolSpec": {"name": "f"}}, {"systemTool": {"name": "search"}}]}}
    assert why_never(own) == "the provider runs the tool systemTool"
    assert why_never({"toolConfig": {"tools": [{"toolSpec": {"name": "f"}}, {"cachePoint": {}}]}}) == ""


@pytest.mark.parametrize("tool", CALLERS_TOOLS)
def test_a_tool_that_the_caller_runs_does_not(tool: dict[str, Any]) -> None:
    assert why_never(asking(tools=[tool])) == ""


INDEPENDENT = [
    BODY,
    asking(
        previous_response_id=None, background=False, mcp_servers=[], plugins=[], web_search_options=None, tools=None
    ),
    asking(model="text-embedding-3-small", input=["a", "b"]),
    {"model": "gpt-3.5-turbo-instruct", "prompt": "Once upon"},
    {"model": "gpt-3.5-turbo-instruct", "prompt": "Once upon", "echo": True, "max_tokens": 0},
    {"model": "gpt-4o", "prompt": {"id": "pmpt_1", "version": "3"}},
    saying({"type": "text", "text": 'the "file_id": "file-1" at https://e.example'}),
    saying({"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}),
    saying({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}),
    saying({"type": "file", "file": {"filename": "a.pdf", "file_data": "AAAA"}}),
    saying({"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}),
    saying(
        {"type": "tool_use", "id": "t1", "name": "open", "input": {"file_id": "7", "image_url": "https://e.example"}}
    ),
    asking(
        messages=[{"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": '{"file_id": 1}'}}]}]
    ),
    asking(messages="not a list", tools={"not": "a list"}, toolConfig=7, prompt_cache_options="x"),
    asking(tools=["not a mapping", None], messages=[None, 3, ["nested"], {"type": ["odd"], "content": None}]),
]


@pytest.mark.parametrize("body", INDEPENDENT)
def test_a_request_that_says_all_may_be_answered_from_store(body: dict[str, Any]) -> None:
    assert why_never(body) == ""


@given(st.dictionaries(st.sampled_from(["tools", "messages", "input", "prompt", "toolConfig", "model"]), VALUES))
def test_no_body_however_odd_ends_the_question(body: dict[str, Any]) -> None:
    assert isinstance(why_never(body), str)
    assert isinstance(is_deterministic("openai.chat", "gpt-4o", body), bool)


CERTAIN: list[tuple[Api, str, dict[str, Any], bool]] = [
    ("openai.embeddings", "text-embedding-3-small", {}, True),
    ("openai.chat", "gpt-4o", {"temperature": 0}, True),
    ("openai.chat", "gpt-4o", {"temperature": 0.0}, True),
    ("openai.chat", "gpt-4o", {}, False),
    ("openai.chat", "gpt-4o", {"temperature": None}, False),
    ("openai.chat", "gpt-4o", {"temperature": 0.2}, False),
    ("openai.chat", "gpt-4o", {"temperature": False}, False),
    ("openai.chat", "gpt-4o", {"temperature": "0"}, False),
    ("openai.chat", "o4-mini", {}, True),
    ("openai.responses", "openai/o3", {"temperature": 1}, True),
    ("openai.chat", "gpt-5-mini", {}, True),
    ("openai.chat", "gpt-5-chat-latest", {}, False),
    ("openai.chat", "gpt-5.1", {}, False),
    ("openai.chat", "gpt-5.1", {"temperature": 0}, True),
    ("openai.chat", "gpt-5.1", {"reasoning_effort": "none"}, False),
    ("openai.chat", "gpt-5.1", {"reasoning_effort": "high"}, True),
    ("openai.responses", "gpt-5.2", {"reasoning": {"effort": "low"}}, True),
    ("openai.responses", "gpt-5.1-codex-mini", {}, True),
    ("openai.chat", "gpt-oss-120b", {}, False),
    ("anthropic.messages", "claude-sonnet-4-5", {}, False),
    ("anthropic.messages", "claude-opus-4-20250514", {}, False),
    ("anthropic.messages", "claude-opus-4-1-20250805", {}, False),
    ("anthropic.messages", "claude-opus-4-7", {}, True),
    ("anthropic.messages", "anthropic/claude-opus-4.8", {}, True),
    ("anthropic.messages", "us.anthropic.claude-sonnet-5-5-v1:0", {}, True),
    ("anthropic.messages", "claude-3-5-haiku-latest", {}, False),
    ("gemini.generate", "gemini-2.5-pro", {"generationConfig": {"temperature": 0}}, True),
    ("bedrock.converse", "amazon.nova-pro-v1:0", {"inferenceConfig": {"temperature": 0.5}}, False),
]


@pytest.mark.parametrize(("api", "model", "body", "expected"), CERTAIN)
def test_a_call_asks_for_one_answer_by_temperature_or_where_there_is_none(
    api: Api, model: str, body: dict[str, Any], expected: bool
) -> None:
    assert is_deterministic(api, model, body) is expected


@pytest.mark.parametrize(
    "raw",
    [
        b'{"a": 1, "a": 1}',
        b'{"a": 1, "\\u0061": 2}',
        b'{"messages": [{"role": "user", "content": "x", "content": "y"}]}',
        b'{"a": {"b": 1}, "a": {"b": 1}}',
        b"{",
        b"\xff",
        b"[" * 100_000,
    ],
)
def test_a_key_named_twice_is_found_wherever_it_is(raw: bytes) -> None:
    assert has_duplicate_keys(raw)


@given(BODIES)
def test_a_body_of_distinct_keys_has_no_duplicates(body: dict[str, Any]) -> None:
    assert not has_duplicate_keys(json.dumps(body).encode())


def test_ends_that_cut_an_answer_short_are_not_normal() -> None:
    for finish in ("length", "max_tokens", "max_output_tokens", "content_filter", "refusal", "pause_turn", "safety"):
        assert finish not in NORMAL_FINISH


def test_a_key_takes_microseconds() -> None:
    """The bound is ten times what it takes, as other tests may run beside it."""
    words = "which of our plans are free for teams of ten " * 10
    body = msgspec.json.decode(msgspec.json.encode(asking(messages=[{"role": "user", "content": words}] * 4)))
    best = min(_seconds(body) for _ in range(5))
    assert best < 150e-6


def _seconds(body: dict[str, Any]) -> float:
    start = time.perf_counter()
    for _ in range(200):
        assert not why_never(body)
        key(body)
    return (time.perf_counter() - start) / 200
