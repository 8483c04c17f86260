"""What a reader adds up from the printed page adds up, whatever the amounts are."""

from __future__ import annotations

import re
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from scrimp.report import html, markdown, terminal
from scrimp.report.numbers import Report, gather
from scrimp.store.base import Rollup

NUMBER = r"[+-]?[\d,]+\.\d+"
size = st.one_of(st.integers(0, 10**6), st.integers(0, 10**10), st.integers(0, 10**17))


@st.composite
def reports(draw: st.DrawFn, most: int = 6) -> Report:
    """A report of some groups whose money adds up; savings may be below 0."""
    cells = []
    for number in range(draw(st.integers(1, most))):
        savings = {
            (name, "measured"): draw(size) * draw(st.sampled_from([1, -1])) for name in draw(st.sets(strategies))
        }
        paid, overhead = draw(size), draw(size)
        cells.append(Rollup(hour=0, feature=f"f{number}", calls=1, overhead_nano=overhead, paid_nano=paid,
                            list_nano=paid - overhead + sum(savings.values()), savings=savings))  # fmt: skip
    return gather(cells)


strategies = st.sampled_from(["provider_cache", "cached", "route", "batch", "service_tier"])


def decimal(text: str) -> Decimal:
    return Decimal(text.replace(",", ""))


def in_terminal(report: Report) -> tuple[list[Decimal], list[str]]:
    """The waterfall's amounts, and the table's total row (list, paid)."""
    lines = terminal.render(report, 110).splitlines()
    fall = [re.search(rf"  ({NUMBER})", line) for line in lines[1 : lines.index("")]]
    total = next(line for line in lines if line.startswith(" Total"))
    return [decimal(found[1]) for found in fall if found], re.findall(NUMBER, total)


def in_markdown(report: Report) -> tuple[list[Decimal], list[list[str]]]:
    """The waterfall's amounts, and the table's rows (list, paid), the total last."""
    fall, table = markdown.render(report).split("| Feature |")
    rows = [re.findall(rf"\| ({NUMBER}) (?=\|)", line) for line in table.splitlines()]
    return [decimal(text) for text in re.findall(rf"\| ({NUMBER}) \|", fall)], [row for row in rows if row]


@given(reports())
def test_the_printed_waterfall_closes_in_a_terminal_and_its_ends_are_the_tables_total(report: Report) -> None:
    fall, total = in_terminal(report)
    assert sum(fall[:-1]) == fall[-1]
    assert [decimal(text) for text in total] == [fall[0], fall[-1]]


@given(reports())
def test_the_printed_waterfall_closes_in_markdown_and_groups_sum_to_their_total(report: Report) -> None:
    fall, rows = in_markdown(report)
    assert sum(fall[:-1]) == fall[-1]
    assert [decimal(text) for text in rows[-1]] == [fall[0], fall[-1]]
    for column in (0, 1):
        *parts, whole = [row[column] for row in rows]
        if all(places(text) <= places(whole) for text in parts):
            assert sum(map(decimal, parts)) == decimal(whole)


def places(text: str) -> int:
    """Decimals; a part with more than its whole is one that would vanish with as few."""
    return len(text.partition(".")[2])


@given(reports())
def test_the_printed_waterfall_closes_on_the_page_and_so_do_its_headlines(report: Report) -> None:
    page = html.render(report)
    table = page.split('<table class="waterfall">')[1].split("</table>")[0]
    fall = [decimal(text.strip("\u2007")) for text in re.findall(r'<td class="money[^"]*">([^<]*)', table)]
    assert sum(fall[:-1]) == fall[-1]
    assert _headlines(page) == [fall[-1], fall[0], fall[0] - fall[-1]]


def _headlines(page: str) -> list[Decimal]:
    found = re.findall(r"<dt>(?:Paid|List price|Saved)</dt><dd[^>]*>(-?)\$([\d,.]+)", page)
    return [decimal(sign + number) for sign, number in found]
