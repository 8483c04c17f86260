"""Records for the store's tests: a plain one, and a hypothesis strategy for any."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from scrimp.call import Usage
from scrimp.store.base import HOUR, Record, Rollup, SavingRow, roll_up

NOON = 1_764_000_000_000_000_000 // HOUR * HOUR
LABELS = st.sampled_from(["", "chat", "naïve search", "a,b", "日本", "\x00", "'; --"])
TAGS = LABELS.filter(lambda tag: "\x00" not in tag)
SAVINGS = st.builds(
    SavingRow,
    strategy=st.sampled_from(["prompt-cache", "tier", "route"]),
    nano=st.integers(-(10**12), 10**12),
    kind=st.sampled_from(["measured", "estimated"]),
)


def record(number: int, **fields: Any) -> Record:
    """A record with an id and a time of its own; two savings, no bodies."""
    values: dict[str, Any] = {
        "id": f"call-{number:06d}",
        "at": NOON + number * 1_000_000_000,
        "feature": f"feature-{number % 3}",
        "model": "gpt-4o-mini",
        "provider": "openai",
        "status": 200,
        "usage": Usage(input=100 + number, cached=50, output=20, reasoning=5),
        "basis": "exact",
        "list_nano": 1_000 + number,
        "paid_nano": 700 + number,
        "savings": (SavingRow("prompt-cache", 200, "measured"), SavingRow("route", 100, "estimated")),
        "total_ns": 900_000_000,
    }
    return Record(**values | fields)


@st.composite
def records(draw: st.DrawFn, size: int = 12) -> list[Record]:
    """Up to `size` records in a few cells; some ids may come twice, always with the same content."""
    drawn = draw(
        st.lists(
            st.builds(
                Record,
                id=st.uuids().map(str),
                at=st.integers(0, 3 * HOUR),
                feature=LABELS,
                user=LABELS,
                model=st.sampled_from(["m1", "m2"]),
                tags=st.lists(TAGS, max_size=3).map(tuple),
                flags=st.lists(LABELS, max_size=2).map(tuple),
                ending=st.sampled_from(["ok", "client-left", "broken", "refused"]),
                stream=st.booleans(),
                basis=st.sampled_from(["exact", "estimated", "assumed-full", "none"]),
                unpriced=st.sampled_from(["", "unknown model"]),
                usage=st.builds(
                    Usage,
                    input=st.integers(0, 10**7),
                    cached=st.integers(0, 10**7),
                    audio_cached=st.integers(0, 9),
                    output=st.integers(0, 10**7),
                    rejected_prediction=st.integers(0, 9),
                    searches=st.integers(0, 3),
                ),
                list_nano=st.integers(0, 10**14),
                paid_nano=st.integers(0, 10**14),
                overhead_nano=st.integers(0, 10**14),
                total_ns=st.integers(0, 10**12),
                savings=st.lists(SAVINGS, max_size=3).map(tuple),
                facts=st.sampled_from(["{}", '{"route":{"to":"m2"}}']),
                request_body=st.none() | st.binary(max_size=40),
                answer_body=st.none() | st.binary(max_size=40),
            ),
            max_size=size,
        )
    )
    again = draw(st.lists(st.sampled_from(drawn), max_size=3)) if drawn else []
    return drawn + again


def unique(calls: list[Record]) -> list[Record]:
    """The first record of every id, oldest first."""
    return sorted({one.id: one for one in reversed(calls)}.values(), key=lambda one: one.at)


def merged(calls: list[Record]) -> dict[tuple[object, ...], Rollup]:
    """The cells of some records, merged in Python."""
    cells: dict[tuple[object, ...], Rollup] = {}
    for one in calls:
        own = roll_up(one)
        if own.cell in cells:
            cells[own.cell].merge(own)
        else:
            cells[own.cell] = own
    return cells
