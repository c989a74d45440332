"""scenarios.py: stories as data."""

from itertools import islice, pairwise

import pytest

from livestream_nb.embedded import Simulator
from livestream_nb.errors import InvalidOption
from livestream_nb.simulator import scenarios
from livestream_nb.simulator.scenarios import SCENARIOS, Call, Scenario, Step, play, story

NAMES = {
    "calm",
    "launch-day",
    "flaky-network",
    "churn-trap",
    "migration-night",
    "token-expiry",
    "quiet-suite",
    "hostile-data",
    "long-outage",
}


def told(name: str, seed: int, count: int = 100) -> list[Call]:
    return list(islice(story(name, seed), count))


def test_names() -> None:
    """The scenarios are the documented ones."""
    assert set(SCENARIOS) == NAMES
    assert all(f"``{name}``" in (Simulator.__doc__ or "") for name in NAMES)


@pytest.mark.parametrize("name", sorted(NAMES))
def test_same_seed_same_story(name: str) -> None:
    """A seed and a scenario always tell the same; the calls come in order."""
    assert told(name, 1) == told(name, 1)
    assert all(before.at <= after.at for before, after in pairwise(told(name, 1)))


def test_another_seed_another_story() -> None:
    """What is left to chance depends on the seed, and differs from one turn to the next."""
    assert told("flaky-network", 1) != told("flaky-network", 2)
    turns = told("churn-trap", 1, 20)
    gaps = {round(after.at - before.at, 3) for before, after in pairwise(turns)}
    assert len(gaps) == 19


def test_calm_is_calm() -> None:
    """In the default scenario nothing is done at all."""
    assert told("calm", 1) == []


@pytest.mark.parametrize("name", sorted(NAMES))
def test_steps_lie_within_the_period(name: str) -> None:
    """No step can come after the first ones of the next turn."""
    scenario = SCENARIOS[name]
    assert scenario.meaning.endswith(".")
    for step in scenario.steps:
        assert scenario.period is None or step.at + step.spread < scenario.period


@pytest.mark.parametrize("name", sorted(NAMES))
def test_every_call_is_possible(name: str) -> None:
    """Each step names a verb of the simulator that takes its arguments."""
    with Simulator(speed=60.0) as sim:
        for step in SCENARIOS[name].steps:
            getattr(sim, step.verb)(**step.options)


def test_calls_come_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps may stand in any order, and their spreads may overlap."""
    steps = (Step(50.0, "cut"), Step(0.0, "drop", spread=90.0), Step(10.0, "reset"))
    monkeypatch.setattr(scenarios, "SCENARIOS", {"odd": Scenario("Odd.", steps, period=100.0)})
    orders = set()
    for seed in range(20):
        calls = list(islice(story("odd", seed), 3))
        assert [call.at for call in calls] == sorted(call.at for call in calls)
        orders.add(tuple(call.verb for call in calls))
    assert len(orders) == 3


def test_play_keeps_the_times() -> None:
    """Calls are done one by one, each at its time after the beginning, though some take long."""
    now, done = 1_000.0, []
    waiting = []
    calls = iter([Call(10.0, "drop", {}), Call(11.0, "cut", {}), Call(40.0, "reset", {})])

    def do(call: Call) -> None:
        nonlocal now
        done.append((now, call.verb))
        now += 5.0

    play(calls, do, now=lambda: now, later=lambda seconds, act: waiting.append((seconds, act)))
    while waiting:
        seconds, act = waiting.pop()
        now += seconds
        act()
    assert done == [(1_010.0, "drop"), (1_015.0, "cut"), (1_040.0, "reset")]


def test_unknown_scenario() -> None:
    """A scenario that does not exist is refused, naming those that do."""
    with pytest.raises(InvalidOption, match="scenario='chaos'") as refused:
        Simulator(scenario="chaos")
    assert all(name in str(refused.value) for name in NAMES)
