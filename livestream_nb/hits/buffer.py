"""What the reader holds: the newest rows, the day's counters, the quarantine.

This module owns the one lock. One thread appends, any thread asks; each append and each question is
one critical section, so that rows and counts always fit together.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from types import MappingProxyType

import polars as pl

from livestream_nb.checks import check_count
from livestream_nb.errors import UnknownColumn
from livestream_nb.hits.columns import nearest
from livestream_nb.hits.counters import Counters, by_second
from livestream_nb.hits.fields import COLUMNS
from livestream_nb.hits.quarantine import Quarantine
from livestream_nb.hits.records import Rejected
from livestream_nb.hits.repeats import Repeats, Spell
from livestream_nb.hits.rolling import Rolling

# Rows that are joined while the lock is held: some 50 ms of copying.
_LARGEST_PART = 131_072


@dataclass(frozen=True)
class Batch:
    """What one block brought.

    Attributes
    ----------
    frame : polars.DataFrame
        The new hits, in the buffer's schema.
    connection : int
        Number of the connection that it came by, 0 to 255.
    arrived : float
        When it reached this machine, in Unix seconds.
    size : int
        Bytes of the block.
    duplicates : int
        Hits that were dropped as seen before.
    repeated : frozenset of Spell
        The earlier spells that had brought some of these.
    without_id : int
        Hits among the new ones that have no id, and so may be duplicates.
    rejected : tuple of Rejected
        Records that are no hits.
    unreadable : mapping of str to int
        By column, values that were there but could not be read.
    """

    frame: pl.DataFrame
    connection: int
    arrived: float
    size: int = 0
    duplicates: int = 0
    repeated: frozenset[Spell] = frozenset()
    without_id: int = 0
    rejected: tuple[Rejected, ...] = ()
    unreadable: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Totals:
    """Counts since the buffer was made; ``rows`` is what it holds now.

    Attributes
    ----------
    hits : int
        New hits: ``rows + evicted``.
    bytes : int
        Bytes of all blocks, uncompressed.
    duplicates : int
        Hits dropped as seen before.
    quarantined : int
        Records that are no hits, also those that the quarantine no longer holds.
    evicted : int
        Hits that had to make room.
    rows : int
        Hits that are held.
    without_id : int
        New hits without an id.
    unreadable : mapping of str to int
        By column, values that were there but could not be read and are null.
    """

    hits: int = 0
    bytes: int = 0
    duplicates: int = 0
    quarantined: int = 0
    evicted: int = 0
    rows: int = 0
    without_id: int = 0
    unreadable: Mapping[str, int] = field(default_factory=dict)


class Buffer:
    """Rows of hits, bounded; counters by the second; rejected records.

    Parameters
    ----------
    schema : dict of str to polars.DataType
        The columns of the rows, as in :attr:`Decoder.schema`.
    keep : int
        How many rows are held at most; the oldest make room.

    Raises
    ------
    InvalidOption
        When ``keep`` is not a whole number of at least 1.
    """

    def __init__(self, schema: dict[str, pl.DataType], keep: int = 1_000_000) -> None:
        check_count("keep", keep, "rows")
        self._schema = schema
        self._keep = keep
        self._lock = Lock()
        self._rows = Rolling(schema, largest=min(keep // 8, _LARGEST_PART))
        self._counters = Counters()
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
            self._repeats.add(batch.repeated, batch.arrived)
            for rejected in batch.rejected:
                self._quarantine.add(batch.connection, batch.arrived, rejected)
            self._rows.append(batch.frame)
            if (excess := self._rows.height - self._keep) > 0:
                self._rows.drop(excess)

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
        names = self._names(columns)
        with self._lock:
            frame = self._rows.frame()
        if since is not None:
            frame = frame.filter(pl.col("arrived").to_physical() >= since * 1e6)
        return frame.select(names)

    def _names(self, columns: str | Iterable[str] | None) -> list[str]:
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
        with self._lock:
            rows = self._counters.rows()
        return by_second(rows, since)

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

    def totals(self) -> Totals:
        """Counts since the start, all of one moment."""
        with self._lock:
            unreadable = MappingProxyType(dict(self._unreadable))
            rows = self._rows.height
            evicted = self._sums["hits"] - rows
            return Totals(**self._sums, rows=rows, evicted=evicted, unreadable=unreadable)
