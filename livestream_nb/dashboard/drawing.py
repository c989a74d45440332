"""A snapshot as rows and values of the charts: for the live view and for the still picture."""

from math import inf
from typing import TYPE_CHECKING, Any, TypeVar

from livestream_nb.charts.rows import FOREVER, ceiling, latest
from livestream_nb.charts.runs import Late, Line, Spells, Stack, Step
from livestream_nb.charts.states import State, state_rows
from livestream_nb.dashboard.snapshot import Snapshot
from livestream_nb.dashboard.steps import Delay, Second

if TYPE_CHECKING:
    import polars as pl

NO_HITS = "no hits yet"
NONE_HERE = "no hits in this span"

_Row = TypeVar("_Row", Second, Delay)
_Runs = TypeVar("_Runs", Stack, Line)


class Drawing:
    """Rows and values of the latest snapshot; what is known already is not made anew.

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
        self._grid = (0, 0)
        self._stack, self._line = Stack(), Line()
        self.take(snapshot)

    def take(self, snapshot: Snapshot) -> None:
        """Make rows of this snapshot."""
        grid = (snapshot.window.shift, snapshot.scale.every)
        if grid != self._grid:
            self._grid = grid
            self._timeline: pl.DataFrame | None = None
            self._counted: list[Second] | None = None
            self._lag: list[Delay] | None = None
        if snapshot.timeline is not self._timeline:
            self._draw_states(snapshot)
        if snapshot.throughput is not self._counted:
            self._draw_throughput(snapshot.throughput)
        if snapshot.lag is not self._lag:
            self._draw_delay(snapshot.lag)

    def _draw_states(self, snapshot: Snapshot) -> None:
        self._timeline, shift = snapshot.timeline, self._grid[0]
        self.states = state_rows(snapshot.timeline, snapshot.window)
        spells = ((each.start, each.end) for each in snapshot.spells)
        self._spells = Spells((_ms(start) + shift, _ms(end) + shift) for start, end in spells)

    def _draw_throughput(self, counted: list[Second]) -> None:
        shift, every = self._grid
        self._stack, new = self._going_on(self._stack, self._counted, counted)
        self._counted = counted
        bins = ((1_000 * time + shift, connection, hits, every) for time, connection, hits in new)
        self.throughput = self._stack.add(bins, 1_000 * every, self._spells).rows()
        self._ceiling = ceiling(self.throughput)

    def _draw_delay(self, lag: list[Delay]) -> None:
        shift, every = self._grid
        self._line, new = self._going_on(self._line, self._lag, lag)
        self._lag = lag
        late = ((1_000 * row.time + shift, row.median, row.p95) for row in new)
        self.delay = self._line.add(late, 1_000 * every).rows()
        self._latest = latest(self.delay)

    def _going_on(
        self, runs: _Runs, known: list[_Row] | None, rows: list[_Row]
    ) -> tuple[_Runs, list[_Row]]:
        """The runs to add to, and what to add: without its oldest steps, or from the beginning."""
        new = added(known, rows)
        if new is None:
            return type(runs)(), rows
        runs.let_go(1_000 * rows[0].time + self._grid[0])
        return runs, new

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


def added(known: list[_Row] | None, rows: list[_Row]) -> list[_Row] | None:
    """The rows at the end that are new, if those before are the latest that were known."""
    if not known or not rows:
        return None
    kept = [row for row in known if row.time >= rows[0].time]
    return rows[len(kept) :] if kept and rows[: len(kept)] == kept else None
