"""What recording costs, what it takes on the disk, and how soon a recording answers.

Run by hand: ``python -m tests.benchmarks.recording`` (some minutes), or with ``--quick`` (about a
minute: less of everything, less settled figures, and a smaller recording to ask). Each client is a
fresh process, its imports not counted but in memory; clients take turns within a round, in the
other order in every second one, ratios are of one round, and medians are of all rounds.

*Reading*: a prepared stream of records of 3.7 kB comes from another process, as fast as it is
taken: without recording, with, and with raw records; to files on the disk of the temporary folder.
It is measured until all hits are in the frame, and from there until all are sealed. Then one full
segment is sealed alone. *Keeping*: a simulator's records of its own sizes, as they come at 100 hits
a second, are recorded at once, with a clock that is set; beside it files that hold the same hits.
*Asking*: a day without raw records, made up of a simulator's hits, has just been written, so the
system has its files in memory.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from tests.benchmarks.client import Client, Measured
from tests.benchmarks.feed import served
from tests.benchmarks.packing import prepare
from tests.benchmarks.recording_figures import READING, Figures, Sizes, report
from tests.benchmarks.recordings import BEGAN, a_day, pieces, small_files
from tests.benchmarks.throughput import one_round, others

FULL = Sizes(
    rounds=5,
    hits=200_192,
    slow=10_000,
    kept=110_000,
    kept_slow=36_000,
    segment=26_000,
    asked=5,
    day=10_000_800,
    files=288,
    lines=20_000,
    small=10_000,
    seconds=600,
)
QUICK = Sizes(
    rounds=3,
    hits=40_960,
    slow=3_000,
    kept=26_000,
    kept_slow=6_000,
    segment=26_000,
    asked=2,
    day=1_000_800,
    files=24,
    lines=1_000,
    small=2_000,
    seconds=600,
)
FIRST, END = 9, 17
Said = Mapping[str, tuple[object, ...]]


def reading(figures: Figures, directory: Path) -> None:
    """Measure what recording costs."""
    sizes = figures.sizes
    prepare(directory, "bulk", sizes.hits)
    prepare(directory, "steady", sizes.slow)
    with served(directory) as url:
        bulk = {
            way: ("recorded.bulk", f"{url}bulk-{sizes.hits}", sizes.hits, way) for way in READING
        }
        figures.reading += in_turn(bulk, sizes.rounds)
        slow = f"{url}steady-{sizes.slow}-1000"
        figures.idle = singly({way: ("recorded.idle", slow, sizes.slow, way) for way in READING})


def keeping(figures: Figures) -> None:
    """Measure what it takes on the disk, and how soon a segment is sealed."""
    sizes, ways = figures.sizes, ("columns", "raw")
    figures.sealing = singly({way: ("recorded.sealing", 100, sizes.segment, way) for way in ways})
    ours = {way: ("recorded.kept", 100, sizes.kept, way) for way in ways}
    peers = ("gzip", "table", "raw_table")
    theirs = {name: (f"stores.{name}", 100, sizes.kept) for name in peers}
    slow = {"slow": ("recorded.kept", 10, sizes.kept_slow, "raw")}
    figures.stored = singly({**ours, **theirs, **slow})


def asking(figures: Figures, directory: Path) -> None:
    """Measure how soon a recording answers."""
    sizes, day, small = figures.sizes, directory / "day", directory / "small"
    lines = directory / "hits.ndjson"
    a_day(day, sizes.day, sizes.files)
    small_files(small, sizes.small, sizes.seconds)
    lines.write_bytes(b"".join(each.block for each in pieces(100.0, sizes.lines)))
    began = round(BEGAN)
    figures.asked += in_turn(
        {
            "day": ("recorded.summary", day, FIRST, END),
            "day, duckdb": ("stores.duckdb", day, began, FIRST, END),
            "all": ("recorded.summary", day, 0, 24),
            "all, duckdb": ("stores.duckdb", day, began, 0, 24),
            "all, pandas": ("stores.pandas", lines, 0, 24),
            "throughput": ("recorded.throughput", day),
            "lag": ("recorded.lag", day),
            "opened": ("recorded.opened", small),
        },
        sizes.asked,
    )


def in_turn(said: Said, rounds: int) -> list[dict[str, Measured]]:
    """Let all clients work so many times, one after another."""
    turns = [[*said.items()], [*reversed(said.items())]]
    return [one_round(dict(turns[number % 2])) for number in range(rounds)]


def singly(said: Said) -> dict[str, Measured]:
    """Let each client work once, while there is no other."""
    found = {}
    for name, task in said.items():
        with Client(*task) as client:
            found[name] = client.ready().result()
    return found


def measure(sizes: Sizes) -> Figures:
    """Measure everything."""
    figures, began, before = Figures(sizes), perf_counter(), others()
    for part in (reading, asking):
        with TemporaryDirectory(prefix="livestream-recording-") as made:
            part(figures, Path(made))
    keeping(figures)
    figures.others = (others() - before) / (perf_counter() - began)
    return figures


def main() -> None:
    """Measure, and print what was measured beside what is to be reached."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="about a minute, less settled")
    report(measure(QUICK if parser.parse_args().quick else FULL))


if __name__ == "__main__":
    main()
