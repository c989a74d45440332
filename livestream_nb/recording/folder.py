"""The folder of a recording: what lies where, what made it, and who may write."""

import os
import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import MsgspecError, json

from livestream_nb.errors import InvalidOption, RecordingError, StreamBusy
from livestream_nb.recording.about import FORMAT, About, Made, differing
from livestream_nb.recording.files import ASIDE, UNWRITABLE, make_folder, write
from livestream_nb.recording.spool import SUFFIX

if TYPE_CHECKING:
    from filelock import BaseFileLock

ABOUT = "recording.json"
LOCK = "writer.lock"
NEXT = "next"
PATIENCE = 1.0
"""Real seconds to try for the lock: someone who only looks whether it is held lets go at once."""
_BEGUN = frozenset((LOCK, ABOUT + ASIDE))
"""What a recording consists of before anything is recorded."""
_SEALED = re.compile(r"(\d{8})\.parquet")
_SPOOLED = re.compile(rf"(\d{{8}}){re.escape(SUFFIX)}")


@dataclass(frozen=True)
class Folder:
    """A recording's folder.

    Attributes
    ----------
    path : Path
        Where it is.
    """

    path: Path

    @property
    def spool(self) -> Path:
        """Where segments are that are not sealed yet."""
        return self.path / "spool"

    @property
    def quarantine(self) -> Path:
        """Where records are that were no hits."""
        return self.path / "quarantine"

    def rejected(self, number: int) -> Path:
        """Where the records of a segment are that were no hits."""
        return self.quarantine / f"{number:08}.parquet"

    def rejects(self, limit: int, spooled: Collection[int]) -> list[Path]:
        """Those of all sealed segments below a number."""
        found = (path for path in self.quarantine.glob("*.parquet") if _SEALED.fullmatch(path.name))
        numbered = sorted((int(path.stem), path) for path in found)
        return [path for number, path in numbered if number < limit and number not in spooled]

    @property
    def journal(self) -> Path:
        """Where counters, states and repeats are, a folder per day."""
        return self.path / "journal"

    def segment(self, number: int) -> Path:
        """Where a segment is while it is in the spool."""
        return self.spool / f"{number:08}{SUFFIX}"

    def hits(self, day: str, hour: int, number: int) -> Path:
        """Where the hits of a segment are that Adobe received in an hour."""
        return self.path / "hits" / f"date={day}" / f"hour={hour:02}" / f"{number:08}.parquet"

    def segments(self) -> list[int]:
        """The numbers of the segments in the spool, ascending."""
        with suppress(FileNotFoundError):
            names = os.listdir(self.spool)  # noqa: PTH208  # many times as fast, of many files
            return sorted(int(name[:8]) for name in names if _SPOOLED.fullmatch(name))
        return []

    def take_number(self, last: int = 0) -> int:
        """A number for a new segment, never given before.

        Parameters
        ----------
        last : int
            The number that this writer took last; without it all files are looked through.

        Raises
        ------
        OSError
            When nothing can be written.
        """
        used = [last] if last else [0, *self.segments(), *self.sealed()]
        number = max(self.next_number() or 1, *(each + 1 for each in used))
        # Written over, never emptied: whoever reads it finds a number. While the segment is in the
        # spool its own name tells the same, so this is synced only when that is removed.
        counter = os.open(self.counter, os.O_WRONLY | os.O_CREAT, 0o666)
        try:
            os.write(counter, b"%020d" % (number + 1))
        finally:
            os.close(counter)
        return number

    @property
    def counter(self) -> Path:
        """The file that has the number of the next segment."""
        return self.spool / NEXT

    def next_number(self) -> int | None:
        """The number that the next segment will have at least; None when nothing says so."""
        try:
            return int(self.counter.read_bytes())
        except (OSError, ValueError):
            return None

    def sealed(self) -> dict[int, list[Path]]:
        """The files of sealed hits by segment, also of one that is in the spool still."""
        found: dict[int, list[Path]] = {}
        for root, _, names in os.walk(self.path / "hits"):
            for name in names:
                if parts := _SEALED.fullmatch(name):
                    found.setdefault(int(parts[1]), []).append(Path(root, name))
        return found

    def about(self) -> About | None:
        """What the recording says of itself; None when there is no recording here.

        Raises
        ------
        RecordingError
            When it cannot be read, or is of a later layout.
        """
        try:
            written = (self.path / ABOUT).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise RecordingError(
                f"The recording {self.path} cannot be opened ({error.strerror}): give yourself the "
                "right to read it."
            ) from error
        try:
            made = json.decode(written, type=Made)
            if made.format > FORMAT:
                raise RecordingError(
                    f"The recording {self.path} has layout {made.format}, and this version of "
                    f"livestream_nb reads up to {FORMAT}: use version {made.version} or later."
                )
            about = json.decode(written, type=About)
            _ = about.resolved, about.clock
        except (MsgspecError, InvalidOption) as error:
            raise RecordingError(
                f"{self.path / ABOUT} is not what this version of livestream_nb wrote ({error}): "
                "restore that file, or use the version that it names."
            ) from error
        return about

    def check(self, about: About) -> None:
        """Refuse a folder that cannot take, or go on with, such a recording.

        Raises
        ------
        InvalidOption
            When the folder holds something else, or a recording with other options.
        RecordingError
            When it holds a recording that cannot be read.
        """
        there = self.about()
        if there is None:
            if not _BEGUN.issuperset(self._names()):
                right = "give a new or empty folder, or one that holds a recording"
                raise InvalidOption.value("record_to", str(self.path), right)
        elif others := differing(there, about):
            raise InvalidOption(
                f"record_to={str(self.path)!r} is not possible: it holds a recording with other "
                f"options ({others}). Give the same, or another folder."
            )

    def claim(self, about: About) -> None:
        """Say what the recording is of; the lock is held.

        Raises
        ------
        InvalidOption, RecordingError
            As :meth:`check`.
        OSError
            When nothing can be written.
        """
        self.check(about)
        write(self.path / ABOUT, json.format(json.encode(about)))
        for each in (self.spool, self.quarantine, self.journal):
            make_folder(each)

    def _names(self) -> list[str]:
        try:
            return [each.name for each in self.path.iterdir()]
        except NotADirectoryError:
            return [self.path.name]
        except FileNotFoundError:
            return []

    def lock(self, patience: float) -> "BaseFileLock":
        """Become the one writer.

        Raises
        ------
        StreamBusy
            When another process, or another reader of this one, records here.
        OSError
            When nothing can be locked here.
        """
        from filelock import FileLock

        make_folder(self.path)
        lock = FileLock(self.path / LOCK, thread_local=False, fallback_to_soft=False)
        try:
            lock.acquire(timeout=patience, poll_interval=0.02)
        except TimeoutError:
            raise StreamBusy(
                f"{self.path} is being recorded to by another reader: give another folder, or read "
                f"what it records with Recording({str(self.path)!r}).follow()."
            ) from None
        return lock

    @contextmanager
    def alone(self) -> Iterator[bool | None]:
        """Keep writers away for a moment; False when there is one, None when that is not known."""
        try:
            lock = self.lock(patience=0)
        except StreamBusy:
            yield False
            return
        except UNWRITABLE:
            yield None
            return
        try:
            yield True
        finally:
            lock.release()
