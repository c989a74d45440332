"""A snapshot as rows and values of the charts: for the live view and for the still picture."""

from math import inf
from typing import Any

from livestream_nb.charts.rows import (
    FOREVER,
    Late,
    Spells,
    Step,
    ceiling,
    delays,
    latest,
    steps,
)
from livestream_nb.charts.states import State, state_rows
from livestream_nb.dashboard.snapshot import Snapshot

NO_HITS = "no hits yet"
NONE_HERE = "no hits in this span"


class Drawing:
    """Rows and values of the latest snapshot; what is made of the same frames is made once.

    Attributes
    ----------
    throughput, delay, states
        The rows, by the names that the specification gives them: the same object as before when
        what they are made of is the same.
    """

    throughput: list[Step]
    delay: list[Late]
    states: list[State]

    def __init__(self, snapshot: Snapshot) -> None:
        self._made_of: dict[str, tuple[object, int]] = {}
        self.take(snapshot)

    def take(self, snapshot: Snapshot) -> None:
        """Make rows of this snapshot."""
        shift, every = snapshot.window.shift, snapshot.scale.every
        if self._is_new("states", snapshot.timeline, shift):
            self.states = state_rows(snapshot.timeline, snapshot.window)
            spells = ((each.start, each.end) for each in snapshot.spells)
            self._spells = Spells((_ms(start) + shift, _ms(end) + shift) for start, end in spells)
        if self._is_new("throughput", snapshot.throughput, shift):
            bins = (
                (1_000 * time + shift, connection, hits, every)
                for time, connection, hits in snapshot.throughput
            )
            self.throughput = list(steps(bins, 1_000 * every, self._spells))
            self._ceiling = ceiling(self.throughput)
        if self._is_new("delay", snapshot.lag, shift):
            late = ((1_000 * row.time + shift, row.median, row.p95) for row in snapshot.lag)
            self.delay = list(delays(late, 1_000 * every))
            self._latest = latest(self.delay)

    def _is_new(self, name: str, rows: object, shift: int) -> bool:
        known = self._made_of.get(name)
        self._made_of[name] = (rows, shift)
        return known is None or known[0] is not rows or known[1] != shift

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


def _ms(seconds: float) -> int:
    return FOREVER if seconds == inf else round(1_000 * seconds)
