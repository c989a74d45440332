"""From frames to small frames: what the views and reports show. Pure; knows frames only."""

from datetime import datetime

import polars as pl

from livestream_nb.checks import seconds_in
from livestream_nb.errors import InvalidOption

OPEN = ("streaming", "stalled")
STEPS = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1_800, 3_600)
MOST_STEPS = 600
MEDIAN, P95 = 0.5, 0.95
COUNTS = ("hits", "bytes", "duplicates", "quarantined")


def throughput(
    seconds: pl.DataFrame,
    timeline: pl.DataFrame,
    *,
    every: str = "1s",
    since: datetime | None = None,
    now: datetime,
) -> pl.DataFrame:
    """What arrived, per connection and interval.

    Parameters
    ----------
    seconds : DataFrame
        Per-second counters, in any order: ``time``, ``connection``, ``hits``, ``bytes``,
        ``duplicates``, ``quarantined``; several of one second add up.
    timeline : DataFrame
        The connection's states, as of ``Reader.timeline()``.
    every : str
        The interval, in whole seconds, minutes, hours or days: "1s", "1m".
    since, now : datetime
        The first interval begins then or later; and the last moment that counts.

    Returns
    -------
    DataFrame
        ``time`` (Datetime µs UTC, the interval's start), ``connection`` (UInt8), and ``hits``,
        ``bytes`` (unpacked), ``duplicates``, ``quarantined`` (UInt64), by time. An interval in
        which the connection was open without hits counts 0; one without a connection has no row.
    """
    interval = _interval(every)
    counted = seconds.lazy().select(pl.col("time").dt.truncate(interval), "connection", *COUNTS)
    spells = _open_intervals(timeline.lazy(), interval, since, now)
    return (
        pl.concat([counted, spells], how="diagonal")
        .filter(True if since is None else pl.col("time") >= since)
        .group_by("time", "connection")
        .agg(pl.col(COUNTS).sum())
        .sort("time", "connection")
        .collect()
    )


def _open_intervals(
    timeline: pl.LazyFrame, interval: str, since: datetime | None, now: datetime
) -> pl.LazyFrame:
    """Every interval in which a connection was open."""
    ended = pl.col("ended").fill_null(now)
    started = pl.col("started") if since is None else pl.max_horizontal("started", pl.lit(since))
    start, end = (moment.dt.truncate(interval) for moment in (started, ended))
    return (
        timeline.filter(pl.col("state").is_in(OPEN), True if since is None else ended >= since)
        .select("connection", time=pl.datetime_ranges(start, end, interval))
        .explode("time")
    )


def lag(delays: pl.DataFrame, *, every: str = "1s", since: datetime | None = None) -> pl.DataFrame:
    """How late hits came, per interval, of all connections together.

    Parameters
    ----------
    delays : DataFrame
        ``time`` (of a second of arrival), ``delay`` (seconds), ``hits``.
    every : str
        The interval, in whole seconds, minutes, hours or days: "1s", "1m".
    since : datetime, optional
        The first interval begins then or later.

    Returns
    -------
    DataFrame
        ``time`` (Datetime µs UTC, the interval's start), ``hits`` (UInt64), and ``median``,
        ``p95``, ``longest`` (Float64): seconds from ``receivedTimeGMT``, when Adobe's collection
        received a hit, to its arrival on this machine, to 2 %. An interval in which no hit came
        has no row; hits without ``receivedTimeGMT`` are not counted.
    """
    share = pl.col("hits").cum_sum() / pl.col("hits").sum()
    return (
        delays.lazy()
        .with_columns(pl.col("time").dt.truncate(_interval(every)))
        .filter(True if since is None else pl.col("time") >= since)
        .group_by("time", "delay")
        .agg(pl.col("hits").sum())
        .sort("delay")
        .group_by("time", maintain_order=True)
        .agg(
            pl.col("hits").sum(),
            median=pl.col("delay").filter(share >= MEDIAN).first(),
            p95=pl.col("delay").filter(share >= P95).first(),
            longest=pl.col("delay").last(),
        )
        .sort("time")
        .collect()
    )


def fitting_step(span: float, least: float = 1.0, connections: int = 1) -> int:
    """Whole seconds per step, at least so many, of which a span has some hundred at most."""
    wanted = max(least, span * connections / MOST_STEPS)
    return next((step for step in STEPS if step >= wanted), STEPS[-1])


def has_single_values(dtype: pl.DataType) -> bool:
    """Whether values of this type can be counted: single ones, or lists of them."""
    inner = dtype.inner if isinstance(dtype, pl.List) else dtype
    return isinstance(inner, pl.DataType) and not inner.is_nested()


def top(values: pl.Series, n: int = 10) -> pl.DataFrame:
    """The values that most hits have.

    Parameters
    ----------
    values : Series
        One per hit, of single values, or of lists of them; a hit counts once for each in its list.
    n : int
        How many values at most.

    Returns
    -------
    DataFrame
        Most first, equals by value: ``value`` (String), ``hits`` (UInt32), ``share`` (Float64,
        of all hits, also of those where the value is null or empty; such rows are left out).
    """
    many = values.len()
    if isinstance(values.dtype, pl.List):
        values = values.explode(empty_as_null=False)
    return (
        values.drop_nulls()
        .value_counts()
        .select(pl.first().cast(pl.String).alias("value"), pl.last().alias("hits"))
        .filter(pl.col("value") != "")
        .sort("hits", "value", descending=[True, False])
        .head(n)
        .with_columns(share=pl.col("hits") / max(1, many))
    )


def _interval(every: str) -> str:
    step = seconds_in("every", every)
    if step != int(step):
        raise InvalidOption.value("every", every, "give whole seconds, as in 1s, 10s, 1m")
    return f"{int(step)}s"
