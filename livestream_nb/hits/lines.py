"""The records of a block, where they lie in it."""

from collections.abc import Container, Iterator, Sequence
from itertools import compress
from typing import overload

import polars as pl

_SPACE = ord(" ")

BOUNDS: dict[str, pl.DataType] = {"start": pl.UInt32(), "end": pl.UInt32()}


class Lines(Sequence[memoryview]):
    r"""The lines of a block that are not blank, as slices of it: nothing is copied.

    Only their bounds are held. A slice for each would be one more object per record for Python's
    garbage collection to look at.

    Parameters
    ----------
    block : bytes
        Lines separated by ``\n`` or ``\r\n``.

    Attributes
    ----------
    block : bytes
        The same.
    """

    def __init__(self, block: bytes = b"") -> None:
        self.block = block
        self._view = memoryview(block)
        self._starts: list[int] = []
        self._ends: list[int] = []
        start, find = 0, block.find
        while start < len(block):
            end = find(b"\n", start)
            if end < 0:
                end = len(block)
            if block[start] > _SPACE or block[start:end].strip():
                self._starts.append(start)
                self._ends.append(end)
            start = end + 1

    def __len__(self) -> int:
        return len(self._starts)

    @overload
    def __getitem__(self, which: int) -> memoryview: ...
    @overload
    def __getitem__(self, which: slice) -> list[memoryview]: ...
    def __getitem__(self, which: int | slice) -> memoryview | list[memoryview]:
        if isinstance(which, slice):
            return [self[number] for number in range(*which.indices(len(self)))]
        return self._view[self._starts[which] : self._ends[which]]

    def bounds(self, without: Container[int] = ()) -> pl.DataFrame:
        """Where the lines lie in the block, but for those of these numbers.

        Returns
        -------
        polars.DataFrame
            A row per line: ``start`` and ``end`` (UInt32, bytes).
        """
        columns = [self._starts, self._ends]
        if without:
            kept = [number not in without for number in range(len(self))]
            columns = [[*compress(column, kept)] for column in columns]
        named = zip(BOUNDS.items(), columns, strict=True)
        return pl.DataFrame([pl.Series(name, column, dtype) for (name, dtype), column in named])

    def __iter__(self) -> Iterator[memoryview]:
        view = self._view
        return (view[start:end] for start, end in zip(self._starts, self._ends, strict=True))
