"""A stream's log of hits: it begins with the first connect, and may fall quiet."""

from livestream_nb.simulator.frames import Identity
from livestream_nb.simulator.replay import Replay
from livestream_nb.simulator.traffic import Traffic


class HitLog:
    """The hits of a source, placed in service time (Unix seconds)."""

    def __init__(self, source: Traffic | Replay) -> None:
        self._source = source
        self._began: float | None = None
        self._quiet: float | None = None

    def begin(self, now: float) -> None:
        """Let hits enter from now on; without effect once they do."""
        if self._began is None:
            self._began = now

    def go_quiet(self, now: float) -> None:
        """Let no more hits enter; without effect once it is quiet."""
        if self._quiet is None:
            self._quiet = now

    def logged(self, now: float) -> int:
        """How many hits the log holds."""
        if self._began is None:
            return 0
        last = now if self._quiet is None else min(now, self._quiet)
        return self._source.logged(last - self._began)

    def lines(self, first: int, end: int) -> bytes:
        """Return the records from ``first`` up to, not with, ``end``."""
        return self._source.lines(first, end, self._began or 0.0)

    def identities(self, end: int) -> list[Identity]:
        """Tell the hits before ``end`` apart."""
        return self._source.identities(0, end, self._began or 0.0)
