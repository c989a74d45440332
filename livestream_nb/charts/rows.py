"""Frames become the rows that charts draw: pure, and the same for live view, PNG and report.

Times are milliseconds of shown time (see :mod:`livestream_nb.charts.window`).
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from itertools import count, groupby
from operator import itemgetter
from typing import NamedTuple

import polars as pl

from livestream_nb.charts.window import Window
from livestream_nb.measures import OPEN
from livestream_nb.protocol.status import HOLDS_SLOT, Cause

MOST_ROWS = 1_000
FOREVER = 2**53
ENOUGH_ROWS = 8
TOWERING = 4
HEADROOM = 1.04
FLOOR = 60
"""Seconds that Livestream needs to notice a lost connection: about 60 (KA-16598)."""
CALM = (
    Cause.ASKED,
    Cause.OPENED,
    Cause.SKIPPED,
    Cause.WAITED,
    Cause.RENEWED,
    Cause.QUEUED,
    Cause.HEARD,
)
"""Why states begin when nothing has gone wrong."""

STEP = {
    "time": pl.Int64,
    "until": pl.Int64,
    "connection": pl.UInt8,
    "base": pl.Float64,
    "top": pl.Float64,
    "run": pl.Int64,
}
DELAY = {
    "time": pl.Int64,
    "until": pl.Int64,
    "median": pl.Float64,
    "p95": pl.Float64,
    "run": pl.Int64,
}


class Step(NamedTuple):
    """What came by a connection in one step: from ``base`` to ``top`` hits per second, in ms."""

    time: int
    until: int
    connection: int
    base: float
    top: float
    run: int


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
) -> pl.DataFrame:
    """Return stacked steps: ``time``, ``until`` (ms), ``connection``, ``base``, ``top``, ``run``.

    ``base`` and ``top`` are hits per second. A ``run`` is an unbroken row of steps and ends with a
    closing row (``until`` equals ``time``), which gives its last step a width. With a timeline, a
    step covers only that part in which some connection was open, and so does its rate.
    """
    step = every or shortest_step(frame)
    wide = step * max(1, -(-frame.height // MOST_ROWS))
    frame = frame.with_columns(seconds=pl.lit(step))
    if wide > step:
        frame = frame.group_by(_bin(wide), "connection").agg(pl.col("hits", "seconds").sum())
    frame = frame.sort("time", "connection")
    columns = (_shown(frame["time"], window), *frame["connection", "hits", "seconds"])
    bins = zip(*(column.to_list() for column in columns), strict=True)
    spells = Spells() if timeline is None else _open_spells(timeline, window)
    return pl.DataFrame(list(_steps(bins, round(wide * 1_000), spells)), schema=STEP, orient="row")


def _steps(
    bins: Iterable[tuple[int, int, int, float]], width: int, spells: Spells
) -> Iterator[Step]:
    """Stack what is of one time; ``bins``: time, connection, hits and seconds, sorted by two."""
    latest: dict[int, Step] = {}
    runs = count(1)
    for time, together in groupby(bins, key=itemgetter(0)):
        start, end = spells.cut(time, time + width)
        long, base = max(1.0, (end - start) / 1_000), 0.0
        for _, connection, hits, seconds in together:
            before = latest.get(connection)
            goes_on = before is not None and before.until == start
            if before is not None and not goes_on:
                yield _closing(before)
            run = before.run if before is not None and goes_on else next(runs)
            step = Step(start, end, connection, base, base + hits / min(long, seconds), run)
            latest[connection], base = step, step.top
            yield step
    yield from map(_closing, latest.values())


def _closing(step: Step) -> Step:
    return step._replace(time=step.until)


def delay_rows(frame: pl.DataFrame, window: Window, every: float | None) -> pl.DataFrame:
    """Return the steps of :meth:`Reader.lag`: ``time``, ``until``, ``median``, ``p95``, ``run``.

    Runs and closing rows are those of :func:`throughput_rows`. Of more than 1,000 rows several
    become one: the median of the medians, and the highest 95th percentile.
    """
    step = every or shortest_step(frame)
    wide = step * max(1, -(-frame.height // MOST_ROWS))
    if wide > step:
        frame = frame.group_by(_bin(wide)).agg(pl.col("median").median(), pl.col("p95").max())
    width = round(wide * 1_000)
    begins = pl.col("time") != pl.col("until").shift(1)
    rows = (
        frame.lazy()
        .sort("time")
        .select(pl.col("time").dt.epoch("ms") + window.shift, "median", "p95")
        .with_columns(until=pl.col("time") + width)
        .with_columns(run=begins.fill_null(value=True).cum_sum().cast(pl.Int64))
        .select(list(DELAY))
    )
    closing = rows.group_by("run", maintain_order=True).last().select(list(DELAY))
    return pl.concat([rows, closing.with_columns(time="until")]).collect()


def state_rows(frame: pl.DataFrame, window: Window) -> pl.DataFrame:
    """Return the states that reach into the window, in ms; ``ended`` is null while open.

    ``flag`` is what went wrong, in a word or as an HTTP status, or null. ``floor`` is until when
    the minute after a lost connection was kept, or null; ``kept`` whether to its end, and
    ``waited`` how much of it, in words. The longest come first, so that a short state is drawn over
    its neighbours and stays visible.
    """
    started, ended = pl.col("started"), pl.col("ended")
    reaching = (ended.is_null() | (ended >= window.start)) & (started <= window.end)
    holds = (pl.col("state") == "cooldown") & pl.col("reason").is_in(sorted(HOLDS_SLOT))
    whole = started + pl.duration(seconds=FLOOR)
    seconds = ((ended - started).dt.total_milliseconds() / 1_000).round().cast(pl.Int64)
    kept = ended.is_null() | (ended >= whole - pl.duration(milliseconds=500))
    status = pl.col("status").cast(pl.String)
    return (
        frame.lazy()
        .filter(reaching)
        .sort("seconds", descending=True, maintain_order=True)
        .select(
            started.dt.epoch("ms").alias("time") + window.shift,
            ended.dt.epoch("ms").alias("ended") + window.shift,
            "connection",
            pl.col("state").cast(pl.String),
            pl.coalesce(status, pl.lit("–")).alias("HTTP"),
            "attempt",
            "sentence",
            flag=pl.when(~pl.col("reason").is_in(CALM)).then(
                pl.coalesce(pl.when(pl.col("status") >= 300).then(status), "reason")
            ),
            floor=pl.when(holds).then(
                pl.min_horizontal(whole, ended).dt.epoch("ms") + window.shift
            ),
            kept=kept,
            waited=pl.when(kept)
            .then(pl.lit(f"{FLOOR} s"))
            .otherwise(pl.format("{} of {} s", seconds, pl.lit(FLOOR))),
        )
        .collect()
    )


def shortest_step(frame: pl.DataFrame) -> float:
    """Return the shortest distance between rows in seconds; 1 where there are not two."""
    steps = frame["time"].unique().sort().diff().dt.total_microseconds().drop_nulls()
    shortest = steps.min()
    return shortest / 1e6 if isinstance(shortest, int) else 1.0


def ceiling(rows: pl.DataFrame) -> float:
    """Return how high a chart of :func:`throughput_rows` should reach.

    A backlog delivered at once after a gap would flatten everything else, on a busy suite as on a
    quiet one; so what towers above the usual is cut off (and named by the chart), nothing else.
    """
    busy = rows["top"].filter(rows["top"] > 0)
    usual = busy.quantile(0.9)
    if usual is None:
        return 1.0
    cut = busy.filter(busy <= TOWERING * usual) if busy.len() >= ENOUGH_ROWS else busy
    return _headroom(cut)


def latest(rows: pl.DataFrame) -> float:
    """Return how high a chart of :func:`delay_rows` should reach: nothing is cut off."""
    return _headroom(rows["p95"])


def _headroom(heights: pl.Series) -> float:
    highest = heights.max()
    return HEADROOM * highest if isinstance(highest, float) and highest > 0 else 1.0


def _open_spells(timeline: pl.DataFrame, window: Window) -> Spells:
    open_ = timeline.filter(pl.col("state").cast(pl.String).is_in(OPEN))
    ended = _shown(open_["ended"], window).fill_null(FOREVER)
    return Spells(zip(_shown(open_["started"], window), ended, strict=True))


def _shown(times: pl.Series, window: Window) -> pl.Series:
    return times.dt.epoch("ms") + window.shift


def _bin(wide: float) -> pl.Expr:
    return pl.col("time").dt.truncate(f"{round(wide * 1e6)}us")
