"""The dashboard where people use it: JupyterLab, chromium, a simulator, and no internet."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.lab import Notebook, chromium, jupyterlab, needs_browser, notebook_of, run_all

pytestmark = [pytest.mark.browser, needs_browser]

START = """
from livestream_nb import Simulator

sim = Simulator(speed=20)
reader = sim.reader(tz="Europe/Zurich").start()
reader
"""
LATER = "while not sim.drop(ghost=80): pass"
SOON = 60_000
UPPER, LOWER = (0.0, 0.62), (0.62, 0.84)


@pytest.fixture(scope="module")
def notebook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Notebook]:
    folder = tmp_path_factory.mktemp("lab")
    with jupyterlab(folder, notebook_of(START)) as address, chromium() as browser:
        opened = Notebook(browser.page, browser.strangers, [])
        browser.page.on("pageerror", lambda error: opened.errors.append(str(error)))
        run_all(browser.page, address)
        opened.plot.wait_for(timeout=SOON)
        yield opened


def test_both_charts_move(notebook: Notebook) -> None:
    """While hits arrive the counter rises, and both charts draw themselves anew."""
    expect(notebook.view).to_contain_text("streaming", timeout=SOON)
    before = hits(notebook)
    notebook.moves(UPPER)
    notebook.moves(LOWER)
    assert hits(notebook) > before


def test_tells_why_and_until_when_it_waits(notebook: Notebook) -> None:
    """After a drop the badge says cooldown, with a countdown and the reason."""
    run_code(notebook.page, LATER)
    expect(notebook.view).to_contain_text("cooldown", timeout=SOON)
    expect(notebook.view).to_contain_text(re.compile(r"next attempt in \d+ s"))
    expect(notebook.view).to_contain_text("lost")


def test_recovers(notebook: Notebook) -> None:
    """After the wait, and one refusal, it streams again."""
    expect(notebook.view).to_contain_text("streaming", timeout=SOON)
    expect(notebook.view).to_contain_text(re.compile(r"[23]\s*connects"))


def test_stop_stops(notebook: Notebook) -> None:
    """The Stop button ends the stream: the badge says so and the charts come to rest."""
    notebook.button("Stop").click()
    expect(notebook.view).to_contain_text("stopped", timeout=SOON)
    expect(notebook.button("Stop")).to_be_disabled()
    expect(notebook.button("Start")).to_be_enabled()
    notebook.page.wait_for_timeout(3_000)
    stopped, still = hits(notebook), notebook.pixels(UPPER)
    notebook.page.wait_for_timeout(1_500)
    assert notebook.pixels(UPPER) == still
    assert hits(notebook) == stopped


def test_fits_a_narrow_cell(notebook: Notebook) -> None:
    """In a narrow window nothing sticks out of the cell."""
    notebook.page.set_viewport_size({"width": 760, "height": 1000})
    notebook.page.wait_for_timeout(1_000)
    cell = notebook.view.bounding_box()
    parts = [notebook.plot, notebook.button("Stop"), notebook.view.get_by_text("quarantined")]
    boxes = [part.bounding_box() for part in parts]
    assert cell is not None
    assert [
        box for box in boxes if box and box["x"] + box["width"] > cell["x"] + cell["width"]
    ] == []
    assert None not in boxes
    notebook.page.set_viewport_size({"width": 1280, "height": 1000})


def test_says_when_the_kernel_is_gone(notebook: Notebook) -> None:
    """Twelve seconds after the kernel's last word the view says that it is stale."""
    notice = notebook.page.locator(".livestream-stale")
    expect(notice).to_be_hidden()
    notebook.page.get_by_role("menuitem", name="Kernel", exact=True).click()
    notebook.page.get_by_role("menuitem", name="Shut Down Kernel", exact=True).click()
    expect(notice).to_be_visible(timeout=SOON)
    expect(notice).to_contain_text("No update from the kernel for")


def test_nothing_left_this_machine(notebook: Notebook) -> None:
    """In all that no request went anywhere but localhost, and no script failed."""
    assert notebook.strangers == []
    assert notebook.errors == []


def hits(notebook: Notebook) -> int:
    found = re.search(r"([\d,]+)\s*hits\b(?!/)", notebook.view.inner_text())
    assert found is not None
    return int(found[1].replace(",", ""))


def run_code(page: Page, code: str) -> None:
    """Put code into a new cell below and run it."""
    page.keyboard.press("Escape")
    page.locator(".jp-Notebook").press("b")
    cell = page.locator(".jp-CodeCell").last
    cell.locator(".cm-content").click()
    page.keyboard.type(code)
    page.keyboard.press("Control+Enter")
