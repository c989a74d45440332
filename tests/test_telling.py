"""status.py: which of several connections a person should know of first, and all that is told"""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from livestream_nb.connection.timeline import Phase, Timeline, Transition
from livestream_nb.hits.batch import Totals
from livestream_nb.protocol.status import Cause
from livestream_nb.status import Status, status_of
from tests.fake_reader import FakeClock, at

C, S, Q = Phase.CONNECTING, Phase.STREAMING, Phase.STALLED
W, X, F = Phase.COOLDOWN, Phase.STOPPED, Phase.FAILED
TOTALS = Totals(
    hits=1_200, bytes=34_000, duplicates=5, quarantined=6, evicted=200, rows=1_000, without_id=0,
    unreadable={},
)  # fmt: skip


@dataclass
class Buffer:
    """A buffer that knows until when it has let hits go."""

    counted: Totals = TOTALS
    expired: float | None = None

    def expire(self, now: float) -> None:
        self.expired = now

    def totals(self) -> Totals:
        return replace(self.counted, rows=self.counted.rows if self.expired is None else 900)


@dataclass
class FakeSession:
    """What a status is made of: these entries, and what else a session has."""

    entries: list[Transition]
    starting: bool = False
    heard: float | None = None
    connects: int = 3
    behind: bool = False
    buffer: Buffer = field(default_factory=Buffer)

    def __post_init__(self) -> None:
        request = SimpleNamespace(connections=2)
        self.plan = SimpleNamespace(clock=FakeClock(), request=request)
        self.intake = SimpleNamespace(buffer=self.buffer)
        self.ingest = SimpleNamespace(recorder=None)
        self.timeline = Timeline()
        for each in self.entries:
            self.timeline.record(each)


def entry(connection: int, state: Phase, until: float | None = None) -> Transition:
    began = at(100 + connection).timestamp()
    return Transition(connection, state, began, Cause.ASKED, f"It is {state}.", until=until)


def entries(*states: Phase) -> list[Transition]:
    return [entry(number, state) for number, state in enumerate(states, 1)]


def status(*states: Phase, **session: object) -> Status:
    return status_of(FakeSession(entries(*states), **session))


@pytest.mark.parametrize(
    ("states", "told"),
    [
        ((S, W), W),
        ((Q, W), W),
        ((S, Q), Q),
        ((C, Q), Q),
        ((S, C), C),
        ((X, S), S),
        ((S, F), S),
        ((X, F), X),
        ((F, F), F),
        ((), X),
    ],
)
def test_most_telling_first(states: tuple[Phase, ...], told: Phase) -> None:
    """What waits comes before what works; what failed alone comes after both."""
    assert status(*states).state == told.value
    assert status(*reversed(states)).state == told.value


def test_the_next_attempt_comes_first() -> None:
    """Of several that wait, the one that tries first is told, and when that is."""
    untils = (None, at(390).timestamp(), at(360).timestamp())
    waiting = [entry(number, W, until) for number, until in enumerate(untils, 1)]
    told = status_of(FakeSession(waiting))
    assert (told.since, told.next_attempt) == (at(103), at(360))
    assert told.reason == "Connection 3: It is cooldown. Next attempt in 1 min 0 s."


def test_only_the_latest_of_a_connection_counts() -> None:
    """What a connection was before is no state of now; all of it was a change."""
    told = status_of(FakeSession([entry(1, W), entry(1, S)]))
    assert (told.state, told.reason, told.transitions) == ("streaming", "It is streaming.", 2)


def test_before_the_first_start() -> None:
    """A reader that was never started is stopped, since no moment."""
    told = status()
    assert (told.state, told.reason, told.since) == ("stopped", "Not started yet.", None)
    assert (told.next_attempt, told.cause, told.http_status) == (None, "asked", None)


def test_starting_again() -> None:
    """Until something happens after a start, nothing of an end before it is told."""
    failed = [replace(each, reason=Cause.MISSING, status=404) for each in entries(F, F)]
    told = status_of(FakeSession(failed, starting=True))
    assert (told.state, told.reason, told.since) == ("connecting", "Starting.", None)
    assert (told.cause, told.http_status) == ("asked", None)


@pytest.mark.parametrize(
    ("states", "reason"),
    [
        ((W,), "It is cooldown."),
        ((W, S), "Connection 1: It is cooldown."),
        ((S, Q), "Connection 2: It is stalled."),
        ((C, S), "Connection 1: It is connecting."),
        ((S, S), "It is streaming."),
        ((S, F), "It is streaming. Connection 2: It is failed."),
        ((W, F), "Connection 1: It is cooldown. Connection 2: It is failed."),
        ((F, F), "It is failed. Connection 2: It is failed."),
        ((X, X), "It is stopped."),
    ],
)
def test_reasons(states: tuple[Phase, ...], reason: str) -> None:
    """Among several the one that is told is named, and so is every one that has failed."""
    assert status(*states).reason == reason


def test_all_that_is_told() -> None:
    """Each figure is the session's or the buffer's, after hits that are too old were let go."""
    refused = replace(entry(2, W), reason=Cause.REFUSED, status=409)
    session = FakeSession([entry(1, S), refused], heard=FakeClock().monotonic() - 12, behind=True)
    assert status_of(session) == Status(
        state="cooldown",
        since=datetime.fromtimestamp(refused.at, UTC),
        silent_for=12.0,
        next_attempt=None,
        reason="Connection 2: It is cooldown.",
        hits=1_200,
        bytes=34_000,
        duplicates=5,
        quarantined=6,
        unreadable={},
        without_id=0,
        rows=900,
        evicted=200,
        connects=3,
        behind=True,
        cause="refused",
        http_status=409,
        connections=2,
        transitions=2,
    )
    assert session.buffer.expired == FakeClock().utc()


def test_silence_is_of_what_is_open() -> None:
    """While nothing is open nobody is silent."""
    assert status(W).silent_for is None


def test_counted_in_words() -> None:
    """Rare counters are told only when there is something to tell."""
    usual = {
        "hits": "1,200",
        "duplicates": "5",
        "quarantined": "6",
        "evicted": "200",
        "connects": "3",
    }
    assert status(S).counted() == usual
    odd = replace(TOTALS, without_id=7, unreadable={"geoCity": 1_000, "evars": 234})
    assert status(S, buffer=Buffer(odd)).counted() == usual | {
        "unreadable values": "1,234",
        "hits without id": "7",
    }
