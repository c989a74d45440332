"""Slots and policy × service: any sequence of faults, in virtual time"""

from itertools import chain, pairwise
from math import inf

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from livestream_nb.connection.timeline import Phase
from livestream_nb.policy import (
    Connect,
    Failed,
    GiveUp,
    Opened,
    ReconnectPolicy,
    RenewToken,
    Wait,
)
from livestream_nb.protocol.status import HOLDS_SLOT, Cause
from livestream_nb.simulator.rules import Rules
from livestream_nb.simulator.share import WHOLE, Share
from tests.virtual import IN_NETWORK, Line, Reader, Request, World, numbered

ARTICLE = 60.0
PROVEN = 180.0  # seconds from which on only a repeat proves that nothing was skipped
EXACT = 1e-6
ROUNDING = 2e-3
SETTLED = (Phase.STREAMING, Phase.FAILED, Phase.STOPPED)
ADOBE, HERE = "https://livestream.adobe.net", "http://127.0.0.1:8765"


class Hasty:
    """A policy without patience: only the reader itself keeps it from Adobe's service."""

    def start(self, now: float) -> int:
        return 0

    def step(self, failures: int, event, now: float):
        match event:
            case Opened():
                return 0, ()
            case Failed() if failures == 20:
                return 20, (GiveUp(),)
            case Failed(Cause.UNAUTHORIZED):
                return failures + 1, (RenewToken(), Wait(now + 1, now + 5))
            case Failed():
                return failures + 1, (Wait(now + 1, now + 5),)
        return failures, (Connect(),)


DEFAULT = ReconnectPolicy()
POLICIES = [
    (DEFAULT, ADOBE),
    (DEFAULT, HERE),
    (ReconnectPolicy(jitter=0, growth=1), HERE),
    (Hasty(), ADOBE),
]

SOON = st.floats(0, 10) | st.floats(0, 150)
LONG = SOON | st.floats(150, 3_600)
WHICH = st.integers(0, 7)
LOSSES = ["dropped", "cut", "vanished", "corrupt", "dead", "void"]


