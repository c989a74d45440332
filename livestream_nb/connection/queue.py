"""Slots of one stream waiting for their turn to connect."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from math import isfinite

from livestream_nb.clock import Clock
from livestream_nb.policy import APART, Turns


class Queue:
    """Lets one slot at a time connect, when its turn has come.

    Attributes
    ----------
    turns : Turns
        Who may connect when.
    """

    def __init__(self, turns: Turns, clock: Clock) -> None:
        self.turns = turns
        self._clock = clock
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def turn(self, queued: Callable[[float | None], None]) -> AsyncIterator[None]:
        """Wait for a turn, and hold it.

        ``queued`` is called when there is a wait, with its seconds, at the least, or None when
        they depend on the slots before.
        """
        left = self._left()
        if left > 0:
            known = isfinite(left) and (left > APART or not self._lock.locked())
            queued(left if known else None)
        async with self._lock:
            while (left := self._left()) > 0:
                await self._clock.sleep(left)
            self.turns.began()
            try:
                yield
            finally:
                self.turns.answered(self._clock.monotonic())

    def _left(self) -> float:
        return self.turns.due - self._clock.monotonic()
