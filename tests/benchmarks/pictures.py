"""The kernel's part for the peers: other ways to show a changing chart in a notebook, in altair.

Each shows the same four panels of the same frames, as one would write them down: seven marks, where
the live view has seventeen. The frames come from the dashboard's own watch, which spares questions.
"""

from statistics import fmean
from time import perf_counter, sleep, thread_time
from typing import Any, Protocol

import altair as alt
import ipywidgets
import polars as pl
from IPython.display import DisplayHandle, clear_output, display

from livestream_nb.dashboard.snapshot import Snapshot, Watch
from tests.benchmarks.shown import Filled

LAB_KNOWS = "application/vnd.vegalite.v5+json"


def as_lab_knows_it(spec: dict[str, Any], **_: object) -> dict[str, Any]:
    """What altair 5 sends as ``mimetype``: JupyterLab 4 draws it, and not what altair 6 sends."""
    return {LAB_KNOWS: spec}


def frame(rows: list[Any]) -> pl.DataFrame:
    """Rows with a time in Unix seconds as the frame that altair takes."""
    return pl.DataFrame(rows).with_columns(pl.from_epoch("time"))


def chart(seen: Snapshot) -> alt.VConcatChart:
    """Hits per second, states, delay, and top values."""
    x = alt.X("time:T").scale(domain=[seen.window.start, seen.window.end])
    states = seen.timeline.filter(seen.timeline["ended"].fill_null(seen.now) >= seen.window.start)
    states = states.select("state", "sentence", "seconds", time="started", ended="ended")
    late = alt.Chart(frame(seen.lag)).encode(x=x)
    return alt.vconcat(
        alt.Chart(frame(seen.throughput), height=150, width=720)
        .mark_area(interpolate="step-after", clip=True, line=True, fillOpacity=0.4)
        .encode(x=x, y="hits:Q", tooltip=["time:T", "hits:Q"]),
        alt.Chart(states.with_columns(states["ended"].fill_null(seen.now)), height=64, width=720)
        .mark_bar(clip=True)
        .encode(x=x, x2="ended:T", color="state:N", tooltip=["state", "sentence", "seconds"]),
        alt.layer(
            late.mark_area(interpolate="step-after", clip=True, opacity=0.25, line=True).encode(
                y="median:Q", y2="p95:Q"
            ),
            late.mark_line(interpolate="step-after", clip=True).encode(y="median:Q"),
            height=100,
            width=720,
        ),
        alt.Chart(seen.top, width=720)
        .mark_bar()
        .encode(x="hits:Q", y=alt.Y("value:N").sort("-x"), tooltip=["value", "hits", "share"]),
    ).resolve_scale(color="independent")


class Peer(Protocol):
    """A way to show a chart, and another one in its place."""

    def show(self, chart: alt.VConcatChart) -> None:
        """Show the first."""

    def update(self, chart: alt.VConcatChart) -> None:
        """Show the next."""


class Jupyter:
    """`altair.JupyterChart`, which is given a chart each time; on a canvas, as all others are."""

    def show(self, chart: alt.VConcatChart) -> None:
        alt.JupyterChart.enable_offline()
        self._shown = alt.JupyterChart(chart, embed_options={"renderer": "canvas"})
        display(self._shown)

    def update(self, chart: alt.VConcatChart) -> None:
        self._shown.chart = chart


class Display:
    """`IPython.display.update_display`, of what JupyterLab draws."""

    renderer = "lab"

    def show(self, chart: alt.VConcatChart) -> None:
        alt.renderers.enable(self.renderer)
        self._handle: DisplayHandle = display(chart, display_id=True)

    def update(self, chart: alt.VConcatChart) -> None:
        self._handle.update(chart)


class Png(Display):
    """The same, of a picture that the kernel draws."""

    renderer = "png"


class Output:
    """`ipywidgets.Output`, cleared and filled again."""

    def show(self, chart: alt.VConcatChart) -> None:
        alt.renderers.enable("lab")
        self._output = ipywidgets.Output()
        display(self._output)
        self.update(chart)

    def update(self, chart: alt.VConcatChart) -> None:
        with self._output:
            clear_output(wait=True)
            display(chart)


alt.renderers.register("lab", as_lab_knows_it)
PEERS: dict[str, type[Peer]] = {
    "JupyterChart": Jupyter,
    "update_display": Display,
    "update_display, png": Png,
    "Output": Output,
}


class Drive:
    """One peer, and its updates."""

    def __init__(self, name: str, filled: Filled) -> None:
        self._filled, self._watch, self._peer = filled, Watch(filled.reader), PEERS[name]()
        self._took, self.pace = list[float](), 0.0
        self._peer.show(self._chart())

    def _chart(self) -> alt.VConcatChart:
        return chart(self._watch.look())

    def on(self, updates: int, pace: float = 1.0, per_second: float = 4.0) -> None:
        """Show so many charts more, with time and updates so many times as fast."""
        self._took, first = [], perf_counter()
        due = first
        self._filled.clock.hurry(pace)
        for _ in range(updates):
            due += 1 / (per_second * pace)
            self._filled.go_on()
            began = thread_time()
            self._peer.update(self._chart())
            self._took.append(1e3 * (thread_time() - began))
            sleep(max(0.0, due - perf_counter()))
        self.pace = updates / (perf_counter() - first)

    @property
    def mean(self) -> float:
        """Processor time of an update, in ms."""
        return fmean(self._took)
