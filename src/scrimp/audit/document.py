"""A JSON document while it streams by: the objects of its list of rows, or, where it is none, the objects in a row.

Damage inside a row costs that row: a row goes no further than the next line that begins one at its depth, and after
damage reading goes on there. Depth is the white space before it, which printers of JSON keep equal for equal rank.
"""

from __future__ import annotations

import codecs
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator

from scrimp.audit.layout import LONGEST

LISTS = (
    "data",
    "resourceSpans",
    "resource_spans",
    "observations",
    "rows",
    "items",
    "records",
    "requests",
    "logs",
    "spans",
)
"""Members of a JSON document whose list is its rows."""
CALLS = ("usage", "model", "messages", "request", "response", "prompt")
"""Members that only a call has: an object that has one is a row, whatever lists are in it."""
AROUND = 16 * 1024
"""Characters of a document before its list of rows, and after it, that are looked at."""
SHOWN = 200
"""Characters kept of what cannot be read: enough to fail again."""
WIDEST = 256
"""Characters of white space before a row that are looked at."""
NEAR = 12
"""Characters before the end of the text at which the decoder may stop only because a word or number is cut."""

SURE = 3
"""Sound rows that tell how deep rows begin."""

_GAP = re.compile(r"[\s,\ufeff]*")
_MEMBER = re.compile(r'\s*,?\s*"((?:[^"\\]|\\.)*)"\s*:\s*')
_LATER_MEMBER = re.compile(r'\s*,\s*"((?:[^"\\]|\\.)*)"\s*:\s*')
_LIST = re.compile(r"\[\s*(?=\{)")
_CLOSE = re.compile(r"\s*\}?\s*")
_KEY = re.compile(r'\{\s*("(?:[^"\\]|\\.)*")\s*:')
_PREFIX = re.compile(r"([ \t]*)(?:[},][ \t,]*)?")
_scan = json.JSONDecoder().raw_decode


