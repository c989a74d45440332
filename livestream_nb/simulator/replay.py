"""A recording as a stream's log: its own records, byte for byte, at its own or another pace."""

import gzip
import zlib
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import Literal

import msgspec

from livestream_nb.checks import is_number
from livestream_nb.errors import InvalidOption, RecordingError
from livestream_nb.simulator.frames import Identities
from livestream_nb.simulator.share import Share

GZIP = b"\x1f\x8b"
KINDS = "give a file of Livestream records, one JSON object per line: .ndjson or .ndjson.gz"


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


def check_replay(hits: object, pace: object) -> None:
    """Refuse a recording that is no path, and a pace that is none or has nothing to pace."""
    if hits is not None and not isinstance(hits, str | Path):
        raise InvalidOption.value("hits", hits, "give the path of a recording")
    if pace in (None, "original"):
        return
    if not (is_number(pace) and pace > 0):
        raise InvalidOption.value("pace", pace, 'give "original" or service seconds above 0')
    if hits is None:
        raise InvalidOption.value("pace", pace, "a pace needs a recording, hits=…")


class Replay:
    """A log that ends: the hits of a recording.

    A hit enters the log as long after the first one as its ``timeGMT`` says. One that is earlier
    than the hit before it, or has no time, enters together with that.

    Parameters
    ----------
    path : str or Path
        An ``.ndjson`` file, plain or gzip (of several members too), lines ending in LF or CRLF.
    pace : "original" or float
        How the hits follow each other: as recorded, or all of them in so many service seconds.

    Raises
    ------
    RecordingError
        When the file is missing, empty, or not made of such records.
    """

    def __init__(self, path: str | Path, pace: Literal["original"] | float = "original") -> None:
        self._records = _records(Path(path))
        self._hits = [_hit(path, n, record) for n, record in enumerate(self._records, 1)]
        self._entered = _spread([hit.time for hit in self._hits], pace)
        self._parts: dict[Share, tuple[list[int], list[float]]] = {}

    def logged(self, elapsed: float, share: Share) -> int:
        """How many hits of the share are in the log so many seconds after it began."""
        return bisect_right(self._part(share)[1], elapsed)

    def times(self, first: int, end: int, share: Share) -> list[float]:
        """Seconds after its beginning at which the share's hits enter the log; ascending."""
        return self._part(share)[1][first:end]

    def numbers(self, first: int, end: int, share: Share) -> list[int]:
        """Return the places of the share's hits in the recording, from 0 on."""
        return self._part(share)[0][first:end]

    def records(self, first: int, end: int, share: Share, _moments: Sequence[float]) -> list[bytes]:
        """Return the share's records, as recorded, without line endings."""
        return [self._records[number] for number in self.numbers(first, end, share)]

    def identities(
        self, first: int, end: int, share: Share, _moments: Sequence[float]
    ) -> Identities:
        """Tell the share's hits apart."""
        hits = [self._hits[number] for number in self.numbers(first, end, share)]
        return Identities(
            high=[hit.high for hit in hits],
            low=[hit.low for hit in hits],
            visitor_high=[hit.visitor_high for hit in hits],
            visitor_low=[hit.visitor_low for hit in hits],
            time=[hit.time for hit in hits],
        )

    def _part(self, share: Share) -> tuple[list[int], list[float]]:
        if share not in self._parts:
            slot, slots = share
            visitors = (hit.visitor_low or 0 for hit in self._hits)
            numbers = [n for n, visitor in enumerate(visitors) if visitor % slots == slot]
            self._parts[share] = (numbers, [self._entered[number] for number in numbers])
        return self._parts[share]


def _records(path: Path) -> list[bytes]:
    try:
        content = path.read_bytes()
        content = gzip.decompress(content) if content.startswith(GZIP) else content
    except (OSError, EOFError, zlib.error) as error:
        raise RecordingError(
            f"The recording {path} cannot be read ({_why(error)}): {KINDS}."
        ) from error
    records = [line.strip() for line in content.split(b"\n")]
    records = [record for record in records if record]
    if not records:
        raise RecordingError(f"The recording {path} holds no hits: {KINDS}.")
    return records


def _hit(path: str | Path, number: int, record: bytes) -> Recorded:
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


def _why(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
