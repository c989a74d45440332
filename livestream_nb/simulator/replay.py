"""A recording as a stream's log: its own records, byte for byte, at its own or another pace."""

import gzip
import zlib
from bisect import bisect_right
from itertools import accumulate
from pathlib import Path
from typing import Literal

import msgspec

from livestream_nb.checks import is_number
from livestream_nb.errors import InvalidOption, RecordingError
from livestream_nb.simulator.frames import Identity

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
    if pace != "original" and not (is_number(pace) and pace > 0):
        raise InvalidOption.value("pace", pace, 'give "original" or service seconds above 0')
    if pace != "original" and hits is None:
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

    def logged(self, elapsed: float) -> int:
        """How many hits the log holds so many seconds after it began."""
        return bisect_right(self._entered, elapsed)

    def lines(self, first: int, end: int, _began: float) -> bytes:
        """Return the records from ``first`` up to, not with, ``end``, CRLF after each."""
        return b"".join([record + b"\r\n" for record in self._records[first:end]])

    def identities(self, first: int, end: int, began: float) -> list[Identity]:
        """Tell the hits from ``first`` up to, not with, ``end`` apart."""
        return [
            Identity(
                hit.high, hit.low, hit.visitor_high, hit.visitor_low, hit.time, began + entered
            )
            for hit, entered in zip(self._hits[first:end], self._entered[first:end], strict=True)
        ]


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
