"""The dashboard in Notebook 7, while a stream brings names that mean harm."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.lab import (
    DELAY,
    REPOSITORY,
    THROUGHPUT,
    Notebook,
    chromium,
    jupyterlab,
    menu,
    needs_browser,
    notebook7,
    notebook_of,
    run_all,
)

pytestmark = [pytest.mark.browser, needs_browser]

SOON = 60_000
NAMES = [
    "<img src=x onerror='window.harmed = 1'>",
    "<script>window.harmed = 2</script>",
    "javascript:window.harmed=3",
    "\u202egnp.exe",
    "x" * 5_000,
    "👩‍👩‍👧 שלום",
    "line\nbreak\u0007",
]
SHOWN = [*NAMES[:3], "�gnp.exe", "x" * 119 + "…", NAMES[5], "line�break�"]
NINE_SECONDS_LATER = """
const now = performance.now.bind(performance);
performance.now = () => now() + 9_000;
"""
START = """
from livestream_nb import Simulator

sim = Simulator(speed=20, hits="hits.ndjson", pace=1_500)
reader = sim.reader().start()
reader
"""


def hostile(path: Path) -> None:
    """Write a recording of 3,000 hits, two a second, of pages and places with these names."""
    with gzip.open(REPOSITORY / "data" / "shop-300.ndjson.gz", "rt", encoding="utf-8") as file:
        records = [json.loads(line) for line in file]
    with path.open("w", encoding="utf-8") as file:
        for number in range(3_000):
            name, time = NAMES[number % len(NAMES)], 1_772_000_000 + number // 2
            names = {"pageName": name, "pageURL": name, "geoCity": f"{name} in town"}
            own = {"hitIdLow": number, "timeGMT": time, "receivedTimeGMT": time}
            file.write(json.dumps(records[number % 300] | names | own) + "\n")


@pytest.fixture(scope="module")
def notebook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Notebook]:
    folder = tmp_path_factory.mktemp("notebook7")
    with (
        jupyterlab(
            folder, notebook_of(START), prepare=lambda work: hostile(work / "hits.ndjson")
        ) as address,
        chromium(height=1_600) as browser,
    ):
        opened = Notebook(browser.page, browser.strangers, [])
        browser.page.on("pageerror", lambda error: opened.errors.append(error.stack))
        run_all(browser.page, notebook7(address))
        opened.plot.wait_for(timeout=SOON)
        yield opened


def test_the_charts_move(notebook: Notebook) -> None:
    """In Notebook 7 the view is as live as in JupyterLab."""
    expect(notebook.view.locator(".livestream-badge")).to_have_text("streaming", timeout=SOON)
    before = notebook.hits
    for panel in (THROUGHPUT, DELAY):
        notebook.moves(panel)
    assert notebook.hits > before


def test_names_are_text(notebook: Notebook) -> None:
    """Markup, scripts and addresses in names are shown as text; nothing runs, nothing is a link."""
    names = notebook.view.locator(".livestream-values bdi")
    expect(names).to_have_count(len(NAMES), timeout=SOON)
    assert set(names.all_inner_texts()) == set(SHOWN)
    notebook.view.get_by_label("Top values of").select_option("geoCity")
    expect(names.filter(has_text="in town")).to_have_count(len(NAMES) - 1, timeout=SOON)
    assert {name.removesuffix(" in town") for name in names.all_inner_texts()} == set(SHOWN)
    assert notebook.view.locator("a, img, script, iframe").count() == 0
    assert notebook.page.evaluate("window.harmed") is None


def test_long_names_stay_in_their_place(notebook: Notebook) -> None:
    """A name of thousands of letters is cut off before its count."""
    row = notebook.view.locator(".livestream-values li", has_text="xxxxx")
    name, count = (row.locator(f".livestream-{part}").bounding_box() for part in ("name", "count"))
    assert name is not None
    assert count is not None
    assert name["x"] + name["width"] <= count["x"] + 1


def test_stop_stops(notebook: Notebook) -> None:
    """The Stop button ends the stream."""
    notebook.button("Stop").click()
    expect(notebook.view.locator(".livestream-badge")).to_have_text("stopped", timeout=SOON)


def test_says_when_the_kernel_is_gone(notebook: Notebook) -> None:
    """After the kernel is shut down the view says that it is stale."""
    menu(notebook.page, "Kernel", "Shut Down Kernel")
    notebook.page.evaluate(NINE_SECONDS_LATER)
    expect(notebook.stale).to_be_visible(timeout=SOON)


def test_nothing_left_this_machine(notebook: Notebook) -> None:
    """In all that no request went anywhere but localhost, and no script of ours failed."""
    assert notebook.strangers == []
    assert [stack for stack in notebook.errors if "/static/notebook/" not in stack] == []
