"""A frame that grows at one end and shrinks at the other.

Frames are kept as they arrive and joined in groups: sixteen small ones become a larger one, sixteen
of those a larger one still, or as many of them as a limit allows. So every row is copied a few
times at most, there are never many parts, asking for the whole copies nothing, and giving up the
oldest rows frees them soon after. When a join is the first to reach some thousand rows, equal texts
in it come to share their bytes: what names pages and browsers is said over and over.

Not safe to share between threads: the buffer's lock guards it. Parts never change, so that whoever
was given them needs no lock.
"""

from collections import deque
from collections.abc import Iterable
from itertools import accumulate, islice
from math import ceil, inf
from typing import NamedTuple

import polars as pl

from livestream_nb.hits.texts import Scale, shared

_GROUP = 16
# Rows from which on looking for equal texts pays: a part's own copy of them is small beside it.
_MANY = 4_096


class Part(NamedTuple):
    """Rows that lie together.

    Attributes
    ----------
    frame : polars.DataFrame
        The rows.
    joins : int
        How often they were joined.
    first, last : float
        The earliest and the latest moment at which some of them arrived, in microseconds.
    size : int
        Bytes.
    shared : bool
        Whether equal texts in it share their bytes.
    """

    frame: pl.DataFrame
    joins: int
    first: float
    last: float
    size: int
    shared: bool = False

    def cut(self, rows: int) -> "Part":
        """Without the first so many rows."""
        rest = self.frame.slice(rows)
        return self._replace(frame=rest, size=self.size * rest.height // self.frame.height)

    def since(self, moment: float) -> pl.DataFrame:
        """The rows that arrived at that moment or later."""
        if self.first >= moment:
            return self.frame
        return self.frame.filter(pl.col("arrived").to_physical() >= moment)


class Rolling:
    """Rows of one schema, appended at the end and dropped from the front.

    Parameters
    ----------
    schema : dict of str to polars.DataType
        The rows' columns; to be asked by moment they need ``arrived``.
    largest : int
        Rows of the largest part that is joined: what may be held on to after its rows were dropped.
    heaviest : float
        The same in bytes.

    Attributes
    ----------
    height : int
        Rows.
    size : int
        Their bytes.
    """

    def __init__(self, schema: dict[str, pl.DataType], largest: int, heaviest: float = inf) -> None:
        self._empty = pl.DataFrame(schema=schema)
        self._scale = Scale(schema)
        self._largest = largest
        self._heaviest = heaviest
        # The oldest first; how often they were joined never rises from left to right.
        self._parts: deque[Part] = deque()
        self.height = 0
        self.size = 0

    def append(self, frame: pl.DataFrame, moment: float = 0.0) -> None:
        """Add rows at the end that arrived at one moment; their columns must be the schema's."""
        if not frame.height:
            return
        part = Part(frame, 0, moment, moment, self._scale.size(frame))
        self._parts.append(part)
        self.height += frame.height
        self.size += part.size
        while self._join():
            pass

    def _join(self) -> bool:
        group = list(islice(reversed(self._parts), _GROUP))[::-1]
        if len(group) < _GROUP or group[0].joins != group[-1].joins:
            return False
        many = self._fitting(group)
        if many < 2:
            return False
        joined = self._joined(group[:many])
        for _ in group:
            self._parts.pop()
        self._parts += [joined, *group[many:]]
        self.size += joined.size - sum(part.size for part in group[:many])
        return True

    def _joined(self, group: list[Part]) -> Part:
        frame = pl.concat([part.frame for part in group], rechunk=True)
        first, last = min(part.first for part in group), max(part.last for part in group)
        sharing = all(part.shared for part in group)
        size = sum(part.size for part in group) if sharing else self._scale.size(frame)
        if not sharing and frame.height >= _MANY:
            frame, saved = shared(frame)
            size, sharing = size - saved, True
        return Part(frame, group[0].joins + 1, first, last, size, sharing)

    def _fitting(self, group: Iterable[Part]) -> int:
        """How many of them, from the first on, make a part that is not too large."""
        rows = accumulate(part.frame.height for part in group)
        sizes = accumulate(part.size for part in group)
        pairs = zip(rows, sizes, strict=True)
        return sum(rows <= self._largest and size <= self._heaviest for rows, size in pairs)

    def drop(self, rows: int) -> None:
        """Forget the oldest rows; all of them when there are no more than so many."""
        while rows > 0 and self._parts:
            oldest = self._parts.popleft()
            rest = oldest.cut(rows)
            if rest.frame.height:
                self._parts.appendleft(rest)
            self.height -= oldest.frame.height - rest.frame.height
            self.size -= oldest.size - rest.size
            rows -= oldest.frame.height

    def drop_bytes(self, excess: int) -> None:
        """Forget as many of the oldest rows as have so many bytes."""
        enough = self.size - excess
        while self.size > enough and self._parts:
            oldest = self._parts[0]
            share = min(1.0, (self.size - enough) / oldest.size)
            self.drop(ceil(share * oldest.frame.height))

    def drop_before(self, moment: float, *, exactly: bool = True) -> None:
        """Forget the oldest rows up to the first that arrived at that moment or later.

        Looking for that one takes a moment itself: without ``exactly``, whole parts are dropped.
        """
        while self._parts and self._parts[0].last < moment:
            self.drop(self._parts[0].frame.height)
        if exactly and self._parts and self._parts[0].first < moment:
            recent = self._parts[0].frame["arrived"].to_physical() >= moment
            self.drop(recent.arg_max() or 0)

    def parts(self) -> tuple[Part, ...]:
        """What there is now, the oldest first."""
        return tuple(self._parts)

    def frame(self) -> pl.DataFrame:
        """All rows, the oldest first."""
        return self.together(part.frame for part in self._parts)

    def together(self, frames: Iterable[pl.DataFrame]) -> pl.DataFrame:
        """Frames of the schema, one below the other, without a copy."""
        found = list(frames)
        return pl.concat(found, rechunk=False) if found else self._empty


def stretch(parts: Iterable[Part], begin: int, rows: int) -> list[pl.DataFrame]:
    """So many rows, or as many as there are, from a row on, counted from the first part's."""
    frames = []
    for part in parts:
        if rows > 0 and begin < part.frame.height:
            frames.append(part.frame.slice(begin, rows))
            rows -= frames[-1].height
        begin = max(0, begin - part.frame.height)
    return frames
