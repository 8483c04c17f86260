"""The two byte splices put in exactly what was asked and take out exactly what was put in."""

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrimp.wire.splice import NotJson, UsageHider, ask_for_usage, strip_prefix, top_level

keys = st.text(max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=12,
)
objects = st.dictionaries(keys, values, max_size=6)
spacing = st.sampled_from([None, 2, "\t"])


@given(objects, spacing, st.booleans())
def test_top_level_finds_every_value_where_it_stands(tree, indent, ascii_only):
    raw = json.dumps(tree, indent=indent, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    found = top_level(raw)
    assert {key: json.loads(raw[slice(*places[-1])]) for key, places in found.items()} == tree


@pytest.mark.parametrize(
    "bad", [b"", b"{", b"[]", b'{"a":}', b'{"a":1,}', b'{"a" 1}', b'{"a":01}', b"{} x", b'{"a":[}', b"x"]
)
def test_what_is_no_json_object_is_refused(bad):
    with pytest.raises(NotJson):
        top_level(bad)


def test_depth_costs_nothing():
    deep = b'{"model":"m","x":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    assert top_level(deep)["model"] == [(9, 12)]


@given(objects.filter(lambda tree: "stream_options" not in tree), spacing)
def test_asking_for_usage_adds_one_option_and_nothing_else(tree, indent):
    raw = json.dumps(tree, indent=indent).encode()
    asked = ask_for_usage(raw, has_options=False)
    assert json.loads(asked) == {**tree, "stream_options": {"include_usage": True}}
    assert asked.replace(b'"stream_options":{"include_usage":true}', b"", 1).replace(b"{,", b"{", 1) == raw


@given(st.dictionaries(keys.filter(lambda k: k != "include_usage"), values, max_size=3), objects, spacing)
def test_asking_for_usage_keeps_the_clients_other_stream_options(options, tree, indent):
    tree = {**tree, "stream_options": options}
    asked = json.loads(ask_for_usage(json.dumps(tree, indent=indent).encode(), has_options=True))
    assert asked == {**tree, "stream_options": {**options, "include_usage": True}}


@pytest.mark.parametrize(
    "options", ['{"include_usage":null}', '{ "a":"b", "include_usage" : null }', '{"include_usage":null,"c":1}']
)
def test_a_null_option_is_replaced_and_not_doubled(options):
    asked = ask_for_usage(b'{"stream_options":%s,"stream":true}' % options.encode(), has_options=True)
    assert asked.count(b'"include_usage"') == 1
    assert json.loads(asked)["stream_options"] == {**json.loads(options), "include_usage": True}


def test_null_stream_options_are_filled_in():
    assert json.loads(ask_for_usage(b'{"stream_options": null, "a": 1}', False)) == {
        "stream_options": {"include_usage": True},
        "a": 1,
    }


def test_a_prefix_is_taken_off_the_own_model_only():
    raw = b'{"tools":[{"model":"local/x"}], "model" : "local/x" ,"model":"local/y","text":"\\"model\\":\\"local/z\\""}'
    wanted = b'{"tools":[{"model":"local/x"}], "model" : "x" ,"model":"y","text":"\\"model\\":\\"local/z\\""}'
    assert strip_prefix(raw, "local") == wanted


EVENT = b'data: {"id":"c","choices":[{"index":0,"delta":{"content":"a \\"usage\\": null b"}}]%s}\n\n'
EXTRA = b'data: {"id":"c","choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}\n\n'


@given(st.lists(st.integers(0, 400), max_size=8))
def test_what_the_splice_added_is_hidden_however_the_stream_is_cut(cuts):
    asked = EVENT % b',"usage":null' + EVENT % b', "usage": null' + EXTRA + b"data: [DONE]\n\n"
    hider = UsageHider()
    marks = sorted({0, len(asked), *(cut for cut in cuts if cut < len(asked))})
    out = b"".join(hider.feed(asked[a:b]) for a, b in itertools.pairwise(marks)) + hider.rest()
    assert out == EVENT % b"" + EVENT % b"" + b"data: [DONE]\n\n"


def test_usage_that_stands_elsewhere_in_an_event_stays():
    nested = b'data: {"choices":[{"x":{"a":1,"usage":null}}],"usage":null}\n\n'
    assert UsageHider().feed(nested) == b'data: {"choices":[{"x":{"a":1,"usage":null}}]}\n\n'
    first = b'data: {"usage":null,"choices":[{"x":{"usage":null}}]}\n\n'
    assert UsageHider().feed(first) == b'data: {"choices":[{"x":{"usage":null}}]}\n\n'


def test_comments_crlf_and_broken_events_pass_untouched():
    odd = b': "usage" comment\r\n\r\ndata: {"usage": \r\n\r\ndata: nope "usage"\n\nevent: x\ndata: {"choices":[]}\n\n'
    hider = UsageHider()
    assert hider.feed(odd) + hider.rest() == odd


def test_a_usage_that_rides_on_a_choice_stays():
    event = b'data: {"choices":[{"delta":{}}],"usage":{"prompt_tokens":1}}\n\n'
    assert UsageHider().feed(event) == event
