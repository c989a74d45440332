"""One day, lived through in virtual time: policy × service, no socket, no thread, no waiting. Pure.

The same seed gives the same day and the same result, on every machine and in every process.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random

from livestream_nb.lab.agenda import Agenda
from livestream_nb.lab.client import Client
from livestream_nb.lab.record import Record
from livestream_nb.lab.stream import Stream
from livestream_nb.lab.summary import Summary, summarize
from livestream_nb.lab.traffic import Traffic
from livestream_nb.lab.world import Site, World
from livestream_nb.policy import Policy, ReconnectPolicy
from livestream_nb.simulator.rules import Rules
from livestream_nb.simulator.scenarios import Call


@dataclass(frozen=True)
class Setting:
    """All that a day needs beside a policy.

    Attributes
    ----------
    seconds, rate, connections, latency
        As of `Lab`; ``seconds`` is how long it lasts.
    rules : Rules
        The numbers of the service's model.
    notice : tuple of float or None
        Between which seconds the notice of each loss is drawn; None: that of the rules.
    """

    seconds: float
    rate: float
    connections: int
    latency: float
    rules: Rules
    notice: tuple[float, float] | None = None


@dataclass(frozen=True)
class Day:
    """What became of it."""

    record: Record
    traffic: Traffic
    summary: Summary


def live(setting: Setting, calls: Sequence[Call], policy: Policy, seed: int) -> Day:
    """Live through a day with a policy."""
    agenda, traffic = Agenda(), Traffic(setting.rate)
    world = World(agenda, traffic, setting.rules, _notice(setting, seed))
    join = partial(Stream, world, connections=setting.connections, latency=setting.latency)
    client = Client(join(policy=policy, draw=Random(seed).uniform, site=world.home))
    world.rival = partial(_visit, join, agenda, Random(f"{seed} rival").uniform)
    for call in calls:
        agenda.at(call.at, partial(world.do, call))
    agenda.run(setting.seconds)
    client.settle()
    stream = client.stream
    summary = summarize(
        stream.record,
        traffic,
        connections=setting.connections,
        connects=stream.connects,
        end=setting.seconds,
        kept=setting.rules.retention,
    )
    return Day(stream.record, traffic, summary)


def _visit(
    join: Callable[..., Stream],
    agenda: Agenda,
    draw: Callable[[float, float], float],
    seconds: float,
) -> None:
    other = Client(join(policy=ReconnectPolicy(), draw=draw, site=Site()))
    agenda.at(agenda.now + seconds, other.stop)


def _notice(setting: Setting, seed: int) -> Callable[[float], float]:
    """The notice of a loss hangs on its moment alone, so that it is the same for every policy."""
    if setting.notice is None:
        return lambda _: setting.rules.notice
    shortest, longest = setting.notice
    return lambda now: Random(f"{seed} notice {now!r}").uniform(shortest, longest)
