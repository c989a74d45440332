"""A snapshot as rows and values of the charts: for the live view and for the still picture."""

from typing import Any

import polars as pl

from livestream_nb.charts.rows import (
    Late,
    Step,
    ceiling,
    delay_rows,
    latest,
    state_rows,
    throughput_rows,
)
from livestream_nb.dashboard.snapshot import Snapshot

NO_HITS = "no hits yet"
NONE_HERE = "no hits in this span"


class Drawing:
    """Rows and values of the latest snapshot; what is made of the same frames is made once.

    Attributes
    ----------
    throughput, delay, states
        The rows, by the names that the specification gives them: the same object as before when
        the frame is the same.
    """

    throughput: list[Step]
    delay: list[Late]
    states: pl.DataFrame

    def __init__(self, snapshot: Snapshot) -> None:
        self._frames: dict[str, tuple[object, ...]] = {}
        self.take(snapshot)

    def take(self, snapshot: Snapshot) -> None:
        """Make rows of this snapshot."""
        window, every = snapshot.window, snapshot.scale.every
        if self._is_new("throughput", snapshot.throughput, window.shift):
            rows = throughput_rows(snapshot.throughput, window, every, snapshot.timeline)
            self.throughput, self._ceiling = rows, ceiling(rows)
        if self._is_new("delay", snapshot.lag, window.shift):
            self.delay = delay_rows(snapshot.lag, window, every)
            self._latest = latest(self.delay)
        if self._is_new("states", snapshot.timeline, window.shift):
            self.states = state_rows(snapshot.timeline, window)

    def _is_new(self, name: str, frame: pl.DataFrame, shift: int) -> bool:
        known = self._frames.get(name)
        self._frames[name] = (frame, shift)
        return known is None or known[0] is not frame or known[1] != shift

    def signals(self, snapshot: Snapshot) -> dict[str, Any]:
        """Return the parameters of the specification, but for colours."""
        window = snapshot.window
        return {
            "window_start": window.shown(window.start),
            "window_end": window.shown(window.end),
            "now": window.shown(window.now),
            "note": "" if self.throughput else NONE_HERE if snapshot.status.hits else NO_HITS,
            "ceiling": self._ceiling,
            "latest": self._latest,
        }
