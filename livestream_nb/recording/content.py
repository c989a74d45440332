"""What a recording holds at one moment: sealed files, and the segments of the spool."""

import warnings
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import polars as pl

from livestream_nb.connection.timeline import Transition
from livestream_nb.errors import RecordingError
from livestream_nb.hits.batch import Totals
from livestream_nb.hits.decode import schema_of
from livestream_nb.recording.folder import Folder
from livestream_nb.recording.journal import Journal
from livestream_nb.recording.missed import Missed
from livestream_nb.recording.parquet import collect, is_whole, read
from livestream_nb.recording.seal import QUARANTINE, recover, rejected_frame
from livestream_nb.recording.segment import has_ended
from livestream_nb.recording.tail import Tail

WINDOW = 1_000_000
SIGNS_WITHIN = 10.0
"""Real seconds; a recorder gives a sign of life every second."""
COUNTS = ("hits", "bytes", "duplicates", "quarantined")


class Sealed:
    """What is sealed of a recording: files, and what the journal says. Never changes.

    Of the journal only what every question needs is read at once; the rest, when it is asked for,
    is the same: whatever is sealed since is of segments that do not count here.

    Attributes
    ----------
    files : mapping of int to list of Path
        The files of hits, by segment, ascending.
    damaged : list of Path
        Files of hits that were cut short: they are left out.
    """

    def __init__(self, folder: Folder, spooled: Sequence[int], limit: int) -> None:
        self._folder = folder
        found = {
            number: sorted(paths)
            for number, paths in sorted(folder.sealed().items())
            if number < limit and number not in spooled
        }
        self.damaged = [path for paths in found.values() for path in paths if not is_whole(path)]
        self.files: Mapping[int, list[Path]] = {
            number: [path for path in paths if path not in self.damaged]
            for number, paths in found.items()
        }
        self._journal = Journal(folder, spooled, limit)
        self.entries = self._journal.entries()
        self.missed = self._journal.missed()
        sums = self._journal.lazy("seconds").select(pl.col(COUNTS).sum())
        self.sums: dict[str, int] = self._journal.collect("seconds", sums).row(0, named=True)

    @cached_property
    def seconds(self) -> pl.DataFrame:
        """Counters per second and connection, in order."""
        ordered = self._journal.lazy("seconds").sort("time", "connection")
        return self._journal.collect("seconds", ordered)

    @cached_property
    def repeats(self) -> pl.DataFrame:
        """When hits came again."""
        return self._journal.rows("repeats")

    @cached_property
    def ends(self) -> dict[int, int]:
        """When the last of each segment came, in Unix microseconds, to the second."""
        moment = pl.col("time").max().to_physical()
        last = self._journal.lazy("seconds").group_by("segment").agg(moment)
        return dict(self._journal.collect("seconds", last).iter_rows())

    def paths(self, since: float | None) -> list[Path]:
        """The files that may hold hits that came then (Unix seconds) or later."""
        if since is None:
            return [path for paths in self.files.values() for path in paths]
        begin = 1e6 * (since - 1)
        late = (number for number in self.files if self.ends.get(number, 0) >= begin)
        return [path for number in late for path in self.files[number]]


