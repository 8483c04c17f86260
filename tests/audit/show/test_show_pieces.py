"""What a report is made of."""

from __future__ import annotations

import pytest

from scrimp.audit.show.pieces import Label, lone, many, money, named, numbers, usd, words


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
    assert usd(nano, places) == text


def test_columns_hold_their_cells_as_they_are_printed() -> None:
    assert money("Paid", [10**9, 50_000], 2, keep=True).cells == ["$1.00    ", "$0.000050"]
    assert numbers("Calls", [1_200]).cells == ["1,200"]
    assert words("Why", iter([Label("a")])).left


def test_a_count_agrees_with_its_noun() -> None:
    assert [many(count, "call") for count in (0, 1, 2_000)] == ["0 calls", "1 call", "2,000 calls"]


def test_an_amount_by_itself_has_no_more_decimals_than_it_needs() -> None:
    assert [lone(nano, 9) for nano in (10 * 10**9, 10**8, 1)] == ["$10.00", "$0.1000", "$0.000000001"]
    assert lone(10**8, 2) == "$0.10"


def test_a_row_without_a_label_is_named_so() -> None:
    assert isinstance(named("chat"), Label) and not isinstance(named(""), Label)
    assert named("") == "(no tag)"
