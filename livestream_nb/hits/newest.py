"""The newest records as they came, so that someone can look at what the stream really carries.

Whole blocks are held instead of copies of their lines, for copying would cost some 2 % of what
decoding costs. What is bounded is therefore the memory that the held lines keep alive, and not
their lengths.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from livestream_nb.hits.records import Rejected, parse

KEPT_RECORDS = 1_000
KEPT_BYTES = 8 * 1024 * 1024

_Line = bytes | memoryview


class Newest:
    """Holds the newest 1,000 records, or fewer of 8 MiB. One thread adds, any thread asks."""

    def __init__(self) -> None:
        self._blocks: deque[tuple[Sequence[_Line], int]] = deque()
        self._lines = 0
        self._bytes = 0

    def add(self, lines: Sequence[_Line]) -> None:
        """Take the records of a block.

        Parameters
        ----------
        lines : sequence of bytes or memoryview
            The block's records, in order: bytes of their own, or slices of one block. The sequence
            is held, so it must not be changed later.
        """
        held, size = _held(lines)
        while self._blocks and self._is_over(held, size, whole=len(held) == len(lines)):
            old, freed = self._blocks.popleft()
            self._lines -= len(old)
            self._bytes -= freed
        if held:
            self._blocks.append((held, size))
            self._lines += len(held)
            self._bytes += size

    def _is_over(self, more: Sequence[_Line], size: int, *, whole: bool) -> bool:
        """The oldest block must go: for room, or because newer records were left out."""
        spare = self._lines - len(self._blocks[0][0]) + len(more) - KEPT_RECORDS
        return not whole or spare >= 0 or self._bytes + size > KEPT_BYTES

    def records(self, n: int) -> list[dict[str, Any]]:
        """The newest records as dicts, integers exact.

        Parameters
        ----------
        n : int
            How many at most; there are never more than 1,000.

        Returns
        -------
        list of dict
            The newest last. Lines that are no hits are left out: the quarantine shows them.
        """
        newest = islice(self._backwards(), KEPT_RECORDS)
        read = (parse(bytes(line)) for line in newest)
        hits = (record for record in read if not isinstance(record, Rejected))
        return list(islice(hits, max(n, 0)))[::-1]

    def _backwards(self) -> Iterator[_Line]:
        for lines, _ in reversed(self._blocks.copy()):
            yield from reversed(lines)


def _held(lines: Sequence[_Line]) -> tuple[Sequence[_Line], int]:
    """What to hold of a block's lines, and how many bytes of memory that keeps alive."""
    block = lines[0].obj if lines and isinstance(lines[0], memoryview) else None
    if isinstance(block, bytes):
        size = len(block)
    else:
        lines = [bytes(line) for line in lines]
        size = sum(map(len, lines))
    return (lines, size) if size <= KEPT_BYTES else _shortened(lines)


def _shortened(lines: Sequence[_Line]) -> tuple[Sequence[_Line], int]:
    kept: list[bytes] = []
    size = 0
    for line in reversed(lines[-KEPT_RECORDS:]):
        size += len(line)
        if size > KEPT_BYTES:
            size -= len(line)
            break
        kept.append(bytes(line))
    return kept[::-1], size
