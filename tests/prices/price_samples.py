"""What the tests of prices share: days, usages, models, and a price or the reason why there is none."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import strategies as st

from scrimp.call import Usage
from scrimp.prices.book import Book, Unpriced
from scrimp.prices.listing import CLASSES

MTOK = 1_000_000
JULY = int(datetime(2026, 7, 1, tzinfo=UTC).timestamp()) * 10**9
MAY = int(datetime(2026, 5, 1, tzinfo=UTC).timestamp()) * 10**9
NOVEMBER = int(datetime(2026, 11, 24, tzinfo=UTC).timestamp()) * 10**9

usages = st.builds(Usage, **{name: st.integers(0, 2_000_000) for name in CLASSES})
models = st.sampled_from(
    [
        "gpt-5.6-sol",
        "gpt-4o-2024-08-06",
        "claude-haiku-5-5",
        "claude-opus-4-6",
        "gemini-2.5-pro",
        "sonar",
        "deepseek-v4-flash",
    ]
)


def cost(book: Book, model: str, usage: Usage, **more: object) -> int:
    found = book.price(model, usage, **more)  # type: ignore[arg-type]
    assert not isinstance(found, Unpriced), found.reason
    return found.total


def why(book: Book, model: str, usage: Usage | None = None, **more: object) -> str:
    found = book.price(model, usage or Usage(input=1, output=1), **more)  # type: ignore[arg-type]
    assert isinstance(found, Unpriced), found
    return found.reason
