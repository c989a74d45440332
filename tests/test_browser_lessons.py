"""Notebooks where people read them: JupyterLab and Notebook 7, chromium, and no internet.

Set PICTURES to a folder to keep a picture of each page.
"""

import os
import re
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import expect

from tests.lab import (
    REPOSITORY,
    THROUGHPUT,
    TIMELINE,
    Notebook,
    chromium,
    jupyterlab,
    needs_browser,
    notebook7,
    run_all,
)

pytestmark = [pytest.mark.browser, needs_browser]

SOON = 60_000
PICTURES = os.environ.get("PICTURES")


def test_the_quickstart(tmp_path: Path) -> None:
    """The quickstart runs from start to end; meanwhile both of its charts move."""
    quickstart = nbformat.read(REPOSITORY / "notebooks" / "01-quickstart.ipynb", as_version=4)
    with jupyterlab(tmp_path, quickstart) as address, chromium(height=4_000) as browser:
        notebook = Notebook(browser.page, browser.strangers, [])
        run_all(browser.page, address)
        notebook.plot.wait_for(timeout=SOON)
        notebook.moves(THROUGHPUT)
        notebook.moves(TIMELINE)
        expect(notebook.view).to_contain_text("cooldown", timeout=SOON)
        expect(notebook.view).to_contain_text("stopped", timeout=SOON)
        outputs = notebook.page.locator(".jp-OutputArea-output")
        expect(outputs.filter(has_text="missing: 0")).to_have_count(1)
        expect(outputs.last).to_have_text("'stopped'", timeout=SOON)
        keep_picture(notebook)
    assert browser.strangers == []


def test_clients_side_by_side(tmp_path: Path) -> None:
    """In Notebook 7, two clients stand side by side, fare as the text says, and all cells run."""
    name = "02-why-sixty-seconds.ipynb"
    lesson = nbformat.read(REPOSITORY / "notebooks" / name, as_version=4)
    with jupyterlab(tmp_path, lesson) as address, chromium(1_800, 9_000) as browser:
        page = browser.page
        run_all(page, notebook7(address))
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
