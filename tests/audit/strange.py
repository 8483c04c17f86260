"""Rows with the keys that a reader knows and anything at all for values: whatever comes, a reader gives entries or a reason."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec
from hypothesis import strategies as st

from scrimp.audit.entry import BadRecord, Entry

LARGEST = 2**63 - 1
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(
        ["1e999999", "\ud800", "2025-11-07T07:20:00Z", "{", "[]", '{"error": {}}', "data: {}", "'=1", "200"]
    )
)


def values(words: Sequence[Any]) -> st.SearchStrategy[Any]:
    """Anything JSON can hold, with `words` among the keys and the texts."""
    keys = st.sampled_from([word for word in words if isinstance(word, str)]) | st.text(max_size=4)
    return st.recursive(
        SCALARS | st.sampled_from(words),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=5),
        max_leaves=12,
    )


def rows(words: Sequence[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Rows of such values under keys that are known."""
    keys = st.sampled_from([word for word in words if isinstance(word, str)])
    return st.dictionaries(keys, values(words), max_size=8)


@st.composite
def damaged(draw: st.DrawFn, good: Sequence[dict[str, Any]], words: Sequence[Any]) -> dict[str, Any]:
    """A row of `good` with up to three of its parts, however deep, replaced by anything."""
    row = copy.deepcopy(draw(st.sampled_from(good)))
    for _ in range(draw(st.integers(1, 3))):
        node: Any = row
        while True:
            key = draw(st.sampled_from(sorted(node) if isinstance(node, dict) else range(len(node))))
            if not (node[key] and isinstance(node[key], dict | list) and draw(st.booleans())):
                break
            node = node[key]
        node[key] = draw(values(words))
    return row


def check(read: Callable[[dict[str, Any]], Iterable[Entry]], row: dict[str, Any]) -> None:
    """Read a row; whatever else than entries of the right types or a BadRecord comes out fails the test."""
    try:
        entries = list(read(row))
    except BadRecord as error:
        assert str(error)
        return
    for entry in entries:
        msgspec.convert(msgspec.structs.asdict(entry), Entry, strict=True)
        numbers = [entry.at or 0, entry.status, entry.duration, entry.calls, abs(entry.logged or 0)]
        numbers += msgspec.structs.astuple(entry.usage) if entry.usage else ()
        assert all(0 <= number <= LARGEST for number in numbers)
