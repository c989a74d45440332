"""What one answer puts on its socket: an endless gzip stream, in chunks, and its faults.

It writes to a bare non-blocking socket, so that what a send reports as taken was taken by the
machine's network and waits in no buffer here, and a slow client holds up nothing but itself.
"""

import asyncio
import math
import socket
import struct
from collections.abc import Callable
from contextlib import suppress

import h11
from isal import isal_zlib

from livestream_nb.simulator.http.reception import RECEIVED

GZIP = 16 + 15
RESERVED = 0b110  # RFC 1951, 3.2.3: a block type that no decoder knows
HEADERS = [
    ("content-type", "application/json"),
    ("content-encoding", "gzip"),
    ("connection", "close"),
]


class Wire:
    """One answer 200, from its head to its end or to whatever happens to it before.

    Parameters
    ----------
    client : socket
        Connected, non-blocking, and without Nagle's delay.
    http : h11.Connection
        It has received the request.
    now : callable
        Service time.
    """

    def __init__(
        self, client: socket.socket, http: h11.Connection, now: Callable[[], float]
    ) -> None:
        self._client = client
        self._http = http
        self._now = now
        self._loop = asyncio.get_running_loop()
        self._member = _member()
        self._sliced_until = -math.inf
        self._busy = False

    async def open(self) -> None:
        """Send the head of the answer."""
        await self._send(h11.Response(status_code=200, headers=HEADERS, reason="OK"))

    async def send(self, data: bytes) -> None:
        """Send so much of the body: a chunk, flushed, that can be unpacked when it arrives."""
        await self._send(h11.Data(data=self._pack(data)))

    async def send_damaged(self, data: bytes) -> None:
        """Send a chunk whose second half no decoder can unpack; later chunks are well again.

        A flip of any bits may go unnoticed up to the checksum. So it is those that begin a block,
        and they announce a kind of block that does not exist.
        """
        middle = len(data) // 2
        sound, damaged = self._pack(data[:middle]), bytearray(self._pack(data[middle:]))
        damaged[0] |= RESERVED
        await self._send(h11.Data(data=sound + damaged))

    async def begin_member(self) -> None:
        """End the gzip member; what follows is one of its own."""
        ended, self._member = self._member, _member()
        await self._send(h11.Data(data=ended.flush()))

    async def end(self) -> None:
        """Finish in good order: the gzip stream, and the body."""
        await self._send(h11.Data(data=self._member.flush()), h11.EndOfMessage())

    async def left(self) -> None:
        """Wait until the client has nothing more to say."""
        with suppress(OSError):
            while await self._loop.sock_recv(self._client, RECEIVED):
                pass

    def shut(self) -> None:
        """Send no more. Whatever wants to afterwards gets an OSError."""
        with suppress(OSError):
            self._client.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Let the closing of the socket be a TCP reset, which discards what is under way."""
        self._client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def cut(self, data: bytes) -> None:
        """End at once in the middle of a chunk, though by TCP in good order.

        The chunk is the one that is being sent, or else one of ``data``.
        """
        if not self._busy and self._http.our_state is h11.SEND_BODY:
            chunk = self._encoded(h11.Data(data=self._pack(data)))
            with suppress(OSError):
                self._client.send(chunk[: len(chunk) // 2])
        self.shut()

    def slice(self, until: float) -> None:
        """Write byte by byte until then (service time); a moment that has passed ends it."""
        self._sliced_until = until

    def _pack(self, data: bytes) -> bytes:
        return self._member.compress(data) + self._member.flush(isal_zlib.Z_SYNC_FLUSH)

    def _encoded(self, *events: h11.Event) -> bytes:
        return b"".join(self._http.send(event) or b"" for event in events)

    async def _send(self, *events: h11.Event) -> None:
        self._busy = True
        rest = memoryview(self._encoded(*events))
        while rest and self._now() < self._sliced_until:
            await self._loop.sock_sendall(self._client, rest[:1])
            await asyncio.sleep(0)
            rest = rest[1:]
        if rest:
            await self._loop.sock_sendall(self._client, rest)
        self._busy = False
        await asyncio.sleep(0)  # what is taken at once lets nobody else in


def _member() -> isal_zlib.Compress:
    return isal_zlib.compressobj(1, isal_zlib.DEFLATED, GZIP)
