"""What a segment of the spool holds, once it is decoded and its duplicates are dropped."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from livestream_nb.connection.timeline import Phase, Transition
from livestream_nb.hits.counters import rows_of
from livestream_nb.hits.digest import Digest, Digested
from livestream_nb.hits.lines import BOUNDS
from livestream_nb.hits.records import Rejected
from livestream_nb.hits.repeats import Repeats
from livestream_nb.protocol.status import Cause
from livestream_nb.recording.frames import entry_of, missed_of, piece_of
from livestream_nb.recording.spool import Frame, Kind, Reader

if TYPE_CHECKING:
    from livestream_nb.recording.missed import Missed

ENDED = (Phase.STOPPED, Phase.FAILED)
SPOILED = "{:,} bytes of the spool were damaged and could not be read"


class Segment:
    """What a segment holds, as far as it is known. One thread at a time.

    Parameters
    ----------
    number : int
        Which one.
    schema : mapping of str to polars.DataType
        The columns of hits.

    Attributes
    ----------
    entries : list of Transition
        The states that connections entered, in order.
    rejected : list of (float, int, Rejected)
        When, by which connection, and what was no hit.
    missed : list of Missed
        What could not be recorded.
    alive : float
        The last moment that is told of, in Unix seconds; 0 when there is none.
    hits : int
        How many rows there are.
    """

    def __init__(self, number: int, schema: Mapping[str, pl.DataType]) -> None:
        self.number = number
        self.entries: list[Transition] = []
        self.rejected: list[tuple[float, int, Rejected]] = []
        self.missed: list[Missed] = []
        self.alive = 0.0
        self.hits = 0
        self._frames = [pl.DataFrame(schema={**schema, **BOUNDS})]
        self._counts: dict[tuple[int, int], tuple[int, int, int, int]] = {}
        self._repeats = Repeats()

    def add(self, digested: Digested, begin: int) -> None:
        """Take what a piece became; its block begins there in the segment."""
        batch, where = digested.batch, digested.where
        if where is None:
            raise ValueError("the digest was not traced")
        if batch.frame.height:
            self._frames.append(batch.frame.hstack([each + begin for each in where]))
            self.hits += batch.frame.height
        key = int(batch.arrived // 1), batch.connection
        hits, size, duplicates, rejected = self._counts.get(key, (0, 0, 0, 0))
        self._counts[key] = (
            hits + batch.frame.height,
            size + batch.size,
            duplicates + batch.duplicates,
            rejected + len(batch.rejected),
        )
        self._repeats.add(batch.repeated, batch.arrived)
        self.rejected += [(batch.arrived, batch.connection, each) for each in batch.rejected]
        self.alive = max(self.alive, batch.arrived)

    def take(self, frame: Frame, begin: int, digest: Digest) -> None:
        """Take a frame of the spool; its payload begins there in the segment."""
        self.alive = max(self.alive, frame.arrived)
        match frame.kind:
            case Kind.BLOCK | Kind.REJECTED:
                self.add(digest.take(piece_of(frame)), begin)
            case Kind.ENTRY:
                self.entries.append(entry_of(frame))
            case Kind.MISSED:
                self.missed.append(missed_of(frame))

    def spoiled(self, size: int) -> None:
        """Note that so many bytes of it could not be read."""
        self.rejected.append((self.alive, 0, Rejected(b"", SPOILED.format(size))))

    def frame(self) -> pl.DataFrame:
        """The hits in the order of arrival.

        ``start`` and ``end`` (UInt32) are where the record of each lies in the segment.
        """
        if len(self._frames) > 1:
            self._frames = [pl.concat(self._frames)]
        return self._frames[0]

    def seconds(self) -> pl.DataFrame:
        """Counters per second and connection: see :meth:`Buffer.seconds`."""
        return rows_of(self._counts).sort("time", "connection")

    def repeats(self) -> pl.DataFrame:
        """When hits came again: see :meth:`Buffer.repeats`."""
        return self._repeats.frame()


def read_all(path: Path, number: int, digest: Digest) -> Segment:
    """Read a segment to its end, whose writer is gone.

    Raises
    ------
    OSError
        When it cannot be read.
    """
    segment = Segment(number, digest.schema)
    reader = Reader(path)
    try:
        for begin, frame in reader.frames(final=True):
            segment.take(frame, begin, digest)
    finally:
        reader.close()
    if reader.damaged:
        segment.spoiled(reader.damaged)
    return segment


def has_ended(entries: Iterable[Transition]) -> bool:
    """Whether, by these entries, there were connections and all of them have ended."""
    latest = {entry.connection: entry.state for entry in entries}
    return bool(latest) and all(state in ENDED for state in latest.values())


def killed(entries: Iterable[Transition], at: float, sentence: str) -> list[Transition]:
    """How the connections ended that, by these entries, never did."""
    latest = {entry.connection: entry for entry in entries}
    return [
        Transition(number, Phase.STOPPED, max(at, entry.at), Cause.KILLED, sentence)
        for number, entry in latest.items()
        if entry.state not in ENDED
    ]
