"""Errors of ours are told in the dialect of whoever asked, as valid JSON of the providers' own shape."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrimp.errors import Broken, ConfigError, Down, ProviderError, Refused, ScrimpError, Slow, render


def test_an_error_says_what_happened_and_then_the_next_step():
    assert str(Refused("too large", hint="Send less")) == "too large. Send less"
    assert str(Refused("too large")) == "too large"


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (ScrimpError("x"), 500, "internal_error"),
        (ConfigError("x"), 500, "bad_config"),
        (Refused("x"), 400, "refused"),
        (Refused("x", status=413, code="request_too_large"), 413, "request_too_large"),
        (Down("x"), 502, "provider_down"),
        (Slow("x"), 504, "provider_timeout"),
        (Broken("x"), 502, "provider_broke_off"),
        (ProviderError("x", status=503, code="shutting_down"), 503, "shutting_down"),
    ],
)
def test_every_error_has_a_status_and_a_stable_code(error, status, code):
    assert (error.status, error.code) == (status, code)
    assert json.loads(render(error, "openai", "c1"))["error"]["code"] == code


@pytest.mark.parametrize(
    ("status", "openai", "anthropic"),
    [
        (400, "invalid_request_error", "invalid_request_error"),
        (401, "invalid_request_error", "authentication_error"),
        (403, "invalid_request_error", "permission_error"),
        (404, "invalid_request_error", "not_found_error"),
        (413, "invalid_request_error", "request_too_large"),
        (415, "invalid_request_error", "invalid_request_error"),
        (422, "invalid_request_error", "invalid_request_error"),
        (429, "rate_limit_error", "rate_limit_error"),
        (500, "server_error", "api_error"),
        (502, "server_error", "api_error"),
        (504, "server_error", "timeout_error"),
    ],
)
def test_the_type_is_the_one_the_provider_would_give_with_that_status(status, openai, anthropic):
    error = Refused("no", status=status)
    assert json.loads(render(error, "openai", "c"))["error"]["type"] == openai
    assert json.loads(render(error, "anthropic", "c"))["error"]["type"] == anthropic


@given(st.text(), st.text(), st.integers(400, 599), st.sampled_from(["openai", "anthropic"]))
def test_any_words_are_valid_json_that_names_scrimp_and_the_call(message, hint, status, dialect):
    error = ScrimpError(message, hint=hint, status=status)
    told = json.loads(render(error, dialect, "c1"))
    assert told["error"]["message"] == f"scrimp: {error}"
    if dialect == "anthropic":
        assert (told["type"], told["request_id"]) == ("error", "c1")
    else:
        assert set(told["error"]) == {"message", "type", "param", "code"}
