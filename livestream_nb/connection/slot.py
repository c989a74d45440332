"""One slot of the stream: performs what the policy decides, and journals what becomes of it.

The policy is asked once per event and answers with actions; an action, once performed, may be the
next event. Cancelling the task ends any stage at once: connecting, reading or waiting.
"""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import Any

from livestream_nb.clock import Clock, duration
from livestream_nb.connection import sentences
from livestream_nb.connection.asking import Asking
from livestream_nb.connection.claim import Claim
from livestream_nb.connection.lane import Lane, Why
from livestream_nb.connection.queue import Queue
from livestream_nb.connection.reading import Limits, Reading
from livestream_nb.connection.sentences import MEANING, Past
from livestream_nb.connection.timeline import Phase, Timeline, Transition
from livestream_nb.connection.transport import Answer, Broken
from livestream_nb.connection.unpacking import Deliver, Unpacking
from livestream_nb.errors import TokenDenied, TokenUnavailable, UntrustedRedirect
from livestream_nb.policy import (
    APART,
    FLOOR,
    Action,
    Actions,
    Connect,
    Event,
    Failed,
    GiveUp,
    Opened,
    Policy,
    RenewToken,
    Started,
    Wait,
    Waited,
    checked,
)
from livestream_nb.protocol.status import HOLDS_SLOT, OK, Cause, Refusal
from livestream_nb.worker import Worker

CAUSES: dict[type[Exception], Cause] = {
    UntrustedRedirect: Cause.MISDIRECTED,
    TokenUnavailable: Cause.TOKENLESS,
    TokenDenied: Cause.DENIED,
}


@dataclass(frozen=True)
class Stream:
    """What the slots of one reader share.

    ``draw`` picks the moment between a wait's earliest and latest, ``deliver`` takes what is
    received, ``unpack`` and ``digest`` are the threads that unpack it and on which it is taken,
    ``state`` the one that writes what other processes must know, and ``changed`` is told of every
    timeline entry.
    """

    asking: Asking
    policy: Policy
    clock: Clock
    draw: Callable[[float, float], float]
    timeline: Timeline
    claim: Claim
    queue: Queue
    deliver: Deliver
    unpack: Worker
    digest: Worker
    state: Worker
    changed: Callable[[Transition], None]