class Sequences(RuleBasedStateMachine):
    """A reader, its successors, and a service where everything goes wrong."""

    world: World
    reader: Reader

    @initialize(
        seed=st.integers(0, 2**32),
        slots=st.integers(1, 8),
        notice=st.sampled_from([55.0, 55.0, 55.0, 20.0, 90.0, 180.0]),
        restarts=st.booleans(),
        policy=st.sampled_from(POLICIES),
        reset=st.sampled_from([None, None, "largest", "smallest"]),
        then=SOON,
    )
    def begins(self, seed, slots, notice, restarts, policy, reset, then) -> None:
        rules = Rules(notice=notice, restarts=restarts)
        self.policy, origin = policy
        self.world = World(rules, seed, origin=origin, slots=slots)
        self.slots = slots
        self.alone = notice <= 55.0
        self.into_the_void = False
        self.unread: dict[int, int] = {}
        self.never_noticed: list[tuple[float, float]] = []
        self.reader = Reader(self.world, 1, self.policy)
        self.reader.start(reset)
        self.world.pass_time(then)

    # ------------------------------------------------------------------ what may happen

    @rule(seconds=LONG)
    def time_passes(self, seconds: float) -> None:
        self.world.pass_time(seconds)

    @precondition(lambda self: self.world.alive())
    @rule(
        which=WHICH,
        how=st.sampled_from(LOSSES),
        notice=st.sampled_from([None, None, 5.0, 58.0, 100.0]),
        then=SOON,
    )
    def loses(self, which: int, how: str, notice: float | None, then: float) -> None:
        lines = self.world.alive()
        self.into_the_void |= how == "void"
        self.alone &= (notice or 0.0) <= 55.0
        self.world.lose(lines[which % len(lines)], how, notice)
        self.world.pass_time(then)

    @precondition(lambda self: self.world.alive())
    @rule(how=st.sampled_from(LOSSES), then=LONG)
    def loses_all(self, how: str, then: float) -> None:
        self.into_the_void |= how == "void"
        for line in self.world.alive():
            self.world.lose(line, how)
        self.world.pass_time(then)

    @precondition(lambda self: self.world.alive())
    @rule(which=WHICH, count=st.integers(1, 50), then=SOON)
    def sends_again(self, which: int, count: int, then: float) -> None:
        lines = self.world.alive()
        self.reader.hear_again(lines[which % len(lines)], count)
        self.world.pass_time(then)

    @rule(seconds=LONG)
    def nothing_is_reached(self, seconds: float) -> None:
        self.for_now("unreachable", True, seconds)

    @rule(hangs=st.floats(0.5, 30.0), seconds=SOON)
    def answers_stay_out(self, hangs: float, seconds: float) -> None:
        self.into_the_void = True
        self.for_now("unanswered", hangs, seconds)

    @rule(
        status=st.sampled_from([429, 500, 502, 503, 504, 403]),
        after=st.none() | st.integers(0, 300),
        seconds=LONG,
    )
    def is_refused(self, status: int, after: int | None, seconds: float) -> None:
        self.for_now("status", status, seconds)
        self.world.faults.retry_after = after

    @rule(seconds=LONG, retry_after=st.booleans())
    def is_moved(self, seconds: float, retry_after: bool) -> None:
        self.world.stream.migrate(seconds, self.world.now, retry_after=retry_after)

    @rule(seconds=LONG)
    def nobody_visits(self, seconds: float) -> None:
        self.world.pump()
        self.world.log.rest(seconds, self.world.now)

    @rule(renews=st.booleans())
    def token_expires(self, renews: bool) -> None:
        self.world.faults.good_token += 1
        if renews:
            self.world.faults.issued_token = self.world.faults.good_token

    @rule(seconds=LONG)
    def no_token_is_issued(self, seconds: float) -> None:
        self.for_now("tokenless", True, seconds)

    @rule(count=st.none() | st.integers(1, 8), then=SOON)
    def another_comes(self, count: int | None, then: float) -> None:
        self.alone = False
        self.world.other_comes(count or self.slots)
        self.world.pass_time(then)

    @rule()
    def another_leaves(self) -> None:
        self.world.other_leaves()

    @precondition(lambda self: self.reader.running)
    @rule(then=SOON)
    def is_stopped(self, then: float) -> None:
        dead = self.world.dead()
        self.reader.stop()
        self.unread = {line.share.slot: line.received for line in dead}
        self.never_noticed += [(line.deaf_since, self.world.now) for line in dead]
        self.world.pass_time(then)

    @precondition(lambda self: not self.reader.running)
    @rule(reset=st.sampled_from([None, "largest", "smallest"]), then=SOON)
    def is_started_again(self, reset: str | None, then: float) -> None:
        self.reader.start(reset)
        self.world.pass_time(then)

    @precondition(lambda self: self.reader.running)
    @rule(pause=SOON, then=SOON)
    def is_killed(self, pause: float, then: float) -> None:
        self.reader.kill()
        self.world.pass_time(pause)
        self.reader = Reader(self.world, self.reader.number + 1, self.policy)
        self.reader.start()
        self.world.pass_time(then)

    def for_now(self, fault: str, value: object, seconds: float) -> None:
        faults = self.world.faults
        before = getattr(type(faults)(), fault)
        setattr(faults, fault, value)
        self.world.loop.call_later(seconds, setattr, faults, fault, before)

    # ------------------------------------------------------------------ what always holds

    @invariant()
    def holds(self) -> None:
        self.reader.check()
        self.world.pump()
        self.reader.digest()
        self.requests_are_patient()
        self.hits_are_accounted_for()
        self.timeline_is_true()

    def requests_are_patient(self) -> None:
        requests = self.world.requests
        check_floor(requests)
        for before, request in pairwise(requests):
            if before.run == request.run and before.reader == request.reader:
                check_turns(before, request, self.slots)
                assert self.was_held_back(before, request)
        if self.alone:
            assert 409 not in [request.status for request in requests], "met its own ghost"

    def was_held_back(self, before: Request, request: Request) -> bool:
        """After a 409 no slot asks within the cooldown, unless the refused one gave up."""
        hasty = isinstance(self.policy, Hasty) or request.reader != self.reader.number
        if before.status != 409 or hasty or request.sent >= before.answered + ARTICLE:
            return True
        return Phase.FAILED in {
            entry.state
            for entry in self.reader.timeline.entries()
            if entry.connection == before.slot and abs(entry.at - before.answered) < ROUNDING
        }

    def hits_are_accounted_for(self) -> None:
        got = self.reader.intake.buffer.hits()["hitIdLow"].to_list()
        delivered, lines = set(got), self.lines()
        assert len(delivered) == len(got), "delivered twice"
        assert delivered <= self.written(lines), "delivered, and never written"
        assert max(delivered, default=-1) < self.world.log.logged(WHOLE, self.world.now)
        if missing := self.missing(lines, delivered):
            self.gaps_explain(missing, lines)

    def written(self, lines: list[Line]) -> set[int]:
        """What the service says that it wrote to this process."""
        mine = {line.connection for line in lines}
        given = [each for each in self.world.stream.ranges if each.connection in mine]
        return {n for each in given for n in numbered(each.share, each.first, each.end)}

    def gaps_explain(self, missing: dict[Share, list[int]], lines: list[Line]) -> None:
        spans = self.unopened() + self.unnoticed()
        moments = {s: self.world.log.moments(numbers) for s, numbers in missing.items()}
        for row in self.reader.gaps().iter_rows(named=True):
            start, end = span(row)
            spell = spell_before(row["connection"], start, lines)
            under_way = IN_NETWORK if spell and spell.how == "cut" else 0.0
            spans.append((start - under_way, end))
            if row["verdict"] == "covered" and (self.plain or row["seconds"] >= PROVEN):
                assert spell, "covered, and never open before"
                skipped = [m for m in moments.get(spell.share, ()) if start < m < end]
                assert not skipped, "said to be covered, and yet missing"
        for moment in chain(*moments.values()):
            assert any(a - ROUNDING <= moment <= b + ROUNDING for a, b in spans), (moment, spans)

    @property
    def plain(self) -> bool:
        """Whether nobody but the one slot can have been given hits: then length tells enough."""
        return self.slots == 1 and self.alone and not self.into_the_void

    def lines(self) -> list[Line]:
        """What this process has had open, in order."""
        mine = [r.connection for r in self.world.requests if r.reader == self.reader.number]
        found = [self.world.lines[connection] for connection in mine if connection is not None]
        return [line for line in found if line.spell]

    def missing(self, lines: list[Line], delivered: set[int]) -> dict[Share, list[int]]:
        begun: dict[Share, int] = {}
        for line in lines:
            begun.setdefault(line.share, line.first)
        owed = {
            share: numbered(share, first, self.horizon(share, lines))
            for share, first in begun.items()
        }
        lost = {share: [n for n in owed[share] if n not in delivered] for share in owed}
        return {share: numbers for share, numbers in lost.items() if numbers}

    def horizon(self, share: Share, lines: list[Line]) -> int:
        """Up to which of a share's hits the reader has had, or owes an account of."""
        now, log = self.world.now, self.world.log
        if not self.reader.running:
            return self.unread.get(share.slot, log.logged(share, self.reader.stopped_at))
        held = [line for line in lines if line.share == share and not line.lost.done()]
        return held[0].received if held else log.logged(share, now)

    def unopened(self) -> list[tuple[float, float]]:
        """While a connection had not been open yet, but another for less than three minutes."""
        opened: dict[int, float] = {}
        for entry in self.reader.timeline.entries():
            if entry.state is Phase.STREAMING:
                opened.setdefault(entry.connection, entry.at)
        began = min(opened.values())
        late = [opened.get(number, self.world.now) for number in range(1, self.slots + 1)]
        return [(began, moment) for moment in late if moment - began < PROVEN]

    def unnoticed(self) -> list[tuple[float, float]]:
        """While a connection was dead, and the reader cannot know it yet, or was stopped first."""
        known_later = [(line.deaf_since, self.world.now) for line in self.world.dead()]
        return self.never_noticed + known_later

    def timeline_is_true(self) -> None:
        latest = {each.connection: each for each in self.reader.timeline.entries()}
        streaming = {each for each in latest if latest[each].state is Phase.STREAMING}
        assert streaming == {line.spell.connection for line in self.world.reading()}

    # ------------------------------------------------------------------ how it ends

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        try:
            self.heals()
        finally:
            if self.reader.running:
                self.reader.stop()
            self.world.close()

    def heals(self) -> None:
        world = self.world
        world.faults.issued_token = world.faults.good_token
        world.other_leaves()
        for _ in range(300):
            latest = {each.connection: each for each in self.reader.timeline.entries()}
            if len(latest) == self.slots and all(e.state in SETTLED for e in latest.values()):
                break
            world.pass_time(60.0)
        self.holds()
        assert sorted(latest) == list(range(1, self.slots + 1))
        for entry in latest.values():
            assert entry.state in SETTLED, entry
            assert entry.reason
            assert entry.sentence


