"""Hits that were delivered before are dropped: a sliding window over hit ids.

A hit is told from others by the pair (hitIdHigh, hitIdLow), compared exactly. The window is kept in
generations: the newest one fills up, then the oldest is forgotten, so that at least ``window``
and at most a quarter more of the latest ids are known.
"""

from collections import deque

import polars as pl

from livestream_nb.checks import check_count

_GENERATIONS = 4


class Dedupe:
    """Remembers hit ids and drops hits that were seen before.

    Parameters
    ----------
    window : int
        How many of the latest distinct ids are remembered, at least.

    Attributes
    ----------
    without_id : int
        How many hits had no id and were let through.

    Raises
    ------
    InvalidOption
        When the window is not a whole number of at least 1.
    """

    def __init__(self, window: int = 1_000_000) -> None:
        check_count("window", window, "hits")
        self.without_id = 0
        self._size = -(-window // _GENERATIONS)
        self._newest: set[int] = set()
        self._older: deque[set[int]] = deque(maxlen=_GENERATIONS)

    def fresh(self, frame: pl.DataFrame) -> tuple[pl.DataFrame, int]:
        """Drop the hits whose id was seen among the latest, also within the frame.

        Parameters
        ----------
        frame : polars.DataFrame
            Hits, with ``hitIdHigh`` and ``hitIdLow`` as UInt64. Hits with a null in either pass.

        Returns
        -------
        tuple of polars.DataFrame and int
            The hits that are new, in their order, and how many were dropped.
        """
        high, low = frame["hitIdHigh"], frame["hitIdLow"]
        if high.null_count() or low.null_count():
            return self._one_by_one(frame)
        ids = [h << 64 | w for h, w in zip(high.to_list(), low.to_list(), strict=True)]
        distinct = set(ids)
        if len(distinct) < len(ids) or not self._unseen(distinct):
            return self._one_by_one(frame)
        self._remember(distinct)
        return frame, 0

    def _one_by_one(self, frame: pl.DataFrame) -> tuple[pl.DataFrame, int]:
        pairs = zip(frame["hitIdHigh"].to_list(), frame["hitIdLow"].to_list(), strict=True)
        new = [self._is_new(high, low) for high, low in pairs]
        dropped = new.count(False)
        return (frame.filter(pl.Series(new, dtype=pl.Boolean)), dropped) if dropped else (frame, 0)

    def _is_new(self, high: int | None, low: int | None) -> bool:
        if high is None or low is None:
            self.without_id += 1
            return True
        hit = {high << 64 | low}
        new = self._unseen(hit)
        self._remember(hit)
        return new

    def _unseen(self, ids: set[int]) -> bool:
        return ids.isdisjoint(self._newest) and all(ids.isdisjoint(old) for old in self._older)

    def _remember(self, ids: set[int]) -> None:
        self._newest |= ids
        if len(self._newest) >= self._size:
            self._older.append(self._newest)
            self._newest = set()
