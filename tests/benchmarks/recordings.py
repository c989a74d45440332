"""Recordings for benchmarks: of a simulator's traffic, and made up in no time.

What is made up has the layout, the columns and the journal of a recording by a reader that keeps no
raw records; its hits are some thousand of the simulator's again and again, with ids and times of
their own.
"""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from livestream_nb import __version__
from livestream_nb.connection.timeline import Phase, Transition
from livestream_nb.hits.columns import resolve
from livestream_nb.hits.digest import Digest
from livestream_nb.hits.piece import Piece
from livestream_nb.hits.repeats import Spell
from livestream_nb.protocol.status import Cause
from livestream_nb.recording import journal
from livestream_nb.recording.about import About
from livestream_nb.recording.folder import Folder
from livestream_nb.recording.frames import block_frame
from livestream_nb.recording.parquet import write_parquet
from livestream_nb.recording.recorder import Recorder
from livestream_nb.recording.segment import Segment
from livestream_nb.recording.spool import Writer
from livestream_nb.simulator.share import WHOLE
from livestream_nb.simulator.traffic import Traffic

BEGAN = datetime(2026, 11, 26, tzinfo=UTC).timestamp()
BLOCKS = 5  # in a second, as the simulator sends them
BASE = 50_000  # made-up hits that differ in more than their ids and times
BASE_RATE = 100.0
DAY = 86_400
SECOND = 1_000_000
HIGH, LOW, VISITOR = 0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9
"""Multiples of odd numbers modulo 2^64 are all distinct."""


class Moment:
    """A clock that stands until it is set."""

    def __init__(self, at: float) -> None:
        self.at = at

    def utc(self) -> float:
        return self.at


def about(*, raw: bool) -> About:
    """What a recording says that a reader with the default columns made."""
    columns = [column.name for column in resolve(None)]
    said = {"mask": None, "rate": 1.0, "origin": BEGAN, "connections": 1, "version": __version__}
    return About("benchmark", "benchmark", columns, raw, **said)


def pieces(rate: float, hits: int) -> Iterator[Piece]:
    """A simulator's hits at such a rate, in the blocks that it would send."""
    traffic, many = Traffic(seed=1, rate=rate), max(1, round(rate / BLOCKS))
    for first in range(0, hits, many):
        end = min(first + many, hits)
        moments = [BEGAN + time for time in traffic.times(first, end, WHOLE)]
        records = traffic.records(first, end, WHOLE, moments)
        yield Piece(b"\r\n".join([*records, b""]), Spell(1, BEGAN), moments[-1])


def record(path: Path, arriving: Iterator[Piece], *, raw: bool) -> int:
    """Record what arrives as a reader does, but as fast as it goes; return how many hits."""
    clock = Moment(BEGAN)
    recorder = Recorder(Folder(path), about(raw=raw), 1_000_000, clock)
    recorder.open()
    digest = Digest(resolve(None), traced=True)
    recorder.enter(_opened())
    for piece in arriving:
        if int(piece.arrived) > int(clock.at):
            clock.at = piece.arrived
            recorder.beat()
        recorder.write(piece)
        recorder.note(digest.take(piece))
    recorder.enter(_stopped(clock.at))
    recorder.close()
    return recorder.status.hits


def spooled(path: Path, arriving: Iterator[Piece]) -> tuple[Folder, Segment]:
    """Write what arrives to one segment of a spool, to be sealed."""
    folder, digest = _claimed(path), Digest(resolve(None), traced=True)
    segment, spool = Segment(1, digest.schema), Writer(folder.segment(1))
    for piece in arriving:
        for frame in block_frame(piece):
            segment.add(digest.take(piece), spool.append(frame))
    spool.close()
    return folder, segment


def a_day(path: Path, hits: int, files: int) -> None:
    """Make up a recording of so many hits in so many segments, from 0 to 24 h.

    A multiple of 24 segments: then each is of one hour, and becomes one file.
    """
    folder, base = _claimed(path), _base()
    rows, span = hits // files, DAY * SECOND // files
    counts = []
    for number in range(files):
        frame = _again(base, number * rows, rows, round(BEGAN * SECOND) + number * span, span)
        hour = number * span // SECOND // 3_600
        _write(folder.hits(_day(BEGAN), hour, number + 1), frame)
        counts.append(_seconds(frame, number + 1))
    _enter(folder, pl.concat(counts))
    _close(folder, files, BEGAN + DAY)


