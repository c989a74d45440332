"""When hits enter the log: irregular, seeded, and known for any hit without counting up to it.

The hits' intensity is constant over each second. It is the product of a day's rhythm, in steps of
ten minutes, and of one of eight shapes of ten minutes, with a wave, noise and a few bursts; both
have mean 1, so a whole day holds what the rate promises. Sixty-four hits at a time are scattered
over each sixty-four units of intensity. So both directions, from time to count and from hit to
time, cost the same at the first hit as at the billionth.
"""

import random
from bisect import bisect_right
from itertools import accumulate
from math import pi, sin
from typing import NamedTuple

from livestream_nb.simulator.chance import MASK, mix

DAY = 86_400
SPELL = 600
SPELLS = DAY // SPELL
AMPLITUDE = 0.6
SHAPES = 8
SWELL = 0.3
BURST = 12
BURSTS = 5
GROUP = 64
PATTERNS = 128


class Second(NamedTuple):
    """A second of the log, and the units of intensity that it covers (seconds at mean rate)."""

    start: float
    lower: float
    intensity: float


class Arrivals:
    """Arrival times of the hits 0, 1, 2, …, in seconds since the log began.

    The log begins at a moment of average traffic that is rising.

    Parameters
    ----------
    seed : int
        What the irregularities are drawn from.
    rate : float
        Hits per second, on average over a day.
    """

    def __init__(self, seed: int, rate: float) -> None:
        chance = random.Random(f"{seed} arrivals")
        self._seed = mix(seed & MASK)
        self._rate = rate
        self._rhythm = [1 + AMPLITUDE * sin(2 * pi * spell / SPELLS) for spell in range(SPELLS)]
        self._risen = [0.0, *accumulate(SPELL * height for height in self._rhythm)]
        self._shapes = [_shape(chance) for _ in range(SHAPES)]
        self._reached = [[0.0, *accumulate(shape)] for shape in self._shapes]
        self._patterns = [
            sorted(chance.random() * GROUP for _ in range(GROUP)) for _ in range(PATTERNS)
        ]

    def count(self, elapsed: float) -> int:
        """How many hits have arrived by then."""
        if elapsed < 0:
            return 0
        start, lower, intensity = self._second_at(elapsed)
        group, within = divmod((lower + (elapsed - start) * intensity) * self._rate, GROUP)
        return int(group) * GROUP + bisect_right(self._pattern(int(group)), within)

    def times(self, numbers: range) -> list[float]:
        """When the hits of these numbers arrive; numbers and times ascend."""
        found = []
        group, pattern = -1, self._patterns[0]
        start = lower = upper = 0.0
        intensity = 1.0
        for number in numbers:
            if number // GROUP != group:
                group = number // GROUP
                pattern = self._pattern(group)
            units = (group * GROUP + pattern[number % GROUP]) / self._rate
            if units >= upper:
                start, lower, intensity = self._second_with(units)
                upper = lower + intensity
            found.append(start + (units - lower) / intensity if units > lower else start)
        return found

    def _pattern(self, group: int) -> list[float]:
        return self._patterns[mix(self._seed + group & MASK) % PATTERNS]

    def _second_at(self, elapsed: float) -> Second:
        days, rest = divmod(elapsed, DAY)
        spell = min(int(rest / SPELL), SPELLS - 1)
        return self._second(int(days), spell, min(int(rest) - spell * SPELL, SPELL - 1))

    def _second_with(self, units: float) -> Second:
        days, rest = divmod(units, DAY)
        spell = min(bisect_right(self._risen, rest) - 1, SPELLS - 1)
        reached = self._reached[self._shape_of(int(days), spell)]
        within = (rest - self._risen[spell]) / self._rhythm[spell]
        return self._second(int(days), spell, min(bisect_right(reached, within) - 1, SPELL - 1))

    def _second(self, day: int, spell: int, second: int) -> Second:
        shape = self._shape_of(day, spell)
        height = self._rhythm[spell]
        return Second(
            day * DAY + spell * SPELL + second,
            day * DAY + self._risen[spell] + self._reached[shape][second] * height,
            self._shapes[shape][second] * height,
        )

    def _shape_of(self, day: int, spell: int) -> int:
        return mix(self._seed - 1 - day * SPELLS - spell & MASK) % SHAPES


def _shape(chance: random.Random) -> list[float]:
    phase = chance.random()
    wave = [1 + SWELL * sin(2 * pi * (phase + second / SPELL)) for second in range(SPELL)]
    noisy = [max(0.1, height * chance.gauss(1, 0.25)) for height in wave]
    for start in chance.sample(range(0, SPELL, BURST), BURSTS):
        for second in range(start, start + BURST):
            noisy[second] *= 2.2
    mean = sum(noisy) / SPELL
    return [height / mean for height in noisy]
