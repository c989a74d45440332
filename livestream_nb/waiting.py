"""Waiting for a reader to have come so far, with a thread or with a coroutine."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Self

from livestream_nb.connection.timeline import Phase
from livestream_nb.errors import InvalidOption, StreamFailed, WaitTimeout
from livestream_nb.protocol.status import Cause
from livestream_nb.session import Session
from livestream_nb.status import Status


@dataclass(frozen=True)
class Goal:
    """What someone waits for: so many hits, and a state."""

    hits: int
    state: str | None

    @classmethod
    def of(cls, hits: int | None, state: str | None) -> Self:
        """Check what is waited for; `InvalidOption` when that is nothing, or no state's name."""
        if hits is None and state is None:
            raise InvalidOption("Nothing to wait for: give hits=, state=, or both.")
        if state is not None and state not in set(Phase):
            raise InvalidOption.value("state", state, f"give one of {', '.join(Phase)}")
        return cls(hits or 0, state)

    def reached(self, status: Status) -> bool:
        """Whether it has come; `StreamFailed` or `WaitTimeout` when it never will."""
        if status.hits >= self.hits and self.state in (None, status.state):
            return True
        if status.state == Phase.FAILED:
            raise StreamFailed(status.reason, cause=status.cause, status=status.http_status)
        if status.state == Phase.STOPPED and status.cause == Cause.ASKED:
            raise WaitTimeout(f"{status.reason} There is nothing to wait for: call start() first.")
        return False

    def missed(self, status: Status, timeout: float | None) -> WaitTimeout:
        """That it has not come in time, and what there is instead."""
        return WaitTimeout(
            f"Not reached within {timeout:g} s: {status.hits:,} hits so far, {status.state}. "
            f"{status.reason}"
        )


class Look:
    """Whether anything has come that may reach the goal: cheaper to ask than for the status."""

    def __init__(self, session: Session, goal: Goal) -> None:
        self._session = session
        self._goal = goal
        self._entries = -1

    def __call__(self) -> bool:
        """Whether there are enough hits, or a connection has entered another state."""
        before, self._entries = self._entries, len(self._session.timeline.entries())
        return before != self._entries or self._session.intake.buffer.received >= self._goal.hits


def wait(session: Session, goal: Goal, status: Callable[[], Status], timeout: float | None) -> None:
    """Block this thread until the goal is reached, or for ``timeout`` real seconds."""
    changed = threading.Event()
    clock = session.plan.clock
    deadline = None if timeout is None else clock.real(clock.monotonic()) + timeout
    unlisten = session.listen(changed.set)
    worth_asking = Look(session, goal)
    try:
        while not (worth_asking() and goal.reached(status())):
            left = None if deadline is None else deadline - clock.real(clock.monotonic())
            if not changed.wait(left):
                raise goal.missed(status(), timeout)
            changed.clear()
    finally:
        unlisten()


async def until(
    session: Session, goal: Goal, status: Callable[[], Status], timeout: float | None
) -> None:
    """Suspend this coroutine until the goal is reached, or for ``timeout`` real seconds."""
    changed = asyncio.Event()
    wake = partial(asyncio.get_running_loop().call_soon_threadsafe, changed.set)
    unlisten = session.listen(wake)
    worth_asking = Look(session, goal)
    try:
        async with asyncio.timeout(timeout):
            while not (worth_asking() and goal.reached(status())):
                await changed.wait()
                changed.clear()
    except TimeoutError:
        raise goal.missed(status(), timeout) from None
    finally:
        unlisten()


class Waits:
    """Waiting for what a reader has received, or for its state."""

    _session: Session

    @property
    def status(self) -> Status:
        """How the reader is doing now."""
        raise NotImplementedError

    def wait(
        self, *, hits: int | None = None, state: str | None = None, timeout: float | None = None
    ) -> Self:
        """Block until so many distinct hits were received, and a state is reached.

        Parameters
        ----------
        hits : int, optional
            How many hits, counted since the reader was made.
        state : str, optional
            A state's name, such as ``"streaming"``.
        timeout : float, optional
            Real seconds to wait at most.

        Raises
        ------
        WaitTimeout
            When the time is over, or nothing can come because the reader is stopped.
        StreamFailed
            When the stream stopped for good before.
        """
        wait(self._session, Goal.of(hits, state), lambda: self.status, timeout)
        return self

    async def until(
        self, *, hits: int | None = None, state: str | None = None, timeout: float | None = None
    ) -> Self:
        """The same as :meth:`wait` for use with ``await``: the kernel stays free meanwhile."""
        await until(self._session, Goal.of(hits, state), lambda: self.status, timeout)
        return self
