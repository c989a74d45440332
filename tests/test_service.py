"""service.py, slots.py, gate.py: the model of a stream, in virtual time."""

from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from livestream_nb.simulator.http.refusals import Refused
from livestream_nb.simulator.rules import Rules
from livestream_nb.simulator.service import Asked, Opened, Stream
from livestream_nb.simulator.share import Share

RATE = 10
ONE = Asked()
TWO = Asked(2)


def logged(share: Share, time: float) -> int:
    """Ten hits per second, dealt to the slots one after another."""
    whole = max(0, int(time * RATE))
    return (whole - share.slot + share.slots - 1) // share.slots


def stream(**rules: object) -> Stream:
    return Stream(logged, rules=Rules(**rules))


def opened(answer: Opened | Refused) -> Opened:
    assert isinstance(answer, Opened), answer
    return answer


def refused(answer: Opened | Refused) -> Refused:
    assert isinstance(answer, Refused), answer
    return answer


def status(answer: Opened | Refused) -> int:
    return answer.status if isinstance(answer, Refused) else 200


def events(model: Stream) -> list[tuple[float, str]]:
    return [(entry.time, entry.event) for entry in model.journal.entries()]


def asking(model: Stream, asked: Asked, *times: float) -> list[int]:
    return [status(model.connect(asked, time)) for time in times]


def test_first_connect_starts_at_now() -> None:
    """The first connection of a stream is given what enters the log from then on."""
    assert stream().connect(ONE, 100.0) == Opened(1, Share(0, 1), 1000)


def test_open_connection_holds_the_slot() -> None:
    """A second client gets 409 while the first one reads, whatever time passes."""
    model = stream()
    assert asking(model, ONE, 0.0, 1.0, 100.0, 1e6) == [200, 409, 409, 409]


@pytest.mark.parametrize(("now", "answer"), [(54.9, 409), (55.0, 200)])
def test_ghost_holds_the_slot_for_notice_seconds(now: float, answer: int) -> None:
    """After its client vanished a slot is taken for `notice` seconds, and then free."""
    model = stream()
    model.connect(ONE, 0.0)
    model.close(1, 0.0, "left")
    assert asking(model, ONE, now) == [answer]


def test_attempt_restarts_the_ghost() -> None:
    """An attempt that meets the ghost makes it stay `notice` seconds from then on."""
    model = stream()
    model.connect(ONE, 0.0)
    model.close(1, 0.0, "left")
    assert asking(model, ONE, 50.0, 100.0, 154.9, 209.9) == [409, 409, 409, 200]
    assert (100.0, "restarted") in events(model)


def test_without_restarts_attempts_are_harmless() -> None:
    """With restarts=False a ghost expires in its own time, whoever knocks."""
    model = stream(restarts=False)
    model.connect(ONE, 0.0)
    model.close(1, 100.0, "left")
    assert asking(model, ONE, 150.0, 155.0) == [409, 200]


def test_only_the_ghost_next_to_expire_is_restarted() -> None:
    """Of two ghosts an attempt meets the one that would have gone first."""
    model = stream()
    for _ in range(2):
        model.connect(TWO, 0.0)
    model.close(1, 10.0, "left")
    model.close(2, 20.0, "left")
    assert asking(model, TWO, 60.0, 75.0, 114.9, 169.9) == [409, 200, 409, 200]
    assert [e.connection for e in model.journal.entries() if e.event == "freed"] == [2, 1]


def test_one_ghost_may_live_longer() -> None:
    """The notice given with a close is that ghost's, also when an attempt restarts it."""
    model = stream()
    model.connect(ONE, 0.0)
    model.close(1, 0.0, "dropped", notice=80.0)
    assert asking(model, ONE, 79.0, 158.0, 238.0) == [409, 409, 200]


def test_closing_twice_changes_nothing() -> None:
    """A connection that has ended stays a ghost of its first end."""
    model = stream()
    model.connect(ONE, 0.0)
    model.close(1, 0.0, "dropped")
    model.close(1, 50.0, "left")
    assert events(model) == [(0.0, "connected"), (0.0, "dropped")]
    assert asking(model, ONE, 55.0) == [200]


