"""The recorder of a stream: what arrives goes to the spool first, and is sealed in the background.

A full disk, a folder that must not be written to: whatever the system refuses interrupts the
recording and nothing else. What could not be recorded is counted; once a second it is tried again,
and then the recording says itself what it lacks.

One thread (that which digests) writes; `sync` is for another. Sealing has a thread of its own.
"""

import logging
from typing import TYPE_CHECKING

from livestream_nb.clock import Clock
from livestream_nb.connection.timeline import Transition
from livestream_nb.errors import LivestreamError
from livestream_nb.hits.decode import schema_of
from livestream_nb.hits.digest import Digested
from livestream_nb.hits.known import Known
from livestream_nb.hits.piece import Piece
from livestream_nb.recording.about import About
from livestream_nb.recording.files import UNWRITABLE, free_room, said, told
from livestream_nb.recording.folder import PATIENCE, Folder
from livestream_nb.recording.frames import block_frame, entry_frame, missed_frame, rejected_frames
from livestream_nb.recording.known import known_hits
from livestream_nb.recording.missed import NOTHING, Missed
from livestream_nb.recording.seal import recover
from livestream_nb.recording.sealer import Sealer
from livestream_nb.recording.segment import Segment
from livestream_nb.recording.spool import Frame, Kind, Writer
from livestream_nb.recording.status import RecordingStatus

if TYPE_CHECKING:
    from filelock import BaseFileLock

log = logging.getLogger("livestream_nb")

SEGMENT_BYTES = 64 * 1024 * 1024
SEGMENT_SECONDS = 600.0
ROOM = 1024 * 1024
"""Bytes that must be free to go on: with less, the next block would most likely not fit."""
AGAIN = "Reading goes on, and it is tried again every second."


