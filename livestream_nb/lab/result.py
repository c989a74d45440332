"""What became of one day in a lab, in the frames and charts of a reader."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import polars as pl

from livestream_nb import gaps, measures
from livestream_nb.checks import seconds_in
from livestream_nb.lab.frames import (
    TIME,
    moments,
    repeats_frame,
    seconds_frame,
    timeline_frame,
)
from livestream_nb.lab.run import Day
from livestream_nb.policy import Policy
from livestream_nb.simulator.scenarios import Call
from livestream_nb.views import CourseViews

BEGINS = datetime(2026, 1, 1, tzinfo=UTC)
ORIGIN = BEGINS.timestamp()


class Result(CourseViews):
    """One day of a policy.

    Attributes
    ----------
    policy : Policy
        What decided.
    seed : int
        What the day was drawn from.
    summary : Summary
        What it came to.
    tz : str
        The zone that charts show: UTC. The day begins at midnight of 1 January 2026.
    """

    tz = "UTC"

    def __init__(
        self, policy: Policy, seed: int, seconds: float, day: Day, calls: Sequence[Call]
    ) -> None:
        self.policy = policy
        self.seed = seed
        self.summary = day.summary
        self._seconds = seconds
        self._day = day
        self._calls = tuple(calls)

    def timeline(self) -> pl.DataFrame:
        """The states of each connection, oldest first: as `Reader.timeline`."""
        return timeline_frame(self._day.record, ORIGIN, self._seconds)

    def throughput(self, every: str = "1s", last: str | timedelta | None = None) -> pl.DataFrame:
        """What arrived in each interval: as `Reader.throughput`; a hit counts 2,500 bytes."""
        since = None if last is None else self._now - timedelta(seconds=seconds_in("last", last))
        seconds = self._counted()
        return measures.throughput(
            seconds if since is None else seconds.filter(pl.col("time") >= since),
            self.timeline(),
            every=every,
            since=since,
            now=self._now - timedelta(microseconds=1),
        )

    def gaps(self) -> pl.DataFrame:
        """The outages and what they may have cost: as `Reader.gaps`.

        It is what a reader would have believed; `summary` says what was really lost.
        """
        repeats = repeats_frame(self._day.record, ORIGIN)
        return gaps.gaps(self.timeline(), self._counted(), repeats, now=self._now)

    def faults(self) -> pl.DataFrame:
        """What went wrong, by time.

        Returns
        -------
        DataFrame
            ``time`` (Datetime µs UTC), ``fault`` (String, a verb of the simulator, or
            ``unreachable`` or ``rival``), ``seconds`` (Float64, how long; null: a moment).
        """
        at = pl.Series([call.at for call in self._calls], dtype=pl.Float64)
        rows = {
            "time": moments(at, ORIGIN),
            "fault": pl.Series([call.verb for call in self._calls], dtype=pl.String),
            "seconds": pl.Series(
                [call.options.get("seconds") for call in self._calls], dtype=pl.Float64
            ),
        }
        return pl.DataFrame(rows, schema_overrides={"time": TIME})

    def __repr__(self) -> str:
        hours = f"{self._seconds / 3_600:g} h"
        return f"<Result of {self.policy!r}, {hours}, seed {self.seed}: {self.summary}>"

    def _counted(self) -> pl.DataFrame:
        return seconds_frame(self._day.record, self._day.traffic, ORIGIN)

    @property
    def _now(self) -> datetime:
        return BEGINS + timedelta(seconds=self._seconds)

    _end = _now

    @property
    def _grain(self) -> float:
        return 1.0
