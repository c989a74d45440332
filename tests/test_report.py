"""The report: one page, complete in itself."""

import re
from pathlib import Path

import polars as pl
import pytest

from livestream_nb.charts import stream_chart
from livestream_nb.report import report_html
from tests.fake_reader import at, throughput, timeline
from tests.lab import chromium, needs_browser

HOSTILE = "</script><script>window.harmed = true</script><img src=x onerror='window.harmed = true'>"


@pytest.fixture(scope="module")
def page() -> str:
    states = timeline().with_columns(sentence=pl.lit(HOSTILE))
    chart = stream_chart(throughput(), states, now=at(300))
    return report_html(f"A stream {HOSTILE}", {"hits": "12,345", "note": HOSTILE}, [chart])


def test_states_the_facts_in_order(page: str) -> None:
    """The facts stand in the page as they were given."""
    assert re.findall(r"<dt>(.*?)</dt>", page) == ["hits", "note"]
    assert "<dd>12,345</dd>" in page


def test_text_is_text(page: str) -> None:
    """Markup in the title, in a fact or in a sentence of the timeline is escaped."""
    assert "<script>window" not in page
    assert "<img src=x" not in page


def test_refers_to_nothing_outside(page: str) -> None:
    """No element of the page has an address but pictures within it, and a policy forbids more."""
    markup, _, _ = page.partition('<script type="module">')
    addresses = re.findall(r"(?:src|href)=\"([^\"]{0,23})", markup)
    assert addresses == ["data:image/svg+xml;base"]
    assert "default-src 'none'" in page


@pytest.mark.browser
@needs_browser
def test_opens_offline(page: str, tmp_path: Path) -> None:
    """In a browser without a network both panels are drawn, nothing is asked for, nothing runs."""
    path = tmp_path / "report.html"
    path.write_text(page, encoding="utf-8")
    with chromium() as browser:
        errors: list[str] = []
        browser.page.on("pageerror", lambda error: errors.append(str(error)))
        browser.page.context.set_offline(offline=True)
        browser.page.goto(path.as_uri())
        browser.page.locator("figure svg").wait_for(timeout=30_000)
        texts = browser.page.locator("figure svg text").all_text_contents()
        harmed = browser.page.evaluate("window.harmed === true")
    assert {"Hits per second", "Connection", "cooldown · 409"} <= set(texts)
    assert not harmed
    assert errors == []
    assert browser.strangers == []


@pytest.mark.browser
@needs_browser
def test_shows_pictures_without_scripts(page: str, tmp_path: Path) -> None:
    """Where scripts are off, the charts are there as pictures."""
    path = tmp_path / "report.html"
    path.write_text(page, encoding="utf-8")
    with chromium(scripts=False) as browser:
        browser.page.goto(path.as_uri())
        box = browser.page.locator("figure img").bounding_box()
    assert box is not None
    assert box["width"] > 600
    assert box["height"] > 250