def test_slots_share_the_visitors() -> None:
    """Two connections have different shares of two, the third gets 409, which says why."""
    model = stream()
    shares = [opened(model.connect(TWO, 0.0)).share for _ in range(2)]
    assert shares == [Share(0, 2), Share(1, 2)]
    answer = refused(model.connect(TWO, 1.0))
    assert (answer.status, answer.error) == (409, "Conflict")
    assert "exceeds maxConnections=2" in answer.description


def test_nothing_moves_when_a_slot_comes_back() -> None:
    """A lost slot's visitors wait for its next holder, while the others read on."""
    model = stream()
    model.connect(TWO, 0.0)
    model.connect(TWO, 0.0)
    model.close(1, 10.0, "dropped")
    assert opened(model.connect(TWO, 70.0)) == Opened(3, Share(0, 2), 0)
    assert model.open == (3, 2)


@pytest.mark.parametrize("ghosts", [False, True])
def test_different_count_is_refused(ghosts: bool) -> None:
    """A connection with another maxConnections gets 409 while any other, or its ghost, is there."""
    model = stream()
    model.connect(TWO, 0.0)
    if ghosts:
        model.close(1, 100.0, "left")
    answer = refused(model.connect(ONE, 154.0))
    assert answer.status == 409
    assert "maxConnections=1 differs from the 2" in answer.description
    assert asking(model, ONE, 156.0) == [200 if ghosts else 409]


def test_different_count_meets_no_ghost() -> None:
    """A connection that is refused for its count alone does not make a ghost stay longer."""
    model = stream()
    model.connect(TWO, 0.0)
    model.close(1, 100.0, "left")
    assert asking(model, ONE, 154.0, 155.0) == [409, 200]


def test_new_count_divides_anew_and_skips_nothing() -> None:
    """With another maxConnections, once all is closed, every slot begins at the oldest position."""
    model = stream()
    for _ in range(2):
        model.connect(TWO, 0.0)
    model.wrote(1, 50, 10.0)
    model.wrote(2, 100, 20.0)
    for connection in (1, 2):
        model.close(connection, 100.0, "left")
    first = opened(model.connect(ONE, 160.0))
    assert first.share == Share(0, 1)
    assert 99 <= first.offset <= 100


def test_new_count_after_a_long_time_starts_within_the_retention() -> None:
    """What nobody has read for longer than the retention is gone for a new division, too."""
    model = stream()
    model.connect(TWO, 0.0)
    model.close(1, 10.0, "left")
    assert opened(model.connect(ONE, 1_000.0)).offset == 7_000


def test_resume_from_the_last_commit() -> None:
    """A commit every 5 s covers what was written at least 5.5 s before; the rest comes again."""
    model = stream()
    model.connect(ONE, 0.0)
    for second in range(1, 18):
        model.wrote(1, second * RATE, float(second))
    model.close(1, 17.0, "left")
    assert opened(model.connect(ONE, 100.0)).offset == 90
    assert "80 repeated" in model.journal.entries()[-1].detail


def test_commit_on_the_dot() -> None:
    """A commit covers what was written exactly its margin before, and comes exactly on time."""
    model = stream()
    model.connect(ONE, 0.0)
    model.wrote(1, 45, 4.5)
    model.advance(9.99)
    assert events(model) == [(0.0, "connected")]
    model.advance(10.0)
    model.advance(30.0)
    assert events(model) == [(0.0, "connected"), (10.0, "committed")]


def test_details_count_from_the_furthest() -> None:
    """What a resume repeats or skips is told against the highest hit that was ever given."""
    model = stream()
    model.connect(ONE, 0.0)
    model.wrote(1, 100, 4.0)
    model.close(1, 4.5, "left")
    model.connect(ONE, 70.0)
    model.wrote(2, 50, 71.0)
    model.close(2, 71.5, "left")
    model.connect(ONE, 140.0)
    model.close(3, 141.0, "left")
    model.connect(ONE, 500.0)
    model.close(4, 501.0, "left")
    model.connect(ONE, 560.0)
    details = [e.detail for e in model.journal.entries() if e.event == "connected"]
    assert details == [
        "slot 0 of 1, from hit 0",
        "slot 0 of 1, from hit 0: 100 repeated",
        "slot 0 of 1, from hit 0: 100 repeated",
        "slot 0 of 1, from hit 2,000: 1,900 skipped, older than the retention",
        "slot 0 of 1, from hit 2,600: 600 skipped, older than the retention",
    ]


