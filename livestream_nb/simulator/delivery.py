"""One open connection: hits out, until its client leaves or the connection is told to end."""

import asyncio
import socket
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

import h11

from livestream_nb.checks import check_count
from livestream_nb.simulator.dirt import bomb, check_kind, malformed, reordered
from livestream_nb.simulator.hitlog import HitLog
from livestream_nb.simulator.service import Opened, Stream
from livestream_nb.simulator.wire import Wire

FLUSH = 0.02  # real seconds
LULL = 30.0  # service seconds without a hit, after which no more are waited for
LINGER = 1.0  # real seconds for a client to take the end of an answer
END = b"\r\n"
UNKNOWN = b'{"reportSuite":"examplecomprod"}'


@dataclass(frozen=True)
class Pattern:
    """How hits are put into chunks. None: never.

    Attributes
    ----------
    records_per_chunk : int
        At most; all that is made ahead of a client that does not take it.
    records_per_member : int or None
        A new gzip member begins after so many.
    records_per_blank : int or None
        An empty record comes after so many.

    Raises
    ------
    InvalidOption
        When one is not a whole number of 1 or more.
    """

    records_per_chunk: int = 256
    records_per_member: int | None = None
    records_per_blank: int | None = 500

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value is not None or name == "records_per_chunk":
                check_count(name, value, "records")

    def next_chunk(self, given: int) -> int:
        """Say how many records the next chunk may hold, when so many have been given."""
        periods = filter(None, (self.records_per_blank, self.records_per_member))
        return min([self.records_per_chunk, *(period - given % period for period in periods)])


