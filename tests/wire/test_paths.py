"""Paths: whose they are, which a lent key may reach, which climb."""

import pytest

from scrimp.wire.paths import api_of, dialect_of, has_dot_segments, is_known


def test_bodies_are_read_on_posts_to_known_paths_only():
    assert api_of("POST", "/v1/chat/completions") == "openai.chat"
    assert api_of("GET", "/v1/chat/completions") == "other"
    assert api_of("POST", "/v1/chat/completions/") == "other"


def test_shared_paths_go_by_the_clients_headers():
    assert dialect_of("/v1/models", {b"x-api-key"}) == "anthropic"
    assert dialect_of("/v1/files", {b"anthropic-version"}) == "anthropic"
    assert dialect_of("/v1/models", {b"authorization"}) == "openai"
    assert dialect_of("/v1/messages/batches", set()) == "anthropic"
    assert dialect_of("/v1/chat/completions", {b"x-api-key"}) == "openai"


def test_a_lent_key_opens_known_paths_and_listed_ones_only():
    assert is_known("/v1/files/f-1/content")
    assert not is_known("/v1/organization/admin_api_keys")
    assert not is_known("/v1/filesystem")
    assert is_known("/v1/rerank", ("rerank",))
    assert is_known("/v1/rerank/x", ("/v1/rerank/",))


@pytest.mark.parametrize(
    "path", ["/v1/../admin", "/v1/./x", "/v1/%2e%2e/x", "/v1/%252e%252e/x", "/v1/..\\x", "/v1/a%2f..%2fb", "/v1/.."]
)
def test_dot_segments_are_seen_however_they_are_written(path):
    assert has_dot_segments(path)


@pytest.mark.parametrize("path", ["/v1/models/gpt-4.1", "/v1/files/a..b", "/v1/models/...", "/v1/x%20y"])
def test_ordinary_dots_are_fine(path):
    assert not has_dot_segments(path)