def test_no_commit_after_the_end() -> None:
    """What was under way when the client vanished is never committed, however long it is gone."""
    model = stream(retention=10_000.0)
    model.connect(ONE, 0.0)
    model.wrote(1, 20, 2.0)
    model.close(1, 4.9, "left")
    assert opened(model.connect(ONE, 1_000.0)).offset == 0


def test_retention_ends() -> None:
    """A client that comes back too late starts with the oldest hit kept; the log counts."""
    model = stream()
    model.connect(ONE, 0.0)
    model.wrote(1, 100, 10.0)
    model.close(1, 10.0, "left")
    assert opened(model.connect(ONE, 400.0)).offset == 1000
    assert "900 skipped" in model.journal.entries()[-1].detail


def test_empty_slot_waits_until_the_retention_ends() -> None:
    """A slot that nobody took begins where its hits began to wait, or as far as they are kept."""
    for now, offset in ((100.0, 0), (400.0, 500)):
        model = stream()
        model.connect(TWO, 0.0)
        assert opened(model.connect(TWO, now)) == Opened(2, Share(1, 2), offset)


def test_connection_that_stays_open_is_not_made_to_skip() -> None:
    """A slow client may lag beyond the retention for as long as it stays connected."""
    model = stream()
    model.connect(ONE, 0.0)
    model.wrote(1, 10, 1_000.0)
    assert [(given.first, given.end) for given in model.ranges] == [(0, 10)]


def test_late_write_is_counted_but_never_committed() -> None:
    """Bytes that the network took at the last moment are in the truth, not in the commit."""
    model = stream()
    model.connect(ONE, 0.0)
    model.close(1, 1.0, "dropped")
    model.wrote(1, 15, 1.5)
    assert model.ranges[0].end == 15
    assert opened(model.connect(ONE, 100.0)).offset == 0


def test_repeats_are_remembered() -> None:
    """Hits that were written once more count twice in what a connection was given."""
    model = stream()
    model.connect(ONE, 0.0)
    model.wrote(1, 15, 1.5)
    model.repeated(1, 5, 10)
    assert [(given.first, given.end) for given in model.ranges] == [(0, 15), (5, 10)]


@pytest.mark.parametrize(
    ("reset", "offset"),
    [("smallest", 700), ("earliest", 700), ("largest", 3_700), ("latest", 3_700), (None, 1_000)],
)
def test_reset(reset: str | None, offset: int) -> None:
    """Once all is closed, reset begins with the oldest hit kept or the newest, in four words."""
    model = stream()
    model.connect(ONE, 100.0)
    model.close(1, 300.0, "left")
    assert opened(model.connect(Asked(reset=reset), 370.0)).offset == offset


def test_reset_moves_every_slot() -> None:
    """A reset is the whole stream's: slots taken later begin there, too."""
    model = stream()
    model.connect(TWO, 100.0)
    model.close(1, 200.0, "left")
    assert opened(model.connect(Asked(2, reset="largest"), 300.0)).offset == 1_500
    assert opened(model.connect(TWO, 310.0)).offset == 1_500


@pytest.mark.parametrize("ghost", [False, True])
def test_reset_is_ignored_while_anything_is_open(ghost: bool) -> None:
    """With another connection open, or its ghost there, reset is ignored, and the log says so."""
    model = stream()
    model.connect(TWO, 0.0)
    if ghost:
        model.close(1, 99.0, "left")
    assert opened(model.connect(Asked(2, reset="largest"), 100.0)).offset == 0
    assert (100.0, "ignored") in events(model)


def test_smoothing_spreads_a_bucket_over_the_next() -> None:
    """What enters during one bucket goes out evenly during the one after."""
    burst = Stream(lambda _, time: 0 if time < 25.0 else 1_000)
    assert opened(burst.connect(Asked(smoothing=20), 10.0)).offset == 0
    assert [burst.due(1, now) for now in (25.0, 40.0, 45.0, 50.0, 60.0)] == [0, 0, 250, 500, 1_000]
    assert [burst.due(1, now) for now in (70.0, 1e6)] == [1_000, 1_000]


