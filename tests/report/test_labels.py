"""Labels come from strangers."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrimp.report.labels import MOST_MARKS, clean, cut, fit, width


@pytest.mark.parametrize(
    ("label", "text"),
    [
        ("support-chat", "support-chat"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07after", "after"),
        ("\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x9b2Jgone", "gone"),
        ("\x1bcreset", "reset"),
        ("a\r\nb\tc", "a b c"),
        ("\u202eright\u2066to\u200bleft\ufeff", "righttoleft"),
        ("東京", "東京"),
        ("e" + "\u0301" * 40, "e" + "\u0301" * MOST_MARKS),
        ("\x1b", "(unprintable)"),
        ("\u202e", "(unprintable)"),
        ("a \u202e b", "a b"),
        ("", ""),
    ],
)
def test_nothing_that_steers_a_terminal_is_left(label: str, text: str) -> None:
    assert clean(label) == text


@given(st.text())
def test_clean_text_is_one_printable_line_and_stays_as_it_is(text: str) -> None:
    cleaned = clean(text)
    assert not any(unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp") for char in cleaned)
    assert clean(cleaned) == cleaned


@given(st.text(), st.integers(2, 60))
def test_a_fitted_label_takes_exactly_its_columns(text: str, columns: int) -> None:
    assert width(fit(text, columns)) == columns


def test_wide_characters_count_two_and_marks_none() -> None:
    assert width("東京a") == 5
    assert width("e\u0301") == 1
    assert cut("東京", 3) == "東"
    assert fit("東京の検索", 6) == "東京… "
