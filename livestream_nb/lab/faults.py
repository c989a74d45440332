"""What goes wrong in a day, as data: each fault is a law of chance, drawn from a seed.

A fault gives the calls of a story: verbs of the simulator with their moments. They are drawn before
anything runs, each fault by a chance of its own: every policy meets the very same day, and one more
fault changes nothing of the others. Adobe publishes no such numbers; all of them are assumptions.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from random import Random
from typing import Literal, NamedTuple

from livestream_nb.checks import check_positive, check_seconds, is_number
from livestream_nb.errors import InvalidOption
from livestream_nb.simulator.scenarios import SCENARIOS, Call, story

DAY = 86_400.0
HOUR = 3_600.0


class Span(NamedTuple):
    """How long a day lasts, in seconds, and of how many connections it is."""

    seconds: float
    connections: int


@dataclass(frozen=True)
class Drops:
    """Connections are lost, one at a time, at random moments (a Poisson process).

    Parameters
    ----------
    per_day : float
        How many of each connection, on average.
    """

    per_day: float = 40.0

    def __post_init__(self) -> None:
        check_positive("per_day", self.per_day)

    def calls(self, chance: Random, span: Span) -> Iterator[Call]:
        """When, and which."""
        for moment in _moments(self.per_day * span.connections, chance, span):
            yield Call(moment, "drop", {"slot": chance.randrange(span.connections)})


@dataclass(frozen=True)
class Outages:
    """All connections are lost, and none is to be had for a while; most are short, some are long.

    Their length has a heavy tail (Pareto): ``shortest`` seconds at least, twice as long in one of
    2 ** ``tail`` cases.

    Parameters
    ----------
    of : "service" or "network"
        Whether the service answers 502 meanwhile, or nobody can be reached.
    per_day : float
        How many, on average.
    shortest, longest : float
        Seconds.
    tail : float
        The smaller, the heavier; the mean is finite above 1.
    """

    of: Literal["service", "network"] = "service"
    per_day: float = 4.0
    shortest: float = 20.0
    longest: float = 7_200.0
    tail: float = 1.1

    def __post_init__(self) -> None:
        if self.of not in ("service", "network"):
            raise InvalidOption.value("of", self.of, 'give "service" or "network"')
        for name in ("per_day", "shortest", "tail"):
            check_positive(name, getattr(self, name))
        if not (is_number(self.longest) and self.longest >= self.shortest):
            right = f"give at least the shortest, {self.shortest:g} seconds"
            raise InvalidOption.value("longest", self.longest, right)

    def calls(self, chance: Random, span: Span) -> Iterator[Call]:
        """When, and for how long."""
        for moment in _moments(self.per_day, chance, span):
            lasting = min(self.longest, self.shortest * chance.paretovariate(self.tail))
            if self.of == "network":
                yield Call(moment, "unreachable", {"seconds": lasting})
            else:
                yield Call(moment, "refuse", {"status": 502, "seconds": lasting})
                yield Call(moment, "drop", {})


@dataclass(frozen=True)
class Maintenance:
    """Every night the stream is moved: connections end, and new ones get 503 for a while.

    Parameters
    ----------
    at : float
        Hours after midnight, when it begins at the earliest; up to half an hour later.
    seconds : float
        How long new connections get 503.
    """

    at: float = 2.0
    seconds: float = 600.0

    def __post_init__(self) -> None:
        check_seconds("at", self.at)
        check_seconds("seconds", self.seconds)

    def calls(self, chance: Random, span: Span) -> Iterator[Call]:
        """One a night."""
        for night in range(int(span.seconds // DAY) + 1):
            moment = night * DAY + self.at * HOUR + chance.uniform(0.0, HOUR / 2)
            if moment < span.seconds:
                yield Call(moment, "migrate", {"seconds": self.seconds})
                yield Call(moment, "drop", {})


@dataclass(frozen=True)
class SecondConsumer:
    """Somebody else wants the same stream for a while: a colleague's notebook, say.

    Asks as the default policy does. While it holds a slot it takes the hits of that slot.

    Parameters
    ----------
    per_day : float
        How often, on average.
    seconds : float
        For how long, on average.
    """

    per_day: float = 4.0
    seconds: float = 900.0

    def __post_init__(self) -> None:
        check_positive("per_day", self.per_day)
        check_positive("seconds", self.seconds)

    def calls(self, chance: Random, span: Span) -> Iterator[Call]:
        """When, and for how long."""
        for moment in _moments(self.per_day, chance, span):
            yield Call(moment, "rival", {"seconds": chance.expovariate(1 / self.seconds)})


@dataclass(frozen=True)
class TokenExpiry:
    """Tokens expire before their time; open connections read on.

    Parameters
    ----------
    every : float
        Hours between two of them, on average.
    failing : float
        Seconds for which the token service then gives none.
    """

    every: float = 8.0
    failing: float = 0.0

    def __post_init__(self) -> None:
        check_positive("every", self.every)
        check_seconds("failing", self.failing)

    def calls(self, chance: Random, span: Span) -> Iterator[Call]:
        """When."""
        for moment in _moments(DAY / HOUR / self.every, chance, span):
            yield Call(moment, "expire_tokens", {})
            if self.failing:
                yield Call(moment, "fail_tokens", {"seconds": self.failing})


@dataclass(frozen=True)
class Quiet:
    """No hits come for a long while, which is no fault; impatient clients take it for one.

    Parameters
    ----------
    per_day : float
        How often, on average.
    seconds : float
        For how long.
    """

    per_day: float = 1.0
    seconds: float = HOUR

    def __post_init__(self) -> None:
        check_positive("per_day", self.per_day)
        check_seconds("seconds", self.seconds)

    def calls(self, chance: Random, span: Span) -> Iterator[Call]:
        """When."""
        for moment in _moments(self.per_day, chance, span):
            yield Call(moment, "go_quiet", {"seconds": self.seconds})


Fault = Drops | Outages | Maintenance | SecondConsumer | TokenExpiry | Quiet

ROUGH_DAY: tuple[Fault, ...] = (
    Drops(20.0),
    Outages("service"),
    Outages("network"),
    Maintenance(),
    SecondConsumer(),
    TokenExpiry(),
    Quiet(),
)
"""Everything that a lab knows to go wrong."""


def checked_faults(faults: object) -> tuple[Fault, ...] | str:
    """Faults, as given: one, several, or the name of a scenario of the simulator."""
    if isinstance(faults, str) and faults in SCENARIOS:
        return faults
    several = (faults,) if isinstance(faults, Fault) else faults
    if isinstance(several, Sequence) and all(isinstance(each, Fault) for each in several):
        return tuple(several)
    kinds = ", ".join(f"{kind.__name__}()" for kind in Fault.__args__)
    right = f"give some of {kinds}, or one of the simulator's scenarios: {', '.join(SCENARIOS)}"
    raise InvalidOption.value("faults", faults, right)


def day(faults: tuple[Fault, ...] | str, seed: int, seconds: float, connections: int) -> list[Call]:
    """All that goes wrong within so many seconds, by time."""
    if isinstance(faults, str):
        return list(takewhile(lambda call: call.at < seconds, story(faults, seed)))
    span = Span(seconds, connections)
    found: list[Call] = []
    for place, fault in enumerate(faults):
        chance = Random(f"{seed} {place} {fault!r}")
        found += fault.calls(chance, span)
    return sorted(found, key=lambda call: call.at)


def _moments(per_day: float, chance: Random, span: Span) -> Iterator[float]:
    moment = chance.expovariate(per_day / DAY)
    while moment < span.seconds:
        yield moment
        moment += chance.expovariate(per_day / DAY)
