"""From raw bytes to blocks of complete records.

Records are gzip JSON lines in one endless stream, but a new gzip member may begin at any byte, a
record may be cut by any chunk, and a few hostile bytes may unpack to gigabytes. So the bytes are
unpacked here, member by member and in bounded steps, and cut at newlines only: never at the other
characters that text calls line ends.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from isal import igzip_lib

from livestream_nb.errors import CorruptStream

STEP = 4 << 20
LONGEST_RECORD = 4 << 20
HEAD = 64 << 10
DAMAGED: type[Exception] = igzip_lib.IsalError  # type: ignore[assignment]  # its stub says instance


class Gunzip:
    """Unpacks a gzip stream of any number of members, at most 4 MiB at a step."""

    def __init__(self) -> None:
        self._member = _member()
        # The C library gives a piece pages of its own, new ones each time, until it has once seen a
        # larger one go (glibc's M_MMAP_THRESHOLD): to fill new pages costs as much as unpacking.
        bytearray(2 * STEP)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield what the bytes unpack to, in pieces of at most 4 MiB.

        Raises
        ------
        CorruptStream
            When the bytes are not gzip, or are damaged.
        """
        piece = b""
        while data or len(piece) == STEP:
            if self._member.eof:
                self._member = _member()
            piece = self._unpack(data)
            data = self._member.unused_data
            if piece:
                yield piece

    def _unpack(self, data: bytes) -> bytes:
        try:
            # A limit makes room at once: no growing, and one way round the interpreter's lock.
            return self._member.decompress(data, STEP)
        except DAMAGED as error:
            raise CorruptStream(
                f"The stream's gzip is damaged ({error}): the rest of this connection cannot be "
                "read. The reader gives the connection up and reconnects after the cooldown."
            ) from None


def _member() -> igzip_lib.IgzipDecompressor:
    return igzip_lib.IgzipDecompressor(igzip_lib.DECOMP_GZIP)


@dataclass(frozen=True)
class Overlong:
    """A record longer than 4 MiB: its first 64 KiB, and its size in bytes."""

    head: bytes
    size: int


class Records:
    """Cuts unpacked bytes into complete records.

    A record ends at a newline; a carriage return before it belongs to the line ending. A record
    longer than 4 MiB is not kept: its head and size go to :attr:`overlong`.

    Attributes
    ----------
    overlong : list of Overlong
        The records that were too long; whoever deals with them removes them.
    """

    def __init__(self) -> None:
        self.overlong: list[Overlong] = []
        self._rest = bytearray()
        self._skipped = 0

    def cut(self, piece: bytes) -> bytes:
        """Take unpacked bytes; give all records that end there, with their line endings."""
        first = piece.find(b"\n")
        if first < 0:
            self._rest += piece
            self._skip_overlong()
            return b""
        if len(self._rest) + self._skipped + first > LONGEST_RECORD:
            self._rest += piece[:first]
            self._end_overlong()
            return self.cut(piece[first + 1 :])
        last = piece.rfind(b"\n") + 1
        whole = piece
        if self._rest or last < len(piece):
            whole = b"".join((self._rest, memoryview(piece)[:last]))
            self._rest = bytearray(memoryview(piece)[last:])
        return whole

    def close(self) -> bytes:
        """The stream has ended: what is left without a line ending counts as a record, too."""
        if self._skipped:
            self._end_overlong()
        left = bytes(self._rest) + b"\n" if self._rest.strip() else b""
        self._rest.clear()
        return left

    def _skip_overlong(self) -> None:
        if self._skipped or len(self._rest) > LONGEST_RECORD:
            self._skipped += max(0, len(self._rest) - HEAD)
            del self._rest[HEAD:]

    def _end_overlong(self) -> None:
        self.overlong.append(Overlong(bytes(self._rest[:HEAD]), len(self._rest) + self._skipped))
        self._rest.clear()
        self._skipped = 0