def test_without_smoothing_all_is_due() -> None:
    """Without smoothing a hit is due as soon as it is in the log."""
    model = stream()
    model.connect(ONE, 0.0)
    assert [model.due(1, now) for now in (1.0, 2.5)] == [10, 25]
    model.close(1, 3.0, "left")
    assert model.due(1, 4.0) == 0


def test_migration() -> None:
    """During a migration new connections get 503, open ones read on; then all is as before."""
    model = stream()
    model.connect(TWO, 0.0)
    model.migrate(100.0, 10.0)
    answer = refused(model.connect(TWO, 50.0))
    assert (answer.status, answer.retry_after) == (503, None)
    assert "migration" in answer.description
    assert model.due(1, 50.0) == 250
    assert asking(model, TWO, 109.9, 110.0) == [503, 200]
    told = [event for event in events(model) if event[1].startswith("migrat")]
    assert told == [(10.0, "migrating"), (110.0, "migrated")]


def test_shorter_migration_changes_nothing() -> None:
    """A migration lasts as long as the longest that was asked for, and is told once."""
    model = stream()
    model.migrate(100.0, 0.0)
    model.migrate(10.0, 1.0)
    assert asking(model, ONE, 99.0, 100.0) == [503, 200]
    assert events(model)[0] == (0.0, "migrating")
    assert [event for _, event in events(model)].count("migrating") == 1


def test_migration_may_say_when_to_come_back() -> None:
    """Where asked to, a migration names the seconds that are left."""
    model = stream()
    model.migrate(100.0, 0.0, retry_after=True)
    assert refused(model.connect(ONE, 40.0)).retry_after == 60.0


def test_reset_gets_through_a_migration() -> None:
    """With nothing open, a reset is let in during a migration, and ends it."""
    model = stream()
    model.migrate(100.0, 0.0)
    assert asking(model, Asked(2, reset="largest"), 10.0) == [200]
    assert asking(model, TWO, 11.0) == [200]
    model.migrate(100.0, 20.0)
    assert asking(model, Asked(2, reset="largest"), 30.0) == [503]


def test_churn() -> None:
    """Retrying every second gets 409, then 503, for as long as it goes on; then 200 at once."""
    model = stream()
    model.connect(ONE, 0.0)
    model.close(1, 100.0, "dropped")
    answers = asking(model, ONE, *range(101, 701))
    assert set(answers[:2]) == {409}
    assert set(answers[2:]) == {503}
    assert asking(model, ONE, 760.0) == [200]
    told = [event for event in events(model) if event[1].startswith("migrat")]
    assert told == [(103.0, "migrating"), (759.0, "migrated")]


def test_patient_client_gets_in_at_once() -> None:
    """A client that waits 60 s after a drop gets 200 at its first attempt."""
    model = stream()
    model.connect(ONE, 0.0)
    model.close(1, 100.0, "dropped")
    assert asking(model, ONE, 160.0) == [200]


@pytest.mark.parametrize("count", [1, 3, 8])
def test_churn_begins_above_twice_the_connections(count: int) -> None:
    """Twice `maxConnections` attempts within 60 s are allowed, one more is churn."""
    model = stream()
    answers = asking(model, Asked(count), *(0.1 * n for n in range(2 * count + 1)))
    assert answers == [200] * count + [409] * count + [503]
    assert asking(model, Asked(count), 59.0) == [503]


def test_quiet_suite() -> None:
    """Where so configured, a suite without hits for a while answers 503; otherwise never."""
    still = Stream(lambda _, time: int(min(time, 100.0)), rules=Rules(quiet_after=300.0))
    assert asking(still, TWO, 0.0, 350.0, 400.0) == [200, 200, 503]
    never = Stream(lambda _, time: 0)
    assert asking(never, TWO, 0.0, 1e6) == [200, 200]


def test_quiet_since_the_beginning() -> None:
    """The first connection of a stream is let in, however quiet it is."""
    still = Stream(lambda _, __: 0, rules=Rules(quiet_after=300.0))
    assert asking(still, TWO, 1e6, 1e6 + 299.0, 1e6 + 300.0) == [200, 200, 503]


