"""Seeded hits that look like a site's: any of them can be made again from its number alone.

Hit number k belongs to lane ``k mod lanes``. A lane plays one visit after another, page by page,
from a script that all lanes share; each begins somewhere else in it, and sees other visitors. The
number of lanes is a multiple of 840, which 1 to 8 divide, and ``visIdLow`` is k modulo 840: so a
share has each k that is its slot modulo its slots, and all hits of its visitors.

Ids are Weyl sequences: multiples of odd numbers modulo 2^64. They are spread over all of the
range, and distinct without any bookkeeping.
"""

from collections.abc import Iterator, Sequence

from livestream_nb.checks import check_whole
from livestream_nb.simulator.arrivals import Arrivals
from livestream_nb.simulator.chance import MASK, mix
from livestream_nb.simulator.frames import Identities
from livestream_nb.simulator.share import Share
from livestream_nb.simulator.site.people import POOL
from livestream_nb.simulator.site.script import LENGTH, LONGEST, SHORTEST, Scene, write
from livestream_nb.simulator.site.views import ORDER_ID

RESIDUES = 840
BETWEEN_PAGES = 20.0
"""Seconds from one page of a visit to the next, about; more at rates below 42 hits a second."""

LANE_STEP = 2_531
"""How far apart in the script neighbouring lanes begin: about the golden section of it."""

HIGH_STEP, LOW_STEP, VISITOR_STEP, SCATTER = (mix(part) | 1 for part in range(11, 15))
PERSON = 65 - POOL.bit_length()
QUOTIENTS = 2**64 // RESIDUES
DELAYS = tuple(20 + 19 * part / 1_024 for part in range(1_024))
"""Seconds from when hits are received until they enter the log (Adobe: at least about 20)."""

Made = tuple[int, int, int, int, int, int, Scene]


class Traffic:
    """An endless log of made-up hits.

    Parameters
    ----------
    seed : int
        The same seed, rate and record size make the same hits at the same moments.
    rate : float
        Hits per service second, on average over a day.
    record_size : int, optional
        Bytes of a record, on average: 2,000 to 4,000. When omitted about 2,500, and of all sizes
        from 1,500 to 4,200.

    Raises
    ------
    InvalidOption
        When ``record_size`` is out of its range.
    """

    def __init__(self, seed: int, rate: float, record_size: int | None = None) -> None:
        if record_size is not None:
            check_whole("record_size", record_size, SHORTEST, LONGEST)
        self._arrivals = Arrivals(seed, rate)
        self._scenes, self._visits = write(seed, record_size)
        self._high, self._low, self._visitor = (mix(3 * seed + part & MASK) for part in range(3))
        self._lanes = RESIDUES * max(1, round(rate * BETWEEN_PAGES / RESIDUES))

    def logged(self, elapsed: float, share: Share) -> int:
        """How many of the share's hits the log holds so many seconds after it began."""
        return len(range(share.slot, self._arrivals.count(elapsed), share.slots))

    def numbers(self, first: int, end: int, share: Share) -> range:
        """The places in the whole log of the share's hits from ``first`` up to ``end``."""
        slot, slots = share
        return range(slot + first * slots, slot + end * slots, slots)

    def times(self, first: int, end: int, share: Share) -> list[float]:
        """When the share's hits from ``first`` up to ``end`` enter the log, in elapsed seconds."""
        return self._arrivals.times(self.numbers(first, end, share))

    def records(self, first: int, end: int, share: Share, moments: Sequence[float]) -> list[bytes]:
        """Make the records of the share's hits from ``first`` up to ``end``.

        Parameters
        ----------
        first, end : int
            Places in the share; ``end`` is not made.
        share : Share
            Whose hits.
        moments : sequence of float
            When each hit entered the log, in Unix seconds of service time. It was received 20 to
            40 seconds before.

        Returns
        -------
        list of bytes
            JSON objects without a line ending.
        """
        return [
            scene.record
            % (
                time,
                received,
                high,
                low,
                visitor_high,
                visitor_low,
                visitor_high,
                visitor_low,
                scene.people[visitor_high >> PERSON],
                scene.body.replace(ORDER_ID, b"O-%x" % high) if scene.ordered else scene.body,
            )
            for time, received, high, low, visitor_high, visitor_low, scene in self._made(
                self.numbers(first, end, share), moments
            )
        ]

    def identities(
        self, first: int, end: int, share: Share, moments: Sequence[float]
    ) -> Identities:
        """Tell the hits of :meth:`records` apart without making their records."""
        made = list(self._made(self.numbers(first, end, share), moments))
        return Identities(
            high=[hit[2] for hit in made],
            low=[hit[3] for hit in made],
            visitor_high=[hit[4] for hit in made],
            visitor_low=[hit[5] for hit in made],
            time=[hit[0] for hit in made],
        )

    def _made(self, numbers: range, moments: Sequence[float]) -> Iterator[Made]:
        scenes, visits, lanes = self._scenes, self._visits, self._lanes
        for number, moment in zip(numbers, moments, strict=True):
            row = number // lanes
            lane = number - row * lanes
            lap, place = divmod(lane * LANE_STEP + row, LENGTH)
            scene = scenes[place]
            visitor = scene.first + (lap * visits + scene.visit) % scene.among
            visitor_high = self._visitor + (visitor * lanes + lane) * VISITOR_STEP & MASK
            received = int(moment - DELAYS[visitor_high & 1_023])
            time = received - (visitor_high >> 10 & 1)
            if scene.late:
                time -= scene.late + visitor_high % 240
            yield (
                time,
                received,
                self._high + number * HIGH_STEP & MASK,
                self._low + number * LOW_STEP & MASK,
                visitor_high,
                visitor_high * SCATTER % QUOTIENTS * RESIDUES + number % RESIDUES,
                scene,
            )
