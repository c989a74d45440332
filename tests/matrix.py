"""The fault matrix: a row of it, the scene it is played in, and what is claimed of every row."""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

import polars as pl
import pytest

from livestream_nb import Clock, Reader, ServerToServer, Simulator
from livestream_nb.errors import StreamFailed
from tests.plain import PATH, Client, until
from tests.scripted import Answer, Scripted

SPEED = 120.0
RATE = 10.0
SOON = 20.0
FLOOR = 60.0
AT_ONCE = 0.2
BESIDE_A_SIMULATOR = 1.0  # which shares the interpreter, and runs 120 times as fast
IN_SOCKETS = 0.5  # real seconds that bytes may have been under way when a connection was lost
RETENTION = timedelta(seconds=300)
ROUNDING = 1.0
HOLDS_SLOT = ("dropped", "closed", "corrupt", "refused", "throttled", "failing", "unavailable")
ID = ["hitIdHigh", "hitIdLow"]


@dataclass(frozen=True)
class Row:
    """One row of the matrix: what is done to a reader, and what is expected of it.

    Attributes
    ----------
    name : str
        What goes wrong.
    story : callable
        Does it; it is given the scene, and begins by starting the reader.
    lanes : str or tuple of str
        A pattern of each connection's states, ``state:reason:status``, until the reader is stopped.
    gaps : tuple of str
        A pattern of each expected gap's verdict, in order; one that matches nothing need not be.
    loses : str
        ``nothing``; what was ``expired``, older than the retention at the resume; or what was
        ``taken`` by another consumer. Hits of an outage that still lasts are not asked for.
    quarantined, duplicates : int
        Exactly so many records that cannot be read, and at least so many repeats.
    final : str
        The state in the end.
    company : bool
        Whether another consumer takes part.
    service, reader : mapping
        Options of the simulator and of the reader.
    script : tuple of Answer
        Instead of a simulator: what a scripted service answers.
    ids : tuple of int
        Of a scripted service: the hits that there are.
    """

    name: str
    story: Callable[["Scene"], object]
    lanes: str | tuple[str, ...]
    gaps: tuple[str, ...] = ()
    loses: str = "nothing"
    quarantined: int = 0
    duplicates: int = 0
    final: str = "streaming"
    company: bool = False
    service: Mapping[str, Any] = field(default_factory=dict)
    reader: Mapping[str, Any] = field(default_factory=dict)
    script: tuple[Answer, ...] = ()
    ids: tuple[int, ...] = ()


class Scene:
    """What a story has at hand: a service, its reader, other clients, and patches of a test."""

    def __init__(self, row: Row, stack: ExitStack, patch: pytest.MonkeyPatch) -> None:
        self.row = row
        self.patch = patch
        self._stack = stack
        if row.script:
            self.script = stack.enter_context(Scripted(*row.script))
            self.clock = Clock(SPEED)
        else:
            options = {"speed": SPEED, "rate": RATE} | row.service
            self.sim = stack.enter_context(Simulator(**options))
            self.clock = self.sim.clock
        self.at_end = stack.callback
        self.reader: Reader

    def start(self, **options: Any) -> Reader:
        """Start the reader; these options go before the row's."""
        given = {"seed": 1} | self.row.reader | options
        if self.row.script:
            there = {"token": "canary", "clock": self.clock}
            self.reader = Reader(self.script.url, **(there | given))
        else:
            self.reader = self.sim.reader(**given)
        self._stack.callback(self.reader.stop)
        return self.reader.start()

    def read(self, **options: Any) -> Reader:
        """Start the reader, and let some hits come."""
        self.start(**options)
        self.opened(1)
        return self.more()

    def more(self) -> Reader:
        """Let some more hits come."""
        return self.reader.wait(hits=self.reader.status.hits + 100, timeout=SOON)

    def opened(self, times: int) -> None:
        """Wait until streams were opened so often."""
        until(lambda: self.count("streaming:opened") >= times, SOON)

    def reached(self, state: str, times: int = 1) -> None:
        """Wait until a state was entered so often."""
        until(lambda: self.count(state) >= times, SOON)

    def count(self, state: str) -> int:
        """How often a state was entered."""
        return " ".join(lanes(self.reader).values()).count(state)

    def pass_time(self, seconds: float) -> None:
        """Wait until so many service seconds have passed."""
        end = self.clock.monotonic() + seconds
        until(lambda: self.clock.monotonic() >= end, SOON)

    def client(self, connections: int = 1) -> Client:
        """Another consumer of the same stream."""
        path = f"{PATH}?maxConnections={connections}"
        return self._stack.enter_context(closing(Client(self.sim, path)))

    def credentials(self) -> ServerToServer:
        """The client of the simulator's token service."""
        sim = self.sim
        return ServerToServer(sim.client_id, sim.client_secret, "openid", token_url=sim.token_url)


