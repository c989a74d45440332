"""Frames for those who look on: what the service did, and what really happened to every hit."""

from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import NamedTuple

import polars as pl

from livestream_nb.simulator.service import Entry, Range

TIME = pl.Datetime("us", "UTC")


class Identity(NamedTuple):
    """What tells a hit from others. Times in Unix seconds; None where a recording has none."""

    high: int | None
    low: int | None
    visitor_high: int | None
    visitor_low: int | None
    time: int | None
    logged: float


def log_frame(entries: Iterable[Entry]) -> pl.DataFrame:
    """Make the frame of what happened: time, event, connection, status, detail."""
    schema = {
        "time": pl.Float64(),
        "event": pl.String(),
        "connection": pl.UInt32(),
        "status": pl.Int16(),
        "detail": pl.String(),
    }
    rows = [(each.time, each.event, each.connection, each.status, each.detail) for each in entries]
    return pl.DataFrame(rows, schema, orient="row").with_columns(_moment("time"))


def truth_frame(identities: Sequence[Identity], ranges: Iterable[Range]) -> pl.DataFrame:
    """Make the frame of the hits 0, 1, 2, … and of how many of the ranges hold each."""
    schema = {
        "hitIdHigh": pl.UInt64(),
        "hitIdLow": pl.UInt64(),
        "visIdHigh": pl.UInt64(),
        "visIdLow": pl.UInt64(),
        "timeGMT": pl.Int64(),
        "logged": pl.Float64(),
    }
    return pl.DataFrame(identities, schema, orient="row").with_columns(
        _moment("timeGMT"),
        _moment("logged"),
        pl.Series("delivered", _covered(len(identities), ranges), pl.UInt32),
    )


def _moment(column: str) -> pl.Expr:
    return (pl.col(column) * 1_000_000).cast(pl.Int64).cast(TIME)


def _covered(count: int, ranges: Iterable[Range]) -> list[int]:
    steps = [0] * (count + 1)
    for given in ranges:
        steps[min(given.first, count)] += 1
        steps[min(given.end, count)] -= 1
    return list(accumulate(steps[:count]))
