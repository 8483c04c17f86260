"""Amounts as people read them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrimp.call import NANO, usd
from scrimp.report.money import (
    adding_up,
    align,
    apportion,
    decimals,
    dollars,
    known,
    listing,
    lone,
    marked,
    nearest,
    percent,
)
from scrimp.report.money import (
    usd as with_dollar,
)
from scrimp.store.base import Rollup


@pytest.mark.parametrize(
    ("nano", "text"),
    [
        (1_234_500_000_000, "1,234.50"),
        (1_000_000_000, "1.00"),
        (-61_200_000_000, "-61.20"),
        (310_000_000, "0.3100"),
        (3_100_000, "0.0031"),
        (12_000, "0.000012"),
        (1, "0.000000001"),
        (-1, "-0.000000001"),
        (0, "0.00"),
        (1_995_000_000, "2.00"),
    ],
)
def test_an_amount_has_two_decimals_four_under_a_dollar_and_more_where_it_would_vanish(nano: int, text: str) -> None:
    assert dollars(nano) == text


@given(st.integers(-(10**18), 10**18))
def test_no_amount_vanishes_and_none_is_far_from_the_exact_one(nano: int) -> None:
    shown, exact = Decimal(dollars(nano).replace(",", "")), Decimal(usd(nano))
    assert (shown == 0) == (nano == 0)
    assert abs(shown - exact) <= max(abs(exact) / 19, Decimal("1e-9"))


def test_a_sign_is_shown_where_it_is_asked_for() -> None:
    assert [dollars(nano, sign=True) for nano in (4_600_000_000, 0, -1_000_000_000)] == ["+4.60", "0.00", "-1.00"]


def test_points_stand_one_above_the_other() -> None:
    assert align(["1,234.50", "-0.000012", "unknown", "0.00"]) == [
        "1,234.50    ",
        "   -0.000012",
        "     unknown",
        "    0.00    ",
    ]
    assert align([]) == []


def test_what_has_no_price_is_unknown_and_never_0() -> None:
    assert known(Rollup(hour=0, calls=2, unpriced=2), "0.00") == "unknown"
    assert known(Rollup(hour=0, calls=2, unpriced=2), "0.01") == "0.01"
    assert known(Rollup(hour=0, calls=2, unpriced=1), "0.00") == "0.00"
    assert known(Rollup(hour=0), "0.00") == "0.00"


@pytest.mark.parametrize(
    ("nano", "places", "text"),
    [
        (412_900_000_000, 2, "$412.90"),
        (-4_600_000_000, 2, "-$4.60"),
        (0, 2, "$0.00"),
        (1_234_567_895_000, 2, "$1,234.57"),
        (50_000, 2, "$0.000050"),
        (310_000_000, 4, "$0.3100"),
    ],
)
def test_an_amount_has_its_sign_its_dollar_and_never_vanishes(nano: int, places: int, text: str) -> None:
    assert with_dollar(nano, places) == text


def test_what_is_unknown_has_no_dollar() -> None:
    assert marked("unknown") == "unknown"


def test_an_amount_by_itself_has_no_more_decimals_than_it_needs() -> None:
    assert [lone(nano, 9) for nano in (10 * 10**9, 10**8, 1)] == ["$10.00", "$0.1000", "$0.000000001"]
    assert lone(10**8, 2) == "$0.10"


def test_amounts_of_one_sum_share_their_decimals_and_the_least_shows_two_digits() -> None:
    assert [decimals(sums) for sums in ([], [0], [5 * NANO, 0], [NANO // 2], [12_400, -400], [2 * NANO, 1_000_000])] == [
        2, 2, 2, 4, 8, 4,
    ]  # fmt: skip
    assert decimals([10**18, 1]) == 9


amounts = st.lists(st.integers(-(10**13), 10**13), max_size=8)


@given(amounts, st.integers(2, 9))
def test_parts_sum_to_what_the_whole_is_rounded_to_and_each_is_rounded_up_or_down(
    parts: list[int], places: int
) -> None:
    rounded = apportion(parts, nearest(sum(parts), places), places)
    assert sum(rounded) == nearest(sum(parts), places)
    assert all(abs(one - part) < 10 ** (9 - places) for one, part in zip(rounded, parts, strict=True))


@given(amounts)
def test_parts_of_another_whole_are_rounded_each_by_itself(parts: list[int]) -> None:
    far = nearest(sum(parts), 4) + 100 * NANO
    assert apportion(parts, far, 4) == [nearest(part, 4) for part in parts]


def test_a_column_adds_up_as_it_is_printed() -> None:
    paid = [1_004_000_000, 1_004_000_000, 1_000_000, 2_009_000_000]
    assert listing([Rollup(hour=0, paid_nano=nano) for nano in paid], "paid_nano", 2) == [
        "1.01  ", "1.00  ", "0.0010", "2.01  ",
    ]  # fmt: skip
    thirds = [333_333_333] * 3
    assert adding_up(thirds, nearest(sum(thirds), 4), 4) == ["0.3334", "0.3333", "0.3333"]
    assert adding_up([-50_000, 2 * NANO], 2 * NANO, 2, sign=True) == ["-0.000050", "+2.00"]


def test_percents_are_whole_and_none_vanishes() -> None:
    assert [percent(part) for part in (None, 0.0, 0.001, 0.126, 1.0, -0.25, -0.001)] == [
        "-", "0%", "<1%", "13%", "100%", "-25%", "-<1%",
    ]  # fmt: skip
    assert percent(0.01, sign=True) == "+1%"
