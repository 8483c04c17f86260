"""A request's bytes become an Ask; legal JSON always passes, what is none is refused with its place."""

import pytest

from scrimp.errors import Refused
from scrimp.wire.request import read_request


def test_a_chat_request_says_model_stream_cap_and_labels():
    ask = read_request(
        "openai.chat",
        b'{"model":"gpt-4o-mini","stream":true,"stream_options":{"include_usage":false},"max_completion_tokens":9,'
        b'"n":2,"service_tier":"flex","metadata":{"feature":"f"},"user":"u1",'
        b'"messages":[{"role":"developer","content":"Be brief."},{"role":"user","content":[{"type":"text","text":"hi"}]}]}',
    )
    assert (ask.model, ask.stream, ask.asked_usage, ask.cap, ask.n, ask.tier) == (
        "gpt-4o-mini",
        True,
        False,
        9,
        2,
        "flex",
    )
    assert ask.labels == {"feature": "f", "user": "u1"}
    assert ask.system == b'"Be brief."'
    assert ask.opening == b'[{"type":"text","text":"hi"}]'


def test_wrong_types_in_known_fields_never_refuse_a_call():
    ask = read_request("openai.chat", b'{"model":7,"stream":"yes","n":"2","metadata":[1],"max_tokens":1.5}')
    assert (ask.model, ask.stream, ask.n, ask.cap, ask.labels) == ("", False, 1, None, {})


@pytest.mark.parametrize(
    "odd",
    [
        b'{"model":"m","stream":true,"x":"\\ud800"}',
        b'{"model":"m","stream":true,"x":' + b"9" * 400 + b"}",
        b'{"model":"m","stream":true,"x":' + b"[" * 20_000 + b"]" * 20_000 + b"}",
        b'{"model":"a","model":"m","stream":false,"stream":true}',
        b' \n{"model":"m","stream":true}\n',
    ],
    ids=["lone surrogate", "big integer", "deep nesting", "duplicate keys", "spaces"],
)
def test_legal_json_that_parsers_refuse_still_passes(odd):
    ask = read_request("openai.chat", odd)
    assert (ask.model, ask.stream) == ("m", True)


@pytest.mark.parametrize("bad", [b"", b"{", b"nope", b'{"model":"m",}', b"[1]"])
def test_what_is_no_json_object_is_refused_with_its_place(bad):
    with pytest.raises(Refused) as refused:
        read_request("openai.chat", bad)
    assert refused.value.status == 400
    assert "no body" in str(refused.value) or "byte" in str(refused.value) or "start with" in str(refused.value)
