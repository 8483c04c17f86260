"""The report as one page; the last tests open it in a real browser."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scrimp.report.html import csp, page, render
from scrimp.report.numbers import gather
from scrimp.store import open_store
from scrimp.store.base import HOUR, Record, Rollup

CHROMIUM = Path("/usr/bin/chromium")


def test_figures_rows_and_the_next_step_are_on_the_page(tell) -> None:
    text = render(tell(("feature", "model")))
    assert "$110.25" in text and "$164.30" in text and "33% of list price" in text
    for words in ("By feature", "By model", "Provider prompt cache", "(no tag)", "Models without a known price"):
        assert words in text
    assert "unknown" in text


def test_labels_are_escaped_and_stripped(tell) -> None:
    text = render(tell(("feature",)))
    assert "<bdi>red&lt;script&gt;|`@team</bdi>" in text
    assert "<script" not in text and "\x1b" not in text and "\u202e" not in text


def test_there_are_no_scripts_inline_styles_or_foreign_addresses(tell) -> None:
    for text in (render(tell()), render(gather([]))):
        assert not re.search(r"<script|\son\w+=|\sstyle=|javascript:|@import|url\((?!#)|\ssrc=", text)
        assert re.findall(r'href="([^"]*)"', text) == ["data:,"]


def test_the_policy_allows_the_pages_own_style_and_nothing_else_inline(tell) -> None:
    style = re.search("<style>(.*?)</style>", render(tell()), re.S)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert csp() == (
        f"default-src 'self'; style-src 'self' 'sha256-{digest}'; img-src 'self' data:; base-uri 'none';"
        " form-action 'none'; frame-ancestors 'none'"
    )


def test_an_empty_store_says_the_one_next_command_with_both_base_urls() -> None:
    text = render(gather([]), "http://127.0.0.1:4111")
    assert "<pre>scrimp serve</pre>" in text
    assert "base_url=http://127.0.0.1:4111/v1<" in text and "base_url=http://127.0.0.1:4111<" in text
    assert "From list price to paid" not in text


def test_sums_that_do_not_add_up_are_said_to() -> None:
    assert "do not add up" in render(gather([Rollup(hour=0, calls=1, list_nano=10, paid_nano=9)]))


def test_a_long_table_is_shortened() -> None:
    report = gather([Rollup(hour=0, user=f"u{number:04}", calls=1) for number in range(200)], ("user",))
    text = render(report)
    assert "(152 more)" in text and text.count("<bdi>u") == 48


def test_the_page_of_a_store_covers_its_last_30_days() -> None:
    store = open_store(":memory:")
    now = 100 * 24 * HOUR
    store.add(Record(id="old", at=now - 31 * 24 * HOUR, feature="old"))
    store.add(Record(id="new", at=now - 29 * 24 * HOUR, feature="new"))
    store.flush()
    text = page(store, until=now).decode()
    assert "<bdi>new</bdi>" in text and "<bdi>old</bdi>" not in text
    assert "No calls" in page(store).decode()


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
@pytest.mark.parametrize(("columns", "scheme"), [(1000, "light"), (1000, "dark"), (390, "light")])
def test_a_browser_shows_it_without_complaint(tell, chromium: Any, tmp_path: Path, columns: int, scheme: str) -> None:
    file = tmp_path / "report.html"
    file.write_text(render(tell(("feature", "model"))), encoding="utf-8")
    context = chromium.new_context(
        viewport={"width": columns, "height": 800}, color_scheme=scheme, java_script_enabled=False
    )
    view = context.new_page()
    said: list[str] = []
    asked: list[str] = []
    view.on("console", lambda message: said.append(message.text))
    view.on("request", lambda request: asked.append(request.url))
    view.goto(file.as_uri())
    assert said == []
    assert asked == [file.as_uri()]
    bars = [bar.bounding_box() for bar in view.locator("svg.fall .bar").all()]
    assert len(bars) == 7
    assert all(box["width"] > 0 and box["x"] >= 0 and box["x"] + box["width"] <= columns for box in bars)
    for place in view.locator(".figures dd, .card, h2, .waterfall .money").all():
        box = place.bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= columns
    context.close()
