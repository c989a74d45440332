"""Notebooks where people read them: JupyterLab and Notebook 7, chromium, and no internet.

Set PICTURES to a folder to keep a picture of each page.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Page, expect

from tests.lab import (
    REPOSITORY,
    THROUGHPUT,
    TIMELINE,
    Browser,
    Notebook,
    chromium,
    jupyterlab,
    needs_browser,
    notebook7,
    run_all,
)

pytestmark = [pytest.mark.browser, needs_browser]

SOON = 60_000
STATES = """
window.states = [];
const view = document.querySelector(".livestream");
new MutationObserver(() => {
    const state = view.querySelector(".livestream-badge").textContent;
    if (window.states.at(-1) !== state) window.states.push(state);
}).observe(view, {childList: true, characterData: true, subtree: true});
"""
PICTURES = os.environ.get("PICTURES")


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Browser, Page]]:
    """A Jupyter with both notebooks: the quickstart's address, and the other one's page.

    The latter runs already, in Notebook 7: it takes half a minute.
    """
    names = ("01-quickstart", "02-why-sixty-seconds")
    quickstart, lesson = (
        nbformat.read(REPOSITORY / "notebooks" / f"{name}.ipynb", as_version=4) for name in names
    )
    folder = tmp_path_factory.mktemp("lessons")
    with (
        jupyterlab(
            folder, quickstart, prepare=lambda work: nbformat.write(lesson, work / "lesson.ipynb")
        ) as address,
        chromium(height=4_000) as browser,
    ):
        page = browser.another(1_800, 9_000)
        run_all(page, notebook7(address).replace("live.ipynb", "lesson.ipynb"))
        yield address, browser, page


def test_the_quickstart(opened: tuple[str, Browser, Page]) -> None:
    """The quickstart runs from start to end; meanwhile both of its charts move."""
    address, browser, _ = opened
    notebook = Notebook(browser.page, browser.strangers, [])
    run_all(browser.page, address)
    notebook.plot.wait_for(timeout=SOON)
    browser.page.evaluate(STATES)
    notebook.moves(THROUGHPUT)
    notebook.moves(TIMELINE)
    expect(notebook.view).to_contain_text("stopped", timeout=SOON)
    states = browser.page.evaluate("window.states")
    assert states[states.index("cooldown") :][-2:] == ["streaming", "stopped"]
    outputs = notebook.page.locator(".jp-OutputArea-output")
    expect(outputs.filter(has_text="missing: 0")).to_have_count(1)
    expect(outputs.last).to_have_text("'stopped'", timeout=SOON)
    keep_picture(notebook)
    assert browser.strangers == []


def test_clients_side_by_side(opened: tuple[str, Browser, Page]) -> None:
    """In Notebook 7, two clients stand side by side, fare as the text says, and all cells run."""
    _, browser, page = opened
    one, other = page.locator(".livestream").nth(0), page.locator(".livestream").nth(1)
    for view in (one, other):
        view.locator(".livestream-plot canvas").wait_for(timeout=SOON)
    left, right = one.bounding_box(), other.bounding_box()
    assert left is not None
    assert right is not None
    assert right["x"] >= left["x"] + left["width"]
    assert right["y"] == left["y"]
    prompts = page.locator(".jp-CodeCell .jp-InputPrompt")
    expect(prompts.last).to_have_text(re.compile(r"\[\d+\]:"), timeout=2 * SOON)
    expect(page.locator(".jp-OutputArea-output", has_text="Traceback")).to_have_count(0)
    keep_picture(Notebook(page, browser.strangers, []))
    assert browser.strangers == []


def keep_picture(notebook: Notebook) -> None:
    if PICTURES:
        test = os.environ["PYTEST_CURRENT_TEST"].split("::")[1].split(" ")[0]
        notebook.page.screenshot(path=Path(PICTURES) / f"{test}.png", full_page=True)
