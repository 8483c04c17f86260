"""Streams are split into the same payloads however they are cut, ended or logged."""

import json

from hypothesis import given
from hypothesis import strategies as st

from scrimp.wire.sse import decode, listed, pieces, split

ends = st.sampled_from([b"\n", b"\r\n", b"\r"])
values = st.dictionaries(st.text(max_size=5), st.text(max_size=10) | st.integers(), min_size=1, max_size=3)
noise = st.sampled_from([b"", b": PROCESSING\n\n", b"event: x\nid: 7\n\n", b"retry: 10\n\n", b"\n", b"data:\n\n"])


@st.composite
def streams(draw):
    """A stream in every legal spelling, and what it holds."""
    payloads = draw(st.lists(values, max_size=5))
    out = b""
    for payload in payloads:
        spaced = draw(st.sampled_from([None, 1]))  # indented JSON takes several data lines
        text = json.dumps(payload, ensure_ascii=False, indent=spaced).encode("utf-8", "surrogatepass")
        field = draw(st.sampled_from([b"data:", b"data: "]))
        name = draw(st.sampled_from([b"", b"event: message\n", b": comment\n", b"id: 1\n"]))
        out += draw(noise) + name + b"".join(field + line + b"\n" for line in text.split(b"\n")) + b"\n"
    bom = draw(st.sampled_from([b"", b"\xef\xbb\xbf"])) if out.startswith(b"d") else b""
    return bom + out.replace(b"\n", draw(ends)), payloads


@given(streams())
def test_every_legal_spelling_gives_the_same_payloads(stream):
    raw, payloads = stream
    assert [decode(data) for data in split(raw + b"\n")[0]] == payloads


@given(streams(), st.data())
def test_a_stream_cut_anywhere_gives_the_same_payloads_as_a_whole_one(stream, data):
    raw, payloads = stream
    raw += b"\n"
    found, rest = [], b""
    while raw:
        size = data.draw(st.integers(1, len(raw)))
        events, rest = split(rest + raw[:size])
        found += events
        raw = raw[size:]
    assert [decode(event) for event in found + split(rest + b"\n")[0]] == payloads


def test_the_rest_is_what_has_not_ended():
    assert split(b"data: a\n\ndata: b\n\ndata: c") == ([b"a", b"b"], b"data: c")
    assert split(b"data: a") == ([], b"data: a")
    assert split(b"") == ([], b"")


def test_an_event_cut_inside_a_character_is_put_together_again():
    raw = "data: é\n\n".encode()
    first, rest = split(raw[:7])
    assert first == []
    assert split(rest + raw[7:]) == (["é".encode()], b"")


def test_a_line_feed_that_comes_after_its_carriage_return_is_no_blank_line():
    first, rest = split(b"data: a\r")
    assert split(rest + b"\ndata: b\r\n\r\n") == ([b"a\nb"], b"")
    assert first == []


def test_a_last_event_without_its_blank_line_counts_in_a_whole_stream():
    assert pieces(b"data: 1\n\ndata: [DONE]") == [b"1", b"[DONE]"]
    assert pieces(b": hello\n\ndata: 1\n") == [b"1"]


def test_json_lines_and_arrays_are_streams_too():
    one, two = {"a": 1}, {"b": [2]}
    assert pieces(json.dumps([one, two]).encode()) == [one, two]
    assert [decode(line) for line in pieces(b'{"a":1}\r\n\n{"b":[2]}\n')] == [one, two]
    assert pieces(b'\xef\xbb\xbf  {\n "a": 1}\n') == [one]


def test_events_may_be_decoded_or_text_of_either_kind():
    given_events = [{"a": 1}, '{"a": 2}', b"data: 3", "event: x", "", "data: [DONE]\n\n", None, 7]
    found = [piece if isinstance(piece, dict) else bytes(piece) for piece in listed(given_events)]
    assert found == [{"a": 1}, {"a": 2}, b"3", b"[DONE]"]


def test_json_that_only_some_accept_is_decoded_and_what_is_none_is_none():
    assert decode(b'{"a": "\\ud83d"}') == {"a": "\ud83d"}
    assert decode(b'{"a": NaN}')["a"] != decode(b'{"a": NaN}')["a"]
    assert decode(b"\xff{") is None
    assert decode(b"[" * 100_000) is None