def test_not_enabled() -> None:
    """A stream that is not enabled answers 424, until 15 minutes after it was."""
    model = Stream(logged, enabled=False)
    assert asking(model, ONE, 0.0) == [424]
    assert model.enable(100.0) == 1_000.0
    assert model.enable(200.0) == 1_000.0
    assert asking(model, ONE, 999.0, 1_000.0) == [424, 200]


def test_idle_stream_is_disabled() -> None:
    """A stream that was not read for 90 days answers 404, which says so."""
    model = stream()
    model.connect(ONE, 0.0)
    assert asking(model, ONE, 100 * 86_400.0) == [409]
    model.close(1, 100 * 86_400.0, "left")
    model.connect(ONE, 189 * 86_400.0)
    model.close(2, 189 * 86_400.0, "left")
    answer = refused(model.connect(ONE, 279 * 86_400.0))
    assert answer.status == 404
    assert "90 days" in answer.description


def test_log_tells_the_story_in_order() -> None:
    """Commits and expiries are noted at the time when they happen, not when they are looked at."""
    model = stream()
    model.connect(ONE, 0.0)
    model.wrote(1, 10, 1.0)
    model.wrote(1, 120, 12.0)
    model.close(1, 13.0, "left")
    model.connect(ONE, 20.0)
    model.note("quiet", "no more hits", 100.0)
    assert events(model) == [
        (0.0, "connected"),
        (10.0, "committed"),
        (13.0, "left"),
        (20.0, "restarted"),
        (20.0, "refused"),
        (75.0, "freed"),
        (100.0, "quiet"),
    ]
    assert {(entry.stream, entry.connection, entry.slot) for entry in model.journal.entries()} == {
        ("demo", 1, 0),
        ("demo", None, None),
    }


@given(
    count=st.integers(1, 8),
    lives=st.lists(st.tuples(st.floats(0.0, 200.0), st.floats(60.0, 70.0)), max_size=60),
)
def test_client_that_keeps_the_floor_is_never_refused(
    count: int, lives: list[tuple[float, float]]
) -> None:
    """Its own earlier connections never starve a client that waits 60 s after each loss."""
    model = stream()
    due = [(5.0 * slot, slot) for slot in range(count)]
    heapify(due)
    for life, wait in lives:
        time, slot = heappop(due)
        connection = opened(model.connect(Asked(count), time)).connection
        ends = time + life
        if due and ends > due[0][0]:
            ends = due[0][0]
        model.close(connection, ends, "left")
        heappush(due, (ends + wait, slot))


@dataclass
class Client:
    """One open connection as its client sees it."""

    share: Share
    offset: int
    written: list[tuple[float, int]] = field(default_factory=list)


