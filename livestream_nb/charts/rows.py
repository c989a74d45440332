"""Frames become the rows that charts draw: pure, and the same for live view, PNG and report.

Times are milliseconds of shown time (see :mod:`livestream_nb.charts.window`).
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import polars as pl

from livestream_nb.charts.window import Window
from livestream_nb.measures import OPEN

MOST_ROWS = 1_000
FOREVER = 2**53
ENOUGH_ROWS = 8
TOWERING = 4
HEADROOM = 1.04


class Step(NamedTuple):
    """What came by a connection in one step: from ``base`` to ``top`` hits per second, in ms.

    Two rows end an unbroken run of steps: one without width (``until`` equals ``time``), which
    gives the last its width, and one after it without values, at which the line breaks.
    """

    time: int
    until: int
    connection: int
    base: float | None
    top: float | None


class Late(NamedTuple):
    """How late hits came in one step, in ms and in seconds of delay; runs end as those of steps."""

    time: int
    until: int
    median: float | None
    p95: float | None


class Spells:
    """When some connection was open, in ms."""

    def __init__(self, spells: Iterable[tuple[int, int]] = ()) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        for start, end in sorted(spells):
            if self._ends and start <= self._ends[-1]:
                self._ends[-1] = max(self._ends[-1], end)
            else:
                self._starts.append(start)
                self._ends.append(end)

    def cut(self, start: int, end: int) -> tuple[int, int]:
        """From the first moment within that is open to the last; as given when none is."""
        first, last = bisect_right(self._ends, start), bisect_left(self._starts, end) - 1
        if first > last:
            return start, end
        return max(start, self._starts[first]), min(end, self._ends[last])


def throughput_rows(
    frame: pl.DataFrame,
    window: Window,
    every: float | None,
    timeline: pl.DataFrame | None = None,
) -> list[Step]:
    """Return the steps of :meth:`Reader.throughput`, stacked.

    With a timeline, a step covers only that part in which some connection was open, and so does its
    rate.
    """
    step = every or shortest_step(frame)
    wide = step * max(1, -(-frame.height // MOST_ROWS))
    if wide > step:
        whole = (pl.len() * step).alias("seconds")
        frame = frame.group_by(_bin(wide), "connection").agg(pl.col("hits").sum(), whole)
    columns = (_shown(frame["time"], window), *frame["connection", "hits"])
    seconds = frame["seconds"] if wide > step else pl.repeat(step, frame.height, eager=True)
    bins = sorted(zip(*(each.to_list() for each in (*columns, seconds)), strict=True))
    spells = Spells() if timeline is None else _open_spells(timeline, window)
    return list(steps(bins, round(wide * 1_000), spells))


def steps(
    bins: Iterable[tuple[int, int, int, float]], width: int, spells: Spells
) -> Iterator[Step]:
    """Stack what is of one time.

    ``bins`` are time in ms, connection, hits and seconds, sorted by the first two; ``width`` is in
    ms, too.
    """
    latest: dict[int, Step] = {}
    start = end = now = -1
    long = base = 0.0
    for time, connection, hits, seconds in bins:
        if time != now:
            now, (start, end), base = time, spells.cut(time, time + width), 0.0
            long = max(1.0, (end - start) / 1_000)
        before = latest.get(connection)
        if before is not None and before.until != start:
            yield from _end_of(before)
        top = base + hits / min(long, seconds)
        latest[connection] = step = Step(start, end, connection, base, top)
        base = top
        yield step
    for last in latest.values():
        yield from _end_of(last)


def _end_of(step: Step) -> tuple[Step, Step]:
    end, connection = step.until, step.connection
    return (
        Step(end, end, connection, step.base, step.top),
        Step(end + 1, end, connection, None, None),
    )


def delay_rows(frame: pl.DataFrame, window: Window, every: float | None) -> list[Late]:
    """Return the steps of :meth:`Reader.lag`.

    Of more than 1,000 rows several become one: the median of the medians, and the highest 95th
    percentile.
    """
    step = every or shortest_step(frame)
    wide = step * max(1, -(-frame.height // MOST_ROWS))
    if wide > step:
        frame = frame.group_by(_bin(wide)).agg(pl.col("median").median(), pl.col("p95").max())
    columns = (_shown(frame["time"], window), *frame["median", "p95"])
    rows = sorted(zip(*(column.to_list() for column in columns), strict=True))
    return list(delays(rows, round(wide * 1_000)))


def delays(rows: Iterable[tuple[int, float, float]], width: int) -> Iterator[Late]:
    """Join what follows without a gap; ``rows`` are time, median and p95, sorted by time."""
    before: Late | None = None
    for time, median, p95 in rows:
        if before is not None and before.until != time:
            yield from _end_of_delays(before)
        before = Late(time, time + width, median, p95)
        yield before
    if before is not None:
        yield from _end_of_delays(before)


def _end_of_delays(late: Late) -> tuple[Late, Late]:
    end = late.until
    return Late(end, end, late.median, late.p95), Late(end + 1, end, None, None)


def shortest_step(frame: pl.DataFrame) -> float:
    """Return the shortest distance between rows in seconds; 1 where there are not two."""
    steps = frame["time"].unique().sort().diff().dt.total_microseconds().drop_nulls()
    shortest = steps.min()
    return shortest / 1e6 if isinstance(shortest, int) else 1.0


def ceiling(steps: Sequence[Step]) -> float:
    """Return how high a chart of these should reach.

    A backlog delivered at once after a gap would flatten everything else, on a busy suite as on a
    quiet one; so what towers above the usual is cut off (and named by the chart), nothing else.
    """
    busy = sorted(step.top for step in steps if step.top)
    if len(busy) >= ENOUGH_ROWS:
        usual = busy[round(0.9 * (len(busy) - 1))]
        busy = busy[: bisect_right(busy, TOWERING * usual)]
    return HEADROOM * busy[-1] if busy else 1.0


def latest(steps: Sequence[Late]) -> float:
    """Return how high a chart of these should reach: nothing is cut off."""
    highest = max((step.p95 for step in steps if step.p95 is not None), default=0.0)
    return HEADROOM * highest if highest > 0 else 1.0


def _open_spells(timeline: pl.DataFrame, window: Window) -> Spells:
    started = _shown(timeline["started"], window).to_list()
    ended = _shown(timeline["ended"], window).fill_null(FOREVER).to_list()
    spells = zip(timeline["state"].to_list(), started, ended, strict=True)
    return Spells((start, end) for state, start, end in spells if state in OPEN)


def _shown(times: pl.Series, window: Window) -> pl.Series:
    return times.dt.epoch("ms") + window.shift


def _bin(wide: float) -> pl.Expr:
    return pl.col("time").dt.truncate(f"{round(wide * 1e6)}us")