class Recorder:
    """Records one stream into a folder, from :meth:`open` to :meth:`close`.

    A power cut can cost the last second: so often what was written is synced to the disk. A killed
    process costs nothing: what was written is the system's.

    Parameters
    ----------
    folder : Folder
        Where to.
    about : About
        What it is of.
    window : int
        How many of the latest recorded hits are remembered to tell duplicates.
    clock : Clock
        Service time.
    """

    def __init__(self, folder: Folder, about: About, window: int, clock: Clock) -> None:
        self._folder = folder
        self._about = about
        self._window = window
        self._clock = clock
        self._schema = schema_of(about.resolved)
        self._lock: BaseFileLock | None = None
        self._sealer: Sealer | None = None
        self._failure: str | None = None
        self._why = ""
        self._spool: Writer | None = None
        self._segment = Segment(0, self._schema)
        self._last = 0
        self._began = 0.0
        self._begin: int | None = None
        self._idle = True
        self._late: list[Transition] = []
        self._lacking = NOTHING
        self._hits = 0
        self._missed = 0

    @property
    def status(self) -> RecordingStatus:
        """How it is doing now."""
        path, failure = self._folder.path, self._failure
        state, reason = "recording", f"Recording to {path}."
        if self._sealer is None:
            state = "stopped"
            reason = f"Recorded to {path}." if self._hits else f"Not recording to {path} now."
        elif failure is not None:
            state, reason = "interrupted", f"The recording is interrupted: {failure} {AGAIN}"
        elif (trouble := self._sealer.trouble) is not None:
            reason = f"Recording to {path}, but its spool is not sealed: {trouble} {AGAIN}"
        return RecordingStatus(path, state, reason, self._hits, self._missed)

    def open(self) -> Known | None:
        """Become the folder's writer, seal what was left there, and tell which hits it has.

        Returns
        -------
        Known or None
            None when the folder cannot be written to: then the recording is interrupted.

        Raises
        ------
        StreamBusy
            When another reader records here.
        InvalidOption, RecordingError
            When the folder holds something else, or cannot be read.
        """
        known = None
        try:
            known = self._claim(PATIENCE)
        except UNWRITABLE as error:
            self._interrupt(error)
        self._sealer = Sealer(self._folder, raw=self._about.raw)
        if self._failure is not None and self._lock is not None:
            self._resume()
        return known

    def _claim(self, patience: float) -> Known:
        self._folder.check(self._about)
        lock = self._folder.lock(patience)
        try:
            self._folder.claim(self._about)
            recover(self._folder, self._about, self._window)
            known = known_hits(self._folder, self._window)
        except BaseException:
            lock.release()
            raise
        self._lock, self._last = lock, 0
        return known

    def write(self, piece: Piece) -> None:
        """Append what came to the spool, before anything is made of it."""
        self._begin = None
        if self._failure is None:
            self._begin = self._append(*block_frame(piece), *rejected_frames(piece))

    def note(self, digested: Digested) -> None:
        """Take what the piece became that was written last."""
        hits = digested.batch.frame.height
        if self._begin is not None:
            self._segment.add(digested, self._begin)
            self._hits += hits
        else:
            self._missed += hits
            self._lacking = self._lacking.and_also(digested.batch, self._why)

    def enter(self, entry: Transition) -> None:
        """Write that a connection enters a state."""
        self._late.append(entry)
        if self._failure is None:
            self._enter_late()

    def _enter_late(self) -> None:
        while self._late and self._append(entry_frame(self._late[0])) is not None:
            self._segment.entries.append(self._late.pop(0))

    def beat(self) -> Known | None:
        """Once a second: say that it goes on, begin a new segment if it is time, or try again.

        Returns
        -------
        Known or None
            Which hits the folder has, when it could not be opened before.
        """
        if self._failure is not None:
            return self._resume()
        if self._spool is not None and self._clock.utc() - self._began >= SEGMENT_SECONDS:
            self._roll()
        if self._idle:
            self._append(self._sign())
        self._idle = True
        if self._sealer is not None:
            self._sealer.go_on()
        return None

    def _resume(self, room: int = ROOM) -> Known | None:
        known = None
        try:
            if free_room(self._folder.path) < room:
                return None
            known = None if self._lock else self._claim(patience=0)
        except (*UNWRITABLE, LivestreamError) as error:
            self._interrupt(error)
            return None
        lacking: Missed = self._lacking
        anything = lacking is not NOTHING
        if self._append(missed_frame(lacking) if anything else self._sign()) is None:
            return known
        self._failure = None
        if anything:
            self._segment.missed.append(lacking)
            self._lacking = NOTHING
        self._enter_late()
        return known

    def _sign(self) -> Frame:
        """A sign of life."""
        return Frame(Kind.BEAT, 0, 0.0, self._clock.utc())

    def _append(self, *frames: Frame) -> int | None:
        """Append frames; return where the first one's payload begins, None when it failed."""
        try:
            begin = self._ready().append(*frames)
        except UNWRITABLE as error:
            self._interrupt(error)
            return None
        self._idle = False
        return begin

    def _ready(self) -> Writer:
        if self._spool is not None and self._spool.size >= SEGMENT_BYTES:
            self._roll()
        if self._spool is None:
            self._last = number = self._folder.take_number(self._last)
            self._spool = Writer(self._folder.segment(number))
            self._segment = Segment(number, self._schema)
            self._began = self._clock.utc()
        return self._spool

    def _interrupt(self, error: Exception) -> None:
        failure = told(error, self._folder.path)
        if self._failure is None:
            log.warning("The recording is interrupted: %s", failure)
        self._why = said(error)
        self._failure = failure

    def sync(self) -> None:
        """Have the system write the spool to the disk."""
        spool = self._spool
        try:
            if spool is not None:
                spool.sync()
        except OSError as error:
            self._interrupt(error)

    def _roll(self) -> None:
        """End the segment, and have it sealed."""
        spool, self._spool = self._spool, None
        if spool is not None and self._sealer is not None:
            self._sealer.give(spool, self._segment)

    def close(self) -> None:
        """Seal everything, and let others write here; idempotent."""
        if self._sealer is None:
            return
        try:
            if self._failure is not None:
                self._resume(room=0)
            self._roll()
            self._sealer.close()
        finally:
            self._sealer = None
            if self._lock is not None:
                self._lock.release()
                self._lock = None
