"""The journal of a recording: what is known beside the hits, in small Parquet files per day.

``seconds`` counts what came, ``entries`` are the changes of state, ``repeats`` says when hits came
again, and ``missed`` what could not be recorded. Each row says by ``segment`` where it is from:
rows of a segment that is sealed again replace those that are there.
"""

from collections.abc import Collection, Iterator
from datetime import date
from pathlib import Path

import polars as pl
from msgspec import structs

from livestream_nb.connection.timeline import Phase, Transition
from livestream_nb.hits.fields import UTC_TIME
from livestream_nb.protocol.status import Cause
from livestream_nb.recording.files import make_folder
from livestream_nb.recording.folder import Folder
from livestream_nb.recording.missed import Missed
from livestream_nb.recording.parquet import collect, read, write_parquet
from livestream_nb.recording.segment import Segment

_COUNT = pl.UInt64()
SCHEMAS: dict[str, dict[str, pl.DataType]] = {
    "seconds": {
        "segment": pl.UInt32(),
        "time": UTC_TIME,
        "connection": pl.UInt8(),
        **dict.fromkeys(("hits", "bytes", "duplicates", "quarantined"), _COUNT),
    },
    "entries": {
        "segment": pl.UInt32(),
        "connection": pl.UInt8(),
        "state": pl.String(),
        "at": pl.Float64(),
        "reason": pl.String(),
        "sentence": pl.String(),
        "status": pl.Int16(),
        "attempt": pl.UInt32(),
        "until": pl.Float64(),
        "heard": pl.Float64(),
    },
    "repeats": {
        "segment": pl.UInt32(),
        "connection": pl.UInt8(),
        "opened": UTC_TIME,
        "time": UTC_TIME,
    },
    "missed": {
        "segment": pl.UInt32(),
        "since": pl.Float64(),
        "until": pl.Float64(),
        "hits": _COUNT,
        "bytes": _COUNT,
        "why": pl.String(),
    },
}
"""The columns of each table; ``at``, ``until``, ``heard``, ``since`` are Unix seconds."""

_MOMENT = {"seconds": "time", "entries": "at", "repeats": "time", "missed": "until"}
_FIELDS = tuple(SCHEMAS["entries"])[1:]


def tables(segment: Segment) -> dict[str, pl.DataFrame]:
    """What a segment has for the journal, by the names of the tables."""
    entries = [[getattr(each, name) for name in _FIELDS] for each in segment.entries]
    missed = [structs.astuple(each) for each in segment.missed]
    found = {
        "seconds": segment.seconds(),
        "entries": pl.DataFrame(entries, _without_segment("entries"), orient="row"),
        "repeats": segment.repeats(),
        "missed": pl.DataFrame(missed, _without_segment("missed"), orient="row"),
    }
    number = pl.lit(segment.number, pl.UInt32()).alias("segment")
    return {name: frame.select(number, pl.all()) for name, frame in found.items()}


def _without_segment(name: str) -> dict[str, pl.DataType]:
    return {column: dtype for column, dtype in SCHEMAS[name].items() if column != "segment"}


def enter(folder: Folder, segment: Segment) -> None:
    """Write what a segment has for the journal.

    Raises
    ------
    OSError
        When that is not possible.
    """
    for name, frame in tables(segment).items():
        for day, rows in _by_day(name, frame):
            path = folder.journal / day.isoformat() / f"{name}.parquet"
            paths = [path] if path.exists() else []
            before = collect(read(paths, SCHEMAS[name]), paths, SCHEMAS[name], folder.path)
            others = before.filter(pl.col("segment") != segment.number)
            make_folder(path.parent)
            write_parquet(pl.concat([others, rows]), path)


def _by_day(name: str, frame: pl.DataFrame) -> Iterator[tuple[date, pl.DataFrame]]:
    moment = pl.col(_MOMENT[name])
    if SCHEMAS[name][_MOMENT[name]] == pl.Float64():
        moment = pl.from_epoch((moment * 1e6).cast(pl.Int64), "us")
    grouped = frame.with_columns(day=moment.dt.date()).partition_by(
        "day", as_dict=True, include_key=False, maintain_order=True
    )
    return ((day, rows) for (day,), rows in grouped.items())


class Journal:
    """The journal as it is read: of sealed segments, and of those that are given.

    Parameters
    ----------
    folder : Folder
        Whose.
    spooled : collection of int
        Segments that are in the spool: whatever is written of them does not count.
    limit : int, optional
        Nor does what is written of those of this number or higher.
    """

    def __init__(
        self, folder: Folder, spooled: Collection[int] = (), limit: int | None = None
    ) -> None:
        self._folder = folder
        segment = pl.col("segment")
        self._counts = ~segment.is_in(list(spooled)) & (True if limit is None else segment < limit)

    def lazy(self, name: str) -> pl.LazyFrame:
        """A table, in any order: see `SCHEMAS`."""
        return read(self._paths(name), SCHEMAS[name]).filter(self._counts)

    def collect(self, name: str, lazy: pl.LazyFrame) -> pl.DataFrame:
        """The rows of a query over a table.

        Raises
        ------
        RecordingError
            When a file of it cannot be read.
        """
        return collect(lazy, self._paths(name), SCHEMAS[name], self._folder.path)

    def _paths(self, name: str) -> list[Path]:
        return sorted(self._folder.journal.glob(f"????-??-??/{name}.parquet"))

    def rows(self, name: str) -> pl.DataFrame:
        """A table, by segment.

        Raises
        ------
        RecordingError
            When a file of it cannot be read.
        """
        return self.collect(name, self.lazy(name).sort("segment", maintain_order=True))

    def entries(self) -> list[Transition]:
        """Every change of state, in order."""
        return [
            Transition(**row | {"state": Phase(row["state"]), "reason": Cause(row["reason"])})
            for row in self.rows("entries").drop("segment").iter_rows(named=True)
        ]

    def missed(self) -> list[Missed]:
        """What could not be recorded, in order."""
        rows = self.rows("missed").drop("segment")
        return [Missed(**row) for row in rows.iter_rows(named=True)]