class Delivery:
    """Writes a connection's hits to its socket as they enter the log, and carries out faults.

    They are flushed about every 20 ms, each time in a chunk of whole records. A client that takes
    them slowly is waited for; nothing piles up here meanwhile. Faults are carried out in the order
    in which they were asked for, each between two chunks; an end is not kept waiting by them.
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
        pattern: Pattern,
    ) -> None:
        self.connection = opened.connection
        self._first = self._offset = opened.offset
        self._stream = stream
        self._records = partial(hits.records, opened.share)
        self._now = now
        self._pattern = pattern
        self._wire = Wire(client, http, now)
        self._faults: deque[Callable[[], Awaitable[None]]] = deque()
        self._ending = False
        self._parts: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Deliver until the end, and leave the socket ready to be closed."""
        watch = asyncio.create_task(self._wire.left())
        self._parts = {asyncio.create_task(self._pump()), watch}
        how = "stopped"
        try:
            await asyncio.wait(self._parts, return_when=asyncio.FIRST_COMPLETED)
            how = "left"
            if self._ending:
                self._wire.shut()
                await asyncio.wait({watch}, timeout=LINGER)
        finally:
            self._stream.close(self.connection, self._now(), how)
            self._cancel()
            await asyncio.wait(self._parts)

    def drop(self) -> None:
        """End in good order: what was begun is finished, the gzip stream and the body too."""
        self._ending = True
        self._wire.slice(self._now())

    def cut(self) -> None:
        """End in the middle of a chunk, at once."""
        self._ending = True
        self._wire.cut(self._last() + END)

    def reset(self) -> None:
        """End by TCP reset: what the client has not been sent yet is lost."""
        self._wire.reset()
        self._cancel()

    def corrupt(self) -> None:
        """Damage the next chunk; without hits that are due, one of an empty record."""
        self._faults.append(self._corrupt)

    def stall(self, seconds: float) -> None:
        """Send nothing for so many service seconds, and then everything that is due."""
        self._faults.append(partial(self._stall, seconds))

    def slice(self, seconds: float) -> None:
        """Write byte by byte for so many service seconds."""
        self._faults.append(partial(self._slice, seconds))

    def bomb(self, size_bytes: int) -> None:
        """Send one record of so many bytes, without its line ending."""
        self._faults.append(partial(self._bomb, size_bytes))

    def malform(self, kind: str) -> None:
        """Send a line that is no hit, of one of :data:`~livestream_nb.simulator.dirt.KINDS`."""
        check_kind(kind)
        self._faults.append(partial(self._malform, kind))

    def duplicate(self, count: int) -> None:
        """Send the last ``count`` hits of this connection once more, or as many as there were."""
        self._faults.append(partial(self._duplicate, count))

    def reorder(self, count: int) -> None:
        """Send the next ``count`` hits in another order, once all of them are due.

        When none has come for 30 service seconds, those that have will do.
        """
        self._faults.append(partial(self._reorder, count))

    def new_member(self) -> None:
        """Begin a new gzip member."""
        self._faults.append(self._wire.begin_member)

    def _cancel(self) -> None:
        for part in self._parts:
            part.cancel()

    async def _pump(self) -> None:
        with suppress(OSError):
            await self._wire.open()
            while not self._ending:
                await (self._faults.popleft() if self._faults else self._flush)()
            await self._wire.end()

    async def _flush(self) -> None:
        due = self._due()
        if due > self._offset:
            await self._give(due, self._wire.send)
        if due == self._offset:
            await asyncio.sleep(FLUSH)

    async def _corrupt(self) -> None:
        await self._give(self._due(), self._wire.send_damaged)

    async def _stall(self, seconds: float) -> None:
        until = self._now() + seconds
        while self._now() < until and not self._ending:
            await asyncio.sleep(FLUSH)

    async def _slice(self, seconds: float) -> None:
        self._wire.slice(self._now() + seconds)

    async def _bomb(self, size: int) -> None:
        for piece in bomb(size):
            if self._ending:
                break
            await self._wire.send(piece)
        await self._wire.send(END)

    async def _malform(self, kind: str) -> None:
        await self._wire.send(malformed(kind, self._last()) + END)

    async def _duplicate(self, count: int) -> None:
        given, step = self._offset, self._pattern.records_per_chunk
        for first in range(max(self._first, given - count), given, step):
            if self._ending:
                break
            end = min(first + step, given)
            await self._wire.send(_lines(self._records(first, end)))
            self._stream.repeated(self.connection, first, end)

    async def _reorder(self, count: int) -> None:
        end = await self._gather(self._offset + count)
        records = reordered(self._records(self._offset, end))
        step = self._pattern.records_per_chunk
        for first in range(0, len(records), step):
            await self._wire.send(_lines(records[first : first + step]))
        await self._gave(end)

    async def _gather(self, wanted: int) -> int:
        gathered, since = self._due(), self._now()
        while gathered < wanted and not self._ending and self._now() < since + LULL:
            await asyncio.sleep(FLUSH)
            if (due := self._due()) > gathered:
                gathered, since = due, self._now()
        return self._offset if self._ending else min(gathered, wanted)

    def _due(self) -> int:
        return max(self._offset, self._stream.due(self.connection, self._now()))

    def _last(self) -> bytes:
        if self._offset == self._first:
            return UNKNOWN
        return self._records(self._offset - 1, self._offset)[0]

    async def _give(self, due: int, send: Callable[[bytes], Awaitable[None]]) -> None:
        end = min(due, self._offset + self._pattern.next_chunk(self._offset - self._first))
        await send(_lines(self._records(self._offset, end) or [b""]))
        await self._gave(end)

    async def _gave(self, end: int) -> None:
        before, after = self._offset - self._first, end - self._first
        self._offset = end
        self._stream.wrote(self.connection, end, self._now())
        if _passed(self._pattern.records_per_blank, before, after):
            await self._wire.send(END)
        if _passed(self._pattern.records_per_member, before, after):
            await self._wire.begin_member()


def _lines(records: Sequence[bytes]) -> bytes:
    return END.join([*records, b""])


def _passed(period: int | None, before: int, after: int) -> bool:
    return period is not None and before // period < after // period
