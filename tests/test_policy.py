"""policy.py, in virtual time"""

import pickle
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livestream_nb.errors import InvalidOption
from livestream_nb.policy import (
    Connect,
    Failed,
    GiveUp,
    Opened,
    ReconnectPolicy,
    RenewToken,
    Started,
    Turns,
    Wait,
    Waited,
    checked,
)
from livestream_nb.protocol.status import HOLDS_SLOT, NEVER_HEALS, REACHED_NOTHING, Cause

DEFAULT = ReconnectPolicy()


class Run:
    """A slot under a policy: events in, actions out, at times that the test sets."""

    def __init__(self, policy: ReconnectPolicy = DEFAULT) -> None:
        self.policy = policy
        self.now = 1000.0
        self.state = policy.start(self.now)

    def tell(self, event, after: float = 0.0):
        self.now += after
        self.state, actions = self.policy.step(self.state, event, self.now)
        return actions

    def fail(self, cause: Cause, after: float = 0.0, **more) -> tuple[float, float] | str:
        """The wait that a failure brings, counted from now; or "gives up"."""
        (action,) = self.tell(Failed(cause, **more), after)
        if action == GiveUp():
            return "gives up"
        assert isinstance(action, Wait)
        wait = (action.earliest - self.now, action.latest - self.now)
        self.now = action.latest
        assert self.tell(Waited()) == (Connect(),)
        return wait


def test_connects_at_once_when_nothing_was_open() -> None:
    """The first connect needs no wait."""
    assert Run().tell(Started()) == (Connect(),)


def test_reads_on() -> None:
    """An open stream asks for nothing."""
    assert Run().tell(Opened()) == ()


@pytest.mark.parametrize("cause", sorted(HOLDS_SLOT))
def test_cooldown_is_sixty_seconds(cause: Cause) -> None:
    """After anything that may hold a slot: 60 seconds, and up to 10 more."""
    assert Run().fail(cause) == (60.0, 70.0)


def test_waits_grow() -> None:
    """Failures in a row stretch the wait by half each, to 120 seconds."""
    run = Run()
    assert [run.fail(Cause.UNAVAILABLE)[0] for _ in range(4)] == [60.0, 90.0, 120.0, 120.0]


@pytest.mark.parametrize(("lasted", "wait"), [(119.0, 90.0), (120.0, 60.0)])
def test_two_healthy_minutes_end_the_row(lasted: float, wait: float) -> None:
    """A connection of two minutes ends the row of failures; a shorter one does not."""
    run = Run()
    run.fail(Cause.DROPPED)
    run.tell(Opened())
    assert run.fail(Cause.DROPPED, after=lasted)[0] == wait


def test_patience_with_409() -> None:
    """The tenth 409 in a row ends the reader, and a stream that opened starts the count anew."""
    run = Run()
    for _ in range(9):
        run.fail(Cause.REFUSED)
    run.tell(Opened())
    assert [run.fail(Cause.REFUSED) for _ in range(10)][-2:] == [(120.0, 130.0), "gives up"]


@pytest.mark.parametrize("cause", [Cause.UNAVAILABLE, Cause.FAILING, Cause.UNREACHABLE])
def test_some_causes_have_no_limit(cause: Cause) -> None:
    """A maintenance night does not end a reader."""
    run = Run()
    assert all(run.fail(cause) != "gives up" for _ in range(500))


@pytest.mark.parametrize("cause", sorted(NEVER_HEALS))
def test_what_cannot_heal_ends(cause: Cause) -> None:
    """What no waiting heals ends the reader at once."""
    assert Run().fail(cause) == "gives up"


def test_401_renews_once() -> None:
    """A token that is not accepted is renewed once, at once; a second 401 in a row ends."""
    run = Run()
    assert run.tell(Failed(Cause.UNAUTHORIZED, 401)) == (RenewToken(), Connect())
    assert run.tell(Failed(Cause.UNAUTHORIZED, 401)) == (GiveUp(),)
    run = Run()
    run.tell(Failed(Cause.UNAUTHORIZED, 401))
    run.tell(Opened())
    assert run.tell(Failed(Cause.UNAUTHORIZED, 401)) == (RenewToken(), Connect())


@pytest.mark.parametrize(
    ("between", "status", "renews"),
    [
        (Cause.UNAVAILABLE, 503, True),
        (Cause.UNREACHABLE, None, False),
        (Cause.DROPPED, None, False),
    ],
)
def test_401_in_a_row(between: Cause, status: int | None, renews: bool) -> None:
    """An answer other than 401 shows that the token was accepted; no answer shows nothing."""
    run = Run()
    run.tell(Failed(Cause.UNAUTHORIZED, 401))
    run.fail(between, status=status)
    answer = (RenewToken(), Connect()) if renews else (GiveUp(),)
    assert run.tell(Failed(Cause.UNAUTHORIZED, 401)) == answer


