"""What the benchmark measured, as rates and ratios, and how it is printed beside the targets."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from statistics import median

from tests.benchmarks.client import Measured
from tests.benchmarks.peers import PEERS

WORDS = {name: f"{name} {peer.words}" for name, peer in PEERS.items()} | {
    "gunzip": "limit: gunzip, in memory",
    "limit": "limit: gunzip and decode, in memory",
    "ours": "ours: Reader, everything on",
    "single": "ours, one record per chunk",
    "spun": "ours, beside a spinning thread",
}


@dataclass(frozen=True)
class Sizes:
    """How much is measured: rounds, and hits of each client in a round.

    Attributes
    ----------
    rows : tuple of int
        How many hits are buffered already: few, more and many.
    seconds : float
        How long a slow stream is looked at, and a brisk one lasts.
    settle : float
        Seconds for memory to be given back once a buffer is full.
    """

    rounds: int
    fills: int
    hits: Mapping[str, int]
    cost: int
    rows: tuple[int, int, int]
    seconds: float
    settle: float

    @property
    def brisk(self) -> int:
        """Hits at 10,000 a second."""
        return round(10_000 * self.seconds)

    @property
    def steady(self) -> int:
        """Hits at 1,000 a second: for longer than they are looked at."""
        return round(1_000 * (self.seconds + 3))


@dataclass
class Figures:
    """Everything that was measured, round by round; ``others``: how many cores other work took."""

    sizes: Sizes
    rounds: list[dict[str, Measured]] = field(default_factory=list)
    fills: list[dict[str, Measured]] = field(default_factory=list)
    alone: list[dict[str, Measured]] = field(default_factory=list)
    others: float = 0.0

    def rate(self, name: str) -> float:
        return median(each[name]["hits"] / each[name]["seconds"] for each in self.rounds)

    def cost(self, name: str) -> float:
        """Microseconds of processor time for a hit."""
        return median(1e6 * each[name]["cpu"] / each[name]["hits"] for each in self.rounds)

    def peak(self, name: str) -> float:
        return median(each[name]["peak"] for each in self.rounds) / 1e6

    def ratio(self, other: str, name: str = "ours") -> float:
        """How many times as many hits a second, both of the same round."""
        speeds = [
            [each[one]["hits"] / each[one]["seconds"] for one in (name, other)]
            for each in self.rounds
        ]
        return median(mine / theirs for mine, theirs in speeds)

    def dearer(self, name: str) -> float:
        """How many times as much a hit costs as with few rows buffered."""
        return median(each[name]["cost"] / each["few"]["cost"] for each in self.fills)

    def memory(self, more: str, less: str) -> float:
        """Bytes by which a client grew beyond another that has seen the same, for each hit."""
        few, _, many = self.sizes.rows
        grown = [each[more]["memory"] - each[less]["memory"] for each in self.fills]
        return median(grown) / (many - few)

    def of(self, name: str, what: str) -> float:
        return median(each[name][what] for each in self.alone)


def table(figures: Figures) -> Iterator[str]:
    """The rates, a line for each client."""
    rounds = figures.sizes.rounds
    first, *heads = f"medians of {rounds} rounds", "hits/s", "CPU µs/hit", "peak MB", "hits"
    yield "{:42}{:>9}{:>12}{:>9}{:>9}".format(first, *heads)
    for name, words in WORDS.items():
        yield (
            f"{words:42}{figures.rate(name):9,.0f}{figures.cost(name):12.1f}"
            f"{figures.peak(name):9,.0f}{figures.sizes.hits[name]:9,}"
        )


Line = tuple[str, float, str, str]


def lines(figures: Figures) -> Iterator[Line]:
    """What else is measured: in words, the figure, its unit, and the target."""
    few, more, many = figures.sizes.rows
    for name, target in {"P1": 12, "P2": 4, "P3": 2.2, "limit": 0.75}.items():
        yield f"ours / {name}", figures.ratio(name), "", f"≥ {target}"
    yield "one record per chunk / ours", figures.ratio("ours", "single"), "", ""
    yield "beside a spinning thread / ours", figures.ratio("ours", "spun"), "", ""
    for p, target in {"p50": "", "p95": "≤ 250"}.items():
        what = f"socket to hits() at 10,000 hits/s, {p}"
        yield what, 1e3 * figures.of("latency", p), "ms", target
    yield f"cost per hit, {more:,} buffered / {few:,}", figures.dearer("more"), "", ""
    yield f"cost per hit, {many:,} buffered / {few:,}", figures.dearer("many"), "", "≤ 1.1"
    yield "memory per buffered hit", figures.memory("many", "seen"), "bytes", "≤ 400"
    yield "memory per hit of the dedupe window", figures.memory("seen", "forgot"), "bytes", "≤ 100"
    rows = figures.fills[-1]["many"]["last"]
    query = 1e3 * median(each["many"]["query"] for each in figures.fills)
    yield f'hits(last="1m"), {many:,} buffered, {rows:,} given', query, "ms", "≤ 20"
    rate = figures.of("idle", "rate")
    yield f"CPU at {rate:,.0f} hits/s", 100 * figures.of("idle", "share"), "% of a core", "≤ 4"
    yield "import beyond polars", 1e3 * figures.of("imports", "seconds"), "ms", "≤ 150"
    yield "other work on this machine meanwhile", figures.others, "cores", ""


def report(figures: Figures) -> None:
    """Print all figures; the last line is for programs."""
    print(*table(figures), "", sep="\n")
    for what, value, unit, target in lines(figures):
        print(f"{what:60}{value:9.2f} {unit:12}{target}")
    ratios = {name: round(figures.ratio(name), 2) for name in (*PEERS, "limit")}
    print("RATIOS", json.dumps(ratios))
