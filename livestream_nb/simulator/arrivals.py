"""When hits enter the log: irregular, seeded, and known for any hit without counting up to it.

The hits' intensity is piecewise constant over bins of one second, in a cycle of ten minutes with
mean 1: a slow wave, noise, and a burst now and then. Sixteen hits at a time are scattered over
each sixteen units of intensity. So both directions, from time to count and from hit to time, cost
the same at the first hit as at the billionth.
"""

import random
from bisect import bisect_right
from itertools import accumulate
from math import pi, sin

from livestream_nb.simulator.chance import MASK, mix

GROUP = 16
CYCLE = 600
BURST = 12


class Arrivals:
    """Arrival times of the hits 0, 1, 2, …, in seconds since the log began."""

    def __init__(self, seed: int, rate: float) -> None:
        self._seed = mix(seed)
        self._rate = rate
        self._intensity = _intensity(random.Random(f"{seed} intensity"))
        self._reached = [0.0, *accumulate(self._intensity)]

    def count(self, elapsed: float) -> int:
        """How many hits have arrived by then."""
        if elapsed < 0:
            return 0
        group, within = divmod(self._units(elapsed), GROUP)
        return int(group) * GROUP + bisect_right(self._scatter(int(group)), within)

    def times(self, first: int, end: int) -> list[float]:
        """When the hits from ``first`` up to, not with, ``end`` arrive; ascending."""
        groups = range(first // GROUP, -(-end // GROUP))
        times = [
            self._elapsed(group * GROUP + within)
            for group in groups
            for within in self._scatter(group)
        ]
        return times[first - groups.start * GROUP : end - groups.start * GROUP]

    def _units(self, elapsed: float) -> float:
        cycles, within = divmod(elapsed, CYCLE)
        second = min(int(within), CYCLE - 1)
        reached = self._reached[second] + (within - second) * self._intensity[second]
        return (cycles * CYCLE + reached) * self._rate

    def _elapsed(self, units: float) -> float:
        cycles, within = divmod(units / self._rate, CYCLE)
        second = min(bisect_right(self._reached, within) - 1, CYCLE - 1)
        return cycles * CYCLE + second + (within - self._reached[second]) / self._intensity[second]

    def _scatter(self, group: int) -> list[float]:
        places = []
        for quarter in range(4):
            drawn = mix(self._seed + group * 4 + quarter & MASK)
            places += [(drawn >> shift & 0xFFFF) / 4096 for shift in (0, 16, 32, 48)]
        places.sort()
        return places


def _intensity(chance: random.Random) -> list[float]:
    wave = [1 + 0.35 * sin(2 * pi * second / CYCLE) for second in range(CYCLE)]
    noisy = [max(0.1, height * chance.gauss(1, 0.25)) for height in wave]
    for start in chance.sample(range(0, CYCLE, BURST), 8):
        for second in range(start, start + BURST):
            noisy[second] *= 2.2
    mean = sum(noisy) / CYCLE
    return [height / mean for height in noisy]
