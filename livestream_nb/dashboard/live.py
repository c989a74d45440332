"""The live charts: one widget that holds one Vega view and swaps its rows.

The specification is built once. After that a refresh sends only rows, as columns of bytes in one
trait, and the script beside this file inserts and removes what changed. Traits hold the latest
rows, so a second view or a reloaded page starts with them.
"""

from array import array
from pathlib import Path

import anywidget
import polars as pl
import traitlets

from livestream_nb.charts import Window, live_chart
from livestream_nb.charts.bundle import bundle
from livestream_nb.charts.pictures import connections_of
from livestream_nb.charts.rows import ceiling, state_rows, throughput_rows
from livestream_nb.dashboard.snapshot import Snapshot

SCRIPT = Path(__file__).with_name("live.js")
STYLE = Path(__file__).with_name("live.css")
COLUMNS = {"time": "I", "until": "I", "base": "f", "top": "f", "connection": "B", "run": "H"}


class LiveChart(anywidget.AnyWidget):
    """Throughput and timeline of a reader, live.

    Traits
    ------
    spec : dict
        Vega-Lite, over the named data ``throughput`` and ``states``.
    states : list of dict
        The rows of ``states``; sent when a state begins or leaves the window.
    live : dict
        ``start`` and ``end`` (ms of shown time), ``note``, ``ceiling``, ``beat`` (how many
        refreshes), ``origin`` (ms), and the columns of ``throughput`` as bytes, times as ms after
        ``origin``.
    """

    _esm = traitlets.Unicode().tag(sync=True)
    _css = STYLE.read_text(encoding="utf-8")
    spec = traitlets.Dict().tag(sync=True)
    states: traitlets.List[dict[str, object]] = traitlets.List().tag(sync=True)
    live = traitlets.Dict().tag(sync=True)

    def __init__(self, snapshot: Snapshot) -> None:
        chart = live_chart(snapshot.window, connections=connections_of(snapshot.timeline))
        super().__init__(
            _esm=bundle(SCRIPT.read_text(encoding="utf-8")),
            spec=chart.to_dict(),
            states=_states(snapshot),
            live=_live(snapshot, 0),
        )

    def show(self, snapshot: Snapshot) -> None:
        """Send the rows of this snapshot."""
        self.states = _states(snapshot)
        self.live = _live(snapshot, self.live["beat"] + 1)

    def beat(self) -> None:
        """Say that the kernel is still there, and nothing has changed."""
        self.live = self.live | {"beat": self.live["beat"] + 1}


def _states(snapshot: Snapshot) -> list[dict[str, object]]:
    return state_rows(snapshot.timeline, snapshot.window).to_dicts()


def _live(snapshot: Snapshot, beat: int) -> dict[str, object]:
    window = snapshot.window
    rows = throughput_rows(snapshot.throughput, window, snapshot.every, snapshot.timeline)
    note = "" if rows.height else "no hits yet"
    return {
        "start": window.shown(window.start),
        "end": window.shown(window.end),
        "note": note,
        "ceiling": ceiling(rows),
        "beat": beat,
        **packed(rows, window),
    }


def packed(rows: pl.DataFrame, window: Window) -> dict[str, object]:
    """Return the columns of :func:`throughput_rows` as bytes of 32, 16 and 8 bits."""
    first = rows["time"].min()
    origin = first if isinstance(first, int) else window.shown(window.start)
    shifted = rows.with_columns(pl.col("time", "until") - origin)
    columns = {
        name: array(code, shifted[name].to_list()).tobytes() for name, code in COLUMNS.items()
    }
    return {"origin": origin, **columns}
