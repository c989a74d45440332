"""Days of many states in few rows: what a lane of a chart can show. Pure."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import polars as pl

from livestream_nb.checks import seconds_in
from livestream_nb.lab.result import BEGINS, Result

STEPS = 240
GRADES = 10


def lanes(
    results: Mapping[str, Result], last: str | timedelta | None = None
) -> tuple[pl.DataFrame, datetime, datetime]:
    """How each policy spent its time, in 240 steps, and when these begin and end.

    Returns
    -------
    DataFrame
        ``policy``, ``state`` (String), ``start``, ``end`` (Datetime µs UTC), ``low``, ``high``
        (Float64, 0 to 1): in that span the state had the share between them, stacked on others.
        Steps that look alike are joined.
    """
    ends = [result._end for result in results.values()]  # noqa: SLF001  # a Course's own part
    end = max(ends)
    start = BEGINS
    if last is not None:
        start = end - timedelta(seconds=seconds_in("last", last))
    found = [_lane(name, result.timeline(), start, end) for name, result in results.items()]
    return pl.concat(found), start, end


def _lane(name: str, timeline: pl.DataFrame, start: datetime, end: datetime) -> pl.DataFrame:
    step = (end - start) / STEPS
    spent = _spent(timeline, start, end, step)
    total = pl.col("seconds").sum().over("step")
    graded = (
        spent.sort("step", pl.col("state").to_physical())
        .with_columns(sum=pl.col("seconds").cum_sum().over("step") / total)
        .with_columns(high=(pl.col("sum") * GRADES).round() / GRADES)
        .with_columns(low=pl.col("high").shift(1, fill_value=0.0).over("step"))
        .filter(pl.col("high") > pl.col("low"))
    )
    joined = (
        graded.sort("state", "step")
        .with_columns(
            run=(
                (pl.col("step").diff() != 1)
                | (pl.col("low").diff() != 0)
                | (pl.col("high").diff() != 0)
                | (pl.col("state") != pl.col("state").shift(1))
            )
            .fill_null(True)
            .cum_sum()
        )
        .group_by("run", maintain_order=True)
        .agg(
            pl.col("state").first().cast(pl.String),
            first=pl.col("step").min(),
            final=pl.col("step").max() + 1,
            low=pl.col("low").first(),
            high=pl.col("high").first(),
        )
    )
    microseconds = step // timedelta(microseconds=1)
    at = {
        name: pl.lit(start) + pl.duration(microseconds=pl.col(column) * microseconds)
        for name, column in {"start": "first", "end": "final"}.items()
    }
    return joined.select(pl.lit(name).alias("policy"), "state", **at, low="low", high="high")


def _spent(timeline: pl.DataFrame, start: datetime, end: datetime, step: timedelta) -> pl.DataFrame:
    """Seconds spent in each state, of all connections, by step."""
    states = timeline.select(
        "state",
        since=pl.max_horizontal("started", pl.lit(start)),
        until=pl.min_horizontal(pl.col("ended").fill_null(end), pl.lit(end)),
    ).filter(pl.col("until") > pl.col("since"))
    width = step // timedelta(microseconds=1)
    place = {
        name: ((pl.col(name) - start).dt.total_microseconds() // width).clip(0, STEPS - 1)
        for name in ("since", "until")
    }
    begins = pl.lit(start) + pl.duration(microseconds=pl.col("step") * width)
    ends = begins + pl.duration(microseconds=width)
    within = pl.min_horizontal("until", ends) - pl.max_horizontal("since", begins)
    return (
        states.with_columns(step=pl.int_ranges(place["since"], place["until"] + 1))
        .explode("step")
        .with_columns(seconds=within.dt.total_microseconds() / 1e6)
        .group_by("step", "state")
        .agg(pl.col("seconds").sum())
    )