class Slot:
    """One connection of the stream, numbered from 1.

    Attributes
    ----------
    reading : Reading or None
        The open stream; None while there is none.
    connects : int
        Requests sent so far; redirect hops are part of the request.
    """

    def __init__(self, number: int, stream: Stream) -> None:
        self.number = number
        self.reading: Reading | None = None
        self.connects = 0
        self._stream = stream
        self._clock = stream.clock
        self._lane = Lane(number, stream.timeline, stream.clock, stream.changed)
        self._failing: Cause | None = None
        self._times = 0
        self._sent = False
        self._opened = False
        self._lost_at: float | None = None
        self._policy_state: Any = stream.policy.start(stream.clock.monotonic())
        self._why = Why(Cause.ASKED, MEANING[Cause.ASKED])

    async def run(self) -> None:
        """Follow the policy until it gives up; cancel to stop."""
        self._lost_at = self._stream.claim.last_end(self.number)
        event: Event | None = Started(self._lost_at)
        try:
            while event is not None:
                event = await self._follow(event)
        except asyncio.CancelledError:
            self._lane.enter(Phase.STOPPED, Why(Cause.ASKED, "Stopped, as asked."))
            raise

    async def _follow(self, event: Event) -> Event | None:
        actions = self._step(event)
        if not actions:
            sentence = f"{self._why.sentence} {sentences.IDLE_POLICY}"
            self._lane.enter(Phase.FAILED, replace(self._why, sentence=sentence))
        following: Event | None = None
        for action in actions:
            following = await self._perform(action)
            if isinstance(action, GiveUp):
                return None
        return following

    def _step(self, event: Event) -> Actions:
        now = self._clock.monotonic()
        self._policy_state, actions = self._stream.policy.step(self._policy_state, event, now)
        return checked(actions)

    async def _perform(self, action: Action) -> Event | None:
        match action:
            case Connect(seconds):
                return await self._connect(seconds)
            case Wait():
                return await self._wait(action)
            case RenewToken():
                self._stream.asking.reject(self.number)
                self._why = Why(Cause.RENEWED, MEANING[Cause.RENEWED])
            case GiveUp():
                sentence = sentences.gave_up(self._why.sentence, self._why.cause)
                self._lane.enter(Phase.FAILED, replace(self._why, sentence=sentence))
        return None

    async def _wait(self, action: Wait) -> Event:
        moment = self._stream.draw(action.earliest, action.latest)
        if self._why.cause is Cause.REFUSED:
            self._stream.queue.turns.hold(moment)
        await self._cool_down(moment, self._why)
        self._why = Why(Cause.WAITED, MEANING[Cause.WAITED])
        return Waited()

    async def _cool_down(self, moment: float, why: Why) -> None:
        seconds = max(0.0, moment - self._clock.monotonic())
        if why.cause is Cause.ASKED and self._lost_at is not None:
            why = Why(why.cause, sentences.COOLING)
        self._lane.enter(Phase.COOLDOWN, why, seconds)
        await self._clock.sleep(seconds)

    async def _connect(self, seconds: float | None) -> Event:
        await self._keep_floor()
        self._sent, holds = False, True
        try:
            failed = await self._request(seconds)
            holds = failed.cause in HOLDS_SLOT
            return failed
        finally:
            self._stream.claim.ended(self.number, holds=holds and self._sent)

    async def _keep_floor(self) -> None:
        """Whatever a policy says, Adobe's service is given its 60 seconds."""
        ended = self._stream.claim.last_end(self.number)
        if ended is None or self._stream.asking.request.loopback:
            return
        if ended + FLOOR > self._clock.monotonic():
            await self._cool_down(ended + FLOOR, Why(Cause.QUEUED, sentences.HASTY))

    async def _request(self, seconds: float | None) -> Failed:
        try:
            async with AsyncExitStack() as stack:
                answer = await self._ask(stack)
                if isinstance(answer, Refusal):
                    return self._failed(answer)
                return await self._read(answer, seconds)
        except tuple(CAUSES) as error:
            detail = self._stream.asking.discreet(self.number, str(error))
            return self._failed(Refusal(CAUSES[type(error)], None, detail))
        except Broken as broken:
            return self._failed(Refusal(broken.cause, None, broken.detail))

    async def _ask(self, stack: AsyncExitStack) -> Answer | Refusal:
        """Ask for the stream when the turn has come; ``stack`` keeps it open."""
        asking = self._stream.asking
        async with self._stream.queue.turn(self._queued):
            self._lane.attempt += 1
            self._lane.enter(Phase.CONNECTING, self._why)
            answer = await asking.answer(self.number, stack, self._sending)
            return answer if answer.status == OK else await asking.refusal(self.number, answer)

    async def _sending(self) -> None:
        await self._stream.state.run(lambda: self._stream.claim.began(self.number))
        self._sent = True
        self.connects += 1

    def _queued(self, seconds: float | None) -> None:
        held = seconds is not None and seconds > APART
        why = Why(Cause.QUEUED, sentences.HELD if held else MEANING[Cause.QUEUED])
        self._lane.enter(Phase.COOLDOWN, why, seconds)

    def _failed(self, refusal: Refusal, heard: float | None = None) -> Failed:
        self._times = self._times + 1 if refusal.cause is self._failing else 1
        self._failing = refusal.cause
        lost = self._lost_at
        ago = None if lost is None else self._clock.monotonic() - lost
        sentence = sentences.explain(refusal, Past(self._times, ago))
        self._why = Why(refusal.cause, sentence, refusal.status, heard)
        return Failed(refusal.cause, refusal.status, refusal.retry_after)

    async def _read(self, answer: Answer, seconds: float | None) -> Failed:
        self._step(Opened())
        cause = Cause.SKIPPED if self._skips() else Cause.OPENED
        entry = self._lane.enter(Phase.STREAMING, Why(cause, MEANING[cause], OK))
        self._lane.attempt, self._failing, self._opened = 0, None, True
        stream = self._stream
        unpacking = Unpacking(self.number, entry.at, stream.deliver, stream.digest)
        reading = self.reading = Reading(self._clock, unpacking, stream.unpack)
        stall_after = getattr(stream.policy, "stall_after", None)
        try:
            broken = await reading.watched(answer, Limits(stall_after, seconds), self._saw)
        finally:
            self.reading = None
            self._lost_at = self._clock.monotonic()
        heard = reading.arrived if broken.silent else None
        return self._failed(Refusal(broken.cause, None, broken.detail), heard)

    def _skips(self) -> bool:
        """Whether what came while the reader was stopped is left out, as its ``reset`` asks."""
        asks = self._stream.asking.request.skips and not self._opened
        return asks and self._lane.was_open

    def _saw(self, cause: Cause, seconds: float) -> None:
        phase = Phase.STREAMING if cause is Cause.HEARD else Phase.STALLED
        self._lane.enter(phase, Why(cause, MEANING[cause].format(duration(seconds))))
