"""How much of the past a view shows, in what steps, and what there is to ask for."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from livestream_nb import measures
from livestream_nb.charts.window import Window
from livestream_nb.status import ENDED, Status

SPANS: Mapping[str, int] = {"1 min": 60, "10 min": 600, "1 h": 3_600}
"""What the viewer chooses from: service seconds by name."""
USUAL_SPAN = 600
REAL_SPAN = 15.0
BRIEF = 0.3
"""Real seconds that a step has at least, and that it is late: hits are handed on up to a fifth of a
second after they came."""
UNSURE = 5.0
"""Real seconds for which hits may still be digested that have come: see `Status.behind`."""


@dataclass(frozen=True)
class Scale:
    """How much time a view shows, and in what steps (service seconds).

    A step is shown when it is ``late`` seconds past, and asked for again while it is ``unsure``.
    """

    span: int
    every: int
    late: float
    unsure: float

    @classmethod
    def of(cls, rate: float, connections: int, span: int | None = None) -> "Scale":
        """Return the scale for a clock of this rate; by default ten minutes, or more if it is fast.

        So many connections have so many rows per step; there are some hundred rows at the most.
        """
        wanted = max(USUAL_SPAN, REAL_SPAN * rate)
        usual = next((each for each in SPANS.values() if each >= wanted), max(SPANS.values()))
        span = span or usual
        late = BRIEF * rate
        every = measures.fitting_step(span, late, connections)
        return cls(span, every, late, UNSURE * rate)

    @property
    def named(self) -> str:
        """The span in words."""
        return next(name for name, span in SPANS.items() if span == self.span)


@dataclass(frozen=True)
class Question:
    """What to ask for: the steps of a window that are complete.

    ``complete`` is when the last of them ends, in Unix seconds.
    """

    scale: Scale
    window: Window
    now: datetime
    complete: int

    @property
    def first(self) -> int:
        """When the step begins that the window begins in, in Unix seconds."""
        every = self.scale.every
        return int(self.window.start.timestamp() // every) * every

    @property
    def last(self) -> timedelta:
        """How far back the window reaches, and the whole step that it begins in."""
        return self.now - self.window.start + timedelta(seconds=self.scale.every)


def window_at(
    now: datetime, status: Status, timeline: pl.DataFrame, span: float, tz: str
) -> Window:
    """Return the span to show: it fills, then grows, then moves, and stays once all has ended."""
    whole, end = timedelta(seconds=span), now
    if status.state in ENDED and status.since is not None:
        end = min(now, status.since + whole * 0.08)
    first = timeline["started"].min()
    start = max(end - whole, first) if isinstance(first, datetime) else end - whole
    return Window(start, max(end, start + whole / 5), tz, until=end)
