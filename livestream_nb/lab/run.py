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
    join = partial(Client, world, connections=setting.connections, latency=setting.latency)
    client = join(policy, draw=Random(seed).uniform, site=world.home)
    world.rival = partial(_visit, join, agenda, Random(f"{seed} rival").uniform)
    for call in calls:
        agenda.at(call.at, partial(world.do, call))
    agenda.run(setting.seconds)
    client.settle()
    record = client.stream.record
    summary = summarize(
        record,
        traffic,
        connections=setting.connections,
        connects=client.stream.connects,
        end=setting.seconds,
        kept=setting.rules.retention,
    )
    return Day(record, traffic, summary)


def _visit(
    join: Callable[..., Client],
    agenda: Agenda,
    draw: Callable[[float, float], float],
    seconds: float,
) -> None:
    other = join(ReconnectPolicy(), draw=draw, site=Site())
    agenda.at(agenda.now + seconds, other.stop)


def _notice(setting: Setting, seed: int) -> Callable[[], float]:
    if setting.notice is None:
        return lambda: setting.rules.notice
    shortest, longest = setting.notice
    chance = Random(f"{seed} notice")
    return lambda: chance.uniform(shortest, longest)
