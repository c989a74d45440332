from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from livestream_nb.simulator.refusals import Refused
from livestream_nb.simulator.service import Opened, Range, Stream

RATE = 10


def logged(time: float) -> int:
    return int(time * RATE)


def stream(**options: float) -> Stream:
    return Stream(logged, **options)


def opened(answer: Opened | Refused) -> Opened:
    assert isinstance(answer, Opened)
    return answer


def status(answer: Opened | Refused) -> int:
    return answer.status if isinstance(answer, Refused) else 200


def events(model: Stream) -> list[tuple[float, str]]:
    return [(entry.time, entry.event) for entry in model.log]


def test_first_connect_starts_at_now() -> None:
    """The first connection of a stream is given what enters the log from then on."""
    assert stream().connect(1, 100.0) == Opened(connection=1, offset=1000)


def test_open_connection_holds_the_slot() -> None:
    """A second client gets 409 while the first one reads, whatever time passes."""
    model = stream()
    model.connect(1, 0.0)
    assert [status(model.connect(1, now)) for now in (1.0, 100.0, 1e6)] == [409, 409, 409]


def test_ghost_holds_the_slot_for_notice_seconds() -> None:
    """After its client vanished a slot is taken for `notice` seconds, and then free."""
    for now, answer in ((54.9, 409), (55.0, 200)):
        model = stream()
        model.connect(1, 0.0)
        model.close(1, 0.0, "left")
        assert status(model.connect(1, now)) == answer


def test_attempt_restarts_the_ghost() -> None:
    """An attempt that meets the ghost makes it stay `notice` seconds from then on."""
    model = stream()
    model.connect(1, 0.0)
    model.close(1, 0.0, "left")
    answers = [status(model.connect(1, now)) for now in (50.0, 100.0, 154.9, 209.9)]
    assert answers == [409, 409, 409, 200]
    assert (100.0, "restarted") in events(model)


def test_without_restarts_attempts_are_harmless() -> None:
    """With restarts=False a ghost expires in its own time, whoever knocks."""
    model = stream(restarts=False)
    model.connect(1, 0.0)
    model.close(1, 0.0, "left")
    assert [status(model.connect(1, now)) for now in (50.0, 55.0)] == [409, 200]


def test_one_ghost_may_live_longer() -> None:
    """The notice given with a close is that ghost's, also when an attempt restarts it."""
    model = stream()
    model.connect(1, 0.0)
    model.close(1, 0.0, "dropped", notice=80.0)
    assert [status(model.connect(1, now)) for now in (79.0, 158.0, 238.0)] == [409, 409, 200]


def test_closing_twice_changes_nothing() -> None:
    """A connection that has ended stays a ghost of its first end."""
    model = stream()
    model.connect(1, 0.0)
    model.close(1, 0.0, "dropped")
    model.close(1, 50.0, "left")
    assert events(model) == [(0.0, "connected"), (0.0, "dropped")]
    assert status(model.connect(1, 55.0)) == 200


def test_resume_from_the_last_commit() -> None:
    """A commit every 5 s covers what was written at least 5.5 s before; the rest comes again."""
    model = stream()
    model.connect(1, 0.0)
    for second in range(1, 18):
        model.wrote(1, second * RATE, float(second))
    model.close(1, 17.0, "left")
    assert model.connect(1, 100.0) == Opened(connection=2, offset=90)
    assert "80 repeated" in model.log[-1].detail


def test_no_commit_after_the_end() -> None:
    """What was under way when the client vanished is never committed, however long it is gone."""
    model = stream(retention=10_000.0)
    model.connect(1, 0.0)
    model.wrote(1, 20, 2.0)
    model.close(1, 4.9, "left")
    assert opened(model.connect(1, 1_000.0)).offset == 0


def test_retention_ends() -> None:
    """A client that comes back too late starts with the oldest hit kept; the log counts."""
    model = stream()
    model.connect(1, 0.0)
    model.wrote(1, 100, 10.0)
    model.close(1, 10.0, "left")
    assert opened(model.connect(1, 400.0)).offset == 1000
    assert "900 skipped" in model.log[-1].detail


