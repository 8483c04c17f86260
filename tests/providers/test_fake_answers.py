"""Whatever the turn, its answers hold together in every dialect: the text, the cap, the usage that scrimp reads."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

import scrimp
from scrimp.providers import fake_answers as answers
from scrimp.providers.fake_answers import Turn, say, tokens

TURNS = st.builds(
    Turn,
    text=st.text(st.characters(codec="utf-8"), min_size=1, max_size=60),
    repeat=st.integers(1, 3),
    input=st.none() | st.integers(1, 500),
    cached=st.integers(0, 600),
    output=st.none() | st.integers(4, 500),
    reasoning=st.integers(0, 4),
)
CAPS = st.none() | st.integers(1, 40)


def request(cap: int | None) -> dict[str, Any]:
    """A chat with a cap."""
    return {"model": "m", "messages": [{"role": "user", "content": "hello"}], "max_tokens": cap}


def events(stream: Iterable[bytes]) -> list[dict[str, Any]]:
    """The data of server-sent events."""
    lines = b"".join(stream).split(b"\n")
    return [json.loads(line[6:]) for line in lines if line.startswith(b"data: {")]


@given(TURNS, CAPS, st.integers(1, 4))
def test_pieces_join_to_the_text_and_the_cap_holds(turn: Turn, cap: int | None, words: int) -> None:
    said = say(request(cap), turn)
    assert "".join(said.deltas(words)) == said.text
    assert " ".join([turn.text] * turn.repeat).startswith(said.text)
    assert cap is None or tokens(said.text) <= cap
    assert said.cached <= said.input
    assert said == say(request(cap), turn)


@given(TURNS, CAPS)
def test_scrimp_reads_the_same_usage_from_every_shape(turn: Turn, cap: int | None) -> None:
    said = say(request(cap), turn)
    shapes: list[Any] = [
        answers.chat(said, 1),
        events(answers.chat_stream(said, 1, 2, True)),
        answers.response(said),
        events(answers.response_stream(said, 2)),
        answers.message(said),
        events(answers.message_stream(said, 2)),
    ]
    for shape in shapes:
        used = scrimp.usage(shape)
        assert used is not None
        assert (used.input_total, used.cached, used.output_total) == (said.input, said.cached, said.output)


@given(TURNS, CAPS, st.integers(1, 3), st.booleans())
def test_usage_comes_in_a_chunk_of_its_own_only_where_it_was_asked(
    turn: Turn, cap: int | None, choices: int, asked: bool
) -> None:
    chunks = events(answers.chat_stream(say(request(cap), turn), choices, 1, asked))
    assert [not chunk["choices"] for chunk in chunks].count(True) == asked
    assert all(("usage" in chunk) == asked for chunk in chunks)
