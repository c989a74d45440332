"""status.py: which of several connections a person should know of first"""

import pytest

from livestream_nb.connection.timeline import Phase, Transition
from livestream_nb.protocol.status import Cause
from livestream_nb.status import _reason, _telling

C, S, Q = Phase.CONNECTING, Phase.STREAMING, Phase.STALLED
W, X, F = Phase.COOLDOWN, Phase.STOPPED, Phase.FAILED


def entry(connection: int, state: Phase, until: float | None = None) -> Transition:
    return Transition(connection, state, 1000.0, Cause.ASKED, f"It is {state}.", until=until)


def entries(*states: Phase) -> list[Transition]:
    return [entry(number, state) for number, state in enumerate(states, 1)]


@pytest.mark.parametrize(
    ("states", "told"),
    [
        ((S, W), W),
        ((S, Q), Q),
        ((S, C), C),
        ((S, F), S),
        ((X, F), X),
        ((F, F), F),
        ((), X),
    ],
)
def test_most_telling_first(states: tuple[Phase, ...], told: Phase) -> None:
    """What waits comes before what works; what failed alone comes after both."""
    assert _telling(entries(*states), starting=False).state is told


def test_the_next_attempt_comes_first() -> None:
    """Of several that wait, the one that tries first is told."""
    waiting = [entry(1, W), entry(2, W, 1090.0), entry(3, W, 1060.0)]
    assert _telling(waiting, starting=False).connection == 3


def test_starting_again() -> None:
    """Until something happens after a start, an end of before is not told as the state."""
    assert _telling(entries(F), starting=True).state is C


@pytest.mark.parametrize(
    ("states", "reason"),
    [
        ((W,), "It is cooldown."),
        ((W, S), "Connection 1: It is cooldown."),
        ((S, S), "It is streaming."),
        ((S, F), "It is streaming. Connection 2: It is failed."),
        ((W, F), "Connection 1: It is cooldown. Connection 2: It is failed."),
    ],
)
def test_reasons(states: tuple[Phase, ...], reason: str) -> None:
    """Among several the one that is told is named, and so is every one that has failed."""
    latest = entries(*states)
    assert _reason(_telling(latest, starting=False), latest, 1000.0) == reason
