"""A stream's log of hits: it begins with the first connect, and its tempo can be changed."""

from bisect import bisect_right

from livestream_nb.simulator.dirt import drifted
from livestream_nb.simulator.frames import Identities
from livestream_nb.simulator.replay import Replay
from livestream_nb.simulator.share import WHOLE, Share
from livestream_nb.simulator.tempo import Tempo
from livestream_nb.simulator.traffic import Traffic


class HitLog:
    """The hits of a source, placed in service time (Unix seconds)."""

    def __init__(self, source: Traffic | Replay) -> None:
        self._source = source
        self._tempo: Tempo | None = None
        self._wanted: list[tuple[float, float | None]] = []
        self._drifts: list[tuple[float, float]] = []

    def begin(self, now: float) -> None:
        """Let hits enter from now on; without effect once they do."""
        if self._tempo is None:
            self._tempo = Tempo(now)
            for factor, seconds in self._wanted:
                self._tempo.change(factor, seconds, now)

    def change_tempo(self, factor: float, seconds: float | None, now: float) -> None:
        """Let hits enter so many times as fast, or none at all; for ever when None.

        A log that has not begun yet begins like that.
        """
        if self._tempo is None:
            self._wanted.append((factor, seconds))
        else:
            self._tempo.change(factor, seconds, now)

    def drift(self, seconds: float, now: float) -> None:
        """Let the hits of so many seconds have other fields than the documented ones."""
        self._drifts.append((now, now + seconds))

    def logged(self, share: Share, now: float) -> int:
        """How many hits of a share the log holds."""
        return 0 if self._tempo is None else self._source.logged(self._tempo.elapsed(now), share)

    def records(self, share: Share, first: int, end: int) -> list[bytes]:
        """Return the share's records from ``first`` up to, not with, ``end``."""
        moments = self._moments(share, first, end)
        records = self._source.records(first, end, share, moments)
        for since, until in self._drifts:
            for place in range(bisect_right(moments, since), bisect_right(moments, until)):
                records[place] = drifted(records[place])
        return records

    def truth(self, now: float) -> tuple[Identities, list[float]]:
        """Tell all hits of the log apart, and when each entered it."""
        count = self.logged(WHOLE, now)
        moments = self._moments(WHOLE, 0, count)
        return self._source.identities(0, count, WHOLE, moments), moments

    def numbers(self, share: Share, first: int, end: int) -> list[int]:
        """Return the places of a share's hits in the whole log."""
        return list(self._source.numbers(first, end, share))

    def _moments(self, share: Share, first: int, end: int) -> list[float]:
        times = self._source.times(first, end, share)
        return [] if self._tempo is None else self._tempo.moments(times)
