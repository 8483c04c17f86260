"""A JSON document while it streams by: the objects of its list of rows, or, where it is none, the objects in a row.

Damage inside a row costs that row: the next one begins the next line that is indented no deeper than rows are. A row
that reaches past a line which begins as it does, no deeper and with the same first key, lost its end. In a document on
one line, reading goes on where an object has the first key of the row before.
"""

from __future__ import annotations

import codecs
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress

LISTS = (
    "data", "resourceSpans", "resource_spans", "observations", "rows", "items", "records", "requests", "logs", "spans",
)  # fmt: skip
"""Members of a JSON document whose list is its rows."""
CALLS = ("usage", "model", "messages", "request", "response", "prompt")
"""Members that only a call has: an object that has one is a row, whatever lists are in it."""
BLOCK = 64 * 1024
"""Bytes that are read at a time: an error in so few is told fast."""
LONGEST = 64 * 1024 * 1024
"""Bytes of a row; a longer one is left out."""
AROUND = 16 * 1024
"""Characters of a document before its list of rows, and after it, that are looked at."""
SHOWN = 200
"""Characters kept of what cannot be read: enough to fail again."""
WIDEST = 256
"""Characters of white space before a row that are looked at."""
NEAR = 12
"""Characters before the end of the text at which reading may stop only because a word or number is cut off."""

_SAYING = re.compile(r"[^\s,}\ufeff]")
_MEMBER = re.compile(r'\s*,?\s*"((?:[^"\\]|\\.)*)"\s*:\s*')
_LIST = re.compile(r"\[\s*(?=\{)")
_KEY = re.compile(r'\{\s*"((?:[^"\\]|\\.)*)"\s*:')
_INDENT = re.compile(r"([ \t]*)(?:[},][ \t,]*)?")
_LINE = r"\n[ \t]{0,%d}(?:[},][ \t,]*)?"
_WITH = r'(?=\{\s*"%s"\s*:)'
_scan = json.JSONDecoder().raw_decode


class Document:
    """The rows of a JSON document whose bytes `read` gives, so many at a time."""

    def __init__(self, read: Callable[[int], bytes], size: int = BLOCK) -> None:
        self._read = read
        self._size = min(size, BLOCK)
        self._line = 1
        self._decode = codecs.getincrementaldecoder("utf-8")("surrogateescape").decode
        self._text = ""
        self._at = 0
        self._ended = False
        self._inside = False  # among rows: an object is one, and needs no look for a list in it
        self._depths: Counter[int] = Counter()  # how far whole rows are indented, -1: their lines begin otherwise
        self._key = ""  # the first key of the last whole row

    def rows(self) -> Iterator[tuple[int, str]]:
        """(line, JSON or the beginning of what cannot be read) of each row."""
        while self._skip():
            char = self._text[self._at]
            if char == "[":
                self._step(1)
                self._inside = True
            elif char == "]":
                self._leave()
            elif char != "{":
                yield self._row(-1)
            elif not self._enter(depth := self._indent()):
                yield self._row(depth)

    def _skip(self) -> bool:
        """Go to the next character that says something; False at the end."""
        while not (found := _SAYING.search(self._text, self._at)):
            self._step(len(self._text) - self._at)
            if not self._more():
                return False
        self._step(found.start() - self._at)
        return True

    def _enter(self, depth: int) -> bool:
        """Go into the list of rows of the object that begins here; False where it has none or is a row itself."""
        if self._inside and not 0 <= depth < min(self._depths, default=0):
            return False
        self._inside = True
        text = self._ahead()
        at = 1
        with suppress(ValueError, RecursionError):
            while (member := _MEMBER.match(text, at)) and member[1] not in CALLS:
                if member[1] in LISTS and (found := _LIST.match(text, member.end())):
                    self._step(found.end())
                    return True
                _, at = _scan(text, member.end())
        return False

    def _leave(self) -> None:
        """Go past the end of a list and the rest of the document it is in; another may follow."""
        self._step(1)
        self._inside = False
        text = self._ahead()
        at = 0
        with suppress(ValueError, RecursionError):
            while member := _MEMBER.match(text, at):
                _, at = _scan(text, member.end())
        self._step(at)

    def _row(self, depth: int) -> tuple[int, str]:
        """What begins here, up to its end or, where it is damaged, up to where the next row begins."""
        while True:
            found = _KEY.match(self._text, self._at)
            key = found[1] if found else ""
            length, read = _scanned(self._text, self._at)
            lost = self._find(_LINE % depth + _WITH % re.escape(key), 1, read) if depth >= 0 and key else 0
            if not length:
                lost = lost or self._next_row(key, read)
            if length and not lost:
                self._depths[depth] += 1
                self._key = key
                shown = length
            elif lost or len(self._text) - self._at >= LONGEST or not self._more():
                length = lost or len(self._text) - self._at
                shown = min(length, SHOWN)
            else:
                continue
            row = self._line, self._text[self._at : self._at + shown]
            self._step(length)
            return row

    def _next_row(self, key: str, read: int) -> int:
        """How far away the next row begins after damage that shows at `read`; 0 for nowhere."""
        if self._at + read > len(self._text) - NEAR:
            return 0  # it may only be cut off
        since = max(1, self._text.rfind("\n", self._at, self._at + read) - self._at)
        depth, times = next(iter(self._depths.most_common(1)), (-1, 0))
        if times > 1 and depth >= 0:
            return self._find(_LINE % depth + r"(?=\{)", since, LONGEST)
        on_one_line = r"|,\s*" + _WITH % re.escape(self._key or key)
        return self._find(_LINE % WIDEST + r"(?=\{)" + on_one_line, since, LONGEST)

    def _find(self, pattern: str, since: int, until: int) -> int:
        found = re.compile(pattern).search(self._text, self._at + since, self._at + until)
        return found.end() - self._at if found else 0

    def _indent(self) -> int:
        """White space before the row that begins here; -1 where its line begins with something else."""
        start = max(0, self._at - WIDEST)
        before = self._text[max(start, self._text.rfind("\n", start, self._at) + 1) : self._at]
        found = _INDENT.fullmatch(before)
        return len(found[1]) if found else -1

    def _ahead(self) -> str:
        """The next AROUND characters; fewer at the end."""
        while len(self._text) - self._at < AROUND and self._more():
            pass
        return self._text[self._at : self._at + AROUND]

    def _more(self) -> bool:
        """Read on; False at the end. Of what is passed, the beginning of the line is kept."""
        if self._ended:
            return False
        data = self._read(max(self._size, len(self._text) - self._at))
        self._ended = not data
        keep = max(0, self._at - WIDEST)
        self._text = self._text[keep:] + self._decode(data, self._ended)
        self._at -= keep
        return True

    def _step(self, length: int) -> None:
        self._line += self._text.count("\n", self._at, self._at + length)
        self._at += length


def _scanned(text: str, at: int) -> tuple[int, int]:
    """How long the object at `at` is, 0 where it is none or not whole; and how far it can be read."""
    try:
        end = _scan(text, at)[1] if text[at] == "{" else at
        return end - at, end - at
    except json.JSONDecodeError as error:
        return 0, (len(text) if error.msg.startswith("Unterminated") else error.pos) - at
    except (ValueError, RecursionError):
        return 0, 0
