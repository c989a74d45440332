"""What the recordings' benchmark measured, and how it is printed beside the targets."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import median

from tests.benchmarks.client import Measured

READING = {
    "alone": "Reader, everything on",
    "columns": "the same, recording columns",
    "raw": "the same, and raw records",
}
STORED = {
    "raw": "a recording",
    "slow": "a recording, 10 hits/s",
    "gzip": "gzip, one record a line",
    "raw_table": "one Parquet file, a column of records",
    "columns": "a recording without raw records",
    "table": "one Parquet file without raw records",
}
ASKED = {
    "day": "day summary, 9 to 17 h",
    "day, duckdb": "  by DuckDB, of the same files",
    "all": "day summary, 0 to 24 h",
    "all, duckdb": "  by DuckDB, of the same files",
    "all, pandas": "  by pandas, of records one a line; scaled",
    "throughput": 'throughput("1h")',
    "lag": 'lag("1h")',
    "opened": "opened, and status",
}


@dataclass(frozen=True)
class Sizes:
    """How much is measured.

    Attributes
    ----------
    rounds, hits : int
        Rounds of reading as fast as it goes, and hits of each client in them.
    slow : int
        Hits that are read at 1,000 a second.
    kept, kept_slow : int
        Hits of which the bytes are counted: at 100 and at 10 a second.
    segment : int
        Hits of the segment that is sealed.
    asked : int
        Rounds of questions.
    day, files : int
        Hits and files of the recording that is asked; the files divide the hits.
    lines : int
        Hits that pandas is asked of.
    small, seconds : int
        Files of the recording that is opened, and for how many seconds each was recorded.
    """

    rounds: int
    hits: int
    slow: int
    kept: int
    kept_slow: int
    segment: int
    asked: int
    day: int
    files: int
    lines: int
    small: int
    seconds: int


@dataclass
class Figures:
    """Everything that was measured; ``others``: how many cores other work took."""

    sizes: Sizes
    reading: list[dict[str, Measured]] = field(default_factory=list)
    idle: dict[str, Measured] = field(default_factory=dict)
    sealing: dict[str, Measured] = field(default_factory=dict)
    stored: dict[str, Measured] = field(default_factory=dict)
    asked: list[dict[str, Measured]] = field(default_factory=list)
    others: float = 0.0

    def read(self, name: str, what: str) -> float:
        return median(each[name][what] for each in self.reading)

    def rate(self, name: str) -> float:
        return median(each[name]["hits"] / each[name]["seconds"] for each in self.reading)

    def sealed(self, name: str) -> float:
        """Hits a second until all of them are sealed."""
        return median(
            each[name]["hits"] / (each[name]["seconds"] + each[name]["sealing"])
            for each in self.reading
        )

    def ratio(self, name: str) -> float:
        """How many times as many hits a second as without recording, of the same round."""
        return median(each["alone"]["seconds"] / each[name]["seconds"] for each in self.reading)

    def bytes(self, name: str) -> float:
        return self.stored[name]["bytes"] / self.stored[name]["hits"]

    def part(self, name: str, part: str) -> float:
        return self.stored[name]["parts"][part] / self.stored[name]["hits"]

    def took(self, name: str) -> float:
        """Seconds; those of pandas are scaled to all hits."""
        scale = self.sizes.day / self.sizes.lines if name == "all, pandas" else 1.0
        return scale * median(each[name]["seconds"] for each in self.asked)

    def peak(self, name: str) -> float:
        return median(each[name]["peak"] for each in self.asked) / 1e6


def tables(figures: Figures) -> Iterator[str]:
    """What reading, keeping and asking cost, a line for each client."""
    sizes = figures.sizes
    first = f"{sizes.hits:,} hits, medians of {sizes.rounds} rounds"
    heads = "hits/s", "CPU µs/hit", "peak MB", "sealed after s", "sealed hits/s"
    yield "{:42}{:>9}{:>12}{:>9}{:>16}{:>15}".format(first, *heads)
    for name, words in READING.items():
        yield (
            f"{words:42}{figures.rate(name):9,.0f}"
            f"{1e6 * figures.read(name, 'cpu') / sizes.hits:12.1f}"
            f"{figures.read(name, 'peak') / 1e6:9,.0f}{figures.read(name, 'sealing'):16.2f}"
            f"{figures.sealed(name):15,.0f}"
        )
    yield "\n{:42}{:>9}{:>12}".format("a simulator's hits at 100 hits/s", "bytes/hit", "hits")
    for name, words in STORED.items():
        yield f"{words:42}{figures.bytes(name):9.1f}{figures.stored[name]['hits']:12,}"
    first = f"{sizes.day:,} hits, medians of {sizes.asked} rounds"
    yield "\n{:46}{:>9}{:>9}".format(first, "seconds", "peak MB")
    for name, words in ASKED.items():
        yield f"{words:46}{figures.took(name):9.2f}{figures.peak(name):9,.0f}"


Line = tuple[str, float, str, str]


def lines(figures: Figures) -> Iterator[Line]:
    """What is to be reached: in words, the figure, its unit, and the target."""
    sizes = figures.sizes
    yield "recording raw records / not recording", figures.ratio("raw"), "", "≥ 0.75"
    yield "recording columns / not recording", figures.ratio("columns"), "", ""
    for name, words in {"raw": "with raw records", "columns": "without"}.items():
        speed = 1e-3 * figures.sealing[name]["hits"] / figures.sealing[name]["seconds"]
        yield f"sealing one full segment, {words}", speed, "khits/s", ""
    for name, words in READING.items():
        told = figures.idle[name]
        yield f"CPU at {told['rate']:,.0f} hits/s: {words}", 100 * told["share"], "% of core", ""
    yield "bytes per hit on disk", figures.bytes("raw"), "", "≤ 200"
    for part in ("raw", "hits", "journal"):
        yield f"  of these: {part}", figures.part("raw", part), "", ""
    yield "bytes per hit on disk, without raw records", figures.bytes("columns"), "", "≤ 80"
    for other in ("gzip", "raw_table"):
        yield f"{STORED[other]} / ours", figures.bytes(other) / figures.bytes("raw"), "", ""
    yield f"{STORED['table']} / ours", figures.bytes("table") / figures.bytes("columns"), "", ""
    yield f"day summary of {sizes.day:,} hits", figures.took("day"), "s", "≤ 3"
    yield "  its memory, imports included", figures.peak("day"), "MB", "≤ 1000"
    yield "DuckDB, of the same files / ours", _beside(figures, "day", "duckdb"), "", ""
    yield "  0 to 24 h: DuckDB / ours", _beside(figures, "all", "duckdb"), "", ""
    yield "  0 to 24 h: pandas, scaled / ours", _beside(figures, "all", "pandas"), "", ""
    yield f"opening a recording of {sizes.small:,} files", figures.took("opened"), "s", "≤ 2"
    yield "  its memory, imports included", figures.peak("opened"), "MB", ""
    yield "other work on this machine meanwhile", figures.others, "cores", ""


def _beside(figures: Figures, name: str, peer: str) -> float:
    return figures.took(f"{name}, {peer}") / figures.took(name)


def report(figures: Figures) -> None:
    """Print all figures."""
    print(*tables(figures), "", sep="\n")
    for what, value, unit, target in lines(figures):
        print(f"{what:60}{value:9.2f} {unit:12}{target}")
