"""Times are UTC and say so."""

from __future__ import annotations

import pytest

from scrimp.report.numbers import gather
from scrimp.report.times import day_name, period, stamp

NOVEMBER = 20758 * 24


@pytest.mark.parametrize(
    ("since", "until", "text"),
    [
        (NOVEMBER, NOVEMBER + 24, "1 Nov 2026 (UTC)"),
        (NOVEMBER, NOVEMBER + 22 * 24, "1-22 Nov 2026 (UTC)"),
        (NOVEMBER - 24, NOVEMBER + 24, "31 Oct to 1 Nov 2026 (UTC)"),
        (NOVEMBER, NOVEMBER + 100 * 24, "1 Nov 2026 to 8 Feb 2027 (UTC)"),
        (NOVEMBER + 10, NOVEMBER + 11, "1 Nov 2026, 10:00 to 11:00 (UTC)"),
        (NOVEMBER, NOVEMBER + 30, "1 Nov 00:00 to 2 Nov 2026 06:00 (UTC)"),
        (NOVEMBER, NOVEMBER, ""),
    ],
)
def test_a_span_is_told_in_few_words(since: int, until: int, text: str) -> None:
    assert period(gather([], since=since, until=until)) == text


def test_moments_and_days_are_iso() -> None:
    assert stamp(1_793_491_200_000_000_000) == "2026-11-01T00:00:00Z"
    assert stamp(1_793_491_200_000_001_999) == "2026-11-01T00:00:00.000001Z"
    assert day_name(20758) == "2026-11-01"
