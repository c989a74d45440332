"""What the reader holds: the newest rows, the day's counters, the quarantine.

This module owns the one lock. One thread appends, any thread asks; each append and each question is
one critical section, so that rows and counts always fit together.
"""

import sys
from collections import Counter
from collections.abc import Iterable
from math import inf
from threading import Lock
from types import MappingProxyType

import polars as pl

from livestream_nb.errors import UnknownColumn
from livestream_nb.hits.batch import Batch, Totals
from livestream_nb.hits.columns import nearest
from livestream_nb.hits.counters import Counters, by_second
from livestream_nb.hits.delays import Delays
from livestream_nb.hits.fields import COLUMNS
from livestream_nb.hits.keep import Keep
from livestream_nb.hits.quarantine import Quarantine
from livestream_nb.hits.repeats import Repeats
from livestream_nb.hits.rolling import Rolling, stretch

__all__ = ["Batch", "Buffer", "Totals"]

# Rows that are joined while the lock is held.
_LARGEST_PART = 65_536
# The oldest part stays in memory until all of its rows have gone: one in so many of what is kept.
_PARTS = 8


class Buffer:
    """Rows of hits, bounded; counters by the second; rejected records.

    Parameters
    ----------
    schema : dict of str to polars.DataType
        The columns of the rows, as in :attr:`Decoder.schema`.
    keep : int or Keep
        What is held at most; the oldest make room.

    Raises
    ------
    InvalidOption
        When ``keep`` is neither a number of rows, at least 1, nor a Keep.
    """

    def __init__(self, schema: dict[str, pl.DataType], keep: int | Keep = Keep()) -> None:  # noqa: B008  # frozen
        self._schema = schema
        self._keep = keep = Keep.of(keep)
        self._lock = Lock()
        largest = min(_LARGEST_PART, (keep.rows or sys.maxsize) // _PARTS)
        self._rows = Rolling(schema, largest, (keep.bytes or inf) / _PARTS)
        self._counters = Counters()
        self._delays = Delays()
        self._quarantine = Quarantine()
        self._repeats = Repeats()
        self._sums: Counter[str] = Counter()
        self._unreadable: Counter[str] = Counter()

    def append(self, batch: Batch) -> None:
        """Take in what one block brought, all of it at once."""
        counts = {
            "hits": batch.frame.height,
            "bytes": batch.size,
            "duplicates": batch.duplicates,
            "quarantined": len(batch.rejected),
        }
        with self._lock:
            self._sums.update(counts, without_id=batch.without_id)
            self._unreadable.update(batch.unreadable)
            self._counters.add(batch.connection, batch.arrived, counts.values())
            self._delays.add(batch.arrived, batch.frame)
            self._repeats.add(batch.repeated, batch.arrived)
            for rejected in batch.rejected:
                self._quarantine.add(batch.connection, batch.arrived, rejected)
            self._rows.append(batch.frame, round(batch.arrived * 1e6))
            self._make_room(batch.arrived)

    def _make_room(self, now: float) -> None:
        if self._keep.rows is not None:
            self._rows.drop(self._rows.height - self._keep.rows)
        if self._keep.bytes is not None:
            self._rows.drop_bytes(self._rows.size - self._keep.bytes)
        if self._keep.age is not None:
            self._rows.drop_before((now - self._keep.age) * 1e6, exactly=False)

    def expire(self, now: float) -> None:
        """Let go of what is too old: to be called before asking, for nothing may come meanwhile.

        An append lets it go too, but only in larger parts.

        Parameters
        ----------
        now : float
            Unix seconds.
        """
        if self._keep.age is not None:
            with self._lock:
                self._rows.drop_before((now - self._keep.age) * 1e6)

    def hits(
        self, since: float | None = None, columns: str | Iterable[str] | None = None
    ) -> pl.DataFrame:
        """The rows that are held, in the order in which they came.

        Parameters
        ----------
        since : float, optional
            Unix seconds; only hits that arrived then or later.
        columns : str or iterable of str, optional
            Only these of the buffer's columns.

        Raises
        ------
        UnknownColumn
            When the buffer does not hold such a column.
        """
        names = self.names(columns)
        moment = -inf if since is None else since * 1e6
        with self._lock:
            parts = self._rows.parts()
        recent = (part.since(moment) for part in parts if part.last >= moment)
        return self._rows.together(recent).select(names)

    def after(self, row: int, limit: int) -> tuple[pl.DataFrame, int, int]:
        """Rows from one on, for whoever goes through them all.

        Parameters
        ----------
        row : int
            Its number; 0 is the first that was ever appended.
        limit : int
            Rows at most.

        Returns
        -------
        frame : polars.DataFrame
            The rows, side by side in memory; none when there are none yet.
        next : int
            The number of the row after them.
        missed : int
            How many from ``row`` on were let go before: those that the frame does not begin with.
        """
        with self._lock:
            parts = self._rows.parts()
            oldest = self._sums["hits"] - self._rows.height
        begin = max(row, oldest)
        frame = self._rows.together(stretch(parts, begin - oldest, limit)).rechunk()
        return frame, begin + frame.height, begin - row

    def names(self, columns: str | Iterable[str] | None) -> list[str]:
        """The columns that were asked for, each once; `UnknownColumn` for one that is not held."""
        if columns is None:
            return list(self._schema)
        names = list(dict.fromkeys([columns] if isinstance(columns, str) else columns))
        for name in names:
            if name not in self._schema:
                raise UnknownColumn(f"columns={name!r} is not possible: {self._advice(name)}.")
        return names

    def _advice(self, name: str) -> str:
        if name in COLUMNS:
            return "this reader does not keep it; name it in the Reader's columns"
        return f"this reader has no such column; {nearest(name, self._schema)}"

    def seconds(self, since: float | None = None) -> pl.DataFrame:
        """Counters of the last 24 hours, per second and connection.

        Parameters
        ----------
        since : float, optional
            Unix seconds; only seconds that begin then or later.

        Returns
        -------
        polars.DataFrame
            Sorted by ``time`` (Datetime, microseconds, UTC) and ``connection`` (UInt8); ``hits``,
            ``bytes``, ``duplicates``, ``quarantined`` (UInt64). No row for a second in which
            nothing came.
        """
        return by_second(self.counts(since))

    def counts(self, since: float | None = None) -> pl.DataFrame:
        """The same, not added up: in any order, several rows of one second and connection."""
        with self._lock:
            return self._counters.rows(since)

    def delays(self, since: float | None = None) -> pl.DataFrame:
        """How late the hits of the last 24 hours came: see :meth:`Delays.rows`."""
        with self._lock:
            return self._delays.rows(since)

    def recent_counts(self, since: float) -> list[tuple[int, int, int]]:
        """The newest of :meth:`counts` as plain rows: see :meth:`Counters.recent`."""
        with self._lock:
            return self._counters.recent(since)

    def recent_delays(self, since: float) -> list[tuple[int, float, int]]:
        """The newest of :meth:`delays` as plain rows: see :meth:`Delays.recent`."""
        with self._lock:
            return self._delays.recent(since)

    def repeats(self) -> pl.DataFrame:
        """When hits came again that an earlier spell had brought: the newest 10,000, oldest first.

        Returns
        -------
        polars.DataFrame
            ``connection`` (UInt8) and ``opened`` (Datetime, microseconds, UTC) of the spell that
            had brought them last; ``time`` (the same): the last moment in a second at which some
            of its hits came again, on a spell that opened later.
        """
        with self._lock:
            return self._repeats.frame()

    def quarantine(self) -> pl.DataFrame:
        """The newest 1,000 rejected records, the oldest of them first.

        Returns
        -------
        polars.DataFrame
            ``arrived`` (Datetime, microseconds, UTC), ``connection`` (UInt8), ``reason``, ``text``
            (String), ``raw`` (Binary; the first 64 KiB).
        """
        with self._lock:
            return self._quarantine.frame()

    @property
    def received(self) -> int:
        """New hits since the start, without a wait for the lock."""
        return self._sums["hits"]

    def totals(self) -> Totals:
        """Counts since the start, all of one moment."""
        with self._lock:
            unreadable = MappingProxyType(dict(self._unreadable))
            rows = self._rows.height
            evicted = self._sums["hits"] - rows
            return Totals(**self._sums, rows=rows, evicted=evicted, unreadable=unreadable)