@dataclass(frozen=True)
class Seen:
    """What there was in the end, before the reader was stopped, and how that went."""

    scene: Scene
    lanes: dict[int, str]
    timeline: pl.DataFrame
    gaps: pl.DataFrame
    hits: pl.DataFrame
    truth: pl.DataFrame
    words: list[str]
    status: Any
    stopping: float
    ends: dict[int, str]

    @cached_property
    def missing(self) -> list[datetime]:
        """When the hits that did not come entered the log."""
        return missing(self.scene.row, self.timeline, self.hits, self.truth)

    @cached_property
    def log(self) -> list[dict[str, Any]]:
        return [] if self.scene.row.script else list(self.scene.sim.log.iter_rows(named=True))


def play(row: Row, patch: pytest.MonkeyPatch) -> None:
    """Play a row, and check every claim of it; a failure says which ones broke."""
    with ExitStack() as stack:
        scene = Scene(row, stack, patch)
        try:
            row.story(scene)
        except (AssertionError, StreamFailed, TimeoutError) as error:
            there = lanes(scene.reader) if hasattr(scene, "reader") else "no reader yet"
            error.add_note(f"{row.name}: the story came no further than {there}")
            raise
        broken = list(broken_claims(row, settle(scene)))
    assert not broken, "\n".join([f"{row.name}:", *broken])


def settle(scene: Scene) -> Seen:
    """Let everything come that can still come; look at all there is, and stop the reader."""
    reader, truth = scene.reader, all_hits(scene)
    with suppress(AssertionError):  # the claims tell what has not come
        until(lambda: complete(scene, truth), SOON)
    timeline, status = reader.timeline(), reader.status
    words = [*timeline["sentence"], status.reason, repr(reader)]
    seen = {
        "lanes": lanes(reader),
        "timeline": timeline,
        "gaps": reader.gaps(),
        "hits": reader.hits(),
        "words": words,
        "status": status,
    }
    began = time.perf_counter()
    reader.stop()
    stopping = time.perf_counter() - began
    return Seen(scene, truth=truth, stopping=stopping, ends=lanes(reader), **seen)


def all_hits(scene: Scene) -> pl.DataFrame:
    if not scene.row.script:
        scene.sim.go_quiet()
        return scene.sim.truth()
    low = pl.Series("hitIdLow", scene.row.ids, pl.UInt64)
    return pl.DataFrame([low]).select(hitIdHigh=pl.lit(2**63, pl.UInt64) + low, hitIdLow=low)


def complete(scene: Scene, truth: pl.DataFrame) -> bool:
    row, reader = scene.row, scene.reader
    absent = missing(row, reader.timeline(), reader.hits(columns=ID), truth)
    status = reader.status
    there = status.state == row.final and status.quarantined >= row.quarantined
    return there and not owed(row, absent, reader.gaps(), scene.clock.rate)


def lanes(reader: Reader) -> dict[int, str]:
    """The states of each connection, in words."""
    found: dict[int, list[str]] = {}
    for entry in reader.timeline().iter_rows(named=True):
        status = f":{entry['status']}" if entry["status"] else ""
        found.setdefault(entry["connection"], []).append(
            f"{entry['state']}:{entry['reason']}{status}"
        )
    return {number: " ".join(states) for number, states in sorted(found.items())}


def missing(
    row: Row, timeline: pl.DataFrame, hits: pl.DataFrame, truth: pl.DataFrame
) -> list[datetime]:
    """When the hits entered the log that are not there; in company, those since all were open."""
    absent = truth.join(hits, on=ID, how="anti")
    if "logged" not in absent.columns:
        return [datetime.min.replace(tzinfo=UTC)] * absent.height
    opened = timeline.filter(reason="opened").group_by("connection").agg(pl.col("started").min())
    since = opened["started"].max() if row.company else None
    return [at for at in absent["logged"] if since is None or at >= since]


def owed(row: Row, absent: list[datetime], gaps: pl.DataFrame, rate: float) -> list[datetime]:
    """Which of the missing hits no reported gap excuses."""
    under_way = timedelta(seconds=IN_SOCKETS * rate)
    spans = [
        (lost - under_way, excused_until(row.loses, lost - under_way, resumed))
        for lost, resumed in gaps.select("lost_at", "resumed_at").iter_rows()
    ]
    return [at for at in absent if not any(start <= at < end for start, end in spans)]


def excused_until(loses: str, start: datetime, resumed: datetime | None) -> datetime:
    """Up to when a hit may have entered the log that a gap excuses."""
    if resumed is None:
        return datetime.max.replace(tzinfo=UTC)
    return {"nothing": start, "expired": resumed - RETENTION, "taken": resumed}[loses]


def expected_states(row: Row, seen: Seen) -> str:
    wanted = (row.lanes,) if isinstance(row.lanes, str) else row.lanes
    found = tuple(seen.lanes.values())
    fits = len(found) == len(wanted) and all(map(re.fullmatch, wanted, found))
    return "" if fits else f"{found} instead of {wanted}"


def final_state(row: Row, seen: Seen) -> str:
    return "" if seen.status.state == row.final else seen.status.state


def nothing_lost(row: Row, seen: Seen) -> str:
    late = owed(row, seen.missing, seen.gaps, seen.scene.clock.rate)
    if late:
        return f"{len(late)} hits, logged {min(late)} to {max(late)}; gaps: {seen.gaps.rows()}"
    if row.loses != "nothing" and not seen.missing:
        return "nothing was lost here, so this row shows nothing"
    return ""


