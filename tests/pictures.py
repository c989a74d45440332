"""The README's pictures, of the real dashboard in a real JupyterLab: ``python -m tests.pictures``.

A reader of two connections loses both, meets a 409, and is back. About a minute in all.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import expect

from tests.lab import REPOSITORY, Notebook, chromium, jupyterlab, notebook_of, run_all, run_code

START = """
from livestream_nb import Simulator

sim = Simulator(speed=20)
reader = sim.reader(connections=2).start()
reader
"""
SOON = 60_000
PLACE = REPOSITORY / ".readme"
WIDTH = 1_160


def picture(path: Path, *, dark: bool) -> None:
    """Take one picture, in the light or the dark theme."""
    with (
        TemporaryDirectory() as folder,
        jupyterlab(Path(folder), notebook_of(START), dark=dark) as address,
        chromium(WIDTH, 1_800, scale=1.5) as browser,
    ):
        notebook = Notebook(browser.page, browser.strangers, [])
        run_all(browser.page, address)
        notebook.plot.wait_for(timeout=SOON)
        notebook.view.get_by_label("Top values of").select_option("pageName")
        browser.page.wait_for_timeout(9_000)
        run_code(browser.page, "sim.drop(ghost=80)")
        badge = notebook.view.locator(".livestream-badge")
        expect(badge).to_have_text("cooldown", timeout=SOON)
        expect(badge).to_have_text("streaming", timeout=SOON)
        browser.page.wait_for_timeout(5_000)
        notebook.view.screenshot(path=path)


if __name__ == "__main__":
    PLACE.mkdir(exist_ok=True)
    picture(PLACE / "dashboard.png", dark=False)
    picture(PLACE / "dashboard-dark.png", dark=True)
