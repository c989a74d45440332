"""From the spool to the dataset: sealing a segment, and recovering those that were left behind."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

import polars as pl

from livestream_nb.connection.sentences import MEANING
from livestream_nb.hits.decode import schema_of
from livestream_nb.hits.digest import Digest
from livestream_nb.hits.fields import UTC_TIME
from livestream_nb.hits.lines import BOUNDS
from livestream_nb.protocol.status import Cause
from livestream_nb.recording import journal
from livestream_nb.recording.about import About
from livestream_nb.recording.files import ASIDE, make_folder, sync_file, sync_folder
from livestream_nb.recording.folder import Folder
from livestream_nb.recording.known import known_hits
from livestream_nb.recording.parquet import write_parquet
from livestream_nb.recording.raw import raw_path, write_raw
from livestream_nb.recording.segment import Segment, killed, read_all

RETURN = ord("\r")
QUARANTINE: dict[str, pl.DataType] = {
    "arrived": UTC_TIME,
    "connection": pl.UInt8(),
    "reason": pl.String(),
    "raw": pl.Binary(),
}


def seal(folder: Folder, segment: Segment, *, raw: bool) -> None:
    """Write all that a segment becomes, and remove it from the spool last.

    Parameters
    ----------
    folder : Folder
        Of which recording; its lock is held.
    segment : Segment
        All of it, synced and closed.
    raw : bool
        Whether the raw records are kept.

    Raises
    ------
    OSError
        When that is not possible now; it can be tried again.
    """
    path = folder.segment(segment.number)
    spooled = path.read_bytes() if raw and segment.hits else b""
    for hour, rows in _by_hour(segment.frame()):
        target = folder.hits(f"{hour:%Y-%m-%d}", hour.hour, segment.number)
        for each in (target, raw_path(target)) if raw else (target,):
            make_folder(each.parent)
        if raw:
            write_raw(_records(spooled, rows), raw_path(target))
        write_parquet(rows.drop(BOUNDS), target)
    if segment.rejected:
        write_parquet(rejected_frame(segment), folder.rejected(segment.number))
    journal.enter(folder, segment)
    sync_file(folder.counter)
    path.unlink(missing_ok=True)
    sync_folder(folder.spool)


def _by_hour(hits: pl.DataFrame) -> Iterator[tuple[datetime, pl.DataFrame]]:
    """Hits by the hour in which Adobe received them; those that do not say, by their arrival."""
    hour = pl.col("receivedTimeGMT").fill_null(pl.col("arrived")).dt.truncate("1h").alias("hour")
    ordered = hits.sort("receivedTimeGMT", maintain_order=True).with_columns(hour)
    grouped = ordered.partition_by("hour", as_dict=True, include_key=False, maintain_order=True)
    return ((moment, rows) for (moment,), rows in grouped.items())


def _records(spooled: bytes, rows: pl.DataFrame) -> Iterator[memoryview]:
    """The records of these rows, as slices: nothing is copied."""
    view = memoryview(spooled)
    for start, end in rows.select(BOUNDS.keys()).iter_rows():
        yield view[start : end - (spooled[end - 1] == RETURN)]


def rejected_frame(segment: Segment) -> pl.DataFrame:
    """The records of a segment that were no hits: see `QUARANTINE`."""
    rows = [
        (round(arrived * 1e6), number, each.reason, each.raw)
        for arrived, number, each in segment.rejected
    ]
    physical = QUARANTINE | {"arrived": pl.Int64()}
    return pl.DataFrame(rows, schema=physical, orient="row").cast({"arrived": UTC_TIME})


def recover(folder: Folder, about: About, window: int) -> None:
    """Seal what a process left in the spool that is gone; its lock is held.

    No record is lost or doubled by whatever moment it ended at: a segment that was half sealed is
    sealed again, and half files are removed.

    Parameters
    ----------
    folder : Folder
        Of which recording.
    about : About
        What the recording says of itself.
    window : int
        How many of the latest recorded hits are remembered to tell duplicates.

    Raises
    ------
    OSError
        When that is not possible now.
    RecordingError
        When a file of the recording cannot be read.
    """
    for half in folder.path.rglob(f"*{ASIDE}"):
        half.unlink()
    numbers = folder.segments()
    if not numbers:
        _end(folder, about)
        return
    _discard(folder, numbers)
    digest = Digest(about.resolved, window, traced=True)
    digest.know(known_hits(folder, window))
    for number in numbers:
        segment = read_all(folder.segment(number), number, digest)
        if number == numbers[-1]:
            before = [*journal.Journal(folder, [number]).entries(), *segment.entries]
            segment.entries += killed(before, segment.alive, MEANING[Cause.KILLED])
        seal(folder, segment, raw=about.raw)


def _end(folder: Folder, about: About) -> None:
    """Say of connections that never ended that they did, when all else is sealed already."""
    said = journal.Journal(folder)
    entries = said.entries()
    last = said.rows("seconds")["time"].to_physical().max()
    ended = killed(entries, last / 1e6 if isinstance(last, int) else 0.0, MEANING[Cause.KILLED])
    if ended:
        segment = Segment(folder.take_number(), schema_of(about.resolved))
        segment.entries += ended
        journal.enter(folder, segment)


def _discard(folder: Folder, numbers: Sequence[int]) -> None:
    """Remove what a segment became that was not sealed to the end."""
    sealed = folder.sealed()
    for number in numbers:
        for path in sealed.get(number, ()):
            path.unlink()
            raw_path(path).unlink(missing_ok=True)
        folder.rejected(number).unlink(missing_ok=True)
        for stray in _raw_of(folder, number):
            stray.unlink()


def _raw_of(folder: Folder, number: int) -> Iterator[Path]:
    return (folder.path / "raw").glob(f"*/*/{number:08}.*")
