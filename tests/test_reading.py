"""connection/reading.py: its rhythm, in virtual time"""

import zlib
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from livestream_nb.connection.reading import CALM, LINGER, PLENTY, Reading
from livestream_nb.connection.unpacking import Delivery, Unpacking
from tests.virtual import BEGAN, AtOnce, Loop, LoopClock

Arrival = tuple[float, bytes]
Given = tuple[float, list[int]]
"""When something was handed on, and the numbers of its lines."""

SOON = 1e-6  # seconds after which bytes that have gathered are there


class System:
    """What came, and when; whoever reads gets it, waits for the next, and is counted."""

    def __init__(self, loop: Loop, arrivals: list[Arrival]) -> None:
        self.waits: list[float] = []
        self._loop = loop
        self._arrivals = arrivals

    async def chunks(self) -> AsyncIterator[bytes]:
        clock = LoopClock(self._loop)
        for moment, data in self._arrivals:
            left = BEGAN + moment - self._loop.time()
            if left > 0:
                self.waits.append(self._loop.time() - BEGAN)
            await clock.sleep(max(SOON, left))
            yield data


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.close()


def read(loop: Loop, arrivals: list[Arrival]) -> tuple[System, list[Given]]:
    """Read all of it: how it was waited for, and what was handed on."""
    system, given = System(loop, arrivals), []

    def take(delivery: Delivery) -> None:
        numbers = [int(line.split()[0]) for line in delivery.block.splitlines()]
        given.append((loop.time() - BEGAN, numbers))

    worker: Any = AtOnce()
    reading = Reading(LoopClock(loop), Unpacking(1, 0.0, take, worker), worker)
    loop.run_until_complete(reading.run(system))
    return system, given


def arriving(many: int, pause: float, size: int) -> list[Arrival]:
    """So many lines of at least that size, packed, steadily; each begins with its number."""
    packer = zlib.compressobj(0, wbits=31)
    arrivals = []
    for number in range(many):
        line = f"{number} {'x' * size}\n".encode()
        packed = packer.compress(line) + packer.flush(zlib.Z_SYNC_FLUSH)
        arrivals.append((0.005 + number * pause, packed))
    return arrivals


def every(given: list[Given]) -> list[int]:
    return [number for _, numbers in given for number in numbers]


def test_a_calm_stream_gathers(loop: Loop) -> None:
    """Fifty small chunks a second are read some five times a second, and handed on as often."""
    arrivals = arriving(200, 0.02, 1_000)
    system, given = read(loop, arrivals)
    assert every(given) == [*range(200)]
    assert 18 <= len(given) <= 21
    assert len(system.waits) <= 2 * len(given)


def test_nothing_waits_longer_than_the_linger(loop: Loop) -> None:
    """What a calm stream brings is handed on within a fifth of a second."""
    arrivals = arriving(200, 0.02, 1_000)
    _, given = read(loop, arrivals)
    waits = [moment - arrivals[numbers[0]][0] for moment, numbers in given]
    assert LINGER / 2 < max(waits) <= LINGER


def test_a_lone_record_is_handed_on(loop: Loop) -> None:
    """A record comes out when its linger ends, however long nothing follows it."""
    _, given = read(loop, arriving(3, 3_600.0, 10))
    assert given[1] == (pytest.approx(3_600.0 + LINGER / 2), [1])


def test_every_second_brings_as_much(loop: Loop) -> None:
    """Of a steady stream no second gets a linger more than another."""
    _, given = read(loop, arriving(500, 0.02, 1_000))
    seconds = Counter[int]()
    for moment, numbers in given:
        seconds[int(moment)] += len(numbers)
    assert all(abs(seconds[second] - 50) <= 1 for second in range(1, 9))


def test_a_busy_stream_is_read_as_it_comes(loop: Loop) -> None:
    """Once more comes in a fifth of a second than on a calm stream, nothing is left to gather."""
    arrivals = arriving(100, 0.02, 2 * CALM // 10)
    system, given = read(loop, arrivals)
    assert every(given) == [*range(100)]
    assert len(system.waits) > 80


def test_plenty_is_handed_on_at_once(loop: Loop) -> None:
    """A megabyte does not wait for the rest of a fifth of a second."""
    arrivals = arriving(100, 0.01, PLENTY // 4)
    _, given = read(loop, arrivals)
    assert every(given) == [*range(100)]
    assert len(given) >= 100 // 5
