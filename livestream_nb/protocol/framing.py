"""From raw bytes to blocks of complete records.

Records are gzip JSON lines in one endless stream, but a new gzip member may begin at any byte, a
record may be cut by any chunk, and a few hostile bytes may unpack to gigabytes. So the bytes are
unpacked here, member by member and in bounded steps, and cut at newlines only: never at the other
characters that text calls line ends.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from isal import isal_zlib

from livestream_nb.errors import CorruptStream

STEP = 1 << 20
LONGEST_RECORD = 4 << 20
HEAD = 64 << 10
GZIP = 31
DAMAGED: type[Exception] = isal_zlib.error  # type: ignore[assignment]  # its stub says instance


class Gunzip:
    """Unpacks a gzip stream of any number of members, at most 1 MiB at a step."""

    def __init__(self) -> None:
        self._member = isal_zlib.decompressobj(GZIP)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield what the bytes unpack to, in pieces of at most 1 MiB.

        Raises
        ------
        CorruptStream
            When the bytes are not gzip, or are damaged.
        """
        piece = b""
        while data or len(piece) == STEP:
            if self._member.eof:
                self._member = isal_zlib.decompressobj(GZIP)
            piece = self._unpack(data)
            data = self._member.unused_data or self._member.unconsumed_tail
            if piece:
                yield piece

    def _unpack(self, data: bytes) -> bytes:
        try:
            return self._member.decompress(data, STEP)
        except DAMAGED as error:
            raise CorruptStream(
                f"The stream's gzip is damaged ({error}): the rest of this connection cannot be "
                "read. The reader gives the connection up and reconnects after the cooldown."
            ) from None


@dataclass(frozen=True)
class Overlong:
    """A record longer than 4 MiB: its first 64 KiB, and its size in bytes."""

    head: bytes
    size: int


class Records:
    """Collects unpacked bytes and hands out blocks of complete records.

    A record ends at a newline; a carriage return before it belongs to the line ending. A record
    longer than 4 MiB is not kept: its head and size go to :attr:`overlong`.
    """

    def __init__(self) -> None:
        self.ready = 0
        self.overlong: deque[Overlong] = deque()
        self._whole: deque[bytes] = deque()
        self._rest = bytearray()
        self._skipped = 0

    def feed(self, piece: bytes) -> None:
        """Take unpacked bytes; :attr:`ready` says how many bytes of whole records wait."""
        first = piece.find(b"\n")
        if first < 0:
            self._rest += piece
            self._skip_overlong()
            return
        if len(self._rest) + self._skipped + first > LONGEST_RECORD:
            self._rest += piece[:first]
            self._end_overlong()
            piece = piece[first + 1 :]
            self.feed(piece)
            return
        last = piece.rfind(b"\n") + 1
        self._add(bytes(self._rest) + piece[:last])
        self._rest = bytearray(piece[last:])

    def take(self, about: int) -> bytes:
        """Hand out whole records, oldest first: ``about`` so many bytes, or all if fewer wait."""
        taken: list[bytes] = []
        size = 0
        while self._whole and size < about:
            taken.append(self._whole.popleft())
            size += len(taken[-1])
        self.ready -= size
        return b"".join(taken)

    def close(self) -> None:
        """The stream has ended: what is left without a line ending counts as a record, too."""
        if self._skipped:
            self._end_overlong()
        elif self._rest.strip():
            self._add(bytes(self._rest) + b"\n")
        self._rest.clear()

    def _add(self, whole: bytes) -> None:
        self._whole.append(whole)
        self.ready += len(whole)

    def _skip_overlong(self) -> None:
        if self._skipped or len(self._rest) > LONGEST_RECORD:
            self._skipped += max(0, len(self._rest) - HEAD)
            del self._rest[HEAD:]

    def _end_overlong(self) -> None:
        self.overlong.append(Overlong(bytes(self._rest[:HEAD]), len(self._rest) + self._skipped))
        self._rest.clear()
        self._skipped = 0
