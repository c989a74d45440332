"""The end of a recording: what is in the spool still, read without touching it.

A segment is read through a file that stays open: should it be sealed and removed meanwhile, the
rest of it can still be read.
"""

from livestream_nb.hits.digest import Digest
from livestream_nb.recording.about import About
from livestream_nb.recording.folder import Folder
from livestream_nb.recording.known import known_hits
from livestream_nb.recording.segment import Segment
from livestream_nb.recording.spool import Reader

NEVER = 2**32


class Tail:
    """What the spool of a recording holds; whoever asks again sees what came since.

    Parameters
    ----------
    folder : Folder
        Whose.
    about : About
        What the recording says of itself.
    window : int
        How many of the latest sealed hits are remembered to tell duplicates.

    Attributes
    ----------
    segments : dict of int to Segment
        What the spool holds, by number, ascending.
    limit : int
        Segments of this number or higher were not begun when the spool was looked at.
    """

    def __init__(self, folder: Folder, about: About, window: int) -> None:
        self.segments: dict[int, Segment] = {}
        self.limit = 0
        self._folder = folder
        self._about = about
        self._window = window
        self._readers: dict[int, Reader] = {}
        self._digest: Digest | None = None
        self._newest = 0

    def look(self) -> None:
        """Read what came since the last look.

        Raises
        ------
        RecordingError
            When a file of the recording cannot be read.
        OSError
            When the spool cannot be read.
        """
        while not self._look():
            self.close()

    def _look(self) -> bool:
        """The same; False when a segment was sealed before it was read: its ids are not known."""
        self.limit = self._folder.next_number() or NEVER
        numbers = self._folder.segments()
        if self._overslept(numbers):
            return False
        try:
            for number in numbers:
                self._open(number)
        except FileNotFoundError:  # sealed at this very moment
            return False
        for number, reader in self._readers.items():
            self._read(number, reader)
        for number in set(self._readers).difference(numbers):
            self._readers.pop(number).close()
            del self.segments[number]
        return True

    def _overslept(self, numbers: list[int]) -> bool:
        """Whether segments have come and gone that were never read: their ids are not known."""
        return self._digest is not None and self._newest + 1 < min(
            (number for number in numbers if number not in self._readers), default=0
        )

    def _open(self, number: int) -> None:
        if number in self._readers:
            return
        if self._digest is None:
            self._digest = Digest(self._about.resolved, self._window, traced=True)
            self._digest.know(known_hits(self._folder, self._window))
        self._readers[number] = Reader(self._folder.segment(number))
        self._newest = number
        self.segments[number] = Segment(number, self._digest.schema)

    def _read(self, number: int, reader: Reader) -> None:
        segment, damaged = self.segments[number], reader.damaged
        for begin, frame in reader.frames():
            if self._digest is not None:
                segment.take(frame, begin, self._digest)
        if reader.damaged > damaged:
            segment.spoiled(reader.damaged - damaged)

    def spooled(self, number: int) -> bytes:
        """The bytes of a segment, as they are in the spool."""
        return self._readers[number].bytes()

    def close(self) -> None:
        """Close its files, and begin anew with the next look."""
        for reader in self._readers.values():
            reader.close()
        self._readers.clear()
        self.segments.clear()
        self._digest = None
