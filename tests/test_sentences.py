"""connection/sentences.py"""

import pytest

from livestream_nb.connection.sentences import (
    MEANING,
    REMEDY,
    Past,
    explain,
    gave_up,
    with_wait,
)
from livestream_nb.protocol.status import NEVER_HEALS, Cause, Refusal


def test_every_cause_has_words() -> None:
    """Every cause has a meaning, and every one that ends a reader has a remedy or a next step."""
    assert set(MEANING) == set(Cause)
    assert {*NEVER_HEALS, Cause.UNAUTHORIZED, Cause.REFUSED} - {Cause.UNEXPECTED} == set(REMEDY)


def test_409_after_ones_own_loss() -> None:
    """A 409 after a loss of one's own says how long ago that was, and what it has to do with it."""
    refusal = Refusal(Cause.REFUSED, 409, "Conflict")
    assert with_wait(explain(refusal, Past(1, 12.0)), 51.2) == (
        "409: all slots are taken. Your own connection was lost 12 s ago, and Livestream needs "
        'about 60 s to notice. Livestream said: "Conflict". Next attempt in 51 s.'
    )


@pytest.mark.parametrize("lost", [None, 301.0])
def test_409_without_a_loss(lost: float | None) -> None:
    """A 409 that no ghost of one's own explains points to another consumer."""
    assert "another consumer most likely" in explain(Refusal(Cause.REFUSED, 409, ""), Past(1, lost))


@pytest.mark.parametrize(("times", "named"), [(1, False), (2, False), (3, True), (7, True)])
def test_503_several_times(times: int, named: bool) -> None:
    """After several 503 in a row all three causes are named, and the option that may help."""
    said = explain(Refusal(Cause.UNAVAILABLE, 503, ""), Past(times))
    assert said.startswith("503")
    for words in ("moved to another endpoint", "has no hits", "connected to too often", "reset="):
        assert (words in said) is named
    assert (f"{times} times in a row" in said) is named


def test_giving_up_says_what_to_do() -> None:
    """The last sentence names the likely cause and what to do, also where no remedy is known."""
    said = explain(Refusal(Cause.REFUSED, 409, ""), Past(10, 80.0))
    assert said.startswith("409, 10 times in a row: all slots are taken.")
    assert "Stop that one and this reader, then start() again." in gave_up(said, Cause.REFUSED)
    assert gave_up("It failed.", Cause.FAILING) == "It failed. start() tries again."


def test_without_an_answer() -> None:
    """Where nothing was answered the meaning comes first, then the detail."""
    said = explain(Refusal(Cause.DROPPED, None, "reset by peer."), Past())
    assert said == f"{MEANING[Cause.DROPPED]} In detail: reset by peer."
    assert explain(Refusal(Cause.DROPPED, None, ""), Past()) == MEANING[Cause.DROPPED]


def test_names_keep_their_capital() -> None:
    """After a status the meaning goes on in lower case, unless it begins with a name."""
    assert explain(Refusal(Cause.FAILING, 500, ""), Past()) == "500: Livestream itself is failing."
    assert explain(Refusal(Cause.INVALID, 400, ""), Past()).startswith("400: a parameter")
