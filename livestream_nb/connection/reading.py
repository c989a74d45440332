"""Reading one open stream: raw bytes in, blocks of complete records out.

Receiving and digesting are decoupled: bytes are taken from the socket as they come, and blocks of
about two megabytes, or whatever a tenth of a second brought, are handed on. When digesting falls
behind, receiving pauses at a bounded backlog; nothing is dropped.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

from livestream_nb.clock import Clock
from livestream_nb.connection.transport import Answer, Broken
from livestream_nb.connection.watch import Moment, Watch
from livestream_nb.errors import CorruptStream
from livestream_nb.protocol.framing import Gunzip, Overlong, Records
from livestream_nb.protocol.status import Cause

BLOCK = 2 << 20
BACKLOG = 8 << 20
LINGER = 0.1
FINEST_LINGER = 0.01
LOOK = 1.0
FINEST_LOOK = 0.05
DOUBTFUL = "nothing has come for two minutes since the clock jumped"


@dataclass(frozen=True)
class Delivery:
    """What one connection received: a block of records, and those too long to keep.

    ``opened`` and ``arrived`` are Unix seconds of service time.
    """

    block: bytes
    overlong: tuple[Overlong, ...]
    connection: int
    opened: float
    arrived: float


Deliver = Callable[[Delivery], Awaitable[None]]
Saw = Callable[[Cause, float], None]


class Reading:
    """One open stream of one connection.

    Attributes
    ----------
    heard : float
        When bytes last came, in service seconds of the clock's monotonic time.
    arrived : float
        The same in Unix seconds of service time.
    behind : bool
        Whether receiving pauses because digesting has fallen behind.
    """

    def __init__(self, connection: int, opened: float, clock: Clock, deliver: Deliver) -> None:
        self.heard = clock.monotonic()
        self.behind = False
        self._connection = connection
        self._opened = opened
        self._clock = clock
        self._deliver = deliver
        self._records = Records()
        self.arrived = clock.utc()
        self._linger = min(LINGER, max(FINEST_LINGER, clock.real(0.5)))
        self._some = asyncio.Event()
        self._full = asyncio.Event()
        self._room = asyncio.Event()
        self._ended = False

    async def watched(self, answer: Answer, stall_after: float | None, saw: Saw) -> Broken:
        """As :meth:`run`, and tell what a `Watch` sees meanwhile; give up what it finds lost."""
        try:
            async with asyncio.timeout(None) as limit, asyncio.TaskGroup() as tasks:
                watching = tasks.create_task(self._watch(limit, stall_after, saw))
                broken = await self.run(answer)
                watching.cancel()
        except TimeoutError:
            broken = Broken(Cause.DROPPED, DOUBTFUL, silent=True)
        return broken

    async def run(self, answer: Answer) -> Broken:
        """Read until the stream ends; hand on all that came, then say how it ended."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._digest())
                return await self._receive(answer)
        finally:
            await self._hand_on_all()

    async def _watch(self, limit: asyncio.Timeout, stall_after: float | None, saw: Saw) -> None:
        watch = Watch(self._moment(), stall_after, self._clock.rate)
        while True:
            await self._clock.sleep(max(LOOK, FINEST_LOOK * self._clock.rate))
            match watch.look(self._moment()):
                case Cause.DROPPED, _:
                    limit.reschedule(asyncio.get_running_loop().time())
                case cause, seconds:
                    saw(cause, seconds)

    def _moment(self) -> Moment:
        return Moment(self._clock.monotonic(), self._clock.utc(), self.heard)

    async def _receive(self, answer: Answer) -> Broken:
        gunzip = Gunzip()
        try:
            async for data in answer.chunks():
                self.heard, self.arrived = self._clock.monotonic(), self._clock.utc()
                for piece in gunzip.feed(data):
                    self._records.feed(piece)
                    await self._make_room()
        except Broken as broken:
            return broken
        except CorruptStream as error:
            return Broken(Cause.CORRUPT, str(error))
        finally:
            self._records.close()
            self._ended = True
            self._some.set()
            self._full.set()
        return Broken(Cause.DROPPED, "the service ended the stream")

    async def _make_room(self) -> None:
        if self._records.ready or self._records.overlong:
            self._some.set()
        if self._records.ready >= BLOCK:
            self._full.set()
        if self._records.ready >= BACKLOG:
            self.behind = True
            self._room.clear()
            await self._room.wait()
            self.behind = False

    async def _digest(self) -> None:
        while not self._ended:
            await self._some.wait()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._linger):
                    await self._full.wait()
            await self._hand_on()

    async def _hand_on_all(self) -> None:
        while self._records.ready or self._records.overlong:
            await self._hand_on()

    async def _hand_on(self) -> None:
        block = self._records.take(BLOCK)
        overlong = tuple(self._records.overlong)
        self._records.overlong.clear()
        if self._records.ready < BLOCK and not self._ended:
            self._full.clear()
        if not self._records.ready and not self._ended:
            self._some.clear()
        await self._deliver(Delivery(block, overlong, self._connection, self._opened, self.arrived))
        self._room.set()
