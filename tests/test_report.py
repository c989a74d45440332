"""The report: one page, complete in itself."""

import re
from pathlib import Path

import polars as pl
import pytest

from livestream_nb import Simulator
from livestream_nb.charts.pictures import stream_chart, top_chart
from livestream_nb.report import report_html
from tests.fake_reader import at, throughput, timeline
from tests.lab import chromium, needs_browser

HOSTILE = "</script><script>window.harmed = true</script><img src=x onerror='window.harmed = true'>"


@pytest.fixture(scope="module")
def page() -> str:
    states = timeline().with_columns(sentence=pl.lit(HOSTILE))
    chart = stream_chart(throughput(), states, now=at(300))
    top = top_chart(pl.DataFrame({"value": [HOSTILE], "hits": [3], "share": [1.0]}), HOSTILE)
    table = pl.DataFrame(
        {
            HOSTILE: [HOSTILE, None],
            "lost_at": [at(0), None],
            "hits": [1_234, 5],
            "seconds": [1_061.234, None],
        }
    )
    return report_html(
        f"A stream {HOSTILE}",
        {"hits": "12,345", "note": HOSTILE},
        {f"Hits {HOSTILE}": chart, "Top": top},
        {HOSTILE: table, "Nothing": table.clear()},
        tz="Europe/Zurich",
    )


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
    assert addresses == ["data:image/svg+xml;base"] * 2
    assert "default-src 'none'; img-src data:; " in page


def test_tables_are_for_people(page: str) -> None:
    """Times stand in the reader's zone, numbers with commas, nothing as a dash; empty is said."""
    assert "<td>2026-03-01 13:00:00</td><td>1,234</td><td>1,061.2</td>" in page
    assert "<td>–</td><td>–</td><td>5</td><td>–</td>" in page
    assert "<h2>Nothing</h2><p>None.</p>" in page


def test_a_reader_writes_its_report(tmp_path: Path) -> None:
    """One call writes a page with charts, counters, gaps and the top values that there are."""
    with Simulator(speed=60) as simulator, simulator.reader(columns=["pageName"]) as reader:
        reader.wait(hits=500, timeout=20)
        simulator.drop()
        reader.wait(state="cooldown", timeout=20)
    path = reader.report(tmp_path / "report.html", "My stream")
    page = path.read_text("utf-8")
    assert page.count("<figure>") == 2
    assert "<h1>My stream</h1>" in page
    assert f"<dt>hits</dt><dd>{reader.status.hits:,}</dd>" in page
    assert page.count("<tr><td>") == reader.gaps().height == 1


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
        browser.page.locator("figure svg").nth(1).wait_for(timeout=30_000)
        texts = browser.page.locator("figure svg text").all_text_contents()
        harmed = browser.page.evaluate("window.harmed === true")
    assert {"Hits per second", "Connection", "▼ 409", "60 s"} <= set(texts)
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
        box = browser.page.locator("figure img").first.bounding_box()
    assert box is not None
    assert box["width"] > 600
    assert box["height"] > 250
