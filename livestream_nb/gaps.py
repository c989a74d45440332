"""The truth about outages: when a connection was lost, and what that may have cost. Pure.

After a short disconnect Livestream resumes where it stopped, "within a few minutes" (Adobe's
Livestream pages; no number is published). Where the lines between the verdicts lie is this
package's decision: below 180 seconds an outage counts as covered, to 300 as uncertain, beyond as
likely lost. A repeated hit soon after the resume proves that the service went back to a point
before the loss, so nothing was skipped.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from livestream_nb.measures import OPEN

COVERED = 180.0
UNCERTAIN = 300.0
RATE_WINDOW = timedelta(minutes=5)
REPEATS_WITHIN = timedelta(minutes=1)
GRAIN = timedelta(seconds=1)

SCHEMA = pl.Schema(
    {
        "connection": pl.UInt8(),
        "lost_at": pl.Datetime("us", "UTC"),
        "resumed_at": pl.Datetime("us", "UTC"),
        "seconds": pl.Float64(),
        "last_received": pl.Datetime("us", "UTC"),
        "first_received": pl.Datetime("us", "UTC"),
        "verdict": pl.Enum(["covered", "uncertain", "likely lost"]),
        "estimated_hits": pl.UInt64(),
    }
)


@dataclass
class Outage:
    """Between the end of an open spell and the start of the next; ``resumed`` None: not yet."""

    connection: int
    opened: datetime
    lost: datetime
    resumed: datetime | None = None

    def seconds(self, now: datetime) -> float:
        """How long it lasted, or has lasted so far."""
        return ((self.resumed or now) - self.lost).total_seconds()


def gaps(timeline: pl.DataFrame, seconds: pl.DataFrame, *, now: datetime) -> pl.DataFrame:
    """The outages of each connection, and what they may have cost.

    Parameters
    ----------
    timeline : DataFrame
        The connection's states, as of ``Reader.timeline()``.
    seconds : DataFrame
        Per-second counters: ``time``, ``connection``, ``hits``, ``duplicates``.
    now : datetime
        To when an outage that still lasts is counted.

    Returns
    -------
    DataFrame
        ``connection`` (UInt8), ``lost_at``, ``resumed_at`` (Datetime µs UTC; null while it lasts),
        ``seconds`` (Float64), ``last_received``, ``first_received`` (Datetime µs UTC, to the
        second), ``verdict`` (Enum), ``estimated_hits`` (UInt64): the rate of the five minutes
        before, times the seconds; what was at stake, not what is known to be lost.
    """
    found: list[Outage] = []
    for _, states in timeline.group_by("connection", maintain_order=True):
        found += _outages(states)
    rows = [
        _row(outage, seconds.filter(pl.col("connection") == outage.connection), now)
        for outage in found
    ]
    return pl.DataFrame(rows, schema=SCHEMA).sort("lost_at", "connection")


def _outages(states: pl.DataFrame) -> list[Outage]:
    """The outages of one connection; one that was asked for and not resumed is none."""
    found: list[Outage] = []
    opened: datetime | None = None
    for row in states.iter_rows(named=True):
        is_open = row["state"] in OPEN
        if is_open and found and found[-1].resumed is None:
            found[-1].resumed = row["started"]
        if is_open and opened is None:
            opened = row["started"]
        if not is_open and opened is not None:
            found.append(Outage(row["connection"], opened, row["started"]))
            opened = None
    asked = states["state"][-1] == "stopped"
    return found[:-1] if asked and found and found[-1].resumed is None else found


def _row(outage: Outage, seconds: pl.DataFrame, now: datetime) -> dict[str, object]:
    time = pl.col("time")
    received = seconds.filter(pl.col("hits") > 0)
    resumed = outage.resumed
    length = outage.seconds(now)
    return {
        "connection": outage.connection,
        "lost_at": outage.lost,
        "resumed_at": resumed,
        "seconds": length,
        "last_received": received.filter(time <= outage.lost)["time"].max(),
        "first_received": resumed and received.filter(time > resumed - GRAIN)["time"].min(),
        "verdict": _verdict(length, proven=_repeated(outage, seconds)),
        "estimated_hits": round(_rate_before(outage, seconds) * length),
    }


def _verdict(seconds: float, *, proven: bool) -> str:
    if proven or seconds < COVERED:
        return "covered"
    return "uncertain" if seconds <= UNCERTAIN else "likely lost"


def _repeated(outage: Outage, seconds: pl.DataFrame) -> bool:
    if outage.resumed is None:
        return False
    soon = pl.col("time").is_between(outage.resumed - GRAIN, outage.resumed + REPEATS_WITHIN)
    return bool(seconds.filter(soon)["duplicates"].sum())


def _rate_before(outage: Outage, seconds: pl.DataFrame) -> float:
    """Hits per second of the five minutes before, or of as much of them as it was open."""
    since = max(outage.opened, outage.lost - RATE_WINDOW)
    before = pl.col("time").is_between(since - GRAIN, outage.lost)
    hits = float(seconds.filter(before)["hits"].sum())
    return hits / max(1.0, (outage.lost - since).total_seconds())
