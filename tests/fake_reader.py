"""A reader without a network: exactly what a dashboard asks of one, from a script of states."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import polars as pl

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
STATES = pl.Enum(["connecting", "streaming", "stalled", "cooldown", "stopped", "failed"])
TIMELINE = {
    "connection": pl.UInt8,
    "state": STATES,
    "started": pl.Datetime("us", "UTC"),
    "ended": pl.Datetime("us", "UTC"),
    "seconds": pl.Float64,
    "reason": pl.String,
    "status": pl.Int16,
    "attempt": pl.UInt32,
    "sentence": pl.String,
}
THROUGHPUT = {
    "time": pl.Datetime("us", "UTC"),
    "connection": pl.UInt8,
    "hits": pl.UInt64,
    "bytes": pl.UInt64,
    "duplicates": pl.UInt64,
    "quarantined": pl.UInt64,
}
DROPPED = "The connection was dropped; waiting about 60 s so that the service notices."
REFUSED = "Refused (409): the service still counts the dropped connection as open."
STORY = (
    (0, "connecting", "asked", None, 1, "Connecting to the stream."),
    (1, "streaming", "opened", 200, 1, "Connected; hits arrive."),
    (90, "cooldown", "dropped", None, 1, DROPPED),
    (155, "connecting", "asked", None, 2, "Connecting again."),
    (156, "cooldown", "refused", 409, 2, REFUSED),
    (240, "connecting", "asked", None, 3, "Connecting again."),
    (241, "streaming", "opened", 200, 3, "Connected; hits arrive."),
)


def at(seconds: float) -> datetime:
    """Return the moment so many seconds into the story."""
    return START + timedelta(seconds=seconds)


def timeline(now: float = 300, story: tuple = STORY, connection: int = 1) -> pl.DataFrame:
    """Return the states that began by ``now``, the last one open."""
    begun = [entry for entry in story if entry[0] <= now]
    ends = [*(entry[0] for entry in begun[1:]), None][: len(begun)]
    rows = [
        {
            "connection": connection,
            "state": state,
            "started": at(start),
            "ended": None if end is None else at(end),
            "seconds": (now if end is None else end) - start,
            "reason": reason,
            "status": status,
            "attempt": attempt,
            "sentence": sentence,
        }
        for (start, state, reason, status, attempt, sentence), end in zip(begun, ends, strict=True)
    ]
    return pl.DataFrame(rows, schema=TIMELINE)


def throughput(now: int = 300, connection: int = 1, step: int = 1) -> pl.DataFrame:
    """Return 40 to 60 hits for every connected second but 20 to 24, which have none."""
    seconds = [s for s in [*range(1, 90), *range(241, now)] if s < now and s % step == 0]
    hits = [0 if 20 <= s < 25 else 40 + (s * 5 % 21) for s in seconds]
    rows = [
        {"time": at(s), "connection": connection, "hits": h * step, "bytes": h * 900}
        | {"duplicates": 0, "quarantined": 0}
        for s, h in zip(seconds, hits, strict=True)
    ]
    return pl.DataFrame(rows, schema=THROUGHPUT)


def lag(now: int = 300, step: int = 1) -> pl.DataFrame:
    """Return a median of 30 to 32 seconds for every second with hits, and 40 to 42 for 95 %."""
    seconds = throughput(now, step=step).filter(pl.col("hits") > 0)
    late = pl.col("time").dt.second() % 3
    return seconds.select("time", "hits", median=30.0 + late, p95=40.0 + late, longest=44.0 + late)


def unix(times: pl.Series) -> pl.Series:
    """Return moments as Unix seconds."""
    return times.dt.epoch("s")


PAGES = ["home:Home", "shop:Shoes", "cart:Cart"]
HITS = pl.DataFrame(
    {
        "pageName": [PAGES[n * n % 7 % 3] for n in range(600)],
        "geoCountry": [None if n % 4 else "che" for n in range(600)],
        "mvvar1": [["a", "b"] if n % 2 else [] for n in range(600)],
        "products": [[{"name": "Shoe"}] for _ in range(600)],
    }
)


@dataclass(frozen=True)
class FakeStatus:
    state: str = "streaming"
    since: datetime | None = START + timedelta(seconds=241)
    silent_for: float | None = 0.2
    next_attempt: datetime | None = None
    reason: str = "Connected; hits arrive."
    hits: int = 12_345
    recording: None = None
    duplicates: int = 12
    connections: int = 1
    transitions: int = 7

    def counted(self) -> dict[str, str]:
        return {"hits": f"{self.hits:,}", "duplicates": f"{self.duplicates:,}"}


@dataclass
class FakeClock:
    now: float = 300.0
    rate: float = 1.0

    def utc(self) -> float:
        return at(self.now).timestamp()

    def monotonic(self) -> float:
        return self.now

    def real(self, seconds: float) -> float:
        return seconds / self.rate


@dataclass
class FakeReader:
    status: FakeStatus = field(default_factory=FakeStatus)
    clock: FakeClock = field(default_factory=FakeClock)
    tz: str = "UTC"
    name: str = "demo"
    states: pl.DataFrame | None = None
    rows: pl.DataFrame = field(default_factory=lambda: HITS)
    calls: list[str] = field(default_factory=list)

    def __repr__(self) -> str:
        return f"<Reader {self.status.state}, {self.status.hits:,} hits>"

    def throughput(self) -> pl.DataFrame:
        return throughput(int(self.clock.now))

    def lag(self) -> pl.DataFrame:
        return lag(int(self.clock.now))

    @property
    def _now(self) -> datetime:
        return datetime.fromtimestamp(self.clock.utc(), UTC)

    def _recent_counts(self, since: float) -> list[tuple[int, int, int]]:
        self.calls.append("throughput")
        rows = self.throughput().filter(pl.col("hits") > 0)
        seconds = zip(unix(rows["time"]), rows["connection"], rows["hits"], strict=True)
        return [row for row in seconds if row[0] >= since]

    def _recent_delays(self, since: float) -> list[tuple[int, float, int]]:
        """Nine of ten hits come with the median delay, the others with that of 95 %."""
        self.calls.append("lag")
        rows = self.lag()
        most = (0.9 * rows["hits"]).ceil().cast(pl.Int64)
        rest = rows["hits"].cast(pl.Int64) - most
        seconds = unix(rows["time"])
        parts = ((rows["median"], most), (rows["p95"], rest))
        found = [row for part in parts for row in zip(seconds, *part, strict=True)]
        return [row for row in found if row[0] >= since]

    def timeline(self) -> pl.DataFrame:
        self.calls.append("timeline")
        return timeline(self.clock.now) if self.states is None else self.states

    def lazy(self) -> pl.LazyFrame:
        return self.rows.lazy()

    def _values(self, column: str, last: timedelta | None = None) -> pl.Series:
        self.calls.append("hits")
        return self.rows[column]

    def start(self) -> "FakeReader":
        self.calls.append("start")
        self.status = replace(self.status, state="streaming", reason="Connected; hits arrive.")
        return self

    def stop(self) -> None:
        self.calls.append("stop")
        self.status = replace(self.status, state="stopped", reason="You stopped the stream.")
