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
        new = added(self._counted, counted)
        self._stack = Stack() if new is None else self._stack
        self._counted = counted
        for first in counted[:1]:
            self._stack.let_go(1_000 * first.time + shift)
        bins = (
            (1_000 * time + shift, connection, hits, every)
            for time, connection, hits in (counted if new is None else new)
        )
        self.throughput = self._stack.add(bins, 1_000 * every, self._spells).rows()
        self._ceiling = ceiling(self.throughput)

    def _draw_delay(self, lag: list[Delay]) -> None:
        shift, every = self._grid
        new = added(self._lag, lag)
        self._line = Line() if new is None else self._line
        self._lag = lag
        for first in lag[:1]:
            self._line.let_go(1_000 * first.time + shift)
        late = (
            (1_000 * row.time + shift, row.median, row.p95) for row in (lag if new is None else new)
        )
        self.delay = self._line.add(late, 1_000 * every).rows()
        self._latest = latest(self.delay)

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
