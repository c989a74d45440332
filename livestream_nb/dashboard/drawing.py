"""A snapshot as rows and values of the charts: for the live view and for the still picture."""

from typing import TYPE_CHECKING, Any

import polars as pl

from livestream_nb.charts.rows import ceiling, delay_rows, latest, state_rows, throughput_rows
from livestream_nb.dashboard.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable

NO_HITS = "no hits yet"
NONE_HERE = "no hits in this span"


class Drawing:
    """Turns snapshots into rows; of frames that are the same, into the very same rows."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[pl.DataFrame, int, pl.DataFrame]] = {}

    def rows(self, snapshot: Snapshot) -> dict[str, pl.DataFrame]:
        """Return the rows by the names that the specification gives them."""
        window, every = snapshot.window, snapshot.scale.every
        throughput, lag, timeline = snapshot.throughput, snapshot.lag, snapshot.timeline
        makers: dict[str, tuple[pl.DataFrame, Callable[[], pl.DataFrame]]] = {
            "throughput": (
                throughput,
                lambda: throughput_rows(throughput, window, every, timeline),
            ),
            "delay": (lag, lambda: delay_rows(lag, window, every)),
            "states": (timeline, lambda: state_rows(timeline, window)),
        }
        for name, (frame, make) in makers.items():
            known = self._known.get(name)
            if known is None or known[0] is not frame or known[1] != window.shift:
                self._known[name] = (frame, window.shift, make())
        return {name: self._known[name][2] for name in makers}


def signals(snapshot: Snapshot, rows: dict[str, pl.DataFrame]) -> dict[str, Any]:
    """Return the parameters of the specification, but for colours."""
    window = snapshot.window
    note = "" if rows["throughput"].height else NONE_HERE if snapshot.status.hits else NO_HITS
    return {
        "window_start": window.shown(window.start),
        "window_end": window.shown(window.end),
        "now": window.shown(window.now),
        "note": note,
        "ceiling": ceiling(rows["throughput"]),
        "latest": latest(rows["delay"]),
    }