def nothing_twice(_: Row, seen: Seen) -> str:
    twice = seen.hits.filter(pl.struct(ID).is_duplicated())
    return f"{twice.height} rows" if twice.height else ""


def nothing_made_up(_: Row, seen: Seen) -> str:
    strange = seen.hits.join(seen.truth, on=ID, how="anti")
    return f"{strange.height} hits that the service never had" if strange.height else ""


def gaps_are_told(row: Row, seen: Seen) -> str:
    verdicts = seen.gaps["verdict"].to_list()
    verdicts += [""] * (len(row.gaps) - len(verdicts))
    fits = len(verdicts) == len(row.gaps) and all(map(re.fullmatch, row.gaps, verdicts))
    return "" if fits else f"{seen.gaps.rows()} instead of {row.gaps}"


def no_false_comfort(_: Row, seen: Seen) -> str:
    spans = seen.gaps.filter(verdict="covered").select("lost_at", "resumed_at").rows()
    lost = [at for at in seen.missing if any(start <= at < end for start, end in spans)]
    return f"{len(lost)} hits lost there: {spans}" if lost else ""


def counted(row: Row, seen: Seen) -> str:
    quarantined, duplicates = seen.status.quarantined, seen.status.duplicates
    if quarantined == row.quarantined and duplicates >= row.duplicates:
        return ""
    return f"{quarantined} quarantined, {duplicates} duplicates"


def floor_of_each_slot(_: Row, seen: Seen) -> str:
    """By the reader's own timeline."""
    ended: dict[int, datetime] = {}
    for entry in seen.timeline.iter_rows(named=True):
        number, began = entry["connection"], entry["started"]
        if entry["state"] == "cooldown" and entry["reason"] in HOLDS_SLOT:
            ended[number] = began
        elif entry["state"] == "connecting" and number in ended:
            waited = (began - ended[number]).total_seconds()
            if waited < FLOOR - ROUNDING:
                return f"connection {number} connected after {waited:.1f} s"
    return ""


def floor_by_the_log(row: Row, seen: Seen) -> str:
    """By the service's log: from what the service ended or refused to the next request."""
    ended: datetime | None = None
    for entry in [] if row.company or len(seen.lanes) > 1 else seen.log:
        if entry["stream"] is None:
            continue
        if entry["event"] in ("connected", "refused") and ended:
            waited = (entry["time"] - ended).total_seconds()
            if waited < FLOOR:
                return f"a request {waited:.1f} s after the last one ended"
        if entry["event"] in ("dropped", "cut", "reset", "stopped") or holds(entry["status"]):
            ended = entry["time"]
    return ""


def holds(status: int | None) -> bool:
    return status in (409, 429, 500, 502, 503, 504)


def connects_apart(_: Row, seen: Seen) -> str:
    began = seen.timeline.filter(state="connecting")["started"].sort().diff().drop_nulls()
    several = len(seen.lanes) > 1
    close = [each for each in began if several and each < timedelta(seconds=5 - ROUNDING)]
    return f"{close} between two" if close else ""


def no_churn(row: Row, seen: Seen) -> str:
    churned = [each["detail"] for each in seen.log if each["detail"].startswith("churn")]
    return str(churned) if churned and not row.company else ""


def sane_words(row: Row, seen: Seen) -> str:
    token = "canary" if row.script else seen.scene.sim.token
    wrong = [text for text in seen.words if not text.isprintable() or not text or token in text]
    return repr(wrong) if wrong else ""


def quick_stop(row: Row, seen: Seen) -> str:
    limit = AT_ONCE if row.script else BESIDE_A_SIMULATOR
    return "" if seen.stopping < limit else f"{seen.stopping:.3f} s"


def stop_is_told(_: Row, seen: Seen) -> str:
    last = [states.rpartition(" ")[2] for states in seen.ends.values()]
    told = all(state == "stopped:asked" or state.startswith("failed") for state in last)
    return "" if told else str(last)


CLAIMS: dict[str, Callable[[Row, Seen], str]] = {
    "the timeline shows the expected states": expected_states,
    "it ends in the expected state": final_state,
    "nothing is lost that the service still had": nothing_lost,
    "nothing is delivered twice": nothing_twice,
    "nothing is made up": nothing_made_up,
    "gaps are told where something may be lost, and nowhere else": gaps_are_told,
    "nothing is lost in a gap that is called covered": no_false_comfort,
    "records that cannot be read, and repeats, are counted": counted,
    "60 s pass before a slot is asked for again": floor_of_each_slot,
    "60 s pass by the service's log": floor_by_the_log,
    "connects of several slots are 5 s apart": connects_apart,
    "the reader never churns": no_churn,
    "sentences are for people, and show no token": sane_words,
    "stop() is quick": quick_stop,
    "the timeline tells the stop": stop_is_told,
}


def broken_claims(row: Row, seen: Seen) -> Iterator[str]:
    for name, claim in CLAIMS.items():
        found = claim(row, seen)
        if found:
            yield f"  broken: {name}. Seen: {found}"
