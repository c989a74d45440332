"""A frame that grows at one end and shrinks at the other.

Frames are kept as they arrive and joined in groups: sixteen small ones become a larger one, sixteen
of those a larger one still, up to a limit. So every row is copied a few times at most, there are
never many parts, asking for the whole copies nothing, and giving up the oldest rows frees them soon
after. Not safe to share between threads: the buffer's lock guards it.
"""

from collections import deque
from itertools import islice

import polars as pl

_GROUP = 16


class Rolling:
    """Rows of one schema, appended at the end and dropped from the front.

    Parameters
    ----------
    schema : dict of str to polars.DataType
        The rows' columns.
    largest : int
        Rows of the largest part that is joined: what may be held on to after its rows were dropped.
    """

    def __init__(self, schema: dict[str, pl.DataType], largest: int) -> None:
        self._empty = pl.DataFrame(schema=schema)
        self._largest = largest
        # (how often joined, rows), the oldest first; the counts never rise from left to right.
        self._parts: deque[tuple[int, pl.DataFrame]] = deque()
        self._whole: pl.DataFrame | None = self._empty
        self.height = 0

    def append(self, frame: pl.DataFrame) -> None:
        """Add rows at the end; their columns must be the schema's."""
        if not frame.height:
            return
        self._parts.append((0, frame))
        self.height += frame.height
        self._whole = None
        while self._join():
            pass

    def _join(self) -> bool:
        group = list(islice(reversed(self._parts), _GROUP))
        rows = sum(frame.height for _, frame in group)
        if len(group) < _GROUP or group[0][0] != group[-1][0] or rows > self._largest:
            return False
        joined = pl.concat([frame for _, frame in reversed(group)], rechunk=True)
        for _ in group:
            self._parts.pop()
        self._parts.append((group[0][0] + 1, joined))
        return True

    def drop(self, rows: int) -> None:
        """Forget the oldest rows; all of them when there are no more than so many."""
        self.height -= min(rows, self.height)
        self._whole = None
        while rows > 0 and self._parts:
            level, oldest = self._parts.popleft()
            if oldest.height > rows:
                self._parts.appendleft((level, oldest.slice(rows)))
            rows -= oldest.height

    def frame(self) -> pl.DataFrame:
        """All rows, the oldest first; kept until the next change."""
        if self._whole is None:
            parts = [frame for _, frame in self._parts]
            self._whole = pl.concat(parts, rechunk=False) if parts else self._empty
        return self._whole
