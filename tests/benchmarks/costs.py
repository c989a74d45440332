"""What the dashboard's benchmark measured, and how it is printed beside the targets."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from tests.benchmarks.page import Watched

PEERS = ("JupyterChart", "update_display", "update_display, png", "Output")
COMPARED = {"kernel ms": 0.01, "kB": 0.01, "heap MB": 1.0, "frames/s": 0.01}
"""What is compared, and what the live view's part counts for at least: little is not divided by."""


@dataclass(frozen=True)
class Sizes:
    """How much is measured.

    Attributes
    ----------
    seconds : float
        How much time is on display.
    updates, watched : int, float
        Updates that are timed, and seconds for which frames are counted.
    warm, grown : int
        Updates before the heap is looked at, and until it is again.
    paints, reruns : int
        Kernels made anew, and runs of one cell.
    theirs, theirs_grown : int
        Updates of a peer: timed, and to grow the heap.
    calm : int
        Frames in a row that are on time before the heap is looked at.
    peers : tuple of str
        Which.
    """

    seconds: float = 600
    updates: int = 48
    watched: float = 10.0
    warm: int = 100
    grown: int = 1_000
    paints: int = 3
    reruns: int = 20
    theirs: int = 20
    theirs_grown: int = 30
    calm: int = 20
    peers: tuple[str, ...] = PEERS


@dataclass(frozen=True)
class Shown:
    """What a way to show costs: ms, bytes and MB of an update; frames; updates per second."""

    kernel: float
    size: float
    heap: float
    frames: Watched
    pace: float


@dataclass
class Figures:
    """Everything that was measured."""

    sizes: Sizes
    first: list[float] = field(default_factory=list)
    again: list[float] = field(default_factory=list)
    pump: dict[str, Any] = field(default_factory=dict)
    largest: int = 0
    left: tuple[dict[str, int], dict[str, int]] = ({}, {})
    shown: dict[str, Shown] = field(default_factory=dict)
    rest: Watched | None = None

    def more(self, what: str) -> int:
        """How many more are left after many runs of a cell than after one."""
        one, many = self.left
        return many[what] - one[what]


Line = tuple[str, float, str, str]


def lines(figures: Figures) -> Iterator[Line]:
    """In words, the figure, its unit, and the target."""
    pump, ours, many = figures.pump, figures.shown["the live view"], figures.sizes.reruns
    yield f"kernel time per update, mean of {pump['updates']}", ours.kernel, "ms", "≤ 3"
    yield "kernel time per update, highest", pump["highest"], "ms", ""
    yield "the same with polars' own threads, mean", pump["process"], "ms", ""
    for kind, (times, mean) in pump["kinds"].items():
        yield f"  mean of {times} with news of: {kind}", mean, "ms", ""
    yield "bytes per update, mean", ours.size / 1e3, "kB", "≤ 15"
    yield "bytes per update, highest", figures.largest / 1e3, "kB", ""
    yield "heap growth per 1,000 updates", 1e3 * ours.heap, "MB", "≤ 10"
    yield "frames per second at 4 Hz", ours.frames.rate, "", "≥ 55"
    yield "frames per second of the page without a view", figures.rest.rate, "", ""
    yield "longest frame at 4 Hz", ours.frames.longest, "ms", ""
    yield "longest frame of the page without a view", figures.rest.longest, "ms", ""
    yield "page's main thread at 4 Hz, busy", 100 * ours.frames.busy, "%", ""
    yield "page's main thread without a view, busy", 100 * figures.rest.busy, "%", ""
    yield "first paint, fresh kernel", median(figures.first), "s", "≤ 1"
    yield "first paint, the cell run again", median(figures.again), "s", "≤ 1"
    for what in ("threads", "widgets"):
        yield f"{what} left after {many} re-runs, beyond one's", figures.more(what), "", "≤ 0"


def rows(figures: Figures) -> Iterator[tuple[str, dict[str, float], dict[str, float]]]:
    """Each way to show, what it costs, and how many times as much as the live view."""
    ours = costs(figures.shown["the live view"])
    for name, each in figures.shown.items():
        theirs = costs(each)
        yield (
            name,
            theirs,
            {what: theirs[what] / max(least, ours[what]) for what, least in COMPARED.items()},
        )


def costs(each: Shown) -> dict[str, float]:
    """By the head of a column."""
    return {
        "kernel ms": each.kernel,
        "kB": each.size / 1e3,
        "heap MB": 1e3 * each.heap,
        "frames/s": each.frames.rate,
        "longest ms": each.frames.longest,
        "page busy %": 100 * each.frames.busy,
        "updates/s": each.pace,
    }


def report(figures: Figures) -> None:
    """Print all figures."""
    for what, value, unit, target in lines(figures):
        print(f"{what:56}{value:9.2f} {unit:6}{target}")
    found = list(rows(figures))
    print(f"\n{'per update; heap per 1,000':28}" + "".join(f"{head:>12}" for head in found[0][1]))
    for name, values, _ in found:
        print(f"{name:28}" + "".join(f"{value:12,.1f}" for value in values.values()))
    print(f"\n{'times the live view':28}" + "".join(f"{head:>12}" for head in COMPARED))
    for name, _, times in found[1:]:
        print(f"{name:28}" + "".join(f"{value:12.2f}" for value in times.values()))
