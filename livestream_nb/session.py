"""One stream being read: a daemon thread with an event loop of its own, and the stream's slots.

The kernel's own loop stays free, and cancelling the loop's one task ends connecting, reading and
waiting alike.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from random import Random
from typing import Any

from livestream_nb.clock import Clock
from livestream_nb.connection.access import Access
from livestream_nb.connection.asking import Asking
from livestream_nb.connection.claim import Claim
from livestream_nb.connection.queue import Queue
from livestream_nb.connection.slot import Slot, Stream
from livestream_nb.connection.timeline import Phase, Timeline, Transition
from livestream_nb.connection.transport import Transport
from livestream_nb.connection.unpacking import Delivery
from livestream_nb.errors import LivestreamError
from livestream_nb.hits.intake import Intake
from livestream_nb.ingest import Ingest
from livestream_nb.plan import Plan
from livestream_nb.policy import Turns
from livestream_nb.protocol.status import Cause
from livestream_nb.worker import Worker

log = logging.getLogger("livestream_nb")
log.addHandler(logging.NullHandler())

LEVELS = {
    Phase.FAILED: logging.ERROR,
    Phase.COOLDOWN: logging.WARNING,
    Phase.STALLED: logging.WARNING,
}


BEAT = 1.0


class Session:
    """A stream being read, or that was.

    Attributes
    ----------
    plan : Plan
        How it is read.
    ingest : Ingest
        What takes in all that arrives.
    timeline : Timeline
        What became of the connections.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.ingest = Ingest(plan)
        self.timeline = Timeline()
        self._listeners: list[Callable[[], object]] = []
        self._slots: list[Slot] = []
        self._connects = 0
        self._draw = Random(plan.seed).uniform  # noqa: S311  # spreads waits; guards nothing
        self._before = 0
        self._running = False
        self._thread: threading.Thread | None = None
        self._cancel: Callable[[], None] = lambda: None

    @property
    def intake(self) -> Intake:
        """Where hits go."""
        return self.ingest.intake

    def start(self) -> None:
        """Read in the background; nothing happens when that is so already.

        Raises `StreamBusy` when another process reads the stream, or records to the same folder;
        `InvalidOption` or `RecordingError` when the recording there cannot be gone on with.
        """
        if self.running:
            return
        plan = self.plan
        claim = Claim.take(plan.request.key, plan.clock, exclusive=plan.exclusive)
        try:
            self.ingest.open()
        except BaseException:
            claim.release()
            raise
        ready = threading.Event()
        self._connects, self._before = self.connects, len(self.timeline.entries())
        self._running = True
        self._thread = threading.Thread(
            target=self._work, args=(claim, ready), name="livestream-reader", daemon=True
        )
        self._thread.start()
        ready.wait()

    def stop(self) -> None:
        """End reading, whatever the stage, and keep what was received; idempotent."""
        self._cancel()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    @property
    def running(self) -> bool:
        """Whether the stream is being read, or will be after a wait."""
        return self._running

    @property
    def starting(self) -> bool:
        """Whether it has been started, and nothing has happened since."""
        return self._running and len(self.timeline.entries()) == self._before

    @property
    def connects(self) -> int:
        """Requests sent for this stream so far."""
        return self._connects + sum(slot.connects for slot in self._slots)

    @property
    def heard(self) -> float | None:
        """When bytes last came on any open connection, on the clock's monotonic time."""
        readings = [slot.reading for slot in self._slots]
        return max((reading.heard for reading in readings if reading is not None), default=None)

    @property
    def behind(self) -> bool:
        """Whether receiving pauses because digesting has fallen behind."""
        return any(slot.reading is not None and slot.reading.behind for slot in self._slots)

    def listen(self, listener: Callable[[], object]) -> Callable[[], None]:
        """Call a function after every change, on the reader's thread; returns what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def _changed(self) -> None:
        for listener in tuple(self._listeners):
            listener()

    def _work(self, claim: Claim, ready: threading.Event) -> None:
        try:
            _run(self._main(claim, ready))
        except asyncio.CancelledError:
            pass
        except Exception as fault:
            log.exception("The reader of %s broke off.", self.plan.request.name)
            self._broke_off(fault)
        finally:
            try:
                self.ingest.close()
            finally:
                claim.release()
                self._running = False
                ready.set()
                self._changed()

    async def _main(self, claim: Claim, ready: threading.Event) -> None:
        loop, main = asyncio.get_running_loop(), asyncio.current_task()
        plan, transport = self.plan, Transport(self.plan.network)
        unpack, digest, aside, state, sync = (
            Worker(f"livestream-{name}") for name in ("unpack", "digest", "aside", "state", "sync")
        )
        try:
            access = Access(plan.credentials, plan.clock, transport, aside)
            asking = Asking(plan.request, access, transport, plan.clock)
            stream = self._stream(asking, claim, unpack, digest, state)
            numbers = range(1, plan.request.connections + 1)
            self._slots = [Slot(number, stream) for number in numbers]
            self._cancel = lambda: _cancel(loop, main)
            ready.set()
            async with asyncio.TaskGroup() as tasks:
                fresh = tasks.create_task(access.keep_fresh())
                told = tasks.create_task(_refresh(claim, plan.clock, state))
                beating = tasks.create_task(_record(self.ingest, digest, sync))
                await _all(self._slots)
                for task in (fresh, told, beating):
                    task.cancel()
        finally:
            # All that was received is held once reading has ended.
            for worker in (unpack, digest):
                worker.close()
                worker.join()
            for worker in (aside, state, sync):
                worker.close()
            await transport.close()

    def _stream(
        self, asking: Asking, claim: Claim, unpack: Worker, digest: Worker, state: Worker
    ) -> Stream:
        loop = asyncio.get_running_loop()

        def take(delivery: Delivery) -> None:
            self.ingest.take(delivery)
            if self._listeners:  # waking the loop for nobody costs as much as some dozen hits
                loop.call_soon_threadsafe(self._changed)

        plan = self.plan
        return Stream(
            asking=asking,
            policy=plan.policy,
            clock=plan.clock,
            draw=self._draw,
            timeline=self.timeline,
            claim=claim,
            queue=Queue(Turns(plan.request.connections), plan.clock),
            deliver=take,
            unpack=unpack,
            digest=digest,
            state=state,
            changed=partial(self._entered, digest),
        )

    def _entered(self, digest: Worker, entry: Transition) -> None:
        digest.submit(partial(self.ingest.enter, entry))
        log.log(
            LEVELS.get(entry.state, logging.INFO),
            "%s, connection %d: %s (%s). %s",
            self.plan.request.name,
            entry.connection,
            entry.state,
            entry.reason,
            entry.told(entry.at),
        )
        self._changed()

    def _broke_off(self, fault: BaseException) -> None:
        while isinstance(fault, BaseExceptionGroup):
            fault = fault.exceptions[0]
        said = str(fault) if isinstance(fault, LivestreamError) else "the log has the details."
        sentence = (
            f"The reader broke off ({type(fault).__name__}), by a fault of livestream_nb or of a "
            f"policy of your own: {said} start() tries again."
        )
        now = self.plan.clock.utc()
        for number in range(1, self.plan.request.connections + 1):
            failed = Transition(number, Phase.FAILED, now, Cause.UNEXPECTED, sentence)
            self.ingest.enter(self.timeline.record(failed))


def _run(main: Coroutine[Any, Any, None]) -> None:
    """As `asyncio.run`, but without waiting for a name server that keeps silent in its thread."""
    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(main)
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        loop.close()


async def _all(slots: list[Slot]) -> None:
    async with asyncio.TaskGroup() as tasks:
        for slot in slots:
            tasks.create_task(slot.run())


async def _record(ingest: Ingest, digest: Worker, sync: Worker) -> None:
    """Every real second, go on with the recording."""
    while ingest.recorder is not None:
        await asyncio.sleep(BEAT)
        await sync.run(ingest.sync)
        await digest.run(ingest.beat)


async def _refresh(claim: Claim, clock: Clock, state: Worker) -> None:
    """Tell other processes every few seconds that the stream is being read."""
    while True:
        await clock.sleep(claim.interval)
        await state.run(claim.refresh)


def _cancel(loop: asyncio.AbstractEventLoop, task: asyncio.Task[None] | None) -> None:
    with suppress(RuntimeError):  # the loop may have ended by itself at this very moment
        if task is not None:
            loop.call_soon_threadsafe(task.cancel)
