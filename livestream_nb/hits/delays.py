"""How late hits came, by the second of their arrival: kept for a day, whatever is evicted.

Delays are counted in buckets that grow with the delay: ``asinh(seconds)`` in steps of 0.04. So a
delay is known to some 0.03 s below a second and to 2 % above, zero and clocks that go wrong need
no exception, and a second has some dozen buckets at most (the idea of DDSketch: Masson, Rim and
Lee, VLDB 2019).
"""

from collections import Counter
from collections.abc import Sequence
from itertools import chain, repeat
from math import asinh, sinh

import polars as pl

from livestream_nb.hits.day import Day
from livestream_nb.hits.fields import UTC_TIME

STEP = 0.04
SECOND = 1_000_000
# What is counted together: a count costs as much as some thousand hits, however few there are.
_MANY_BLOCKS = 256
_MANY_HITS = 65_536
# So few are counted one by one in less time than a frame takes to be made.
_FEW_HITS = 2_048
_SCHEMA: dict[str, pl.DataType] = {"time": UTC_TIME, "bucket": pl.Int16(), "hits": pl.UInt64()}

_Block = tuple[float, pl.Series, pl.Series]
_LATE = (pl.col("arrived") - pl.col("receivedTimeGMT")).dt.total_microseconds() / SECOND
_BUCKET = (_LATE.arcsinh() / STEP).round().cast(pl.Int16)


def by_bucket(hits: pl.LazyFrame) -> pl.LazyFrame:
    """How many hits came how late, by second: as :meth:`Delays.rows`, of these hits.

    Parameters
    ----------
    hits : polars.LazyFrame
        ``arrived`` and ``receivedTimeGMT``, among others.
    """
    return (
        hits.select("arrived", "receivedTimeGMT")
        .drop_nulls()
        .group_by(time=pl.col("arrived").dt.truncate("1s"), bucket=_BUCKET)
        .agg(hits=pl.len().cast(pl.UInt64))
    )


def in_seconds(counted: pl.LazyFrame) -> pl.LazyFrame:
    """The same with ``delay`` (Float64, seconds) instead of ``bucket``."""
    delay = (pl.col("bucket") * STEP).sinh()
    return counted.select("time", delay.alias("delay"), "hits")


class Delays:
    """How many hits came how late, by second. Not safe to share between threads."""

    def __init__(self) -> None:
        self._day = Day(_SCHEMA)
        self._waiting: list[_Block] = []
        self._hits = 0

    def add(self, arrived: float, hits: pl.DataFrame) -> None:
        """Add hits, with ``arrived`` and ``receivedTimeGMT``, that arrived at that Unix time."""
        self._day.see(int(arrived // 1))
        if not hits.height:
            return
        self._waiting.append((arrived, hits["arrived"], hits["receivedTimeGMT"]))
        self._hits += hits.height
        if len(self._waiting) >= _MANY_BLOCKS or self._hits >= _MANY_HITS:
            self._count()

    def _count(self) -> None:
        if not self._waiting:
            return
        _, *columns = zip(*self._waiting, strict=True)
        late = pl.DataFrame([pl.concat(column) for column in columns])
        self._waiting, self._hits = [], 0
        self._day.append(by_bucket(late.lazy()).collect())

    def rows(self, since: float | None = None) -> pl.DataFrame:
        """Counts of the last day, in any order; several rows of one second and bucket add up.

        Parameters
        ----------
        since : float, optional
            Unix seconds; only seconds that begin then or later.

        Returns
        -------
        polars.DataFrame
            ``time`` (Datetime µs UTC, a whole second), ``delay`` (Float64, seconds), ``hits``
            (UInt64).
        """
        self._count()
        return in_seconds(self._day.rows(since=since).lazy()).collect()

    def recent(self, since: float) -> list[tuple[int, float, int]]:
        """The same as plain rows: second (Unix time), delay and hits.

        For some seconds it is much faster than a frame.
        """
        recent = [block for block in self._waiting if block[0] // 1 >= since]
        if sum(len(received) for *_, received in recent) > _FEW_HITS:
            self._count()
            recent = []
        found = _counted(recent)
        if self._day.newest >= since:
            rows = self._day.rows(since=since).with_columns(pl.col("time").dt.epoch("s"))
            for second, bucket, hits in rows.rows():
                found[second, bucket] += hits
        return [(second, sinh(STEP * bucket), hits) for (second, bucket), hits in found.items()]


def _counted(blocks: Sequence[_Block]) -> Counter[tuple[int, int]]:
    """How many hits there are by second and bucket."""
    found: Counter[tuple[int, int]] = Counter()
    if blocks:
        times = pl.concat([received for *_, received in blocks]).to_physical().to_list()
        arrivals = (repeat(arrived, len(received)) for arrived, _, received in blocks)
        for arrived, time in zip(chain.from_iterable(arrivals), times, strict=True):
            if time is not None:
                found[int(arrived // 1), round(asinh(arrived - time / SECOND) / STEP)] += 1
    return found
