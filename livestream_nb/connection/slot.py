"""One slot of the stream: performs what the policy decides, and journals what becomes of it.

The policy is asked once per event and answers with actions; an action, once performed, may be the
next event. Cancelling the task ends any stage at once: connecting, reading or waiting.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from livestream_nb.clock import Clock
from livestream_nb.connection.credentials import BearerToken
from livestream_nb.connection.floor import Floor
from livestream_nb.connection.reading import Deliver, Reading
from livestream_nb.connection.timeline import Phase, Timeline, Transition
from livestream_nb.connection.transport import Answer, Broken, Transport
from livestream_nb.errors import InvalidOption, TokenUnavailable, UntrustedRedirect
from livestream_nb.policy import (
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
)
from livestream_nb.protocol.request import StreamRequest, headers, next_hop
from livestream_nb.protocol.status import (
    HOLDS_SLOT,
    OK,
    REDIRECTS,
    Cause,
    Refusal,
    explain,
    read_refusal,
)
from livestream_nb.worker import Worker

BETWEEN_SLOTS = 5.0


class Turns:
    """One connect of a stream in flight at a time, and those of several slots 5 s apart."""

    def __init__(self, clock: Clock, connections: int) -> None:
        self._clock = clock
        self._apart = BETWEEN_SLOTS if connections > 1 else 0.0
        self._last = float("-inf")
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[None]:
        """Wait for a turn, and hold it."""
        async with self._lock:
            await self._clock.sleep(self._last + self._apart - self._clock.monotonic())
            try:
                yield
            finally:
                self._last = self._clock.monotonic()


@dataclass(frozen=True)
class Stream:
    """What the slots of one reader share.

    ``draw`` picks the moment between a wait's earliest and latest, ``deliver`` takes what is
    received, ``aside`` runs what may block, and ``changed`` is told of every timeline entry.
    """

    request: StreamRequest
    credentials: BearerToken
    policy: Policy
    clock: Clock
    draw: Callable[[float, float], float]
    timeline: Timeline
    floor: Floor
    transport: Transport
    turns: Turns
    deliver: Deliver
    aside: Worker
    changed: Callable[[], None]


@dataclass(frozen=True)
class Why:
    """Why a state begins: one word, the HTTP status, and a sentence."""

    cause: Cause
    sentence: str
    status: int | None = None


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
        self._attempt = 0
        self._reset_sent = False
        self._policy_state: Any = stream.policy.start(stream.clock.monotonic())
        self._why = Why(Cause.ASKED, "Connecting, as asked.")

    async def run(self) -> None:
        """Follow the policy until it gives up; cancel to stop."""
        ended = self._stream.floor.last_end(self._stream.request.base, self.number)
        event: Event | None = Started(ended)
        try:
            while event is not None:
                event = await self._follow(event)
        except asyncio.CancelledError:
            self._enter(Phase.STOPPED, Why(Cause.ASKED, "Stopped, as asked."))
            raise

    async def _follow(self, event: Event) -> Event | None:
        following: Event | None = None
        for action in self._step(event):
            following = await self._perform(action)
        return following

    def _step(self, event: Event) -> Actions:
        now = self._clock.monotonic()
        self._policy_state, actions = self._stream.policy.step(self._policy_state, event, now)
        return actions

    async def _perform(self, action: Action) -> Event | None:
        match action:
            case Connect():
                return await self._connect()
            case Wait():
                return await self._wait(action)
            case RenewToken():
                self._stream.credentials.renew()
                self._why = Why(Cause.RENEWED, explain(Cause.RENEWED))
            case GiveUp():
                self._enter(Phase.FAILED, self._why)
        return None

    async def _wait(self, action: Wait) -> Event:
        why = self._why
        if why.cause is Cause.ASKED:
            why = replace(why, sentence="This stream was read a moment ago: cooling down first.")
        moment = self._stream.draw(action.earliest, action.latest)
        seconds = max(0.0, moment - self._clock.monotonic())
        sentence = f"{why.sentence} Waiting {seconds:.0f} s before the next attempt."
        until = self._clock.utc() + seconds
        self._enter(Phase.COOLDOWN, replace(why, sentence=sentence), until)
        await self._clock.sleep(seconds)
        self._why = Why(Cause.WAITED, explain(Cause.WAITED))
        return Waited()

    async def _connect(self) -> Event:
        holds = True
        try:
            failed = await self._request()
            holds = failed.cause in HOLDS_SLOT
            return failed
        finally:
            if holds:
                ended = self._clock.monotonic()
                self._stream.floor.ended(self._stream.request.base, self.number, ended)

    async def _request(self) -> Failed:
        try:
            async with self._open() as answer:
                if answer.status == OK:
                    return await self._read(answer)
                after = answer.headers.get("retry-after")
                refusal = read_refusal(answer.status, await answer.body(), after)
                return self._failed(refusal)
        except Broken as broken:
            return self._failed(Refusal(broken.cause, None, broken.detail))
        except UntrustedRedirect as error:
            return self._failed(Refusal(Cause.MISDIRECTED, None, str(error)))
        except (TokenUnavailable, InvalidOption) as error:
            return self._failed(Refusal(Cause.UNAUTHORIZED, None, str(error)))

    def _failed(self, refusal: Refusal) -> Failed:
        sentence = explain(refusal.cause, refusal.status, refusal.detail)
        self._why = Why(refusal.cause, sentence, refusal.status)
        return Failed(refusal.cause, refusal.status, refusal.retry_after)

    async def _read(self, answer: Answer) -> Failed:
        self._step(Opened())
        self._enter(Phase.STREAMING, Why(Cause.OPENED, explain(Cause.OPENED), OK))
        self._attempt = 0
        self.reading = Reading(self.number, self._clock, self._stream.deliver)
        try:
            broken = await self.reading.run(answer)
        finally:
            self.reading = None
        return self._failed(Refusal(broken.cause, None, broken.detail))

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[Answer]:
        async with AsyncExitStack() as stack:
            async with self._stream.turns.taken():
                self._attempt += 1
                self.connects += 1
                self._enter(Phase.CONNECTING, self._why)
                answer = await self._hop(stack)
            yield answer

    async def _hop(self, stack: AsyncExitStack) -> Answer:
        """Follow redirects, each checked before the token is sent to it."""
        stream = self._stream
        token = await stream.aside.run(stream.credentials.token)
        sent = headers(token, stream.credentials.client_id)
        visited = [stream.request.url(first=not self._reset_sent)]
        while True:
            answer = await stack.enter_async_context(stream.transport.get(visited[-1], sent))
            if answer.status == OK:
                self._reset_sent = True
            if answer.status not in REDIRECTS:
                return answer
            visited.append(next_hop(stream.request, visited, answer.headers.get("location")))
            await stack.aclose()

    def _enter(self, state: Phase, why: Why, until: float | None = None) -> None:
        self._stream.timeline.record(
            Transition(
                connection=self.number,
                state=state,
                at=self._clock.utc(),
                reason=why.cause,
                sentence=why.sentence,
                status=why.status,
                attempt=self._attempt,
                until=until,
            )
        )
        self._stream.changed()
