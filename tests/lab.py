"""A real JupyterLab on loopback, and a real browser that may talk to nothing else."""

import json
import os
import shutil
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
import pytest
from playwright.sync_api import Locator, Page, Route, expect, sync_playwright

TOKEN = "a-token-for-this-test"
REPOSITORY = Path(__file__).parents[1]
CHROMIUM = shutil.which("chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
QUIET = {"fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": True}

needs_browser = pytest.mark.skipif(
    CHROMIUM is None and not os.environ.get("CI"), reason="no chromium on this machine"
)


@dataclass
class Browser:
    """A page, and every address that it asked for which is not on this machine."""

    page: Page
    strangers: list[str] = field(default_factory=list)

    def another(self, width: int, height: int) -> Page:
        """Open one more page, as guarded as the first."""
        owner = self.page.context.browser
        assert owner is not None
        page = owner.new_page(viewport={"width": width, "height": height})
        page.route("**/*", self.admit)
        return page

    def admit(self, route: Route) -> None:
        address = urlsplit(route.request.url)
        if address.hostname in {None, "localhost", "127.0.0.1"}:
            route.continue_()
        else:
            self.strangers.append(route.request.url)
            route.abort()


@dataclass
class Notebook:
    """The page with a notebook, and the dashboard in it."""

    page: Page
    strangers: list[str]
    errors: list[str]

    @property
    def view(self) -> Locator:
        return self.page.locator(".livestream").first

    @property
    def plot(self) -> Locator:
        return self.view.locator(".livestream-plot canvas")

    @property
    def stale(self) -> Locator:
        return self.view.locator(".livestream-stale")

    def button(self, name: str) -> Locator:
        return self.view.get_by_role("button", name=name, exact=True)

    def figure(self, name: str) -> str:
        """Return the figure of this name in the head."""
        tile = self.view.locator(".livestream-figures > div").filter(
            has=self.page.get_by_text(name, exact=True)
        )
        return tile.locator("dd").inner_text()

    @property
    def hits(self) -> int:
        return int(self.figure("hits").replace(",", ""))

    def pixels(self, part: tuple[float, float]) -> str:
        """Return what is drawn between two heights of the charts, as a data address."""
        return str(
            self.plot.evaluate(
                """(canvas, [top, bottom]) => {
                    const cut = document.createElement("canvas");
                    cut.width = canvas.width;
                    cut.height = canvas.height * (bottom - top);
                    const context = cut.getContext("2d");
                    context.drawImage(canvas, 0, -canvas.height * top);
                    return cut.toDataURL();
                }""",
                list(part),
            )
        )

    def moves(self, part: tuple[float, float]) -> None:
        """Wait until this part of the charts looks different."""
        before = self.pixels(part)
        for _ in range(50):
            self.page.wait_for_timeout(200)
            if self.pixels(part) != before:
                return
        raise AssertionError(f"Nothing moved between {part} of the charts.")


THROUGHPUT, TIMELINE, DELAY = (0.04, 0.37), (0.42, 0.58), (0.70, 0.92)
"""Where the panels of one connection are, as shares of the charts' height."""


@contextmanager
def chromium(
    width: int = 1280, height: int = 1000, *, scripts: bool = True, scale: float = 1.0
) -> Iterator[Browser]:
    """Open a page in Debian's chromium; requests that leave this machine are aborted and kept."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=FLAGS)
        page = browser.new_page(
            viewport={"width": width, "height": height},
            java_script_enabled=scripts,
            device_scale_factor=scale,
        )
        guarded = Browser(page)
        page.route("**/*", guarded.admit)
        yield guarded
        browser.close()


def notebook_of(*cells: str) -> nbformat.NotebookNode:
    """Make a notebook of these cells."""
    return nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell) for cell in cells],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    )


@contextmanager
def jupyterlab(
    folder: Path,
    notebook: nbformat.NotebookNode,
    *,
    dark: bool = False,
    prepare: Callable[[Path], None] = lambda work: None,
) -> Iterator[str]:
    """Serve a notebook, in a folder that is prepared for it; give the address that opens it."""
    work = folder / "work"
    work.mkdir(parents=True)
    prepare(work)
    nbformat.write(notebook, work / "live.ipynb")
    settings = folder / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    theme = {"theme": "JupyterLab Dark" if dark else "JupyterLab Light"}
    (settings / "themes.jupyterlab-settings").write_text(json.dumps(theme))
    (settings / "notification.jupyterlab-settings").write_text(json.dumps(QUIET))
    port = _free_port()
    with (folder / "server.log").open("w") as log:
        server = subprocess.Popen(
            [
                *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"),
                *("--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}"),
                *("--ServerApp.port_retries=0", f"--ServerApp.root_dir={work}"),
                *(f"--IdentityProvider.token={TOKEN}", "--LabApp.extension_manager=readonly"),
            ],
            env=os.environ
            | {
                "JUPYTER_CONFIG_DIR": str(folder / "config"),
                "JUPYTER_DATA_DIR": str(folder / "data"),
                "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
                "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
                "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
                "IPYTHONDIR": str(folder / "ipython"),
                "PYTHONPATH": str(REPOSITORY),
            },
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            _await(f"http://127.0.0.1:{port}/api?token={TOKEN}", server, folder / "server.log")
            yield f"http://127.0.0.1:{port}/lab/tree/live.ipynb?token={TOKEN}"
        finally:
            server.terminate()
            server.wait(20)


def notebook7(address: str) -> str:
    """Give the address that opens the same notebook in Notebook 7."""
    return address.replace("/lab/tree/", "/notebooks/")


def run_all(page: Page, address: str) -> None:
    """Open a notebook and run its cells."""
    page.goto(address)
    prompt = page.locator(".jp-CodeCell .jp-InputPrompt").first
    prompt.wait_for(timeout=90_000)
    if "/lab/" in address:
        page.get_by_text("| Idle").wait_for(timeout=90_000)
    for _ in range(8):
        page.locator(".jp-CodeCell .cm-content").first.click()
        page.keyboard.press("Escape")
        menu(page, "Run", "Run All Cells")
        with suppress(AssertionError):
            expect(prompt).not_to_have_text("[ ]:", timeout=5_000)
            return
    raise AssertionError("Jupyter did not run the notebook.")


def menu(page: Page, bar: str, name: str) -> None:
    """Choose from a menu at the top."""
    page.locator(".lm-MenuBar-itemLabel").get_by_text(bar, exact=True).click()
    page.locator(".lm-Menu-itemLabel").get_by_text(name, exact=True).click()


def run_code(page: Page, code: str) -> Locator:
    """Put code into a new cell at the end and run it; give that cell."""
    page.locator(".jp-CodeCell .cm-content").last.click()
    page.keyboard.press("Escape")
    page.locator(".jp-Notebook").press("b")
    cell = page.locator(".jp-CodeCell").last
    cell.locator(".cm-content").click()
    page.keyboard.insert_text(code)
    page.keyboard.press("Control+Enter")
    return cell


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    for _ in range(600):
        try:
            opener.open(address, timeout=5).close()
        except OSError:
            with suppress(subprocess.TimeoutExpired):
                server.wait(0.1)
                break
        else:
            return
    raise RuntimeError(f"JupyterLab does not answer: {log.read_text()[-2000:]}")
