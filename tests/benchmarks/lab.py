"""How fast the policy lab lives through days, beside the only other way to do so.

Run by hand: ``python -m tests.benchmarks.lab`` (about a minute), or with ``--quick`` (some seconds:
shorter days, fewer of them). The peer is the reader's own machinery, its slots, queue, claim and
timeline, on an asyncio loop whose time passes at once (`tests.virtual`): the same policy against
the same model of the service, the same losses. Runs take turns; ratios are of one round, medians of
all rounds. Memory is that of a fresh process for each figure.
"""

import argparse
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from time import perf_counter

from livestream_nb.lab import Drops, Lab
from livestream_nb.policy import ReconnectPolicy, others
from livestream_nb.simulator.rules import Rules
from tests.virtual import BEGAN, Reader, World

GRID = {"cooldown": [20.0, 40.0, 60.0, 80.0, 100.0], "notice": [20.0, 55.0, 90.0, 120.0]}
WORDS = (
    "a day of 24 h, 40 losses",
    "the reader's slots in virtual time / the lab",
    "5,000 hits/s / 5 hits/s",
    "twice the hours / once",
    "a request of a client that retries at once",
    "a sweep of 100 days, all cores",
    "memory, 100 days / 10 days",
)
PEAK = """
import resource
from livestream_nb.lab import Lab
Lab().sweep(cooldown=[{values}], seeds=10, workers=1, progress=False)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@dataclass(frozen=True)
class Sizes:
    """How much is measured: rounds, hours of a day, days of each point of the sweep."""

    rounds: int
    hours: float
    seeds: int
    hasty: float


FULL = Sizes(rounds=7, hours=24.0, seeds=5, hasty=24.0)
QUICK = Sizes(rounds=2, hours=3.0, seeds=1, hasty=3.0)


def seconds_of(act: Callable[[], object]) -> float:
    began = perf_counter()
    act()
    return perf_counter() - began


def in_slots(lab: Lab) -> None:
    """The same day, lived through by the reader's own slots."""
    moments = [call.at for call in lab.run()._calls]
    world = World(Rules(), lab.seed, origin="http://127.0.0.1:1", slots=1)
    reader = Reader(world, 1, ReconnectPolicy())
    reader.start()
    for moment in moments:
        world.pass_time(max(0.0, BEGAN + moment - world.now))
        for line in world.alive():
            world.lose(line, "dropped")
    world.pass_time(max(0.0, BEGAN + lab.hours * 3_600 - world.now))
    reader.stop()
    world.close()


def measure(sizes: Sizes) -> dict[str, str]:
    """Measure everything; what is found, by its words, with the target where there is one."""
    lab = Lab(hours=sizes.hours, faults=Drops(40.0))
    slow, fast = Lab(hours=sizes.hours, rate=5.0), Lab(hours=sizes.hours, rate=5_000.0)
    double = Lab(hours=2 * sizes.hours)
    rounds = [
        {
            "day": seconds_of(lab.run),
            "slots": seconds_of(lambda: in_slots(lab)),
            "slow": seconds_of(slow.run),
            "fast": seconds_of(fast.run),
            "double": seconds_of(double.run),
        }
        for _ in range(sizes.rounds)
    ]

    def ratio(one: str, other: str) -> str:
        return f"{median(each[one] / each[other] for each in rounds):,.2f}"

    began = perf_counter()
    hasty = Lab(hours=sizes.hasty).run(others.ImmediateRetry())
    took = perf_counter() - began
    Lab(hours=1).sweep(**GRID, seeds=1, progress=False)  # the processes are there
    swept = seconds_of(lambda: lab.sweep(**GRID, seeds=sizes.seeds, progress=False))
    days = 20 * sizes.seeds
    ten, hundred = (peak(points) for points in (1, 10))
    found = (
        f"{1_000 * median(each['day'] for each in rounds):,.1f} ms{'':16}≤ 1,000",
        ratio("slots", "day"),
        ratio("fast", "slow"),
        ratio("double", "day"),
        f"{1e6 * took / hasty.summary.connects:,.1f} µs",
        f"{swept * 100 / days:,.2f} s{'':17}≤ 60",
        f"{hundred / ten:.2f}",
    )
    return dict(zip(WORDS, found, strict=True))


def peak(points: int) -> int:
    """The highest memory of a process that sweeps ten days for each of so many points."""
    values = ", ".join(str(40.0 + point) for point in range(points))
    command = [sys.executable, "-c", PEAK.format(values=values)]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the policy lab.")
    parser.add_argument("--quick", action="store_true", help="shorter days, fewer of them")
    sizes = QUICK if parser.parse_args().quick else FULL
    for words, figure in measure(sizes).items():
        print(f"{words:56} {figure}")


if __name__ == "__main__":
    main()