@pytest.mark.parametrize("cause", sorted(REACHED_NOTHING))
def test_unreachable_is_retried_sooner(cause: Cause) -> None:
    """Where nothing was reached no ghost can exist: 1 s, doubling to the cooldown, full jitter."""
    run = Run()
    waits = [run.fail(cause) for _ in range(8)]
    assert waits == [(0.0, top) for top in (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0)]


def test_retry_after_is_honoured() -> None:
    """What the service asks for counts when it is longer than the cooldown."""
    assert Run().fail(Cause.UNAVAILABLE, retry_after=300.0) == (300.0, 310.0)
    assert Run().fail(Cause.UNAVAILABLE, retry_after=5.0) == (60.0, 70.0)


def test_starting_again_waits_what_remains() -> None:
    """A slot that was given up 20 seconds ago is left alone for 40 more."""
    run = Run()
    assert run.tell(Started(last_end=980.0)) == (Wait(1040.0, 1050.0),)
    assert Run().tell(Started(last_end=940.0)) == (Connect(),)


EVENTS = st.one_of(
    st.just(Opened()),
    st.builds(Failed, st.sampled_from(sorted(Cause)), retry_after=st.none() | st.floats(0, 500)),
)


@given(
    st.lists(st.tuples(EVENTS, st.floats(0, 1000)), max_size=40),
    st.builds(
        ReconnectPolicy,
        cooldown=st.floats(0, 60),
        jitter=st.floats(0, 60),
        growth=st.floats(1, 3),
        longest=st.floats(60, 500),
    ),
)
def test_the_floor_holds(story, policy: ReconnectPolicy) -> None:
    """Whatever happens, no request follows sooner than the cooldown on what may hold a slot."""
    run = Run(policy)
    held_since = None
    for event, after in story:
        actions = run.tell(event, after)
        holds = isinstance(event, Failed) and event.cause in HOLDS_SLOT
        held_since = run.now if holds else held_since
        for action in actions:
            assert not (holds and action == Connect())
            if isinstance(action, Wait):
                assert action.latest >= action.earliest >= run.now
                if held_since is not None:
                    assert action.earliest >= held_since + policy.cooldown
                run.now = action.earliest


@pytest.mark.parametrize(
    "wrong",
    [
        {"cooldown": -1},
        {"cooldown": float("nan")},
        {"cooldown": "60"},
        {"jitter": float("inf")},
        {"growth": 0.5},
        {"longest": 59},
        {"give_up_after": {"tired": 3}},
        {"give_up_after": {"refused": 0}},
        {"give_up_after": {"refused": 1.5}},
        {"give_up_after": {"unauthorized": 3}},
        {"stall_after": 0},
        {"stall_after": "90"},
    ],
)
def test_wrong_policies_are_refused(wrong) -> None:
    """A wrong value is refused, and named together with the right ones."""
    with pytest.raises(InvalidOption, match=f"{next(iter(wrong))}=.*give"):
        ReconnectPolicy(**wrong)


def test_policies_travel() -> None:
    """A policy can be pickled, for work on several cores."""
    assert pickle.loads(pickle.dumps(DEFAULT)) == DEFAULT  # noqa: S301  # just pickled


@pytest.mark.parametrize(
    "answer",
    [
        None,
        Connect(),
        ("connect",),
        (Connect,),
        (Wait(5, 4),),
        (Wait(float("nan"), 5),),
        (Wait(0, float("inf")),),
        (Connect(seconds=0),),
        (Connect(seconds=float("inf")),),
        (Connect(seconds=True),),
    ],
)
def test_policies_that_answer_nonsense(answer) -> None:
    """What is no tuple of possible actions is refused, and named."""
    with pytest.raises(InvalidOption, match=r"The policy answered .*: (answer|give)"):
        checked(answer)


def test_a_policy_may_answer_with_a_list() -> None:
    """A list of actions is as good as a tuple."""
    assert checked([RenewToken(), Connect()]) == (RenewToken(), Connect())


def test_one_slot_needs_no_turns() -> None:
    """A single slot may connect whenever its policy says so."""
    turns = Turns(1)
    turns.began()
    turns.answered(100.0)
    assert turns.due <= 100.0


def test_turns() -> None:
    """One connect is in flight at a time, and the next comes 5 s after its answer."""
    turns = Turns(2)
    assert turns.due == -inf
    turns.began()
    assert turns.due == inf
    turns.answered(100.0)
    assert turns.due == 105.0


def test_a_409_holds_the_others_back() -> None:
    """After a 409 nobody connects before the refused slot tries again, also if that is later."""
    turns = Turns(8)
    turns.began()
    turns.answered(100.0)
    turns.hold(165.0)
    turns.hold(150.0)
    assert turns.due == 165.0
