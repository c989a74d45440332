"""From frames to small frames: what the views and reports show. Pure; knows frames only."""

from datetime import datetime

import polars as pl

from livestream_nb.checks import seconds_in
from livestream_nb.errors import InvalidOption

OPEN = ("streaming", "stalled")
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
        Per-second counters: ``time``, ``connection``, ``hits``, ``bytes``, ``duplicates``,
        ``quarantined``.
    timeline : DataFrame
        The connection's states, as of ``Reader.timeline()``.
    every : str
        The interval, in whole seconds, minutes, hours or days: "1s", "1m".
    since, now : datetime
        The first moment that counts, and the last.

    Returns
    -------
    DataFrame
        ``time`` (Datetime µs UTC, the interval's start), ``connection`` (UInt8), and ``hits``,
        ``bytes`` (unpacked), ``duplicates``, ``quarantined`` (UInt64), by time. An interval in
        which the connection was open without hits counts 0; one without a connection has no row.
    """
    interval = _interval(every)
    if since is not None:
        seconds = seconds.filter(pl.col("time") >= since)
    counted = seconds.lazy().select(
        pl.col("time").dt.truncate(interval), "connection", *COUNTS
    )
    spells = _open_intervals(timeline.lazy(), interval, since, now)
    return (
        pl.concat([counted, spells], how="diagonal")
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


def lag(
    delays: pl.DataFrame, *, every: str = "1s", since: datetime | None = None
) -> pl.DataFrame:
    """How late hits came, per interval, of all connections together.

    Parameters
    ----------
    delays : DataFrame
        ``time`` (of a second of arrival), ``delay`` (seconds), ``hits``.
    every : str
        The interval, in whole seconds, minutes, hours or days: "1s", "1m".
    since : datetime, optional
        The first moment that counts.

    Returns
    -------
    DataFrame
        ``time`` (Datetime µs UTC, the interval's start), ``hits`` (UInt64), and ``median``,
        ``p95``, ``longest`` (Float64): seconds from ``receivedTimeGMT``, when Adobe's collection
        received a hit, to its arrival on this machine, to 2 %. An interval in which no hit came
        has no row; hits without ``receivedTimeGMT`` are not counted.
    """
    if since is not None:
        delays = delays.filter(pl.col("time") >= since)
    share = pl.col("hits").cum_sum() / pl.col("hits").sum()
    return (
        delays.lazy()
        .group_by(pl.col("time").dt.truncate(_interval(every)), "delay")
        .agg(pl.col("hits").sum())
        .sort("delay")
        .group_by("time", maintain_order=True)
        .agg(
            pl.col("hits").sum(),
            median=pl.col("delay").filter(share >= 0.5).first(),
            p95=pl.col("delay").filter(share >= 0.95).first(),
            longest=pl.col("delay").last(),
        )
        .sort("time")
        .collect()
    )


def _interval(every: str) -> str:
    step = seconds_in("every", every)
    if step != int(step):
        raise InvalidOption.value("every", every, "give whole seconds, as in 1s, 10s, 1m")
    return f"{int(step)}s"
