"""Reading one open stream: packed bytes in, blocks of complete records out.

Three threads work side by side: bytes are taken from the socket as they come; what a fifth of a
second brought, or a megabyte, is unpacked in few large steps; each is digested. When digesting
falls behind, receiving pauses at a bounded backlog; nothing is dropped.

To be woken for every few kilobytes costs several times what reading them does. So a calm stream is
not read as it comes: it gathers in the system's buffer for most of that fifth of a second. Of
these fifths just five end in every second, none of them where a second does: a steady stream brings
as much in each.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from livestream_nb.clock import Clock
from livestream_nb.connection.transport import Answer, Broken
from livestream_nb.connection.unpacking import Unpacking
from livestream_nb.connection.watch import Moment, Watch
from livestream_nb.errors import CorruptStream
from livestream_nb.protocol.status import Cause
from livestream_nb.worker import Worker

PLENTY = 1 << 20
BACKLOG = 3 << 20
CALM = 256 << 10  # bytes that came last time: up to some 2,000 hits a second
LINGER = 0.2
FINEST_LINGER = 0.01
GATHERING = 0.9  # of the linger: what has gathered is to be read before it is over
WAITED = 0.001  # real seconds after which a read found nothing there and had to wait
LOOK = 1.0
FINEST_LOOK = 0.05
DOUBTFUL = "nothing has come for two minutes since the clock jumped"

Saw = Callable[[Cause, float], None]


@dataclass(frozen=True)
class Limits:
    """After how many seconds of silence a stream is stalled, and of reading it is closed.

    None: never.
    """

    stall_after: float | None = None
    seconds: float | None = None


class Reading:
    """One open stream.

    Parameters
    ----------
    clock : Clock
        The time that everything is measured in.
    unpacking : Unpacking
        Takes what is received.
    worker : Worker
        The thread that does so.

    Attributes
    ----------
    heard : float
        When bytes last came, in service seconds of the clock's monotonic time.
    arrived : float
        The same in Unix seconds of service time.
    behind : bool
        Whether receiving pauses because digesting has fallen behind.
    """

    def __init__(self, clock: Clock, unpacking: Unpacking, worker: Worker) -> None:
        self.heard = clock.monotonic()
        self.arrived = clock.utc()
        self.behind = False
        self._clock = clock
        self._unpacking = unpacking
        self._worker = worker
        self._linger = min(LINGER, max(FINEST_LINGER, clock.real(0.5)))
        self._packed: list[bytes] = []
        self._size = 0
        self._calm = True
        self._some = asyncio.Event()
        self._plenty = asyncio.Event()
        self._room = asyncio.Event()
        self._ended = False

    async def watched(self, answer: Answer, limits: Limits, saw: Saw) -> Broken:
        """As :meth:`run`, and tell what a `Watch` sees meanwhile; give up what it finds lost."""
        seconds = None if limits.seconds is None else self._clock.real(limits.seconds)
        try:
            async with asyncio.timeout(seconds):
                return await self._watched(answer, limits.stall_after, saw)
        except TimeoutError:
            return Broken(Cause.CLOSED, "")

    async def _watched(self, answer: Answer, stall_after: float | None, saw: Saw) -> Broken:
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
                receiving = tasks.create_task(self._receive(answer))
                try:
                    await self._unpack_all()
                except CorruptStream as error:
                    return Broken(Cause.CORRUPT, str(error))
                finally:
                    receiving.cancel()
            return receiving.result()
        finally:
            with suppress(CorruptStream):
                await self._unpack()
            await self._worker.run(partial(self._unpacking.close, self.arrived))

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
        try:
            began = self._clock.monotonic()
            async for data in answer.chunks():
                self.heard, self.arrived = self._clock.monotonic(), self._clock.utc()
                self._take(data)
                if self._size >= BACKLOG:
                    await self._make_room()
                elif self._may_gather(self.heard - began):
                    await asyncio.sleep(GATHERING * self._left())
                began = self._clock.monotonic()
        except Broken as broken:
            return broken
        finally:
            self._ended = True
            self._some.set()
            self._plenty.set()
        return Broken(Cause.DROPPED, "the service ended the stream")

    def _left(self) -> float:
        """Real seconds of the present linger that are left."""
        linger = self._linger * self._clock.rate
        return self._clock.real(linger - (self._clock.utc() + linger / 2) % linger)

    def _may_gather(self, waited: float) -> bool:
        """Whether the stream is calm, and a linger begins with what came: no more is there."""
        return self._calm and len(self._packed) == 1 and self._clock.real(waited) > WAITED

    def _take(self, data: bytes) -> None:
        self._packed.append(data)
        self._size += len(data)
        self._some.set()
        if self._size >= PLENTY:
            self._plenty.set()

    async def _make_room(self) -> None:
        self.behind = True
        self._room.clear()
        await self._room.wait()
        self.behind = False

    async def _unpack_all(self) -> None:
        while self._packed or not self._ended:
            await self._some.wait()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._left()):
                    await self._plenty.wait()
            await self._unpack()

    async def _unpack(self) -> None:
        packed = b"".join(self._packed)
        self._packed.clear()
        self._size = 0
        self._calm = len(packed) < CALM
        if not self._ended:
            self._some.clear()
            self._plenty.clear()
        self._room.set()
        await self._worker.run(partial(self._unpacking.feed, packed, self.arrived))