class Document:
    """The rows of a JSON document whose bytes `read` gives, at most `size` at a time, from line `line` on.

    `around`: the keys of the (first) document that its list of rows lies in, as far as they are read.
    """

    def __init__(self, read: Callable[[int], bytes], size: int, line: int = 1) -> None:
        self.around: tuple[str, ...] = ()
        self._read = read
        self._size = size
        self._decode = codecs.getincrementaldecoder("utf-8")("surrogateescape").decode
        self._text = ""
        self._at = 0
        self._line = line
        self._ended = False
        self._fresh = True  # a document may begin here
        self._inside = False  # in a list of rows
        self._lost = False  # what was before is damaged
        self._depths: Counter[int] = Counter()  # of sound rows
        self._begun = -1  # the deepest that any row begins, -1: unknown
        self._key = ""  # the first key of the last sound row, with its quotation marks

    def rows(self) -> Iterator[tuple[int, str]]:
        """(line, JSON or the beginning of what cannot be read) of each row."""
        while self._skip():
            char = self._text[self._at]
            if char == "[":
                self._step(1)
                self._inside = True
            elif char == "]" and self._leave():
                self._inside, self._fresh = False, True
            elif char == "{":
                depth = self._own_depth()
                if not self._may_enter(depth) or not self._enter():
                    self._fresh = False
                    yield self._row(depth)
            else:
                yield self._row(None)

    def _skip(self) -> bool:
        """Go to the next character that says something; False at the end."""
        while True:
            self._step(_end(_GAP, self._text, self._at) - self._at)
            if self._at < len(self._text) or not self._more():
                return self._at < len(self._text)

    def _may_enter(self, depth: int | None) -> bool:
        """Whether the object that begins here may be a document, not a row: it begins one, or lies less deep."""
        if self._lost and depth is not None and depth < self._usual_depth():
            return True
        return self._fresh and not self._inside

    def _enter(self) -> bool:
        """Go into the list of rows of the object that begins here; False where it has none or is a row itself."""
        text = self._ahead()
        keys: list[str] = []
        at = 1
        while member := _MEMBER.match(text, at):
            key = member[1]
            keys.append(key)
            if key in CALLS:
                return False
            if key in LISTS and (found := _LIST.match(text, member.end())):
                self.around = self.around or tuple(keys)
                self._step(found.end())
                self._inside = True
                return True
            try:
                _, at = _scan(text, member.end())
            except (ValueError, RecursionError):
                return False
        return False

    def _leave(self) -> bool:
        """Go past the end of the list, if that is here: only the rest of its document and another may follow it."""
        text = self._ahead()
        keys: list[str] = []
        at = 1
        try:
            while member := _LATER_MEMBER.match(text, at):
                keys.append(member[1])
                _, at = _scan(text, member.end())
        except (ValueError, RecursionError):
            return False
        at = _end(_CLOSE, text, at)
        if text[at : at + 1] not in ("[", "{") and (at < len(text) or at >= AROUND):
            return False
        self.around += tuple(key for key in keys if self.around and key not in self.around)
        self._step(at)
        return True

    def _row(self, depth: int | None) -> tuple[int, str]:
        """What begins here, up to its end or, where it is damaged, up to where the next row begins."""
        while True:
            found = _KEY.match(self._text, self._at)
            key = found[1] if found else ""
            sibling = self._sibling(depth, key)
            whole, is_cut = _scanned(self._text, self._at, sibling)
            if whole and not self._is_torn(whole, depth):
                self._note(depth, key)
                return self._taken(whole, whole)
            lost = min(filter(None, (sibling, self._next_row(depth, key))), default=0)
            if (lost and not is_cut) or not self._may_grow():
                self._lost = True
                lost = lost or len(self._text) - self._at
                return self._taken(lost, min(lost, whole - 1 if whole else SHOWN))

    def _note(self, depth: int | None, key: str) -> None:
        """Remember how sound rows begin here."""
        self._lost = False
        self._key = key or self._key
        if depth is not None:
            self._depths[depth] += 1
            self._begun = max(self._begun, depth)

    def _usual_depth(self) -> int:
        """The least depth of which there are many sound rows, -1 for none: what lies deeper is inside of rows."""
        many = max(SURE, self._depths.total() // 8)
        return min((depth for depth, rows in self._depths.items() if rows >= many), default=-1)

    def _taken(self, length: int, shown: int) -> tuple[int, str]:
        row = self._line, self._text[self._at : self._at + shown]
        self._step(length)
        return row

    def _own_depth(self) -> int | None:
        """White space before the row that begins here; None where its line begins with something else."""
        start = max(0, self._at - WIDEST)
        before = self._text[self._text.rfind("\n", start, self._at) + 1 or start : self._at]
        found = _PREFIX.fullmatch(before)
        return len(found[1]) if found else None

    def _sibling(self, depth: int | None, key: str) -> int:
        """How far away the next row begins that begins as this one does; 0 where none is in sight."""
        if depth is None or not key:
            return 0
        return self._find(rf"\n[ \t]{{0,{depth}}}(?:[}},][ \t,]*)?(?=\{{\s*{re.escape(key)}\s*:)")

    def _next_row(self, depth: int | None, key: str) -> int:
        """How far away reading can go on after damage; 0 where that is not in sight."""
        if self._inside and key and depth is not None:  # else this may begin a document, whose rows lie deeper
            self._begun = max(self._begun, depth)
        usual = self._usual_depth()
        deepest = self._begun if usual < 0 else max(usual, depth or 0)
        if deepest >= 0:
            return self._find(rf"\n[ \t]{{0,{deepest}}}(?:[}},][ \t,]*)?(?=\{{)")
        key = self._key or key
        on_one_line = rf",\s*(?=\{{\s*{re.escape(key)}\s*:)|" if key else ""
        return self._find(on_one_line + r"\n[ \t,}]*(?=\{)")

    def _find(self, pattern: str) -> int:
        found = re.compile(pattern).search(self._text, self._at + 1)
        return found.end() - self._at if found else 0

    def _is_torn(self, length: int, depth: int | None) -> bool:
        """Whether an object ended too early, as a line in it is lost: its end is deeper, and more of it follows."""
        end = self._at + length
        start = self._text.rfind("\n", self._at, end) + 1
        if depth is None or not start or end - 1 - start <= depth or self._text[start : end - 1].strip(" \t"):
            return False
        while (after := _end(_GAP, self._text, self._at + length)) == len(self._text):
            if not self._more():
                return False
        return self._text[after] in '"}'

    def _may_grow(self) -> bool:
        return len(self._text) - self._at < LONGEST and self._more()

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
        keep = max(0, self._at - WIDEST, self._text.rfind("\n", 0, self._at))
        self._text = self._text[keep:] + self._decode(data, self._ended)
        self._at -= keep
        return True

    def _step(self, length: int) -> None:
        self._line += self._text.count("\n", self._at, self._at + length)
        self._at += length


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    """Where a pattern that always matches ends."""
    found = pattern.match(text, at)
    return found.end() if found else at


def _scanned(text: str, at: int, limit: int) -> tuple[int, bool]:
    """How long the object at `at` is, 0 where it is none, and whether it may only be cut off where the text ends.

    It must end within `limit` characters (0: wherever it does).
    """
    if text[at] != "{":
        return 0, False
    try:
        if limit:
            return _scan(text[at : at + limit])[1], False
        return _scan(text, at)[1] - at, False
    except json.JSONDecodeError as error:
        return 0, not limit and (error.pos >= len(text) - NEAR or error.msg.startswith("Unterminated"))
    except (ValueError, RecursionError):
        return 0, False
