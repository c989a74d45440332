"""One open connection: hits out, until its client leaves or the connection is told to end."""

import asyncio
import socket
import struct
from collections.abc import Callable
from contextlib import suppress

import h11
from isal import isal_zlib

from livestream_nb.simulator.hitlog import HitLog
from livestream_nb.simulator.service import Opened, Stream

FLUSH = 0.02  # real seconds
BLOCK = 256  # records; what is made ahead of a client that does not take it
BLANK = 500  # records between two empty ones
LINGER = 1.0  # real seconds for a client to take the end of an answer
RECEIVED = 4_096  # bytes read at a time; clients have little to say
GZIP = 16 + 15
HEADERS = [
    ("content-type", "application/json"),
    ("content-encoding", "gzip"),
    ("connection", "close"),
]


class Delivery:
    """Writes a connection's hits to its socket as they enter the log.

    One endless gzip stream, flushed about every 20 ms, each flush a chunk of whole records. A
    client that takes them slowly is waited for; nothing piles up here meanwhile.
    """

    def __init__(
        self,
        client: socket.socket,
        http: h11.Connection,
        opened: Opened,
        *,
        stream: Stream,
        hits: HitLog,
        now: Callable[[], float],
    ) -> None:
        self.connection = opened.connection
        self._offset = opened.offset
        self._client = client
        self._http = http
        self._stream = stream
        self._hits = hits
        self._now = now
        self._loop = asyncio.get_running_loop()
        self._packer = isal_zlib.compressobj(1, isal_zlib.DEFLATED, GZIP)
        self._ending = False
        self._parts: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Deliver until the end, and leave the socket ready to be closed."""
        pump = self._loop.create_task(self._pump())
        watch = self._loop.create_task(self._watch())
        self._parts = {pump, watch}
        how = "stopped"
        try:
            await asyncio.wait(self._parts, return_when=asyncio.FIRST_COMPLETED)
            how = "left"
            if self._ending:
                await self._linger(watch)
        finally:
            self._stream.close(self.connection, self._now(), how)
            self._cancel()
            await asyncio.wait(self._parts)

    def drop(self) -> None:
        """End in good order: what was begun is finished, the gzip stream and the body too."""
        self._ending = True

    def reset(self) -> None:
        """End by TCP reset: what the client has not been sent yet is lost."""
        self._client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._cancel()

    def _cancel(self) -> None:
        for part in self._parts:
            part.cancel()

    async def _linger(self, watch: asyncio.Task[None]) -> None:
        with suppress(OSError):
            self._client.shutdown(socket.SHUT_WR)
        await asyncio.wait({watch}, timeout=LINGER)

    async def _watch(self) -> None:
        with suppress(OSError):
            while await self._loop.sock_recv(self._client, RECEIVED):
                pass

    async def _pump(self) -> None:
        with suppress(OSError):
            await self._send(h11.Response(status_code=200, headers=HEADERS, reason="OK"))
            while not self._ending:
                logged = self._hits.logged(self._now())
                if logged > self._offset:
                    await self._give(min(logged, self._offset + BLOCK))
                await asyncio.sleep(FLUSH if logged == self._offset else 0)
            await self._send(h11.Data(data=self._packer.flush()), h11.EndOfMessage())

    async def _give(self, end: int) -> None:
        records = self._hits.lines(self._offset, end)
        if self._offset // BLANK != end // BLANK:
            records += b"\r\n"
        packed = self._packer.compress(records) + self._packer.flush(isal_zlib.Z_SYNC_FLUSH)
        await self._send(h11.Data(data=packed))
        self._offset = end
        self._stream.wrote(self.connection, end, self._now())

    async def _send(self, *events: h11.Event) -> None:
        encoded = b"".join(self._http.send(event) or b"" for event in events)
        await self._loop.sock_sendall(self._client, encoded)