def check_floor(requests: list[Request]) -> None:
    """Between the end of what may hold a slot and the next request for it: the article's 60 s.

    Of what another process had open nobody knows the slot, so it counts for all.
    """
    ends: dict[tuple[int, int], float] = {}
    for request in requests:
        mine = request.reader, request.slot
        held = [end for key, end in ends.items() if key == mine or key[0] != request.reader]
        assert request.sent >= max(held, default=-inf) + ARTICLE - EXACT, "too soon"
        if request.holds:
            ends[mine] = inf if request.ended is None else request.ended


def check_turns(before: Request, request: Request, slots: int) -> None:
    """One connect in flight, and those of several slots 5 s apart."""
    assert before.answered is not None, "two in flight"
    assert request.sent >= before.answered + (5.0 if slots > 1 else 0.0) - EXACT


def span(row: dict) -> tuple[float, float]:
    """From when to when a gap is said to have lasted."""
    lost, resumed = row["lost_at"].timestamp(), row["resumed_at"]
    return lost, resumed.timestamp() if resumed else lost + row["seconds"]


def spell_before(connection: int, moment: float, lines: list[Line]) -> Line | None:
    """The latest line of a connection that was open before a moment."""
    of_it = [line for line in lines if line.spell.connection == connection]
    before = [line for line in of_it if line.spell.opened <= moment + ROUNDING]
    return before[-1] if before else None


