"""Tokens are counted in the right vocabulary, and requests are estimated without taking media for text."""

import base64
import json
import subprocess
import sys

import pytest
import quicktok
from hypothesis import given, settings
from hypothesis import strategies as st

from scrimp.wire.tokens import CLAUDE_TOOLS, PER_MESSAGE, PER_REQUEST, UNSEEN, count, count_request

TEXT = "The quick brown fox jumps over the lazy dog; d'où vient-il? 東京から。 " * 20


def words(encoding, text=TEXT):
    return len(quicktok.get_encoding(encoding).encode_ordinary(text))


@pytest.mark.parametrize(
    ("model", "encoding"),
    [
        ("gpt-4o-2024-08-06", "o200k_base"),
        ("openai/gpt-5.6-sol", "o200k_base"),
        ("gpt-4.1-mini", "o200k_base"),
        ("gpt-4-0613", "cl100k_base"),
        ("gpt-4-turbo", "cl100k_base"),
        ("gpt-35-turbo", "cl100k_base"),
        ("ft:gpt-3.5-turbo:org::id", "cl100k_base"),
        ("text-embedding-3-small", "cl100k_base"),
        ("meta-llama/Llama-3.3-70B-Instruct", "llama3"),
        ("llama3", "llama3"),
        ("qwen.qwen3-32b-v1:0", "qwen3"),
        ("models/gemini-2.5-pro", "o200k_base"),
        ("nobody-knows", "o200k_base"),
        ("", "o200k_base"),
    ],
)
def test_each_family_has_its_vocabulary(model, encoding):
    assert count(TEXT, model) == words(encoding)


@pytest.mark.parametrize(
    ("model", "low", "high"),
    [
        ("claude-3-5-sonnet-20241022", 1.09, 1.16),
        ("claude-sonnet-4-20250514", 1.09, 1.16),
        ("us.anthropic.claude-haiku-4-5-20251001-v1:0", 1.09, 1.16),
        ("anthropic/claude-3.7-sonnet", 1.09, 1.16),
        ("claude-opus-4-6", 1.09, 1.16),
        ("claude-opus-4-7", 1.38, 1.47),
        ("claude-sonnet-5", 1.38, 1.47),
        ("claude-fable-5-1", 1.38, 1.47),
    ],
)
def test_claude_is_a_measured_multiple(model, low, high):
    assert low <= count(TEXT, model) / words("o200k_base") <= high


@settings(deadline=None)  # the first of each reads a vocabulary
@given(st.text(max_size=200), st.sampled_from(["gpt-5", "claude-opus-5", "llama3", "qwen3", "gpt-4"]))
def test_any_text_can_be_counted(text, model):
    tokens = count(text, model)
    assert 0 <= tokens <= 5 * len(text.encode("utf-8", "replace")) + 1
    assert (tokens > 0) == bool(text)


def test_text_that_looks_like_a_control_token_or_is_half_a_character_is_text():
    assert count("<|endoftext|>", "gpt-4o") > 1
    assert count("\ud83d", "gpt-4o") >= 1


def chat(*contents, **more):
    messages = [{"role": "user", "content": content} for content in contents]
    return json.dumps({"model": "gpt-4o", "messages": messages, **more}).encode()


def test_a_chat_request_is_its_text_and_the_formats_share():
    assert count_request("openai.chat", chat(TEXT), "gpt-4o") == words("o200k_base") + PER_MESSAGE + PER_REQUEST
    two = count_request("openai.chat", chat(TEXT, [{"type": "text", "text": TEXT}]), "gpt-4o")
    assert two == 2 * words("o200k_base") + 2 * PER_MESSAGE + PER_REQUEST


def test_an_embedding_request_is_exactly_its_input():
    for given_input, tokens in (
        (TEXT, words("cl100k_base")),
        ([TEXT] * 3, 3 * words("cl100k_base")),
        ([[1, 2], [3]], 3),
    ):
        body = json.dumps({"model": "text-embedding-3-small", "input": given_input}).encode()
        assert count_request("openai.embeddings", body, "text-embedding-3-small") == tokens
    body = json.dumps({"prompt": [1, 2, 3, 4]}).encode()
    assert count_request("openai.completions", body, "gpt-3.5-turbo-instruct") == 4


@pytest.mark.parametrize(
    ("api", "body"),
    [
        ("anthropic.messages", {"system": TEXT, "messages": [{"role": "user", "content": TEXT}]}),
        (
            "anthropic.messages",
            {"system": [{"type": "text", "text": TEXT}], "messages": [{"content": [{"text": TEXT}]}]},
        ),
        ("openai.responses", {"instructions": TEXT, "input": TEXT}),
        ("openai.responses", {"instructions": TEXT, "input": [{"role": "user", "content": [{"text": TEXT}]}]}),
        (
            "gemini.generate",
            {"systemInstruction": {"parts": [{"text": TEXT}]}, "contents": [{"parts": [{"text": TEXT}]}]},
        ),
        ("bedrock.converse", {"system": [{"text": TEXT}], "messages": [{"content": [{"text": TEXT}]}]}),
    ],
)
def test_every_dialects_texts_are_counted(api, body):
    tokens = count_request(api, json.dumps(body).encode(), "gpt-5")
    assert 2 * words("o200k_base") <= tokens <= 2 * words("o200k_base") + 10


DATA = base64.b64encode(bytes(range(256)) * 400).decode()


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{DATA}"}},
        {"type": "input_image", "image_url": f"data:image/png;base64,{DATA}"},
        {"type": "input_audio", "input_audio": {"data": DATA, "format": "wav"}},
        {"type": "file", "file": {"file_data": DATA, "filename": "a.pdf"}},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": DATA}},
        {"type": "tool_result", "tool_use_id": "t", "content": [{"type": "image", "source": {"data": DATA}}]},
        {"inlineData": {"mimeType": "image/png", "data": DATA}},
        {"image": {"format": "png", "source": {"bytes": DATA}}},
    ],
)
def test_media_count_as_a_small_constant_and_never_as_text(part):
    body = chat([part])
    assert count_request(None, body, "gpt-4o") == UNSEEN + PER_MESSAGE + PER_REQUEST


def test_a_document_that_is_text_is_counted_as_text():
    part = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": TEXT}}
    assert count_request("anthropic.messages", chat([part]), "gpt-4o") >= words("o200k_base")


def test_tools_and_their_calls_are_counted():
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
    plain = count_request("openai.chat", chat("hi"), "gpt-4o")
    assert plain < count_request("openai.chat", chat("hi", tools=[tool]), "gpt-4o") < plain + 60
    with_tools = count_request("anthropic.messages", chat("hi", tools=[tool]), "claude-opus-5")
    assert with_tools > count_request("anthropic.messages", chat("hi"), "claude-opus-5") + CLAUDE_TOOLS
    call = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"city": TEXT}}
    assert count_request("anthropic.messages", chat([call]), "gpt-4o") > words("o200k_base")


def test_what_is_no_request_counts_nothing():
    for raw in (b"", b"x", b"[]", b"{}", b"\xff"):
        assert count_request("openai.chat", raw, "gpt-4o") == 0


def test_no_vocabulary_is_loaded_before_it_is_needed():
    code = "import sys, scrimp.wire.answer, scrimp.wire.tokens; sys.exit('quicktok' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
