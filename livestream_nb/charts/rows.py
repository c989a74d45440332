"""Frames become the rows that charts draw: pure, and the same for live view, PNG and report.

Times are milliseconds of shown time (see :mod:`livestream_nb.charts.window`).
"""

import polars as pl

from livestream_nb.charts.window import Window
from livestream_nb.measures import OPEN

MOST_ROWS = 1_000
LANE_OF_MS = 2**43
ENOUGH_ROWS = 8
TOWERING = 4
HEADROOM = 1.04


def throughput_rows(
    frame: pl.DataFrame,
    window: Window,
    every: float | None,
    timeline: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Return stacked steps: ``time``, ``until`` (ms), ``connection``, ``base``, ``top``, ``run``.

    ``base`` and ``top`` are hits per second. A ``run`` is an unbroken row of steps and ends with a
    closing row (``until`` equals ``time``), which gives its last step a width. With a timeline, a
    step covers only that part in which the connection was open, and so does its rate.
    """
    step = every or shortest_step(frame)
    wide = step * max(1, -(-frame.height // MOST_ROWS))
    steps = _coarser(frame, wide) if wide > step else frame.with_columns(steps=pl.lit(1))
    width = round(wide * 1_000)
    rows = steps.sort("connection", "time").select(
        _ms("time").alias("time"),
        (_ms("time") + width).alias("until"),
        "connection",
        "hits",
        (pl.col("steps") * step).alias("seconds"),
        _run(wide),
    )
    if timeline is not None:
        rows = _trimmed(rows, timeline)
    stacked = _stacked(rows).select(
        pl.col("time", "until") + window.shift, "connection", "base", "top", "run"
    )
    closing = stacked.group_by("run", maintain_order=True).last().select(stacked.columns)
    return pl.concat([stacked, closing.with_columns(time="until")])


def state_rows(frame: pl.DataFrame, window: Window) -> pl.DataFrame:
    """Return the states that reach into the window, in ms; ``ended`` is null while open.

    The longest come first, so that a short state is drawn over its neighbours and stays visible.
    """
    reaching = (pl.col("ended").is_null() | (pl.col("ended") >= window.start)) & (
        pl.col("started") <= window.end
    )
    longest = frame.filter(reaching).sort("seconds", descending=True, maintain_order=True)
    return longest.select(
        (_ms("started") + window.shift).alias("time"),
        (_ms("ended") + window.shift).alias("ended"),
        "connection",
        pl.col("state").cast(pl.String),
        pl.coalesce(pl.col("status").cast(pl.String), pl.lit("–")).alias("HTTP"),
        pl.coalesce(
            pl.when(pl.col("status") >= 300).then(pl.col("status")).cast(pl.String), "reason"
        ).alias("why"),
        "attempt",
        "sentence",
    )


def _stacked(rows: pl.DataFrame) -> pl.DataFrame:
    """Stack the rates of the steps that begin at one time: ``base`` and ``top``."""
    begins = pl.col("time") != pl.col("time").shift(1)
    return (
        rows.with_columns(rate=pl.col("hits") / pl.col("seconds"))
        .sort("time", "connection")
        .with_columns(below=pl.col("rate").cum_sum() - pl.col("rate"))
        .with_columns(ground=pl.when(begins.fill_null(value=True)).then("below").forward_fill())
        .with_columns(base=(pl.col("below") - pl.col("ground")).round(6))
        .with_columns(top=pl.col("base") + pl.col("rate"))
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
    busy = rows.filter(pl.col("top") > 0)["top"]
    usual = busy.quantile(0.9)
    if usual is None:
        return 1.0
    cut = busy.filter(busy <= TOWERING * usual) if busy.len() >= ENOUGH_ROWS else busy
    highest = cut.max()
    return HEADROOM * highest if isinstance(highest, float) else 1.0


def _ms(name: str) -> pl.Expr:
    return pl.col(name).dt.epoch("ms")


def _run(step: float) -> pl.Expr:
    gap = pl.col("time").diff().over("connection") != pl.duration(microseconds=round(step * 1e6))
    return gap.fill_null(value=True).cum_sum().alias("run")


def _trimmed(rows: pl.DataFrame, timeline: pl.DataFrame) -> pl.DataFrame:
    """Cut each step to the open spell that it ends in; its rate is over one second at least.

    ``rows`` are sorted by connection and time. One number holds both, which makes finding the
    latest spell that began before a step's end one cheap join.
    """
    lane = pl.col("connection").cast(pl.Int64) * LANE_OF_MS
    spells = timeline.filter(pl.col("state").cast(pl.String).is_in(OPEN)).select(
        lane=lane, key=lane + _ms("started"), opened=_ms("started"), closed=_ms("ended")
    )
    keyed = rows.with_columns(key=lane + pl.col("until") - 1)
    joined = keyed.join_asof(spells.sort("key"), on="key").with_columns(
        known=(pl.col("lane") == lane) & (pl.col("closed").fill_null(LANE_OF_MS) > pl.col("time"))
    )
    opened, closed = (pl.when("known").then(name) for name in ("opened", "closed"))
    return joined.with_columns(
        time=pl.max_horizontal("time", opened), until=pl.min_horizontal("until", closed)
    ).with_columns(
        seconds=pl.min_horizontal("seconds", (pl.col("until") - pl.col("time")) / 1_000).clip(1)
    )


def _coarser(frame: pl.DataFrame, wide: float) -> pl.DataFrame:
    bucket = pl.col("time").dt.truncate(f"{round(wide * 1e6)}us")
    return frame.group_by(bucket, "connection").agg(pl.col("hits").sum(), pl.len().alias("steps"))
