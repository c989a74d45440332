"""A slot in virtual time: it does what `livestream_nb.connection.slot` does, without bytes. Pure.

The same policy objects, asked in the same order, answered by the same actions, and journaled as the
same states: the validation tests hold one against the other.
"""

from collections.abc import Generator
from functools import partial
from math import isfinite
from typing import Any

from livestream_nb.connection.timeline import Phase
from livestream_nb.lab.agenda import Process, Steps
from livestream_nb.lab.record import Told, Why
from livestream_nb.lab.stream import Stream
from livestream_nb.lab.world import TOKENLESS, UNANSWERED, Line
from livestream_nb.policy import (
    APART,
    Action,
    Connect,
    Event,
    Failed,
    GiveUp,
    Opened,
    RenewToken,
    Started,
    Wait,
    Waited,
    checked,
)
from livestream_nb.protocol.status import OK, Cause, Refusal

LOOK = 1.0
"""How often a reader looks whether a silent stream is heard again."""

Outcome = Generator[float | None, Any, Event | None]


class Slot:
    """One slot of a stream."""

    def __init__(self, number: int, stream: Stream) -> None:
        self._number = number
        self._stream = stream
        self._world = stream.world
        self._agenda = stream.world.agenda
        self._state: Any = stream.policy.start(self._agenda.now)
        self._why = Why(Cause.ASKED)
        self._attempt = 0
        self._failing: Cause | None = None
        self._times = 0
        self._lost_at: float | None = None
        self._line: Line | None = None
        self._reading = False
        self._opened = 0.0
        self._process = Process(self._agenda, self._run())

    def stop(self) -> None:
        """End its connection and itself; what it brought is accounted for."""
        line = self._line
        self._process.end()
        if line is not None:
            self._world.end(line, Cause.ASKED)
            self._stream.account(self._number, self._opened, line)

    def settle(self) -> None:
        """Account for what its connection has brought so far."""
        if self._line is not None and self._reading:
            self._world.settle(self._line)
            self._stream.account(self._number, self._opened, self._line)

    def _run(self) -> Steps:
        event: Event | None = Started(None)
        while event is not None:
            event = yield from self._follow(event)

    def _follow(self, event: Event) -> Outcome:
        actions = self._step(event)
        if not actions:
            self._enter(Phase.FAILED, told=Told.IDLE)
        following: Event | None = None
        for action in actions:
            following = yield from self._perform(action)
            if isinstance(action, GiveUp):
                return None
        return following

    def _step(self, event: Event) -> tuple[Action, ...]:
        self._state, actions = self._stream.policy.step(self._state, event, self._agenda.now)
        return checked(actions)

    def _perform(self, action: Action) -> Outcome:
        match action:
            case Connect(seconds):
                return (yield from self._connect(seconds))
            case Wait(earliest, latest):
                return (yield from self._wait(self._stream.draw(earliest, latest)))
            case RenewToken():
                self._stream.stale = True
                self._why = Why(Cause.RENEWED)
            case GiveUp():
                self._enter(Phase.FAILED, told=Told.GAVE_UP)
        return None

    def _wait(self, moment: float) -> Outcome:
        if self._why.cause is Cause.REFUSED:
            self._stream.queue.turns.hold(moment)
        now = self._agenda.now
        self._enter(Phase.COOLDOWN, wait=max(0.0, moment - now))
        yield max(now, moment)
        self._why = Why(Cause.WAITED)
        return Waited()

    def _connect(self, seconds: float | None) -> Outcome:
        queue = self._stream.queue
        if (left := queue.left()) > 0:
            held = isfinite(left) and left > APART
            self._enter(
                Phase.COOLDOWN,
                why=Why(Cause.QUEUED),
                told=Told.HELD if held else Told.PLAIN,
                wait=queue.told(),
            )
        yield from queue.take(self._process)
        self._attempt += 1
        self._enter(Phase.CONNECTING)
        answer = yield from self._ask()
        queue.give()
        if isinstance(answer, Refusal):
            return self._failed(answer)
        return (yield from self._read(answer, seconds))

    def _ask(self) -> Generator[float | None, Any, Line | Refusal]:
        stream, half = self._stream, self._stream.latency / 2
        yield self._agenda.now + half
        if stream.stale and not self._world.renew(stream.site):
            yield self._agenda.now + half
            return TOKENLESS
        stream.stale = False
        stream.connects += 1
        answer = self._world.ask(stream.site, stream.connections, self._lost)
        if isinstance(answer, Line):
            self._line = answer
        yield self._agenda.now + half
        if self._agenda.now < stream.site.gone_until and not isinstance(answer, Refusal):
            self._line = None
            return UNANSWERED
        return answer

    def _read(self, line: Line, seconds: float | None) -> Outcome:
        self._step(Opened())
        now = self._opened = self._agenda.now
        self._enter(Phase.STREAMING, why=Why(Cause.OPENED, OK))
        self._attempt, self._failing = 0, None
        if line.ended is None:
            line.since = now
            if seconds is not None:
                self._agenda.at(now + seconds, partial(self._world.end, line, Cause.CLOSED))
            self._watch(line)
            self._reading = True
            yield None
        self._line, self._reading = None, False
        self._lost_at = self._agenda.now
        self._stream.account(self._number, self._opened, line)
        return self._failed(Refusal(line.ended or Cause.DROPPED, None, ""))

    def _lost(self) -> None:
        """The line has ended; one whose answer is still on its way is found ended by then."""
        if self._reading:
            self._agenda.at(self._agenda.now, self._process.go_on)

    def _failed(self, refusal: Refusal) -> Failed:
        self._times = self._times + 1 if refusal.cause is self._failing else 1
        self._failing = refusal.cause
        ago = None if self._lost_at is None else self._agenda.now - self._lost_at
        self._why = Why(refusal.cause, refusal.status, self._times, ago, refusal.detail)
        return Failed(refusal.cause, refusal.status, refusal.retry_after)

    def _enter(
        self,
        state: Phase,
        *,
        why: Why | None = None,
        told: Told | None = None,
        wait: float | None = None,
    ) -> None:
        why = why or self._why
        plain = Told.EXPLAINED if why.times else Told.PLAIN
        told = plain if told is None else told
        self._stream.record.enter(
            self._number, state, why, self._agenda.now,
            attempt=self._attempt, told=told, wait=wait,
        )  # fmt: skip

    def _watch(self, line: Line) -> None:
        """Look whether the stream has been silent for as long as the policy says."""
        stall_after = getattr(self._stream.policy, "stall_after", None)
        if stall_after is not None:
            look = partial(self._look, line, stall_after, False)
            self._agenda.at(self._opened + stall_after, look)

    def _look(self, line: Line, stall_after: float, stalled: bool) -> None:
        if line.ended is not None:
            return
        now, heard = self._agenda.now, self._heard(line)
        silent = now - heard >= stall_after
        if silent and not stalled:
            self._enter(Phase.STALLED, why=Why(Cause.SILENT, times=0, ago=now - heard))
        elif stalled and not silent:
            self._enter(Phase.STREAMING, why=Why(Cause.HEARD))
        again = now + LOOK if silent else heard + stall_after
        self._agenda.at(again, partial(self._look, line, stall_after, silent))

    def _heard(self, line: Line) -> float:
        """When a hit came last by a connection."""
        now = self._agenda.now
        if now < line.stalled:
            return line.since
        return max(line.since, self._world.traffic.last(now))
