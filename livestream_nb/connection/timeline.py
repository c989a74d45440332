"""The journal of a reader's connections: append only, one entry per change of state.

Every view of the connection derives from these entries: a state lasts until the next entry of the
same connection. Entries are appended by the reader's thread and may be read from any other.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

import polars as pl

from livestream_nb.connection.sentences import with_wait
from livestream_nb.protocol.status import Cause


class Phase(StrEnum):
    """The states of a connection."""

    CONNECTING = "connecting"
    STREAMING = "streaming"
    STALLED = "stalled"
    COOLDOWN = "cooldown"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True)
class Transition:
    """One connection entering a state.

    Attributes
    ----------
    connection : int
        Which slot, from 1.
    state : Phase
        The state that begins.
    at : float
        When, in Unix seconds of service time.
    reason : Cause
        Why it begins, in one word.
    sentence : str
        Why it begins, for a person.
    status : int or None
        The HTTP status that brought it about.
    attempt : int
        The request that this state belongs to, counted since the stream was last open.
    until : float or None
        When the next attempt comes, for a cooldown.
    heard : float or None
        When bytes last came by the connection that ended, if it may have been dead since.
    """

    connection: int
    state: Phase
    at: float
    reason: Cause
    sentence: str
    status: int | None = None
    attempt: int = 0
    until: float | None = None
    heard: float | None = None

    def told(self, now: float) -> str:
        """The sentence, with how long it is from ``now`` until the next attempt, if one comes."""
        return with_wait(self.sentence, None if self.until is None else self.until - now)


SCHEMA = pl.Schema(
    {
        "connection": pl.UInt8(),
        "state": pl.Enum([phase.value for phase in Phase]),
        "started": pl.Datetime("us", "UTC"),
        "ended": pl.Datetime("us", "UTC"),
        "seconds": pl.Float64(),
        "reason": pl.String(),
        "status": pl.Int16(),
        "attempt": pl.UInt32(),
        "sentence": pl.String(),
        "heard": pl.Datetime("us", "UTC"),
    }
)

MOMENTS = ("started", "ended", "heard")
_WRITTEN = {
    name: pl.Int64() if name in MOMENTS else dtype
    for name, dtype in SCHEMA.items()
    if name != "seconds"
}
ENDED = list(_WRITTEN).index("ended")


class Timeline:
    """What became of each connection."""

    def __init__(self) -> None:
        self._entries: list[Transition] = []
        self._known = (0, states(()))

    def record(self, entry: Transition) -> Transition:
        """Append one change of state; no earlier than the last, though a clock be set back."""
        last = max((each.at for each in self._entries[-1:]), default=entry.at)
        entry = replace(entry, at=max(entry.at, last))
        self._entries.append(entry)
        return entry

    def entries(self) -> tuple[Transition, ...]:
        """Every change so far, oldest first."""
        return tuple(self._entries)

    def states(self) -> pl.DataFrame:
        """The states as rows, without ``seconds``: the same frame until something changes."""
        entries = self.entries()
        many, frame = self._known
        if many != len(entries):
            frame = states(entries)
            self._known = (len(entries), frame)
        return frame

    def frame(self, now: float) -> pl.DataFrame:
        """The states as rows; ``seconds`` of an open one are counted to ``now``."""
        moment = pl.lit(_microseconds(now)).cast(SCHEMA["ended"])
        lasted = pl.col("ended").fill_null(moment) - pl.col("started")
        seconds = lasted.dt.total_microseconds().clip(lower_bound=0) / 1e6
        return self.states().with_columns(seconds=seconds).select(SCHEMA.names())


def states(entries: Iterable[Transition]) -> pl.DataFrame:
    """Changes of state → states with a start and an end, oldest first."""
    rows: list[list[object]] = []
    latest: dict[int, list[object]] = {}
    for entry in entries:
        at = _microseconds(entry.at)
        if entry.connection in latest:
            latest[entry.connection][ENDED] = at
        heard = None if entry.heard is None else _microseconds(entry.heard)
        row: list[object] = [
            entry.connection,
            entry.state.value,
            at,
            None,
            entry.reason.value,
            entry.status,
            entry.attempt,
            entry.told(entry.at),
            heard,
        ]
        latest[entry.connection] = row
        rows.append(row)
    columns = zip(*rows, strict=True) if rows else ([] for _ in _WRITTEN)
    frame = pl.DataFrame(dict(zip(_WRITTEN, columns, strict=True)), schema=_WRITTEN)
    return frame.cast({name: SCHEMA[name] for name in MOMENTS})


def _microseconds(seconds: float) -> int:
    return round(seconds * 1e6)
