"""What the live view costs, in the kernel and in the page, beside other ways to show a live chart.

Run by hand: ``python -m tests.benchmarks.dashboard`` (under 5 minutes; ``--quick``: under 90 s). It
opens a real JupyterLab in a headless chromium that may talk to this machine only. On display are
600 seconds and 200 states of a real `Reader`, on the machine's clock, whose intake and timeline are
fed by `tests.benchmarks.shown`, so that there are ten minutes at once; for the re-runs it is one
that is started on the simulator. The pump refreshes four times a second, as always, but for what
the heap grows by: time and pump are five times as fast then, so that each update brings the same.

The processor time of an update is that of the pump's thread in ``Dashboard._refresh``; while it is
measured a viewer also chooses spans and columns. Bytes are those of all messages of the kernel's
websocket, as the page receives them (not compressed); the highest is the longest single one.
The heap is what is reachable in the page (``JSHeapUsedSize`` after two collections), once the page
has caught up. Frames are counted by ``requestAnimationFrame``. A first paint lasts from Ctrl+Enter
to the first frame at which a new canvas has marks in it; figures are medians of kernels made anew.

Peers get the same frames from the same watch, and make a chart of four plain panels of them: see
`tests.benchmarks.pictures`. altair 6's ``mimetype`` is shown by JupyterLab 4 as text only, so
``update_display`` and ``Output`` send it as altair 5 did, which JupyterLab draws; and as a PNG.
"""

import argparse

from livestream_nb.charts.bundle import packed
from livestream_nb.dashboard.live import script
from tests.benchmarks.costs import Figures, Shown, Sizes, report
from tests.benchmarks.page import Lab, lab
from tests.lab import Notebook

CHARTS = ".livestream-plot canvas"
PICTURES = ".jp-OutputArea-output canvas, .jp-OutputArea-output img"
FIRST = """
from tests.benchmarks.shown import Filled, Meter, left
filled = Filled({seconds})
reader = filled.reader
"""
STREAM = """
import os
from livestream_nb import Simulator
os.environ["LIVESTREAM_NB_STATE"] = os.path.abspath("state")
simulator = Simulator()
"""
AGAIN = "reader = simulator.reader().start()\nreader"
FASTER, PEERS_FASTER = 5.0, 2.5
MB = 1e6

FULL = Sizes()
QUICK = Sizes(
    updates=40,
    watched=2.5,
    warm=40,
    grown=100,
    paints=1,
    reruns=5,
    theirs=6,
    theirs_grown=6,
    calm=10,
)


def measure(sizes: Sizes) -> Figures:
    """Measure everything; what the scripts need is in the cache before."""
    packed(script())
    figures = Figures(sizes)
    with lab() as one:
        figures.rest = one.watch(sizes.watched / 2)
        paints(one, figures)
        live(one, figures)
        reruns(one, figures)
        one.run("from tests.benchmarks.pictures import Drive", 1)
        for name in sizes.peers:
            figures.shown[name] = peer(one, name, sizes)
        assert one.strangers == [], one.strangers
    return figures


def paints(one: Lab, figures: Figures) -> None:
    """Show the view in kernels that have only imported the package, and once more in each."""
    for number in range(figures.sizes.paints):
        if number:
            one.restart()
        one.run(FIRST.format(seconds=figures.sizes.seconds), 1)
        figures.first.append(one.paint("reader", CHARTS))
        figures.again.append(one.paint("reader", CHARTS))


def live(one: Lab, figures: Figures) -> None:
    """Look at the live view: its updates, frames, and what stays of many updates."""
    sizes, view = figures.sizes, Notebook(one.page, one.strangers, [])
    one.run("meter = Meter(filled)", 1)
    one.ask("meter.begin()")
    one.frames.clear()
    for chosen in ("1 min", "10 min", "geoCountry", "pageName"):
        one.page.wait_for_timeout(250 if chosen == "10 min" else 250 * sizes.updates / 3)
        if "min" in chosen:
            view.view.get_by_role("radio", name=chosen, exact=True).check()
        else:
            view.view.get_by_label("Top values of").select_option(chosen)
    one.until(f"len(meter.updates) >= {sizes.updates}")
    received, figures.pump = list(one.frames), one.ask("meter.figures()")
    figures.largest = max(received)
    one.ask("meter.begin()")
    frames = one.watch(sizes.watched)
    pace = one.ask("len(meter.updates)") / sizes.watched
    heaps = []
    for updates in (sizes.warm, sizes.grown):
        one.ask(f"meter.begin({FASTER})")
        one.until(f"len(meter.updates) >= {updates}")
        one.ask("meter.pause()")
        while view.hits != one.ask("meter.total"):
            one.page.wait_for_timeout(250)
        heaps.append(one.heap(sizes.calm))
    figures.shown["the live view"] = Shown(
        figures.pump["mean"],
        sum(received) / figures.pump["updates"],
        (heaps[1] - heaps[0]) / MB / sizes.grown,
        frames,
        pace,
    )
    one.ask("meter.dashboard.close()")


def reruns(one: Lab, figures: Figures) -> None:
    """Run a cell that starts a reader and shows it, again and again."""
    one.run(STREAM, 1)
    one.run(AGAIN)
    one.page.locator(CHARTS).wait_for()
    before = one.ask("left()")
    for _ in range(figures.sizes.reruns):
        one.run(AGAIN)
    figures.left = before, one.ask("left()")
    one.run("reader.stop()\nreader.dashboard().close()\nsimulator.stop()", 1)


def peer(one: Lab, name: str, sizes: Sizes) -> Shown:
    """Look at a peer: its updates and frames together, then what stays of some more."""
    one.clear()
    one.paint(f"drive = Drive({name!r}, filled)", PICTURES)
    one.frames.clear()
    one.again(f"drive.on({sizes.theirs})", 1)
    frames = one.watch(0.9 * sizes.theirs / 4)
    one.ended(1)
    received = sum(one.frames)
    kernel, pace = one.ask("(drive.mean, drive.pace)")
    before = one.heap(sizes.calm)
    one.run(f"drive.on({sizes.theirs_grown}, {PEERS_FASTER})", 1)
    return Shown(
        kernel,
        received / sizes.theirs,
        (one.heap(sizes.calm) - before) / MB / sizes.theirs_grown,
        frames,
        pace,
    )


def main() -> None:
    """Measure, and print what was measured beside what is to be reached."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="under 90 seconds, less settled")
    report(measure(QUICK if parser.parse_args().quick else FULL))


if __name__ == "__main__":
    main()
