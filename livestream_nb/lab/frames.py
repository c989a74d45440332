"""What a lab's record says, as the frames of a reader."""

from collections.abc import Iterator
from math import isnan

import polars as pl

from livestream_nb.clock import duration
from livestream_nb.connection.sentences import (
    HELD,
    IDLE_POLICY,
    MEANING,
    Past,
    explain,
    gave_up,
    with_wait,
)
from livestream_nb.connection.timeline import SCHEMA
from livestream_nb.lab.record import CAUSES, PHASES, Receipt, Record, Told
from livestream_nb.lab.traffic import Traffic
from livestream_nb.measures import COUNTS
from livestream_nb.protocol.status import Cause, Refusal
from livestream_nb.simulator.tempo import Tempo

BYTES_PER_HIT = 2_500
TIME = pl.Datetime("us", "UTC")


def timeline_frame(record: Record, origin: float, end: float) -> pl.DataFrame:
    """The states, as of ``Reader.timeline()``; ``origin`` is the beginning in Unix seconds."""
    phases = pl.Series([phase.value for phase in PHASES])
    causes = pl.Series([cause.value for cause in CAUSES])
    found = pl.DataFrame(
        {
            "connection": pl.Series(record.slot, dtype=pl.UInt8),
            "state": phases.gather(pl.Series(record.state, dtype=pl.UInt32)),
            "started": moments(pl.Series(record.at, dtype=pl.Float64), origin),
            "reason": causes.gather(pl.Series(record.cause, dtype=pl.UInt32)),
            "status": pl.Series(record.status, dtype=pl.Int16),
            "attempt": pl.Series(record.attempt, dtype=pl.UInt32),
            "sentence": list(_sentences(record)),
        }
    )
    ended = pl.col("started").shift(-1).over("connection")
    last = moments(pl.Series([end]), origin)[0]
    return (
        found.with_columns(
            ended=ended,
            status=pl.when(pl.col("status") != 0).then("status"),
            heard=pl.lit(None),
            seconds=(ended.fill_null(last) - pl.col("started")).dt.total_microseconds() / 1e6,
        )
        .select(SCHEMA.names())
        .cast(SCHEMA)
    )


def seconds_frame(record: Record, traffic: Traffic, origin: float) -> pl.DataFrame:
    """What came by second, as of ``Reader.throughput()``; ``bytes`` are 2,500 for each hit."""
    parts = [_edges(receipt, traffic) for receipt in record.receipts]
    if not parts:
        schema = {"time": TIME, "connection": pl.UInt8()} | dict.fromkeys(COUNTS, pl.UInt64())
        return pl.DataFrame(schema=schema)
    counted = (
        pl.concat(parts)
        .group_by("second", "connection")
        .agg(pl.col("hits", "duplicates").sum())
        .filter(pl.col("hits") + pl.col("duplicates") > 0)
        .collect()
    )
    return counted.select(
        moments(counted["second"], origin).alias("time"),
        pl.col("connection").cast(pl.UInt8),
        pl.col("hits").cast(pl.UInt64),
        ((pl.col("hits") + pl.col("duplicates")) * BYTES_PER_HIT).cast(pl.UInt64).alias("bytes"),
        pl.col("duplicates").cast(pl.UInt64),
        pl.lit(0, pl.UInt64).alias("quarantined"),
    ).sort("time", "connection")


def repeats_frame(record: Record, origin: float) -> pl.DataFrame:
    """When hits came again, and which connection had brought them, as `gaps` takes it."""
    found = [(each.proof, each.since) for each in record.receipts if each.proof is not None]
    return pl.DataFrame(
        {
            "connection": pl.Series([proof[0] for proof, _ in found], dtype=pl.UInt8),
            "opened": moments(
                pl.Series([proof[1] for proof, _ in found], dtype=pl.Float64), origin
            ),
            "time": moments(pl.Series([since for _, since in found], dtype=pl.Float64), origin),
        }
    )


def moments(seconds: pl.Series, origin: float) -> pl.Series:
    """Seconds since the beginning as moments, to a microsecond."""
    whole = ((seconds + origin) * 1e6).round().cast(pl.Int64)
    return whole.cast(TIME)


def _edges(receipt: Receipt, traffic: Traffic) -> pl.LazyFrame:
    """The hits of a receipt by the second in which they came."""
    seconds = pl.int_range(int(receipt.since), int(receipt.until) + 1, eager=True)
    upto = (seconds + 1).cast(pl.Float64).clip(upper_bound=receipt.until)
    logged = _logged(upto, traffic, receipt).clip(receipt.first, receipt.end)
    before = logged.shift(1, fill_value=receipt.first)
    came = (logged - before).to_frame("hits").lazy()
    first = pl.int_range(pl.len()) == 0
    repeated = pl.when(first).then(receipt.repeated).otherwise(0)
    return came.with_columns(
        hits=pl.col("hits") - repeated,
        duplicates=repeated,
        second=seconds,
        connection=pl.lit(receipt.slot),
    )


def _logged(times: pl.Series, traffic: Traffic, receipt: Receipt) -> pl.Series:
    """As ``Traffic.logged``, of many moments at once."""
    share = receipt.share
    whole = (elapsed(times, traffic.tempo) * traffic.rate).floor().cast(pl.Int64).clip(0)
    return (whole - share.slot + share.slots - 1) // share.slots


def elapsed(times: pl.Series, tempo: Tempo) -> pl.Series:
    """As ``Tempo.elapsed``, of many moments at once, ascending."""
    pieces = pl.DataFrame(tempo.pieces, schema=["since", "elapsed", "factor"], orient="row")
    placed = (
        times.alias("time")
        .to_frame()
        .set_sorted("time")
        .join_asof(pieces.cast(pl.Float64).set_sorted("since"), left_on="time", right_on="since")
    )
    passed = pl.col("elapsed") + (pl.col("time") - pl.col("since")) * pl.col("factor")
    return placed.select(passed).to_series()


def _sentences(record: Record) -> Iterator[str]:
    columns = (record.cause, record.told, record.status, record.detail)
    counts = (record.times, record.ago, record.waits)
    for cause, told, status, detail, times, ago, wait in zip(*columns, *counts, strict=True):
        refusal = Refusal(CAUSES[cause], status or None, record.details[detail])
        past = Past(times, None if isnan(ago) else ago)
        yield with_wait(_sentence(Told(told), refusal, past), None if isnan(wait) else wait)


def _sentence(told: Told, refusal: Refusal, past: Past) -> str:
    if told is Told.HELD:
        return HELD
    if refusal.cause is Cause.SILENT:
        return MEANING[refusal.cause].format(duration(past.lost or 0.0))
    plain = MEANING[refusal.cause] if past.times == 0 else explain(refusal, past)
    if told is Told.GAVE_UP:
        return gave_up(plain, refusal.cause)
    return f"{plain} {IDLE_POLICY}" if told is Told.IDLE else plain
