"""A thread that seals segments in the background, in their order."""

import logging
from collections import deque
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import NamedTuple

from livestream_nb.errors import RecordingError
from livestream_nb.recording.files import UNWRITABLE, told
from livestream_nb.recording.folder import Folder
from livestream_nb.recording.seal import seal
from livestream_nb.recording.segment import Segment
from livestream_nb.recording.spool import Writer
from livestream_nb.worker import Worker

log = logging.getLogger("livestream_nb")

MOST_WAITING = 16
"""Segments that may wait; with more, whoever brings one waits until one is sealed."""


class _Full(NamedTuple):
    spool: Writer
    segment: Segment
    sealed: Future[None]


class Sealer:
    """Seals the segments that it is given.

    Parameters
    ----------
    folder : Folder
        Of which recording.
    raw : bool
        Whether the raw records are kept.

    Attributes
    ----------
    trouble : str or None
        Why a segment could not be sealed, in a sentence; None when nothing is in the way.
    """

    def __init__(self, folder: Folder, *, raw: bool) -> None:
        self.trouble: str | None = None
        self._folder = folder
        self._raw = raw
        self._waiting: deque[_Full] = deque()
        self._worker = Worker("livestream-seal", yields=True)
        self._work: Future[None] | None = None

    def give(self, spool: Writer, segment: Segment) -> None:
        """Seal a segment as soon as those before are sealed.

        While nothing can be sealed, those beyond `MOST_WAITING` are left to whoever opens the
        recording next: they would fill the memory.
        """
        if self.trouble is not None and len(self._waiting) > MOST_WAITING:
            spool.close()
            return
        self._waiting.append(_Full(spool, segment, Future()))
        self.go_on()
        waiting = [*self._waiting]
        if len(waiting) > MOST_WAITING and self._work and self.trouble is None:
            wait([waiting[0].sealed, self._work], return_when=FIRST_COMPLETED)

    def go_on(self) -> None:
        """Seal what waits, also what could not be sealed before."""
        if self._waiting and (self._work is None or self._work.done()):
            self._work = self._worker.submit(self._seal_all)

    def _seal_all(self) -> None:
        try:
            while self._waiting:
                first = self._waiting[0]
                first.spool.close()
                seal(self._folder, first.segment, raw=self._raw)
                self._waiting.popleft()
                first.sealed.set_result(None)
            self.trouble = None
        except (*UNWRITABLE, RecordingError) as error:
            self.trouble = told(error, self._folder.path)
            log.warning("Sealing waits: %s", self.trouble)

    def close(self) -> None:
        """Seal what waits, once more; what cannot be sealed stays in the spool."""
        if self._work is not None:
            self._work.result()
        self.go_on()
        if self._work is not None:
            self._work.result()
        for each in self._waiting:
            each.spool.close()
        self._worker.close()