def sequences(count: int) -> settings:
    return settings(
        max_examples=count,
        stateful_step_count=15,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )


class TestSequences(Sequences.TestCase):
    """Whatever happens: patient requests, no hit twice, none missing outside a reported gap."""

    settings = sequences(100)


@pytest.mark.slow
class TestTenThousandSequences(Sequences.TestCase):
    """The same, at length."""

    settings = sequences(10_000)


STATUS = {
    Cause.REFUSED: 409,
    Cause.UNAVAILABLE: 503,
    Cause.FAILING: 500,
    Cause.THROTTLED: 429,
}


@pytest.mark.parametrize("seeds", [50, pytest.param(1_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("cause", sorted(HOLDS_SLOT))
def test_default_is_the_articles(cause: Cause, seeds: int) -> None:
    """After whatever may hold a slot the default policy asks 60 to 70 s later, never sooner."""
    waits = [first_wait(cause, seed) for seed in range(seeds)]
    assert min(waits) >= ARTICLE
    assert max(waits) <= ARTICLE + 10.0
    assert max(waits) - min(waits) > 8.0


def first_wait(cause: Cause, seed: int) -> float:
    """From the end of the first request, or of its connection, to the second."""
    world = World(Rules(), seed, origin=ADOBE, slots=1)
    world.faults.status = STATUS.get(cause)
    reader = Reader(world, 1, DEFAULT)
    reader.start()
    world.pass_time(5.0)
    for line in world.reading():
        world.lose(line, cause if cause in (Cause.CORRUPT, Cause.CLOSED) else "dropped")
    world.pass_time(75.0)
    reader.stop()
    world.close()
    first, second = world.requests
    assert cause in [entry.reason for entry in reader.timeline.entries()]
    return second.sent - first.ended


@pytest.mark.parametrize("how", ["dropped", "vanished"])
@pytest.mark.parametrize("seed", range(10))
def test_eight_slots_lost_at_once(how: str, seed: int) -> None:
    """Eight slots that are lost together come back one by one, and none meets a ghost."""
    world = World(Rules(notice=55.0), seed, origin=ADOBE, slots=8)
    reader = Reader(world, 1, DEFAULT)
    reader.start()
    world.pass_time(120.0)
    lost = world.now
    for line in world.reading():
        world.lose(line, how)
    world.pass_time(180.0)
    again = [request for request in world.requests if request.sent > lost]
    assert sorted(request.slot for request in again) == list(range(1, 9))
    assert {request.status for request in again} == {200}
    assert len(world.reading()) == 8
    reader.stop()
    world.close()


@pytest.mark.parametrize("seed", range(20))
def test_stopped_before_every_slot_was_open(seed: int) -> None:
    """Hits of slots that ghosts kept from opening lie in a gap, though the reader was stopped."""
    sequence = Sequences()
    try:
        sequence.begins(seed, 4, 180.0, False, (DEFAULT, ADOBE), None, 9.0)
        sequence.is_stopped(then=68.0)
        sequence.is_started_again(reset=None, then=92.0)
        sequence.is_stopped(then=13.0)
        sequence.holds()
    finally:
        sequence.teardown()


def test_repeats_of_another_prove_nothing() -> None:
    """A connection that missed hits is not called covered because another one repeats its own."""
    world = World(Rules(retention=300.0), 1, origin=ADOBE, slots=2)
    reader = Reader(world, 1, DEFAULT)
    reader.start()
    world.pass_time(300.0)
    world.faults.unreachable = True
    first, second = world.alive()
    world.lose(first, "dropped")
    world.pass_time(400.0)
    world.lose(second, "dropped")
    world.pass_time(58.0)
    world.faults.unreachable = False
    while len(world.alive()) < 2:
        world.pass_time(5.0)
    world.pass_time(15.0)
    reader.digest()
    assert reader.intake.buffer.totals().duplicates > 0
    assert reader.gaps()["verdict"].to_list() == ["likely lost", "covered"]
    reader.stop()
    world.close()
