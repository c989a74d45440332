"""The main job, on the embedded simulator, in seconds: stream, lose the connection, recover.

The reader's policy is the default one, unchanged; only the clock runs faster. The drop leaves a
ghost that lives longer than usual, so that even a patient reader meets one 409. Whether a hit was
lost or delivered twice is judged by comparing what was received with what the simulator emitted,
and whether the floor held by the simulator's own log.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl

from livestream_nb.embedded import Simulator
from livestream_nb.errors import InvalidOption, StreamFailed, WaitTimeout
from livestream_nb.reader import Reader

SHORTEST, LONGEST = 6, 600
COOLDOWN = 60.0
GHOST = 80.0
SERVICE_SECONDS = 800.0
SLOWEST, FASTEST = 20.0, 40.0
DROP_AT = 0.25
REPLAY_UNTIL = 0.8
LAST_HITS_WITHIN = 10.0
TICK = 0.1

IDS = ("hitIdHigh", "hitIdLow")
VISITOR = ("visIdHigh", "visIdLow")
REQUESTS = ("connected", "refused")
ENDS = ("dropped", "reset", "left", "refused")


@dataclass(frozen=True)
class Outcome:
    """What came of a run.

    Attributes
    ----------
    emitted, received : int
        Distinct hits that the simulator emitted, and that are in the reader's frames.
    lost, twice : int
        Hits that are missing from the frames, and rows that are there more than once.
    duplicates, quarantined : int
        Repeats that the reader left out, and records that it could not read.
    visitors : int
        Distinct visitor ids received.
    first, last : datetime or None
        The earliest and the latest hit's own time.
    connects, refusals : int
        Requests sent, and those of them that were answered with 409.
    shortest_wait : float or None
        Service seconds from the end of a connection to the next request, at the least; as the
        simulator saw it.
    """

    emitted: int
    received: int
    lost: int
    twice: int
    duplicates: int
    quarantined: int
    visitors: int
    first: datetime | None
    last: datetime | None
    connects: int
    refusals: int
    shortest_wait: float | None

    @property
    def floor_held(self) -> bool:
        """Whether every request kept the cooldown."""
        return self.shortest_wait is None or self.shortest_wait >= COOLDOWN

    @property
    def sound(self) -> bool:
        """Whether nothing was lost, nothing delivered twice, and the floor held."""
        return self.lost == 0 and self.twice == 0 and self.floor_held


class Demo:
    """One run, and what it left behind: its simulator and its reader, both stopped at the end.

    Parameters
    ----------
    seconds : float
        Real seconds that the run lasts, 6 to 600.
    replay : Path, optional
        A recording to replay instead of made-up hits; it is squeezed into the run.

    Raises
    ------
    InvalidOption
        When the run would be too short or too long.
    RecordingError
        When the recording cannot be replayed.
    """

    def __init__(self, seconds: float = 20.0, replay: Path | None = None) -> None:
        if not SHORTEST <= seconds <= LONGEST:
            raise InvalidOption.value("seconds", seconds, f"give {SHORTEST} to {LONGEST}")
        speed = min(max(SERVICE_SECONDS / seconds, SLOWEST), FASTEST)
        self.length = seconds * speed
        self.simulator = (
            Simulator(speed=speed)
            if replay is None
            else Simulator(speed=speed, hits=replay, pace=self.length * REPLAY_UNTIL)
        )
        self.reader = self.simulator.reader()
        self._end: float | None = None

    @property
    def done(self) -> float:
        """How much of the run is over, from 0 to 1."""
        if self._end is None:
            return 0.0
        return min(1.0, 1.0 - (self._end - self.simulator.clock.monotonic()) / self.length)

    def run(self, tick: Callable[[], None]) -> Outcome:
        """Play the whole story; ``tick`` is called about ten times a second meanwhile."""
        with self.simulator, self.reader:
            asyncio.run(self._play(tick))
        return judge(self.simulator, self.reader)

    async def _play(self, tick: Callable[[], None]) -> None:
        ticking = asyncio.create_task(_tick(tick))
        try:
            await self._story()
        finally:
            ticking.cancel()
            tick()

    async def _story(self) -> None:
        clock = self.simulator.clock
        self._end = end = clock.monotonic() + self.length
        await self.reader.until(state="streaming", timeout=LAST_HITS_WITHIN)
        await clock.sleep(self.length * DROP_AT)
        self.simulator.drop(ghost=GHOST)
        await clock.sleep(end - clock.monotonic())
        self.simulator.go_quiet()
        await self._until_all_arrived()

    async def _until_all_arrived(self) -> None:
        emitted = distinct(self.simulator.truth())
        try:
            await self.reader.until(hits=emitted, timeout=LAST_HITS_WITHIN)
        except (WaitTimeout, StreamFailed):
            return  # what is missing is counted as lost


async def _tick(tick: Callable[[], None]) -> None:
    while True:
        tick()
        await asyncio.sleep(TICK)


def judge(simulator: Simulator, reader: Reader) -> Outcome:
    """Compare what was received with what was emitted."""
    truth, hits, log = simulator.truth(), reader.hits(), simulator.log
    status = reader.status
    return Outcome(
        emitted=distinct(truth),
        received=distinct(hits),
        lost=lost(truth, hits),
        twice=hits.height - distinct(hits),
        duplicates=status.duplicates,
        quarantined=status.quarantined,
        visitors=hits.n_unique(VISITOR),
        first=hits.select(pl.col("timeGMT").min()).item(),
        last=hits.select(pl.col("timeGMT").max()).item(),
        connects=status.connects,
        refusals=log.filter(pl.col("status") == 409).height,
        shortest_wait=shortest_wait(log),
    )


def distinct(hits: pl.DataFrame) -> int:
    """How many different hits these are; one without an id is like no other."""
    named = hits.drop_nulls(IDS)
    return named.n_unique(IDS) + hits.height - named.height


def lost(truth: pl.DataFrame, hits: pl.DataFrame) -> int:
    """How many of the emitted hits were not received; those without an id are only counted."""
    named, received = truth.drop_nulls(IDS).unique(IDS), hits.drop_nulls(IDS)
    nameless = distinct(truth) - named.height - (hits.height - received.height)
    return named.join(received, on=IDS, how="anti").height + max(0, nameless)


def shortest_wait(log: pl.DataFrame) -> float | None:
    """Service seconds from the end of a connection, or a refusal, to the next request.

    ``log`` is `Simulator.log`; None when there was no second request.
    """
    ended: datetime | None = None
    waits: list[float] = []
    for row in log.iter_rows(named=True):
        if row["event"] in REQUESTS and ended is not None:
            waits.append((row["time"] - ended).total_seconds())
        if row["event"] in ENDS:
            ended = row["time"]
    return min(waits, default=None)
