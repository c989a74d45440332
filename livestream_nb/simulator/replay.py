"""A recording as a stream's log: its own records, byte for byte, at its own or another pace."""

import re
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from math import inf
from typing import Literal

import msgspec

from livestream_nb.checks import check_switch, is_number
from livestream_nb.errors import InvalidOption, RecordingError
from livestream_nb.simulator.frames import Identities
from livestream_nb.simulator.share import Share

KINDS = "give a recording, or a file of records, one JSON object per line: .ndjson or .ndjson.gz"
LOW = re.compile(rb'("hitIdLow"\s*:\s*"?)(\d+)')
STEP = 0x9E37_79B9_7F4A_7C15  # odd, so that no id comes again before 2**64 rounds
FIELDS = {
    "high": "hitIdHigh",
    "low": "hitIdLow",
    "visitor_high": "visIdHigh",
    "visitor_low": "visIdLow",
    "time": "timeGMT",
}
LAST_ID = 2**64 - 1
LAST_TIME = 253_402_300_799  # the last second of the year 9999


class Recorded(msgspec.Struct, rename=FIELDS):
    """The fields of a recorded hit that the simulator looks at."""

    high: int | None = None
    low: int | None = None
    visitor_high: int | None = None
    visitor_low: int | None = None
    time: int | None = None

    def __post_init__(self) -> None:
        """Refuse ids and times that no frame can hold."""
        for name, value in zip(FIELDS.values(), msgspec.structs.astuple(self), strict=True):
            highest = LAST_TIME if name == "timeGMT" else LAST_ID
            if value is not None and not 0 <= value <= highest:
                raise ValueError(f"{name}={value} is out of range")


def check_replay(replayed: bool, pace: object, loop: object) -> None:
    """Refuse a pace that is none, and a pace or a loop that has nothing to be of."""
    check_switch("loop", loop)
    if loop and not replayed:
        raise InvalidOption.value("loop", loop, "a loop needs a recording, hits=…")
    if pace in (None, "original"):
        return
    if not (is_number(pace) and pace > 0):
        raise InvalidOption.value("pace", pace, 'give "original" or service seconds above 0')
    if not replayed:
        raise InvalidOption.value("pace", pace, "a pace needs a recording, hits=…")


class Replay:
    """A log made of the hits of a recording; it ends with them, or begins again.

    A hit enters the log as long after the first one as its ``timeGMT`` says. One that is earlier
    than the hit before it, or has no time, enters together with that. When it begins again, hits
    keep their own times, but get new ids: they are others, though they look the same.

    Parameters
    ----------
    records : sequence of bytes
        JSON objects, without line endings.
    name : str
        What they are from.
    pace : "original" or float
        How the hits follow each other: as recorded, or all of them in so many service seconds.
    loop : bool
        Whether the first hit follows the last one again, after a pause of the usual length.

    Raises
    ------
    RecordingError
        When a record is no Livestream record.
    """

    def __init__(
        self,
        records: Sequence[bytes],
        name: str,
        pace: Literal["original"] | float = "original",
        *,
        loop: bool = False,
    ) -> None:
        self._records = records
        self._hits = [_hit(name, number, record) for number, record in enumerate(records, 1)]
        self._entered = _spread([hit.time for hit in self._hits], pace)
        span = self._entered[-1]
        self._period = span + (span / len(records) or 1.0) if loop else inf
        self._parts: dict[Share, tuple[list[int], list[float]]] = {}

    def logged(self, elapsed: float, share: Share) -> int:
        """How many hits of the share are in the log so many seconds after it began."""
        numbers, times = self._part(share)
        rounds, since = divmod(elapsed, self._period) if elapsed >= self._period else (0, elapsed)
        return int(rounds) * len(numbers) + bisect_right(times, since)

    def times(self, first: int, end: int, share: Share) -> list[float]:
        """Seconds after its beginning at which the share's hits enter the log; ascending."""
        times = self._part(share)[1]
        return [
            times[place] + (self._period * rounds if rounds else 0.0)
            for rounds, place in self._places(first, end, share)
        ]

    def numbers(self, first: int, end: int, share: Share) -> list[int]:
        """Return the places of the share's hits in the log, from 0 on."""
        numbers, all_hits = self._part(share)[0], len(self._records)
        return [
            rounds * all_hits + numbers[place] for rounds, place in self._places(first, end, share)
        ]

    def records(self, first: int, end: int, share: Share, _moments: Sequence[float]) -> list[bytes]:
        """Return the share's records, as recorded, without line endings."""
        numbers, places = self._part(share)[0], self._places(first, end, share)
        return [self._record(rounds, numbers[place]) for rounds, place in places]

    def identities(
        self, first: int, end: int, share: Share, _moments: Sequence[float]
    ) -> Identities:
        """Tell the share's hits apart."""
        numbers = self._part(share)[0]
        hits = [
            (rounds, self._hits[numbers[place]])
            for rounds, place in self._places(first, end, share)
        ]
        return Identities(
            high=[hit.high for _, hit in hits],
            low=[_renewed(hit.low, rounds) for rounds, hit in hits],
            visitor_high=[hit.visitor_high for _, hit in hits],
            visitor_low=[hit.visitor_low for _, hit in hits],
            time=[hit.time for _, hit in hits],
        )

    def _places(self, first: int, end: int, share: Share) -> list[tuple[int, int]]:
        """The round, and the place among the share's hits, of these hits of the log."""
        many = len(self._part(share)[0])
        last = end if self._period < inf else min(end, many)
        return [divmod(place, many) for place in range(first, last)] if many else []

    def _record(self, rounds: int, number: int) -> bytes:
        record, low = self._records[number], self._hits[number].low
        if not rounds or low is None:
            return record
        renewed = b"%d" % (_renewed(low, rounds) or 0)
        return LOW.sub(lambda at: at[1] + renewed if int(at[2]) == low else at[0], record)

    def _part(self, share: Share) -> tuple[list[int], list[float]]:
        if share not in self._parts:
            slot, slots = share
            visitors = (hit.visitor_low or 0 for hit in self._hits)
            numbers = [n for n, visitor in enumerate(visitors) if visitor % slots == slot]
            self._parts[share] = (numbers, [self._entered[number] for number in numbers])
        return self._parts[share]


def _renewed(low: int | None, rounds: int) -> int | None:
    """The second half of a hit's id in a later round."""
    return None if low is None else (low + rounds * STEP) % (LAST_ID + 1)


def _hit(path: str, number: int, record: bytes) -> Recorded:
    try:
        return msgspec.json.decode(record, type=Recorded, strict=False)
    except (msgspec.MsgspecError, RecursionError) as error:
        message = f"Record {number} of {path} is not a Livestream record ({error}): {KINDS}."
        raise RecordingError(message) from error


def _spread(times: list[int | None], pace: Literal["original"] | float) -> list[float]:
    known = [time for time in times if time is not None]
    first = known[0] if known else 0
    latest = list(accumulate((first if time is None else time for time in times), max))
    span = latest[-1] - first
    scale = 1.0 if pace == "original" or not span else pace / span
    return [(time - first) * scale for time in latest]
