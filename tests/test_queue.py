"""connection/queue.py, on a clock that stands still until it is asked to sleep"""

import asyncio

from livestream_nb.connection.queue import Queue
from livestream_nb.policy import Turns


class Still:
    """A clock that only sleeping moves."""

    now = 1000.0

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)
        self.now += seconds


class Line:
    """A queue, when each slot got its turn, and what each was told of its wait."""

    def __init__(self, slots: int) -> None:
        self.clock = Still()
        self.queue = Queue(Turns(slots), self.clock)
        self.began: list[float] = []
        self.told: list[float | None] = []

    async def connect(self, lasts: float = 0.0) -> None:
        async with self.queue.turn(self.told.append):
            self.began.append(self.clock.now)
            await self.clock.sleep(lasts)

    async def connect_all(self, count: int, lasts: float = 0.0) -> None:
        async with asyncio.TaskGroup() as tasks:
            for _ in range(count):
                tasks.create_task(self.connect(lasts))


def test_first_come_first_served() -> None:
    """A connect waits for the answer to the one before, and 5 s more; how long, nobody knows."""
    line = Line(3)
    asyncio.run(line.connect_all(3, lasts=2.0))
    assert line.began == [1000.0, 1007.0, 1014.0]
    assert line.told == [None, None]


def test_too_early() -> None:
    """Who has nobody before it knows its wait; who comes behind does not."""
    line = Line(3)
    asyncio.run(line.connect())
    asyncio.run(line.connect_all(2))
    assert (line.began, line.told) == ([1000.0, 1005.0, 1010.0], [5.0, None])


def test_held_back() -> None:
    """While a 409 holds them back all know how long, at the least; a later hold counts, too."""
    line = Line(3)
    line.queue.turns.hold(1060.0)

    async def more() -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.connect())
            tasks.create_task(line.connect())
            await asyncio.sleep(0)
            line.queue.turns.hold(1090.0)

    asyncio.run(more())
    assert line.began == [1090.0, 1095.0]
    assert line.told == [60.0, 60.0]


def test_a_single_slot_is_never_queued() -> None:
    """A reader of one slot connects whenever its policy says so."""
    line = Line(1)
    asyncio.run(line.connect())
    asyncio.run(line.connect())
    assert (line.began, line.told) == ([1000.0, 1000.0], [])
