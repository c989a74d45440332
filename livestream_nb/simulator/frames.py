"""Frames for those who look on: what the service did, and what really happened to every hit."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import polars as pl

from livestream_nb.simulator.journal import Entry

TIME = pl.Datetime("us", "UTC")
ID = pl.UInt64()


@dataclass(frozen=True)
class Identities:
    """What tells hits apart: columns of equal length; None where a recording has no value.

    ``time`` is ``timeGMT`` in Unix seconds.
    """

    high: list[int | None]
    low: list[int | None]
    visitor_high: list[int | None]
    visitor_low: list[int | None]
    time: list[int | None]


def log_frame(entries: Iterable[Entry]) -> pl.DataFrame:
    """Make the frame of what happened: one row per entry."""
    schema = {
        "number": pl.UInt32(),
        "time": pl.Float64(),
        "event": pl.String(),
        "stream": pl.String(),
        "connection": pl.UInt32(),
        "slot": pl.UInt8(),
        "status": pl.Int16(),
        "detail": pl.String(),
    }
    return pl.DataFrame(list(entries), schema, orient="row").with_columns(_moment("time"))


def truth_frame(
    identities: Identities,
    logged: Sequence[float],
    slots: int,
    given: Iterable[tuple[int, Sequence[int]]],
) -> pl.DataFrame:
    """Make the frame of the hits 0, 1, 2, … and of the connections that each went to.

    ``logged`` tells when each entered the log; ``given`` names, for each connection, the numbers
    of the hits that were written to it.
    """
    count = len(logged)
    columns = {
        "hitIdHigh": pl.Series(identities.high, dtype=ID),
        "hitIdLow": pl.Series(identities.low, dtype=ID),
        "visIdHigh": pl.Series(identities.visitor_high, dtype=ID),
        "visIdLow": pl.Series(identities.visitor_low, dtype=ID),
        "timeGMT": pl.Series(identities.time, dtype=pl.Int64),
        "logged": pl.Series(logged, dtype=pl.Float64),
    }
    frame = pl.DataFrame(columns).with_columns(_moment("timeGMT"), _moment("logged"))
    partition = (pl.col("visIdLow").fill_null(0) % slots).cast(pl.UInt8)
    delivered = pl.col("connections").list.len().cast(pl.UInt32)
    return frame.with_columns(
        partition.alias("partition"), connections=_connections(count, given)
    ).with_columns(delivered=delivered)


def _connections(count: int, given: Iterable[tuple[int, Sequence[int]]]) -> pl.Series:
    numbers = pl.DataFrame({"number": pl.arange(0, count, eager=True, dtype=pl.Int64)})
    schema = {"number": pl.Int64(), "connection": pl.UInt32()}
    parts = [
        pl.DataFrame({"number": pl.Series(hits, dtype=pl.Int64)}).with_columns(
            connection=pl.lit(connection, pl.UInt32)
        )
        for connection, hits in given
    ]
    went = pl.concat([pl.DataFrame(schema=schema), *parts])
    lists = went.group_by("number", maintain_order=True).agg("connection")
    empty = pl.lit([], pl.List(pl.UInt32))
    return numbers.join(lists, on="number", how="left", maintain_order="left").select(
        pl.col("connection").fill_null(empty)
    )["connection"]


def _moment(column: str) -> pl.Expr:
    return (pl.col(column) * 1_000_000).cast(pl.Int64).cast(TIME)