def small_files(path: Path, files: int, seconds: int) -> None:
    """Make up a recording of so many segments that lasted so many seconds, with a hit a second.

    All files of hits are copies of one.
    """
    folder = _claimed(path)
    frame = _again(_base(), 0, seconds, round(BEGAN * SECOND), seconds * SECOND)
    first, counts = path / "first.parquet", _seconds(frame, 0)
    write_parquet(frame, first)
    for number in range(1, files + 1):
        at = BEGAN + (number - 1) * seconds
        target = folder.hits(_day(at), int(at % DAY // 3_600), number)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(first, target)
    first.unlink()
    later = pl.duration(seconds=(pl.col("segment") - 1).cast(pl.Int64) * seconds)
    numbers = pl.DataFrame({"segment": range(1, files + 1)}, schema={"segment": pl.UInt32})
    every = numbers.join(counts.drop("segment"), how="cross")
    _enter(folder, every.with_columns(pl.col("time") + later))
    _close(folder, files, BEGAN + files * seconds)


def _claimed(path: Path) -> Folder:
    folder = Folder(path)
    path.mkdir()
    folder.claim(about(raw=False))
    return folder


def _base() -> pl.DataFrame:
    """The simulator's hits with the default columns."""
    digest = Digest(resolve(None))
    return pl.concat([digest.take(each).batch.frame for each in pieces(BASE_RATE, BASE)])


def _again(base: pl.DataFrame, first: int, rows: int, begin: int, span: int) -> pl.DataFrame:
    """So many hits of the base, received one after the other from then on (Unix µs)."""
    number = pl.int_range(first, first + rows, dtype=pl.UInt64)
    received = pl.from_epoch((begin + pl.int_range(rows) * span // rows) // SECOND, "s")
    received = received.cast(base.schema["receivedTimeGMT"])
    picked = base[pl.select(number % base.height).to_series()]
    return picked.with_columns(
        hitIdHigh=number * HIGH,
        hitIdLow=number * LOW,
        visIdHigh=pl.col("visIdHigh") + number // base.height * VISITOR,
        receivedTimeGMT=received,
        timeGMT=received - (pl.col("receivedTimeGMT") - pl.col("timeGMT")),
        arrived=(received + (pl.col("arrived") - pl.col("receivedTimeGMT"))).dt.truncate("200ms"),
    )


def _write(path: Path, frame: pl.DataFrame) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_parquet(frame, path)


def _seconds(frame: pl.DataFrame, number: int) -> pl.DataFrame:
    """What the journal counts of these hits."""
    counted = frame.group_by("connection", time=pl.col("arrived").dt.truncate("1s")).agg(
        hits=pl.len(), bytes=2_500 * pl.len(), duplicates=pl.lit(0), quarantined=pl.lit(0)
    )
    schema = journal.SCHEMAS["seconds"]
    rows = counted.sort("time").with_columns(segment=pl.lit(number)).select(schema.keys())
    return rows.cast(schema)


def _enter(folder: Folder, seconds: pl.DataFrame) -> None:
    """Write the seconds of the journal, a file per day."""
    day = pl.col("time").dt.date().alias("day")
    by_day = seconds.with_columns(day).partition_by("day", as_dict=True, include_key=False)
    for (each,), rows in by_day.items():
        _write(folder.journal / each.isoformat() / "seconds.parquet", rows)


def _close(folder: Folder, number: int, at: float) -> None:
    """Write the states of a connection that was open all the time."""
    segment = Segment(number, {})
    segment.entries += [_opened(), _stopped(at)]
    journal.enter(folder, segment)


def _opened() -> Transition:
    return Transition(1, Phase.STREAMING, BEGAN, Cause.OPENED, "The stream is open.")


def _stopped(at: float) -> Transition:
    return Transition(1, Phase.STOPPED, at, Cause.ASKED, "The reader was stopped.")


def _day(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d}"
