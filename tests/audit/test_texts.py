"""Prompts of examples: read where they were asked for, and from nowhere else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scrimp.audit.reading import Wanted
from scrimp.audit.report import Example
from scrimp.audit.texts import LONGEST, fill, last_words


def test_the_text_of_an_example_is_what_was_asked_last(tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    with open(path, "w") as file:
        for place in range(9):
            messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": f"Question\n{place}"}]
            usage = {"prompt_tokens": 9, "completion_tokens": 1}
            pair = {
                "request": {"model": "gpt-4o", "messages": messages},
                "response": {"model": "gpt-4o", "usage": usage},
            }
            file.write(json.dumps(pair) + "\n")
    wanted = [Example(str(path), 4), Example(str(path), 9), Example("standard input", 1)]
    fill(wanted, Wanted())
    assert [one.text for one in wanted] == ["Question 3", "Question 8", ""]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}]}, "a b"),
        ({"input": "how many"}, "how many"),
        ({"input": [{"role": "user", "content": [{"type": "input_text", "text": "hi"}]}]}, "hi"),
        ({"prompt": ["one", "two"]}, "two"),
        ({"messages": []}, ""),
        ({"messages": [None]}, ""),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, ""),
    ],
)  # fmt: skip
def test_words_are_found_in_every_dialect(body: dict[str, object], words: str) -> None:
    assert last_words(body) == words


def test_a_text_is_one_short_line_without_controls(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    messages = [{"role": "user", "content": "\x1b[31mred\n" + "x" * 5_000}]
    path.write_text(
        json.dumps({"request": {"model": "m", "messages": messages}, "response": {"usage": {"prompt_tokens": 1}}})
    )
    example = Example(str(path), 1)
    fill([example], Wanted())
    assert example.text.startswith("red xxx")
    assert len(example.text) == LONGEST
