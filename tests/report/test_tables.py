"""Tables before they have a form."""

from __future__ import annotations

from scrimp.report.numbers import total_row
from scrimp.report.tables import Label, Rows, money, numbers, spent, words


def test_columns_hold_their_cells_as_they_are_printed() -> None:
    assert money("Paid", [10**9, 50_000], 2, keep=True).cells == ["$1.00    ", "$0.000050"]
    assert numbers("Calls", [1_200]).cells == ["1,200"]
    assert words("Why", iter([Label("a")])).left


def test_a_table_without_rows_is_nothing() -> None:
    assert not Rows("Feature", [], [numbers("Calls", [])])
    assert Rows("Feature", ["chat"], [numbers("Calls", [1])])


def test_what_was_spent_has_its_total_last_and_labels_apart_from_names_of_ours(tell) -> None:
    report = tell()
    rows = spent(report, report.tables[0].groups, "Feature", 2)
    assert [isinstance(name, Label) for name in rows.names] == [True, True, True, True, False, False]
    assert (rows.names[-1], rows.foot) == (total_row(report).name, 1)
    assert [column.title for column in rows.columns] == ["Calls", "List", "Paid", "Saved"]
    assert rows.columns[3].over[:2] == [-51_300_000_000, 250_000_000]
    assert (len(rows.daily), rows.span) == (6, (20758, 20761))


def test_a_single_day_has_no_line_of_days(records, tell) -> None:
    report = tell(calls=records[:1])
    assert spent(report, report.tables[0].groups, "Feature", 2).daily == ()
