"""The audit as one page; the last tests open it in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from drawn import HOSTILE, reports, sample
from hypothesis import given, settings

from scrimp.audit.report import Report
from scrimp.audit.show.html import render
from scrimp.audit.show.json import tree
from scrimp.audit.show.words import amounts
from scrimp.report.money import dollars, vanishes
from scrimp.report.numbers import gather
from scrimp.store.base import Rollup

CHROMIUM = Path("/usr/bin/chromium")
VOID = {"meta", "link"}
DRAWN = {"daily", "share", "times", "days", "ttl_seconds", "bytes", "line", "number", "recorded_overhead_usd", "rows"}
"""What the page draws, says in other words or leaves to JSON: days of a group are its spark line."""


class Checked(HTMLParser):
    """Whether every element is closed in its order, and ids are used once; collects the text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.ids.extend(value or "" for name, value in attrs if name == "id")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An SVG element that closes itself."""

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def checked(page: str) -> Checked:
    """The page, read; fails where it is not valid enough."""
    parser = Checked()
    parser.feed(page)
    parser.close()
    assert parser.open == []
    assert len(parser.ids) == len(set(parser.ids))
    assert page.startswith("<!doctype html>\n")
    return parser


@settings(max_examples=40)
@given(reports())
def test_whatever_a_report_says_the_page_is_closed_in_order_and_runs_nothing(report: Report) -> None:
    page = render(report)
    checked(page)
    body = page[page.index("</style>") :]
    assert not re.search(r"<script|<[^>]*\s(on\w+|style|src)=", body)
    assert re.findall(r'<[^>]*href="([^"]*)"', page) == ["data:,"]
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", page)


def test_labels_are_escaped_and_stripped() -> None:
    page = render(sample())
    assert "<bdi>red&lt;script&gt;|`@team</bdi>" in page
    assert HOSTILE not in page and "<script" not in page and "\x1b" not in page and "\u202e" not in page


def numbers(value: Any, key: str = "") -> Iterator[tuple[str, str | int]]:
    """The numbers of plain data, with their keys: counts, and amounts as nanodollars in their own text."""
    if isinstance(value, dict):
        for name, part in value.items():
            if name not in DRAWN or (name == "daily" and not key):
                yield from numbers(part, name)
    elif isinstance(value, list):
        for part in value:
            yield from numbers(part, key or "list")
    elif value is not None and (type(value) is int or key.endswith("_usd")):
        yield key, value


def test_every_number_that_json_has_is_on_the_page() -> None:
    report = sample()
    page = checked(render(report))
    text = " ".join(page.text).replace("\u2007", "")
    own = {str(nano): told for nano, told in zip((one.saves for one in report.advice), amounts(report), strict=False)}
    found = 0
    for key, value in numbers(tree(report)):
        if isinstance(value, int):
            shown = [f"{value:,}"]
        else:
            nano = round(float(value) * 10**9)
            places = 0 if vanishes(nano, 2) else 2
            shown = [dollars(nano, places=places), own.get(str(nano), "none")]
        assert any(one in text for one in shown), (key, value, shown)
        found += 1
    assert found > 150


def test_the_waterfall_goes_from_list_over_paid_to_what_would_be_left() -> None:
    page = render(sample())
    fall = page[page.index('<table class="waterfall">') :].partition("</table>")[0]
    names = re.findall(r"<th scope=\"row\"><bdi>([^<]*)", fall)
    assert names[0] == "List price" and names[2] == "Paid" and names[-2:] == ["Our own cost", "Would be left"]
    money = [text.replace("\u2007", "") for text in re.findall(r'<td class="money[^"]*">([^<]*)', fall)]
    assert money == ["422.90", "-10.00", "412.90", "-84.11", "-61.20", "-38.40", "-0.000050", "+4.60", "233.79"]
    assert fall.count('class="bar whole"') == 3
    assert [fall.count(f'class="bar {kind}"') for kind in ("measured", "estimated", "untested")] == [2, 1, 2]


def test_a_page_without_advice_has_no_waterfall_and_says_that_nothing_was_avoidable() -> None:
    cells = [Rollup(hour=5, model="gpt-5", calls=1, list_nano=10**9, paid_nano=10**9)]
    page = render(Report(logs=[], spend=gather(cells), calls=1))
    assert "Nothing was avoidable" in page and "waterfall" not in page.partition("</style>")[2]
    assert "By day" not in page


def test_calls_that_all_have_no_price_cost_what_nobody_knows() -> None:
    page = render(Report(logs=[], spend=gather([Rollup(hour=5, calls=3, unpriced=3)]), calls=3))
    assert '<dd class="">unknown</dd>' in page and "none of them has a known price" in page


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A real browser."""
    if not CHROMIUM.exists():
        pytest.skip(f"no {CHROMIUM}: the page was not opened in a real browser (apt-get install chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.mark.browser
@pytest.mark.parametrize(("columns", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light")])
def test_a_browser_shows_it_without_complaint(chromium: Any, tmp_path: Path, columns: int, scheme: str) -> None:
    file = tmp_path / "audit.html"
    file.write_text(render(sample()), encoding="utf-8")
    context = chromium.new_context(
        viewport={"width": columns, "height": 800}, color_scheme=scheme, java_script_enabled=False
    )
    view = context.new_page()
    said: list[str] = []
    asked: list[str] = []
    view.on("console", lambda message: said.append(message.text))
    view.on("request", lambda request: asked.append(request.url))
    view.goto(file.as_uri())
    assert (said, asked) == ([], [file.as_uri()])
    bars = [bar.bounding_box() for bar in view.locator("svg.fall .bar").all()]
    assert len(bars) == 9
    assert all(box["width"] > 0 and box["x"] >= 0 and box["x"] + box["width"] <= columns for box in bars)
    for place in view.locator(".figures dd, .card, h2, .waterfall .money").all():
        box = place.bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= columns
    context.close()


@pytest.mark.browser
def test_a_printed_page_shows_the_advice_in_full(chromium: Any, tmp_path: Path) -> None:
    file = tmp_path / "audit.html"
    file.write_text(render(sample()), encoding="utf-8")
    view = chromium.new_page(viewport={"width": 780, "height": 1100})
    view.goto(file.as_uri())
    candidate = view.get_by_text("openai/gpt-5-nano")
    assert not candidate.is_visible()
    view.emulate_media(media="print")
    assert candidate.is_visible()
    widths = [table.bounding_box()["width"] for table in view.locator("table.groups").all()]
    assert max(widths) <= 780
    view.close()
