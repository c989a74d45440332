"""Frames become the rows that charts draw: pure, and the same for live view, PNG and report.

Times are milliseconds of shown time (see :mod:`livestream_nb.charts.window`).
"""

from bisect import bisect_right
from collections.abc import Sequence

import polars as pl

from livestream_nb.charts.runs import Late, Line, Spells, Stack, Step
from livestream_nb.charts.window import Window
from livestream_nb.measures import OPEN

MOST_ROWS = 1_000
FOREVER = 2**53
ENOUGH_ROWS = 8
TOWERING = 4
HEADROOM = 1.04


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
    return Stack().add(bins, round(wide * 1_000), spells).rows()


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
    return Line().add(rows, round(wide * 1_000)).rows()


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
