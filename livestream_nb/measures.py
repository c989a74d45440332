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
    step = seconds_in("every", every)
    if step != int(step):
        raise InvalidOption.value("every", every, "give whole seconds, as in 1s, 10s, 1m")
    interval = f"{int(step)}s"
    if since is not None:
        seconds = seconds.filter(pl.col("time") >= since)
    counted = seconds.group_by(pl.col("time").dt.truncate(interval), "connection").agg(
        pl.col(COUNTS).sum()
    )
    grid = _open_intervals(timeline, interval, since, now)
    return (
        grid.join(counted, on=["time", "connection"], how="full", coalesce=True)
        .with_columns(pl.col(COUNTS).fill_null(0).cast(pl.UInt64))
        .select("time", "connection", *COUNTS)
        .sort("time", "connection")
    )


def _open_intervals(
    timeline: pl.DataFrame, interval: str, since: datetime | None, now: datetime
) -> pl.DataFrame:
    spells = timeline.filter(pl.col("state").is_in(OPEN)).with_columns(
        pl.col("ended").fill_null(now)
    )
    if since is not None:
        spells = spells.filter(pl.col("ended") >= since).with_columns(
            pl.max_horizontal("started", pl.lit(since))
        )
    start, end = (pl.col(name).dt.truncate(interval) for name in ("started", "ended"))
    return (
        spells.select("connection", time=pl.datetime_ranges(start, end, interval))
        .explode("time")
        .unique()
    )
