"""Stories of things going wrong, as data: which verb of the simulator is called when.

A scenario begins with the first connection. Its steps name methods of the simulator with their
arguments; what is left to chance is drawn from the seed, so that a seed and a scenario always
tell the same story. A scenario with a period tells it again and again, never quite the same.
"""

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from types import MappingProxyType
from typing import NamedTuple

MINUTE = 60.0
HOUR = 3_600.0


@dataclass(frozen=True)
class Step:
    """One call: ``verb`` at ``at`` service seconds, or up to ``spread`` seconds later."""

    at: float
    verb: str
    options: Mapping[str, object] = field(default_factory=dict)
    spread: float = 0.0


@dataclass(frozen=True)
class Scenario:
    """A story.

    Attributes
    ----------
    meaning : str
        What happens, and what there is to see.
    steps : tuple of Step
        In no particular order.
    period : float or None
        After so many service seconds it begins again; None: it is told once.
    """

    meaning: str
    steps: tuple[Step, ...] = ()
    period: float | None = None


class Call(NamedTuple):
    """A step at its time, in service seconds after the first connection."""

    at: float
    verb: str
    options: Mapping[str, object]


def story(name: str, seed: int) -> Iterator[Call]:
    """Tell a scenario of :data:`SCENARIOS`: its calls in order, endless if it has a period."""
    scenario, chance = SCENARIOS[name], random.Random(f"{seed} {name}")
    for begins in (0.0,) if scenario.period is None else count(0.0, scenario.period):
        calls = (
            Call(begins + step.at + chance.uniform(0.0, step.spread), step.verb, step.options)
            for step in scenario.steps
        )
        yield from sorted(calls, key=lambda call: call.at)


def play(
    calls: Iterator[Call],
    do: Callable[[Call], object],
    *,
    now: Callable[[], float],
    later: Callable[[float, Callable[[], None]], None],
) -> None:
    """Begin a story: ``later`` is asked to have each call done at its time, one by one."""
    begins = now()

    def go_on() -> None:
        call = next(calls, None)
        if call is not None:
            later(max(0.0, begins + call.at - now()), partial(tell, call))

    def tell(call: Call) -> None:
        do(call)
        go_on()

    go_on()


def _every_kind(first: float) -> tuple[Step, ...]:
    kinds = ("json", "utf8", "truncated", "long", "nested", "error")
    return tuple(
        Step(first + 10 * place, "malform", {"kind": kind}, spread=5)
        for place, kind in enumerate(kinds)
    )


SCENARIOS: Mapping[str, Scenario] = MappingProxyType(
    {
        "calm": Scenario("Nothing goes wrong."),
        "launch-day": Scenario(
            "A launch: eight times the hits for half an hour, then a peak of twenty times; the "
            "service redirects, and loses the connection when it matters most.",
            (
                Step(4 * MINUTE, "spike", {"factor": 8.0, "seconds": 30 * MINUTE}),
                Step(12 * MINUTE, "redirect", {"to": "second"}),
                Step(14 * MINUTE, "drop"),
                Step(20 * MINUTE, "spike", {"factor": 20.0, "seconds": 2 * MINUTE}),
                Step(22 * MINUTE, "spike", {"factor": 8.0, "seconds": 12 * MINUTE}),
            ),
        ),
        "flaky-network": Scenario(
            "Half an hour of bad network, again and again: connections end in good order, in the "
            "middle of a chunk or by reset, stand still, or crawl.",
            (
                Step(2 * MINUTE, "drop", spread=2 * MINUTE),
                Step(7 * MINUTE, "stall", {"seconds": 45.0}, spread=MINUTE),
                Step(10 * MINUTE, "reset", spread=2 * MINUTE),
                Step(15 * MINUTE, "slice", {"seconds": 5.0}, spread=MINUTE),
                Step(18 * MINUTE, "cut", spread=2 * MINUTE),
                Step(23 * MINUTE, "corrupt", spread=2 * MINUTE),
            ),
            period=30 * MINUTE,
        ),
        "churn-trap": Scenario(
            "Every ten minutes the connection is lost, and its ghost stays for 80 s: whoever comes "
            "back at once meets it again and again, then 503; whoever waits meets it once.",
            (Step(2 * MINUTE, "drop", {"ghost": 80.0}, spread=MINUTE),),
            period=10 * MINUTE,
        ),
        "migration-night": Scenario(
            "The stream is moved: the connection ends, for ten minutes new ones get 503, "
            "afterwards the service is found at another address.",
            (
                Step(3 * MINUTE, "migrate", {"seconds": 10 * MINUTE}),
                Step(4 * MINUTE, "drop", spread=MINUTE),
                Step(13 * MINUTE, "redirect", {"to": "second"}),
                Step(25 * MINUTE, "migrate", {"seconds": 2 * MINUTE, "retry_after": True}),
                Step(25 * MINUTE, "reset", spread=30.0),
                Step(40 * MINUTE, "redirect", {"to": None}),
            ),
            period=HOUR,
        ),
        "token-expiry": Scenario(
            "Tokens expire. An open stream reads on; a lost one comes back with a fresh token; "
            "when the token service fails, too, it has to wait for one.",
            (
                Step(2 * MINUTE, "expire_tokens"),
                Step(4 * MINUTE, "drop", spread=MINUTE),
                Step(12 * MINUTE, "expire_tokens"),
                Step(12 * MINUTE, "fail_tokens", {"seconds": 4 * MINUTE}),
                Step(13 * MINUTE, "drop"),
            ),
            period=30 * MINUTE,
        ),
        "quiet-suite": Scenario(
            "The suite falls quiet for twenty minutes, which is no error; in between a connection "
            "is lost, and the first hits afterwards come in a rush.",
            (
                Step(2 * MINUTE, "go_quiet", {"seconds": 20 * MINUTE}),
                Step(8 * MINUTE, "drop", spread=6 * MINUTE),
                Step(22 * MINUTE, "spike", {"factor": 5.0, "seconds": MINUTE}),
            ),
            period=30 * MINUTE,
        ),
        "hostile-data": Scenario(
            "Records that are none, fields that change, repeats, a wrong order, a record of 64 MB, "
            "damaged gzip: neighbours are to stay untouched, and the reader to stay up.",
            (
                *_every_kind(MINUTE),
                Step(3 * MINUTE, "drift", {"seconds": MINUTE}),
                Step(5 * MINUTE, "duplicate", {"count": 200}),
                Step(6 * MINUTE, "reorder", {"count": 200}),
                Step(7 * MINUTE, "bomb", {"megabytes": 64}),
                Step(8 * MINUTE, "corrupt"),
            ),
            period=15 * MINUTE,
        ),
        "long-outage": Scenario(
            "The service fails for twenty minutes, longer than it keeps hits: what happened "
            "meanwhile is lost to everybody, and is to be shown as lost.",
            (
                Step(3 * MINUTE, "refuse", {"status": 502, "seconds": 10 * MINUTE}),
                Step(3 * MINUTE, "reset"),
                Step(13 * MINUTE, "refuse", {"status": 503, "seconds": 10 * MINUTE}),
            ),
            period=HOUR,
        ),
    }
)
"""Every scenario by its name."""
