"""Labels are other people's text: made safe to print, and measured as a terminal shows them."""

from __future__ import annotations

import re
import unicodedata

ESCAPE = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x9b[0-?]*[ -/]*[@-~]|(?:\x1b[\]PX^_]|[\x9d\x90])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c|$)"
    r"|\x1b[ -/]*[0-~]"
)
"""Terminal sequences (ECMA-48): CSI, then strings such as OSC up to their end, then two-character ones."""
UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
"""Unicode categories that print nothing or steer the text: controls, bidi marks, surrogates, private use."""
MOST_MARKS = 2
"""Combining marks kept on one character: scripts need few, heaps of them climb into other lines."""


def clean(text: str) -> str:
    """One line of printable text: no escape sequences, controls, bidi or zero-width marks; blanks as one space."""
    if text.isascii() and text.isprintable():
        return " ".join(text.split()) or ("(unprintable)" if text else "")
    kept: list[str] = []
    marks = 0
    for char in ESCAPE.sub("", text):
        if char.isspace():
            char = " "
        if unicodedata.category(char) in UNSEEN:
            continue
        marks = marks + 1 if unicodedata.category(char) in ("Mn", "Me") else 0
        if marks <= MOST_MARKS:
            kept.append(char)
    return " ".join("".join(kept).split()) or ("(unprintable)" if text else "")


def width(text: str) -> int:
    """Columns of a terminal that printable text takes: East Asian wide characters two, combining marks none."""
    return sum(_columns(char) for char in text)


def _columns(char: str) -> int:
    if unicodedata.category(char) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def fit(text: str, columns: int) -> str:
    """Cleaned text in exactly `columns` columns: padded on the right, or cut with an ellipsis."""
    text = clean(text)
    if width(text) > columns:
        text = cut(text, columns - 1) + "…"
    return text + " " * (columns - width(text))


def cut(text: str, columns: int) -> str:
    """The longest beginning that takes at most `columns` columns."""
    used = 0
    for index, char in enumerate(text):
        used += _columns(char)
        if used > columns:
            return text[:index]
    return text
