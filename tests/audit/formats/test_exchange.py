"""Logged HTTP: what an address is for, and the keys under which both sides are found."""

from __future__ import annotations

from typing import Any

import pytest

from scrimp.audit.formats.exchange import Address, Exchange, address, exchange


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("https://api.openai.com/v1/chat/completions", Address("api.openai.com", "call", "openai.chat")),
        ("/v1/messages?beta=true", Address("", "call", "anthropic.messages")),
        ("v1/embeddings/", Address("", "call", "openai.embeddings")),
        ("https://api.mistral.ai/v1/chat/completions#stream", Address("api.mistral.ai", "call", "openai.chat")),
        ("https://x.openai.azure.com/openai/deployments/prod/chat/completions?api-version=1",
         Address("x.openai.azure.com", "call", "openai.chat", "prod")),
        ("https://b.amazonaws.com/model/us.amazon.nova-lite-v1%3A0/converse-stream",
         Address("b.amazonaws.com", "call", "bedrock.converse", "us.amazon.nova-lite-v1:0")),
        ("https://b.amazonaws.com/model/anthropic.claude-v2/invoke",
         Address("b.amazonaws.com", "call", "other", "anthropic.claude-v2")),
        ("https://g.example/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse",
         Address("g.example", "call", "gemini.generate", "gemini-2.5-flash")),
        ("https://key@api.openai.com/v1/responses/resp_1",
         Address("api.openai.com", "look-up", "openai.responses")),
        ("/v1/responses/compact", Address("", "call", "openai.responses")),
        ("/v1/responses/input_tokens", Address("", "free")),
        ("/v1/messages/batches", Address("", "free")),
        ("/v1/threads/thread_1/messages", Address("", "free")),
        ("/chain/invoke", Address("", "unknown")),
        ("", Address("", "unknown")),
    ],
)  # fmt: skip
def test_a_path_tells_what_it_is_for(uri: str, expected: Address):
    assert address(uri) == expected


def came(status: int, answer: Any, failed: str = "") -> Exchange:
    return Exchange(status=status, answer=answer, failed=failed)


@pytest.mark.parametrize(
    "row",
    [
        {"request": {"method": "post", "url": "http://a/v1/x", "headers": {"X-A": "1"}, "body": {"m": 1}}},
        {"request": {"path": "http://a/v1/x", "method": "POST", "json": {"m": 1}, "headers": [["X-A", "1"]]}},
        {"uri": "http://a/v1/x", "method": "POST", "request": {"m": 1}, "request_headers": {"X-A": ["1"]}},
    ],
)
def test_a_request_is_found_with_or_without_its_own_object(row: dict[str, Any]):
    assert exchange(row) == Exchange("http://a/v1/x", "POST", (("x-a", "1"),), {"m": 1})


def test_a_request_s_body_alone_has_no_address():
    asks = {"model": "m", "messages": []}
    assert exchange({"request": asks}) == Exchange(request=asks)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"response": {"status": 200, "body": {"a": 1}}}, came(200, {"a": 1})),
        ({"response": {"status_code": 429, "body": ""}}, came(429, None)),
        ({"response": {"status": 200, "data": {"a": 1}}}, came(200, {"a": 1})),
        ({"response_body": {"a": 1}, "status": "404"}, came(404, {"a": 1})),
        ({"response": None, "status": "timeout"}, came(0, None, "timeout")),
        ({"response": {"id": "r", "status": "completed", "content": []}},
         came(0, {"id": "r", "status": "completed", "content": []})),
        ({"response": {"status": 200, "content": {"a": 1}}}, came(200, {"a": 1})),
    ],
)  # fmt: skip
def test_an_answer_is_found_with_or_without_its_own_object(row: dict[str, Any], expected: Exchange):
    assert exchange(row) == expected
