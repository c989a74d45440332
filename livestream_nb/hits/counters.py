"""Per-second counters, kept for a day whatever the buffer evicts.

A second in which nothing arrived has no row: who was connected is known elsewhere.
"""

from collections.abc import Iterable, Mapping

import polars as pl

from livestream_nb.hits.day import Day
from livestream_nb.hits.fields import UTC_TIME

# Seconds that are still added to; older ones are rows, and a latecomer makes one row more.
_OPEN = 256

_COUNTS = ("hits", "bytes", "duplicates", "quarantined")
_SCHEMA: dict[str, pl.DataType] = {
    "time": UTC_TIME,
    "connection": pl.UInt8(),
    **dict.fromkeys(_COUNTS, pl.UInt64()),
}
_PHYSICAL = _SCHEMA | {"time": pl.Int64()}


class Counters:
    """What arrived, by second and connection. Not safe to share between threads."""

    def __init__(self) -> None:
        self._open: dict[tuple[int, int], list[int]] = {}
        self._day = Day(_SCHEMA)

    def add(self, connection: int, arrived: float, counts: Iterable[int]) -> None:
        """Add hits, bytes, duplicates and quarantined records of a moment in Unix seconds."""
        second = int(arrived // 1)
        self._day.see(second)
        before = self._open.get((second, connection), (0, 0, 0, 0))
        self._open[second, connection] = [a + b for a, b in zip(before, counts, strict=True)]
        if len(self._open) > 2 * _OPEN:
            self._close()

    def _close(self) -> None:
        ordered = sorted(self._open)
        self._day.append(self._rows(ordered[:-_OPEN]))
        self._open = {key: self._open[key] for key in ordered[-_OPEN:]}

    def _rows(self, keys: Iterable[tuple[int, int]]) -> pl.DataFrame:
        return rows_of({key: self._open[key] for key in keys})

    def rows(self, since: float | None = None) -> pl.DataFrame:
        """Counts of the last day, in any order; several rows of one second and connection add up.

        Parameters
        ----------
        since : float, optional
            Unix seconds; only seconds that begin then or later.
        """
        recent = self._open if since is None else [key for key in self._open if key[0] >= since]
        return self._day.rows(self._rows(recent), since=since)

    def recent(self, since: float) -> list[tuple[int, int, int]]:
        """Second (Unix time), connection and hits, of seconds that begin then or later.

        In any order; several of one second and connection add up. For a few minutes it is much
        faster than a frame.
        """
        found = [(*key, counts[0]) for key, counts in self._open.items() if key[0] >= since]
        if self._day.newest >= since:
            older = self._day.rows(since=since)
            found += older.select(pl.col("time").dt.epoch("s"), "connection", "hits").rows()
        return found


def rows_of(counts: Mapping[tuple[int, int], Iterable[int]]) -> pl.DataFrame:
    """Counts by second (Unix time) and connection as rows of :meth:`Counters.rows`."""
    rows = [(second * 1_000_000, number, *counted) for (second, number), counted in counts.items()]
    return pl.DataFrame(rows, schema=_PHYSICAL, orient="row").cast({"time": UTC_TIME})


def by_second(rows: pl.DataFrame) -> pl.DataFrame:
    """Add up the rows of :meth:`Counters.rows`: one per second and connection, sorted by both."""
    sums = rows.group_by("time", "connection").agg(pl.col(_COUNTS).sum())
    return sums.sort("time", "connection")
