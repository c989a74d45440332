"""The truth about outages: when a connection was lost, and what that may have cost. Pure.

After a short disconnect Livestream resumes where it stopped, "within a few minutes" (Adobe's
Livestream pages; no number is published). Where the lines between the verdicts lie is this
package's decision: below 180 seconds an outage counts as covered, to 300 as uncertain, beyond as
likely lost. Nothing is covered before the stream is open again. One thing proves an outage covered
whatever its length: soon after the resume comes a hit again that the lost spell had brought. Then
the service went back to a point before the loss, so nothing was skipped. (A spell is the time
from one opening of a connection to its loss.)

Another consumer that takes the slot meanwhile takes its hits with it. A 409 is a sign of one, as it
may be of one's own ghost: then length alone covers nothing. One that came and went between two
attempts leaves no sign.

A connection that died without a word counts as lost when bytes last came by it. One that came back
with ``reset=largest`` or ``latest`` left out what came meanwhile, however short that was.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import polars as pl

from livestream_nb.measures import OPEN

COVERED = 180.0
UNCERTAIN = 300.0
RATE_WINDOW = timedelta(minutes=5)
REPEATS_WITHIN = timedelta(minutes=1)
GRAIN = timedelta(seconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
# The counters of the last 24 hours, of which the first second may be gone.
COUNTED = timedelta(hours=24) - GRAIN

SCHEMA = pl.Schema(
    {
        "connection": pl.UInt8(),
        "lost_at": pl.Datetime("us", "UTC"),
        "resumed_at": pl.Datetime("us", "UTC"),
        "seconds": pl.Float64(),
        "last_received": pl.Datetime("us", "UTC"),
        "first_received": pl.Datetime("us", "UTC"),
        "verdict": pl.Enum(["covered", "uncertain", "likely lost"]),
        "estimated_hits": pl.UInt64(),
    }
)


@dataclass
class Outage:
    """Between the end of one spell and the start of the next.

    ``resumed`` is None while there is no next one, ``stopped`` is set when the reader was stopped
    before there was, ``refused`` when all slots were taken meanwhile, and ``skipped`` when the next
    one began at its own time (``reset``).
    """

    connection: int
    opened: datetime
    lost: datetime
    resumed: datetime | None = None
    stopped: datetime | None = None
    refused: bool = False
    skipped: bool = False

    def seconds(self, now: datetime) -> float:
        """How long it lasted, or has lasted so far."""
        length = (self.resumed or self.stopped or now) - self.lost
        return max(0.0, length.total_seconds())

    def age(self, now: datetime) -> float:
        """How long its first hits have waited; they also age while the reader is stopped."""
        return ((self.resumed or now) - self.lost).total_seconds()

    def verdict(self, now: datetime, *, proven: bool) -> str:
        """What became of the hits meanwhile."""
        age = self.age(now)
        if proven or (self.resumed and age < COVERED and not (self.refused or self.skipped)):
            return "covered"
        return "uncertain" if age <= UNCERTAIN and not self.skipped else "likely lost"


class Received:
    """The new hits of one connection, by second; ``seconds`` as for :func:`gaps`."""

    def __init__(self, seconds: pl.DataFrame, connection: int) -> None:
        of_it = (pl.col("connection") == connection) & (pl.col("hits") > 0)
        counted = seconds.filter(of_it).sort("time")
        self._times = counted["time"]
        self._begun = self._times.to_physical().to_list()
        self._sums: list[int] = [0, *counted["hits"].cum_sum()]

    def last(self, moment: datetime) -> datetime | None:
        """The latest second with hits that begins no later than this moment."""
        index = self._until(moment)
        return self._times[index - 1] if index else None

    def first(self, moment: datetime) -> datetime | None:
        """The earliest second with hits that ends after this moment."""
        index = self._until(moment - GRAIN)
        return self._times[index] if index < len(self._times) else None

    def between(self, start: datetime, end: datetime) -> int:
        """How many came in all seconds that overlap with these moments."""
        return self._sums[self._until(end)] - self._sums[self._until(start - GRAIN)]

    def _until(self, moment: datetime) -> int:
        """How many seconds begin no later than this moment."""
        return bisect_right(self._begun, (moment - EPOCH) // MICROSECOND)


def gaps(
    timeline: pl.DataFrame, seconds: pl.DataFrame, repeats: pl.DataFrame, *, now: datetime
) -> pl.DataFrame:
    """The outages of each connection, and what they may have cost.

    Parameters
    ----------
    timeline : DataFrame
        The connection's states, as of ``Reader.timeline()``.
    seconds : DataFrame
        Counters of the last 24 hours: ``time``, ``connection``, ``hits``.
    repeats : DataFrame
        ``connection``, ``opened``, ``time``: when a hit came again that the spell of this
        connection opened then had brought last.
    now : datetime
        To when an outage that still lasts is counted.

    Returns
    -------
    DataFrame
        One row per outage, by ``lost_at``; being stopped is one only when the reader went on later,
        and a connection that has not come three minutes after the first one was away since then.
        ``connection`` (UInt8); ``lost_at``, ``resumed_at`` (Datetime µs UTC; null unless the
        stream is open again); ``seconds`` (Float64, to the resume, the stop or now);
        ``last_received``, ``first_received`` (Datetime µs UTC, to the second: the new hits around
        it); ``verdict`` (Enum: covered, uncertain, likely lost); ``estimated_hits`` (UInt64): the
        rate of the five minutes before, times the seconds; what was at stake, not what is known to
        be lost. What the counters do not reach, or never reached, is null.
    """
    proofs = _proofs(repeats)
    began = next(iter(timeline.filter(pl.col("state").is_in(OPEN))["started"].sort()), None)
    rows: list[dict[str, object]] = []
    for (connection,), states in timeline.group_by("connection", maintain_order=True):
        received = Received(seconds, connection)
        late = [] if began is None else _late(connection, began, states, now)
        rows += _rows([*late, *_outages(states)], received, proofs, now)
    return pl.DataFrame(rows, schema=SCHEMA).sort("lost_at", "connection")


Proofs = dict[tuple[int, datetime], list[datetime]]


def _proofs(repeats: pl.DataFrame) -> Proofs:
    """When hits came again, by the spell that had brought them."""
    found: Proofs = {}
    for connection, opened, time in repeats.select("connection", "opened", "time").iter_rows():
        found.setdefault((connection, opened), []).append(time)
    return found


def _late(connection: int, began: datetime, states: pl.DataFrame, now: datetime) -> list[Outage]:
    """That a connection came minutes after the first one, or not at all: its hits wait so long."""
    opened = next(iter(states.filter(pl.col("state").is_in(OPEN))["started"]), None)
    stopped = None if opened else _stopped(states)
    outage = Outage(connection, began, began, opened, stopped)
    return [outage] if outage.age(now) >= COVERED else []


def _outages(states: pl.DataFrame) -> list[Outage]:
    """The outages of one connection; a stop of an open stream that was not resumed is none."""
    found: list[Outage] = []
    opened = None
    columns = ("connection", "state", "started", "reason", "heard")
    for connection, state, started, reason, heard in states.select(columns).iter_rows():
        if state in OPEN and opened is None:
            opened = started
            if found:
                found[-1].resumed, found[-1].skipped = opened, reason == "skipped"
        elif state not in OPEN and opened is not None:
            found.append(Outage(connection, opened, max(opened, heard or started)))
            opened = None
        if found and opened is None:
            found[-1].refused |= reason == "refused"
    if found:
        found[-1].stopped = _stopped(states)
    return [outage for outage in found if outage.stopped != outage.lost]


def _stopped(states: pl.DataFrame) -> datetime | None:
    """Since when a connection has been stopped; None when it is not."""
    stopped: datetime | None = None
    for state, started in states.select("state", "started").iter_rows():
        stopped = (stopped or started) if state == "stopped" else None
    return stopped


def _rows(
    outages: list[Outage], received: Received, proofs: Proofs, now: datetime
) -> Iterator[dict[str, object]]:
    judged = [(each, each.verdict(now, proven=_proven(each, proofs))) for each in outages]
    for index, (outage, verdict) in enumerate(judged):
        since, read = _read_before(outage, reversed(judged[:index]), outages[0].opened)
        rate = received.between(since, outage.lost) / max(1.0, read)
        length, known = outage.seconds(now), outage.opened < outage.lost
        yield {
            "connection": outage.connection,
            "lost_at": outage.lost,
            "resumed_at": outage.resumed,
            "seconds": length,
            "last_received": received.last(outage.lost),
            "first_received": _first_received(outage, received, now),
            "verdict": verdict,
            "estimated_hits": round(rate * length) if known and since >= now - COUNTED else None,
        }


def _proven(outage: Outage, proofs: Proofs) -> bool:
    resumed = outage.resumed
    times = proofs.get((outage.connection, outage.opened), [])
    return resumed is not None and any(resumed <= at <= resumed + REPEATS_WITHIN for at in times)


def _first_received(outage: Outage, received: Received, now: datetime) -> datetime | None:
    resumed = outage.resumed
    if resumed is None or resumed < now - COUNTED:
        return None
    return received.first(resumed)


def _read_before(
    lost: Outage, earlier: Iterable[tuple[Outage, str]], first_opened: datetime
) -> tuple[datetime, float]:
    """Since when hits count for an outage's rate, and the seconds that they stand for.

    That is the five minutes before, or as much as there was. The hits of a covered outage came
    after it, so it counts as read, and as a whole; those of any other may never have come.
    ``earlier`` are the outages before with their verdicts, the latest first.
    """
    since = max(first_opened, (lost.lost - RATE_WINDOW).replace(microsecond=0))
    away = timedelta()
    for outage, verdict in earlier:
        if outage.resumed is None or outage.resumed < since:
            break
        if verdict == "covered":
            since = min(since, outage.lost)
        else:
            away += outage.resumed - max(since, outage.lost)
    return since, (lost.lost - since - away).total_seconds()
