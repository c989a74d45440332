"""Seeded hits that look like a site's: any of them can be made again from its number alone.

A record is two prepared pieces of :mod:`~livestream_nb.simulator.site`, a visitor's and a page
view's, with ids and times set before them. A visitor comes for a few minutes and leaves about
four hits; one hit in five is by somebody who keeps coming back; about 2 % are by robots.
"""

import random
from collections.abc import Iterator
from typing import NamedTuple

from livestream_nb.simulator.arrivals import Arrivals
from livestream_nb.simulator.chance import MASK, mix
from livestream_nb.simulator.frames import Identity
from livestream_nb.simulator.site import build

ROBOTS = 16
REGULARS = 2_000
PASSERS_BY = 2**40
VISIT = 120.0
HITS_PER_VISIT = 5
RECORD = (
    b'{"reportSuite":"examplecomprod","timeGMT":%d,"receivedTimeGMT":%d,'
    b'"hitIdHigh":%d,"hitIdLow":%d,"visIdHigh":%d,"visIdLow":%d,"visIdType":3,%b,%b}\r\n'
)


class Hit(NamedTuple):
    """The values of a record, in the order in which ``RECORD`` takes them."""

    time: int
    received: int
    high: int
    low: int
    visitor_high: int
    visitor_low: int
    person: bytes
    view: bytes


class Traffic:
    """An endless log of made-up hits.

    Parameters
    ----------
    seed : int
        The same seed and rate make the same hits at the same moments.
    rate : float
        Hits per service second, on average over ten minutes.
    """

    def __init__(self, seed: int, rate: float) -> None:
        self._arrivals = Arrivals(seed, rate)
        self._site = build(random.Random(f"{seed} site"))
        self._hits, self._visitors, self._draws = (mix(3 * seed + part & MASK) for part in range(3))
        self._present = max(1, int(rate * VISIT / HITS_PER_VISIT))

    def logged(self, elapsed: float) -> int:
        """How many hits the log holds so many seconds after it began."""
        return self._arrivals.count(elapsed)

    def lines(self, first: int, end: int, began: float) -> bytes:
        """Make the records from ``first`` up to, not with, ``end``: JSON and CRLF each.

        ``began`` is the Unix time at which the log began; a hit's ``timeGMT`` lies two to nine
        seconds before the moment at which it entered the log.
        """
        return b"".join([RECORD % hit for _, hit in self._made(first, end, began)])

    def identities(self, first: int, end: int, began: float) -> list[Identity]:
        """Tell the hits of :meth:`lines` apart without making their records."""
        return [
            Identity(hit.high, hit.low, hit.visitor_high, hit.visitor_low, hit.time, logged)
            for logged, hit in self._made(first, end, began)
        ]

    def _made(self, first: int, end: int, began: float) -> Iterator[tuple[float, Hit]]:
        for number, elapsed in enumerate(self._arrivals.times(first, end), first):
            yield began + elapsed, self._hit(number, began + elapsed)

    def _hit(self, number: int, logged: float) -> Hit:
        drawn = mix(self._draws + number & MASK)
        visitor = self._visitor(number, drawn >> 10)
        high = mix(self._hits + number & MASK)
        visitor_high = mix(self._visitors + visitor & MASK)
        time = int(logged - 2 - (drawn >> 60) / 2)
        return Hit(
            time,
            time + (drawn >> 59 & 1),
            high,
            mix(high),
            visitor_high,
            mix(visitor_high),
            self._person(visitor, visitor_high),
            self._site.views[drawn % len(self._site.views)],
        )

    def _visitor(self, number: int, drawn: int) -> int:
        share, which = drawn % 1000, drawn >> 10
        if share < 20:
            return which % ROBOTS
        if share < 200:
            return ROBOTS + which % REGULARS
        return PASSERS_BY + number // HITS_PER_VISIT - which % self._present

    def _person(self, visitor: int, visitor_high: int) -> bytes:
        if visitor < ROBOTS:
            return self._site.robots[visitor]
        return self._site.people[visitor_high % len(self._site.people)]