def test_connection_that_stays_open_is_not_made_to_skip() -> None:
    """A slow client may lag beyond the retention for as long as it stays connected."""
    model = stream()
    model.connect(1, 0.0)
    model.wrote(1, 10, 1_000.0)
    assert model.ranges == {1: Range(0, 10)}


def test_write_that_ends_after_the_close_is_counted_but_never_committed() -> None:
    """Bytes that the network took at the last moment are in the truth, not in the commit."""
    model = stream()
    model.connect(1, 0.0)
    model.close(1, 1.0, "dropped")
    model.wrote(1, 15, 1.5)
    assert model.ranges[1] == Range(0, 15)
    assert opened(model.connect(1, 100.0)).offset == 0


def test_impossible_counts() -> None:
    """maxConnections outside 1 to 8 is invalid; 2 to 8 is more than this simulator serves."""
    model = stream()
    answers = {count: model.connect(count, 0.0) for count in (0, 9, 2, 8)}
    assert {count: status(answer) for count, answer in answers.items()} == dict.fromkeys(
        answers, 400
    )
    texts = [answer.description for answer in answers.values() if isinstance(answer, Refused)]
    assert ["invalid" in text for text in texts] == [True, True, False, False]
    assert ["one connection" in text for text in texts] == [False, False, True, True]


def test_log_tells_the_story_in_order() -> None:
    """Commits and expiries are noted at the time when they happen, not when they are looked at."""
    model = stream()
    model.connect(1, 0.0)
    model.wrote(1, 10, 1.0)
    model.wrote(1, 120, 12.0)
    model.close(1, 13.0, "left")
    model.connect(1, 20.0)
    model.quiet(100.0)
    assert events(model) == [
        (0.0, "connected"),
        (10.0, "committed"),
        (13.0, "left"),
        (20.0, "restarted"),
        (20.0, "refused"),
        (75.0, "freed"),
        (100.0, "quiet"),
    ]


class OneClient(RuleBasedStateMachine):
    """One client that connects, reads, loses what is in the network, and comes back."""

    IN_NETWORK = 0.5

    def __init__(self) -> None:
        super().__init__()
        self.now = 1_000.0
        self.model = Stream(logged, margin=5.0 + self.IN_NETWORK)
        self.connection: int | None = None
        self.offset = 0
        self.written: list[tuple[float, int]] = []
        self.has: int | None = None
        self.free_at = 0.0

    @rule(seconds=st.floats(0.0, 90.0))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def asks(self) -> None:
        answer = self.model.connect(1, self.now)
        if self.connection is not None:
            assert status(answer) == 409
        elif self.now < self.free_at:
            assert status(answer) == 409
            self.free_at = self.now + 55.0
        else:
            self.is_let_in(opened(answer))

    def is_let_in(self, answer: Opened) -> None:
        self.connection, self.offset = answer.connection, answer.offset
        self.written = []
        if self.has is None:
            assert self.offset == logged(self.now)
        else:
            assert self.offset <= max(self.has, logged(self.now - 300.0))
        self.has = self.offset if self.has is None else max(self.has, self.offset)

    @precondition(lambda self: self.connection is not None)
    @rule(share=st.floats(0.0, 1.0))
    def is_given(self, share: float) -> None:
        assert self.connection is not None
        self.offset += int((logged(self.now) - self.offset) * share)
        self.model.wrote(self.connection, self.offset, self.now)
        self.written.append((self.now, self.offset))

    @precondition(lambda self: self.connection is not None)
    @rule(notice=st.sampled_from([None, 55.0]))
    def vanishes(self, notice: float | None) -> None:
        assert self.connection is not None
        assert self.has is not None
        self.model.close(self.connection, self.now, "left", notice)
        arrived = [end for time, end in self.written if time <= self.now - self.IN_NETWORK]
        self.has = max([self.has, *arrived])
        self.connection = None
        self.free_at = self.now + 55.0


OneClient.TestCase.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)


class TestOneClient(OneClient.TestCase):
    """Only repeats, never holes, within retention; a ghost lasts `notice` from its last knock."""
