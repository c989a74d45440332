"""One look at a reader: everything that a view shows of one moment. Widgets are elsewhere."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import TYPE_CHECKING

import polars as pl

from livestream_nb.charts import Window

if TYPE_CHECKING:
    from livestream_nb.reader import Reader
    from livestream_nb.status import Status

LEAST_SPAN = 300.0
REAL_SPAN = 15.0
STEPS = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1_800, 3_600)
OPEN = ("streaming", "stalled")
ENDED = ("stopped", "failed")


@dataclass(frozen=True)
class Scale:
    """How much time a view shows, and in what steps (service seconds)."""

    span: float
    every: int
    lag: float

    @classmethod
    def of(cls, rate: float) -> "Scale":
        """Return the scale for a clock: five minutes, more where minutes pass in seconds.

        Hits are handed on up to a fifth of a second after they came, so a step is longer than that.
        """
        wanted = max(1.0, 0.3 * rate)
        step = next((step for step in STEPS if step >= wanted), STEPS[-1])
        return cls(span=max(LEAST_SPAN, REAL_SPAN * rate), every=step, lag=0.3 * rate)


@dataclass(frozen=True)
class Snapshot:
    """What a view shows.

    Attributes
    ----------
    status : Status
        As :attr:`Reader.status`.
    now : datetime
        Service time of the look.
    rate : float
        Service seconds per real second.
    window : Window
        The span of the charts.
    every : int
        Seconds per row of ``throughput``.
    throughput, timeline : polars.DataFrame
        As the reader's methods of these names return them; ``throughput`` without the step that is
        still running.
    """

    status: "Status"
    now: datetime
    rate: float
    window: Window
    every: int
    throughput: pl.DataFrame
    timeline: pl.DataFrame

    @property
    def pace(self) -> float | None:
        """Hits per second of late; None while no connection is open."""
        latest = self.timeline.filter(pl.col("ended").is_null())
        if latest.filter(pl.col("state").is_in(OPEN)).is_empty() or self.throughput.is_empty():
            return None
        times = self.throughput["time"].unique().sort().tail(max(3, ceil(10 / self.every)))
        late = self.throughput.filter(pl.col("time").is_in(times.implode()))
        return float(late["hits"].sum()) / (times.len() * self.every)


def look(reader: "Reader") -> Snapshot:
    """Look at a reader now; costs a few milliseconds."""
    status, rate = reader.status, reader.clock.rate
    now = datetime.fromtimestamp(reader.clock.utc(), UTC)
    scale, timeline = Scale.of(rate), reader.timeline()
    window = window_at(now, status, timeline, scale.span, reader.tz)
    last = now - window.start + timedelta(seconds=scale.every)
    rows = reader.throughput(every=f"{scale.every}s", last=last)
    done = pl.col("time") <= now - timedelta(seconds=scale.every + scale.lag)
    return Snapshot(status, now, rate, window, scale.every, rows.filter(done), timeline)


def window_at(
    now: datetime, status: "Status", timeline: pl.DataFrame, span: float, tz: str
) -> Window:
    """Return the span to show: it fills, then grows, then moves, and stays once all has ended."""
    whole, end = timedelta(seconds=span), now
    if status.state in ENDED and status.since is not None:
        end = min(now, status.since + whole * 0.08)
    first = timeline["started"].min()
    start = max(end - whole, first) if isinstance(first, datetime) else end - whole
    return Window(start, max(end, start + whole / 5), tz)
