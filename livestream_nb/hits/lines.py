"""The records of a block, where they lie in it."""

from collections.abc import Iterator, Sequence
from typing import overload

_SPACE = ord(" ")


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

    def __iter__(self) -> Iterator[memoryview]:
        view = self._view
        return (view[start:end] for start, end in zip(self._starts, self._ends, strict=True))