class Content:
    """What a recording holds, as of the last :meth:`look`.

    Parameters
    ----------
    path : Path
        The recording's folder.

    Raises
    ------
    RecordingError
        When there is no recording, or it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.folder = Folder(path)
        about = self.folder.about()
        if about is None:
            raise RecordingError(
                f"There is no recording in {path}: give the folder that record_to= was given. "
                "Files of hits are read by read_hits()."
            )
        self.about = about
        self.schema = schema_of(about.resolved)
        self.tail = Tail(self.folder, about, WINDOW)
        self._recover()
        self.look()
        self.written = self.is_written()

    def _recover(self) -> None:
        with self.folder.alone() as alone:
            if alone:
                try:
                    recover(self.folder, self.about, WINDOW)
                except OSError as error:
                    warnings.warn(_unsealed(self.folder.path, error), RuntimeWarning, stacklevel=4)

    def look(self) -> None:
        """Take in what was written since the last look."""
        before, limit = [*self.tail.segments], self.tail.limit
        self.tail.look()
        spooled = [*self.tail.segments]
        if not limit or spooled != before or limit != self.tail.limit:
            self.sealed = Sealed(self.folder, spooled, self.tail.limit)
            if self.sealed.damaged:
                warnings.warn(_damaged(self.sealed.damaged), RuntimeWarning, stacklevel=4)

    def is_written(self) -> bool:
        """Whether a process is recording to the folder now."""
        with self.folder.alone() as alone:
            self.written = self._is_alive() if alone is None else not alone
        return self.written

    def _is_alive(self) -> bool:
        """Whether it goes on, by its last sign of life, where the lock cannot be tried."""
        clock = self.about.clock
        silent = clock.real(clock.utc() - self.alive())
        return silent < SIGNS_WITHIN and not has_ended(self.entries())

    def collect(self, hits: pl.LazyFrame) -> pl.DataFrame:
        """The rows of a query over :meth:`hits`.

        Raises
        ------
        RecordingError
            When a file cannot be read.
        """
        return collect(hits, self.sealed.paths(None), self.schema, self.folder.path)

    def hits(self, since: float | None = None) -> pl.LazyFrame:
        """The hits with the recorded columns; only those that came then (Unix s) or later."""
        spooled = (segment.frame() for segment in self.tail.segments.values())
        parts = [read(self.sealed.paths(since), self.schema)]
        parts += [frame.select(self.schema.keys()).lazy() for frame in spooled if frame.height]
        found = pl.concat(parts)
        if since is None:
            return found
        return found.filter(pl.col("arrived") >= datetime.fromtimestamp(since, UTC))

    def seconds(self, since: float | None = None) -> pl.DataFrame:
        """Counters per second and connection: ``time``, ``connection``, and what came.

        Only seconds that begin then (Unix seconds) or later.
        """
        newer = [segment.seconds() for segment in self.tail.segments.values()]
        seconds = pl.concat([self.sealed.seconds.drop("segment"), *newer])
        if since is None:
            return seconds
        return seconds.filter(pl.col("time") >= datetime.fromtimestamp(since, UTC))

    def sums(self) -> Totals:
        """All counters together."""
        newer = [segment.seconds() for segment in self.tail.segments.values()]
        hits, size, duplicates, quarantined = (
            self.sealed.sums[name] + sum(int(frame[name].sum()) for frame in newer)
            for name in COUNTS
        )
        return Totals(hits, size, duplicates, quarantined, rows=hits)

    def entries(self) -> list[Transition]:
        """Every change of state, in order."""
        newer = [entry for each in self.tail.segments.values() for entry in each.entries]
        return [*self.sealed.entries, *newer]

    def repeats(self) -> pl.DataFrame:
        """When hits came again: see :meth:`Buffer.repeats`."""
        newer = [segment.repeats() for segment in self.tail.segments.values()]
        return pl.concat([self.sealed.repeats.drop("segment"), *newer])

    def missed(self) -> list[Missed]:
        """What could not be recorded."""
        newer = [missed for each in self.tail.segments.values() for missed in each.missed]
        return [*self.sealed.missed, *newer]

    def quarantine(self) -> pl.DataFrame:
        """The records that were no hits: ``arrived``, ``connection``, ``reason``, ``raw``."""
        paths = self.folder.rejects(self.tail.limit, self.tail.segments)
        sealed = collect(read(paths, QUARANTINE), paths, QUARANTINE, self.folder.path)
        newer = [rejected_frame(each) for each in self.tail.segments.values()]
        return pl.concat([sealed, *newer])

    def alive(self) -> float:
        """The last moment that it tells of, in Unix seconds."""
        told = [segment.alive for segment in self.tail.segments.values()]
        if not told and not has_ended(self.sealed.entries):
            told = [end / 1e6 + 1 for end in self.sealed.ends.values()]
        entered = (entry.at for entry in self.sealed.entries)
        return max(*told, *entered, 0.0, 0.0)


def _damaged(paths: Sequence[Path]) -> str:
    named = ", ".join(map(str, paths[:3]))
    more = f" and {len(paths) - 3:,} more" if len(paths) > 3 else ""
    return (
        f"Left out, because cut short or not Parquet: {named}{more}. Restore them; the raw records "
        "of each, if they are kept, lie under the same name in raw/."
    )


def _unsealed(path: Path, error: OSError) -> str:
    return (
        f"What the spool of {path} holds could not be sealed ({error.strerror}): it is read as it "
        "is, and nothing of it is lost. Give yourself the right to write there, or make room."
    )
