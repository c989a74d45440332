"""The browser's part of the dashboard's benchmark: a notebook of two cells, and what it shows.

The kernel is asked beside the page, by a client of its own, so that asking changes nothing in it.
"""

import json
import re
from ast import literal_eval
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from jupyter_client import BlockingKernelClient
from playwright.sync_api import WebSocket, expect

from tests.lab import Browser, chromium, jupyterlab, menu, notebook_of

SOON = 90_000
_NUMBERED = re.compile(r"^\[\d+\]:$")
# From Ctrl+Enter until an element is there that was not before and has 3 % of blue in it: the
# charts' marks. What is embedded without its time axis has none.
WATCH = """
selector => {
    const drawn = picture => {
        const small = new OffscreenCanvas(120, 120);
        const context = small.getContext("2d", {willReadFrequently: true});
        try { context.drawImage(picture, 0, 0, 120, 120); } catch { return false; }
        const {data} = context.getImageData(0, 0, 120, 120);
        let blue = 0;
        for (let i = 0; i < data.length; i += 4) {
            blue += data[i + 3] > 40 && data[i + 2] - data[i] > 40;
        }
        return blue > 0.03 * 120 * 120;
    };
    for (const old of document.querySelectorAll(selector)) old.dataset.old = "true";
    window.painted = new Promise((done, refuse) => {
        addEventListener("keydown", function pressed(event) {
            if (event.key !== "Enter" || !event.ctrlKey) return;
            removeEventListener("keydown", pressed, true);
            const began = performance.now();
            (function look() {
                const now = performance.now();
                const fresh = [...document.querySelectorAll(selector)].filter(e => !e.dataset.old);
                if (fresh.some(drawn)) done((now - began) / 1000);
                else if (now - began > 60000) refuse("nothing was painted");
                else requestAnimationFrame(look);
            })();
        }, true);
    });
}
"""
FRAMES = """
seconds => new Promise(done => {
    const moments = [];
    const step = now => {
        moments.push(now);
        if (now - moments[0] < 1000 * seconds) requestAnimationFrame(step);
        else {
            const gaps = moments.slice(1).map((moment, i) => moment - moments[i]);
            const lasted = moments.at(-1) - moments[0];
            done({rate: 1000 * gaps.length / lasted, longest: Math.max(...gaps)});
        }
    };
    requestAnimationFrame(step);
})
"""
# Until so many frames in a row are on time, or a minute has passed.
CALM = """
frames => new Promise(done => {
    let calm = 0, before = performance.now();
    const began = before;
    const step = now => {
        calm = now - before < 40 ? calm + 1 : 0;
        before = now;
        if (calm >= frames || now - began > 60000) done();
        else requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
})
"""


@dataclass(frozen=True)
class Watched:
    """Frames per second, the longest of them in ms, and the share that the main thread worked."""

    rate: float
    longest: float
    busy: float


class Lab:
    """A notebook of two cells in JupyterLab, and its kernel."""

    def __init__(self, browser: Browser, address: str, folder: Path) -> None:
        self.page, self.strangers = browser.page, browser.strangers
        self.frames: list[int] = []
        self._before = ""
        self.page.on("websocket", self._hear)
        self.page.goto(address)
        self.page.get_by_text("| Idle").wait_for(timeout=SOON)
        (connection,) = (folder / "runtime").glob("kernel-*.json")
        self._kernel = BlockingKernelClient(connection_file=str(connection))
        self._kernel.load_connection_file()
        self._kernel.start_channels()
        self._debug = self.page.context.new_cdp_session(self.page)
        self._debug.send("Performance.enable")
        self._kernel.wait_for_ready(timeout=60)

    def close(self) -> None:
        self._kernel.stop_channels()

    def _hear(self, socket: WebSocket) -> None:
        if "/channels" in socket.url:
            socket.on("framereceived", lambda payload: self.frames.append(len(payload)))

    def run(self, code: str, cell: int = 0) -> None:
        """Put code into a cell, run it by Ctrl+Enter, and wait until it has ended."""
        self.again(code, cell)
        self.ended(cell)

    def again(self, code: str, cell: int = 0) -> None:
        """The same without waiting."""
        self._before = self._cell(cell).locator(".jp-InputPrompt").inner_text()
        self._cell(cell).locator(".cm-content").click()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.insert_text(code)
        self.page.keyboard.press("Control+Enter")

    def ended(self, cell: int = 0) -> None:
        """Wait until a cell has ended."""
        prompt = self._cell(cell).locator(".jp-InputPrompt")
        expect(prompt).not_to_have_text(self._before, timeout=SOON)
        expect(prompt).to_have_text(_NUMBERED, timeout=2 * SOON)

    def paint(self, code: str, selector: str) -> float:
        """Run code in the first cell; seconds until what it shows is painted."""
        self.page.evaluate(WATCH, selector)
        self.again(code)
        took = float(self.page.evaluate("window.painted"))
        self.ended()
        return took

    def _cell(self, cell: int) -> Any:
        return self.page.locator(".jp-CodeCell").nth(cell)

    def ask(self, expression: str) -> Any:
        """What an expression is in the kernel, as JSON has it."""
        wanted = {"it": f"__import__('json').dumps({expression})"}
        answer = self._kernel.execute(
            "", silent=True, user_expressions=wanted, reply=True, timeout=60
        )["content"]["user_expressions"]["it"]
        if answer["status"] != "ok":
            raise RuntimeError("\n".join(answer["traceback"]))
        return json.loads(literal_eval(answer["data"]["text/plain"]))

    def until(self, expression: str) -> None:
        """Wait until something is so in the kernel."""
        while not self.ask(expression):
            self.page.wait_for_timeout(250)

    def restart(self) -> None:
        """Begin with a fresh kernel, and nothing on the page."""
        menu(self.page, "Kernel", "Restart Kernel and Clear Outputs of All Cells…")
        self.page.locator(".jp-Dialog .jp-mod-accept").click()
        self.page.wait_for_timeout(500)
        self._kernel.wait_for_ready(timeout=60)
        self.page.get_by_text("| Idle").wait_for(timeout=SOON)

    def clear(self) -> None:
        menu(self.page, "Edit", "Clear Outputs of All Cells")

    def watch(self, seconds: float) -> Watched:
        """Look at the frames for so long, and at how busy the page is."""
        began, before = perf_counter(), self._metric("TaskDuration")
        frames = self.page.evaluate(FRAMES, seconds)
        busy = (self._metric("TaskDuration") - before) / (perf_counter() - began)
        return Watched(**frames, busy=busy)

    def heap(self, calm: int) -> float:
        """Bytes of JavaScript that are reachable, once so many frames in a row are on time."""
        self.page.evaluate(CALM, calm)
        for _ in range(2):
            self._debug.send("HeapProfiler.collectGarbage")
        return self._metric("JSHeapUsedSize")

    def _metric(self, name: str) -> float:
        metrics = self._debug.send("Performance.getMetrics")["metrics"]
        return next(each["value"] for each in metrics if each["name"] == name)


@contextmanager
def lab(height: int = 1_100) -> Iterator[Lab]:
    """A notebook of two empty cells in a JupyterLab of its own."""
    with TemporaryDirectory(prefix="livestream-benchmark-") as made:
        folder = Path(made)
        with (
            jupyterlab(folder, notebook_of("", "")) as address,
            chromium(height=height) as browser,
        ):
            opened = Lab(browser, address, folder)
            try:
                yield opened
            finally:
                opened.close()
