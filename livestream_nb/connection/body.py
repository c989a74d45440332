"""The body of an answer that is no stream: its beginning, unpacked, and never more than 64 KiB."""

from collections.abc import AsyncIterator, Callable, Iterable

from livestream_nb.protocol.framing import Gunzip

LONGEST_BODY = 64 << 10


async def take_beginning(chunks: AsyncIterator[bytes], coding: str, taken: bytearray) -> None:
    """Add to ``taken`` what the first 64 KiB of a body's raw bytes hold: at most as much again.

    Raises
    ------
    CorruptStream
        When the bytes are said to be gzip, and are not, or are damaged.
    """
    unpack = _unpacking(coding.lower())
    left = LONGEST_BODY
    async for chunk in chunks:
        for piece in unpack(chunk[:left]):
            taken += piece[: LONGEST_BODY - len(taken)]
            if len(taken) == LONGEST_BODY:
                return
        left -= len(chunk)
        if left <= 0:
            return


def _unpacking(coding: str) -> Callable[[bytes], Iterable[bytes]]:
    """How a body is unpacked, in bounded pieces; of an unknown coding nothing is read."""
    if coding in ("gzip", "x-gzip"):
        return Gunzip().feed
    return lambda data: (data,) if coding == "identity" else ()