class Service(RuleBasedStateMachine):
    """Clients that connect, read, lose what is in the network, and come back, in any order."""

    IN_NETWORK = 0.5

    def __init__(self) -> None:
        super().__init__()
        self.now = 1_000.0
        self.model = stream(margin=5.0 + self.IN_NETWORK)
        self.clients: dict[int, Client] = {}
        self.ghosts: dict[int, float] = {}
        self.has: list[int] = []
        self.attempts: list[float] = []
        self.moving = 0.0

    @property
    def slots(self) -> int:
        return len(self.has)

    @property
    def held(self) -> set[int]:
        alive = {slot for slot, until in self.ghosts.items() if self.now < until}
        return alive | {client.share.slot for client in self.clients.values()}

    @rule(seconds=st.floats(0.0, 20.0) | st.floats(0.0, 400.0))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def asks_again(self) -> None:
        self.asks(max(1, self.slots), None)

    @rule(count=st.integers(1, 3), reset=st.sampled_from([None, None, "largest", "earliest"]))
    def asks(self, count: int, reset: str | None) -> None:
        held, slots = self.held, self.slots if self.held else count
        self.attempts = [time for time in [*self.attempts, self.now] if time > self.now - 60.0]
        churns = len(self.attempts) > 2 * slots
        if churns:
            self.moving = max(self.moving, self.attempts[-2 * slots] + 60.0)
        answer = self.model.connect(Asked(count, reset), self.now)
        if churns or (self.now < self.moving and (held or reset is None)):
            assert status(answer) == 503
        elif held and (count != slots or len(held) == slots):
            assert status(answer) == 409
            if count == slots:
                self.meets_a_ghost()
        else:
            if not held:
                self.moving = self.moving if reset is None else 0.0
                self.is_divided(count, reset)
            self.is_let_in(opened(answer))

    def meets_a_ghost(self) -> None:
        alive = {slot: until for slot, until in self.ghosts.items() if self.now < until}
        if alive:
            self.ghosts[min(alive, key=alive.__getitem__)] = self.now + 55.0

    def is_divided(self, count: int, reset: str | None) -> None:
        shares = [Share(slot, count) for slot in range(count)]
        if reset is not None or not self.has:
            since = self.now - 300.0 if reset == "earliest" else self.now
            self.has = [logged(share, since) for share in shares]
        elif count != self.slots:
            first = min(end * self.slots + slot for slot, end in enumerate(self.has))
            self.has = [(first - slot + count - 1) // count for slot in range(count)]

    def is_let_in(self, answer: Opened) -> None:
        slot = answer.share.slot
        assert answer.share.slots == self.slots
        kept = logged(answer.share, self.now - 300.0)
        assert kept <= answer.offset <= max(self.has[slot], kept)
        self.has[slot] = max(self.has[slot], answer.offset)
        self.clients[answer.connection] = Client(answer.share, answer.offset)
        self.ghosts.pop(slot, None)

    @precondition(lambda self: self.clients)
    @rule(which=st.integers(0, 7), share=st.floats(0.0, 1.0))
    def is_given(self, which: int, share: float) -> None:
        connection = sorted(self.clients)[which % len(self.clients)]
        client = self.clients[connection]
        due = self.model.due(connection, self.now)
        assert due == logged(client.share, self.now)
        client.offset += int((due - client.offset) * share)
        self.model.wrote(connection, client.offset, self.now)
        client.written.append((self.now, client.offset))

    @precondition(lambda self: self.clients)
    @rule(which=st.integers(0, 7))
    def vanishes(self, which: int) -> None:
        connection = sorted(self.clients)[which % len(self.clients)]
        client = self.clients.pop(connection)
        self.model.close(connection, self.now, "left")
        arrived = [end for time, end in client.written if time <= self.now - self.IN_NETWORK]
        slot = client.share.slot
        self.has[slot] = max([self.has[slot], *arrived])
        self.ghosts[slot] = self.now + 55.0

    @invariant()
    def no_visitor_is_read_twice(self) -> None:
        assert set(self.model.open) == set(self.clients)
        shares = [client.share for client in self.clients.values()]
        assert len(set(shares)) == len(shares)
        assert {share.slots for share in shares} <= {self.slots}


Service.TestCase.settings = settings(max_examples=500, stateful_step_count=20, deadline=None)


class TestService(Service.TestCase):
    """Only repeats, never holes, within the retention; and every refusal for its reason."""


@given(
    st.lists(st.floats(min_value=0.1, max_value=40.0), min_size=1, max_size=8),
    st.lists(st.floats(min_value=0.1, max_value=40.0), max_size=8),
)
def test_flowing_is_writing_all_the_time(opens: list[float], looks: list[float]) -> None:
    """A connection that flows resumes where one does that was written to every tenth of a second.

    However often the model is looked at meanwhile: ``opens`` is how long each connection lasts.
    """
    flowing, written = (stream(notice=0.0, churn_factor=100) for _ in range(2))
    begins = 100.0
    for lasting in opens:
        ends = begins + lasting
        one = opened(flowing.connect(ONE, begins))
        other = opened(written.connect(ONE, begins))
        assert abs(one.offset - other.offset) <= 2
        flowing.flow(one.connection, True, begins)
        for moment in sorted(begins + look for look in looks if look < lasting):
            flowing.advance(moment)
        moment = begins
        while moment < ends:
            written.wrote(other.connection, written.due(other.connection, moment), moment)
            moment += 0.1
        for each, answer in ((flowing, one), (written, other)):
            each.close(answer.connection, ends, "dropped")
        begins = ends + 1.0


def test_what_flowed_is_told() -> None:
    """What a flowing connection was given counts; nothing is given once it does not flow."""
    model = stream()
    one = opened(model.connect(ONE, 10.0))
    model.flow(one.connection, True, 10.0)
    model.flow(one.connection, False, 20.0)
    model.advance(50.0)
    (given_to,) = model.ranges
    assert (given_to.first, given_to.end) == (100, 200)
