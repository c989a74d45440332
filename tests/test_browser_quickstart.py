"""The quickstart where people read it: JupyterLab, chromium, and no internet.

Set PICTURES to a folder to keep a picture of the page.
"""

import os
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
        expect(outputs.last).to_have_text("'stopped'")
        if PICTURES:
            notebook.page.screenshot(path=Path(PICTURES) / "quickstart.png", full_page=True)
    assert browser.strangers == []
