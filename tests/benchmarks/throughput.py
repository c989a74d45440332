"""How fast hits are read, beside what people write without this package and what is possible.

Run by hand: ``python -m tests.benchmarks.throughput`` (some minutes), or with ``--quick`` (under a
minute: fewer hits, fewer rounds, less settled figures). The stream is prepared beforehand and sent
by another process, on the last core; each client is a fresh process, its imports not counted, and
takes the cores it likes; the two limits work in memory, on the first core alone. Clients take turns
within a round, ratios are of one round, and medians are of all rounds, so that other work on the
machine does not decide. Slower clients read fewer hits: rates are per hit. Processor time is that
of a whole process: that of the spinning thread, too.

Beyond rates: ``filled`` clients read hits of the default columns only, which fill the same frame
sooner, until so many are buffered, and then the usual ones.
"""

import argparse
import os
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from tests.benchmarks.client import Client, Measured
from tests.benchmarks.feed import served
from tests.benchmarks.figures import Figures, Sizes, report
from tests.benchmarks.packing import prepare
from tests.benchmarks.peers import PEERS

K, M = 1_024, 1_000_192
"""Rows that a buffer holds, as whole chunks: about a thousand, and about a million."""

FULL = Sizes(
    rounds=5,
    fills=3,
    hits={"P1": 15_360, "P2": 40_960, "P3": 61_440}
    | dict.fromkeys(("gunzip", "limit", "ours"), 200_192)
    | {"single": 61_440, "spun": 61_440},
    cost=102_400,
    rows=(K, 100 * K, M),
    seconds=10,
    settle=2.0,
)
QUICK = Sizes(
    rounds=3,
    fills=1,
    hits={"P1": 2_560, "P2": 7_680, "P3": 15_360}
    | dict.fromkeys(("gunzip", "limit", "ours"), 81_920)
    | {"single": 10_240, "spun": 7_680},
    cost=10_240,
    rows=(K, 20 * K, 100 * K),
    seconds=3,
    settle=0.5,
)


def prepare_all(directory: Path, sizes: Sizes) -> None:
    """Pack all feeds that the measures need."""
    hits = sizes.hits
    prepare(directory, "bulk", max([sizes.cost, *hits.values()]))
    prepare(directory, "single", hits["single"])
    prepare(directory, "brisk", sizes.brisk)
    prepare(directory, "steady", sizes.steady)
    prepare(directory, "lean", sizes.rows[-1])


def tasks(directory: Path, url: str, hits: Mapping[str, int]) -> dict[str, tuple[object, ...]]:
    """What the clients of one round do."""
    bulk = {name: f"{url}bulk-{many}" for name, many in hits.items()}
    return {name: ("peer", name, bulk[name]) for name in PEERS} | {
        "gunzip": ("gunzip", directory, hits["gunzip"]),
        "limit": ("decode", directory, hits["limit"]),
        "ours": ("bulk", bulk["ours"], hits["ours"]),
        "single": ("bulk", f"{url}single-{hits['single']}", hits["single"]),
        "spun": ("spun", bulk["spun"], hits["spun"]),
    }


def one_round(all_said: Mapping[str, tuple[object, ...]]) -> dict[str, Measured]:
    """Start all clients, and let one work after another."""
    with ExitStack() as stack:
        clients = {name: stack.enter_context(Client(*said)) for name, said in all_said.items()}
        for client in clients.values():
            client.ready()
        return {name: client.result() for name, client in clients.items()}


def fills(url: str, sizes: Sizes) -> dict[str, tuple[object, ...]]:
    """Clients that hold few, more and many hits; some have seen many, and hold or know few."""
    few, more, many = sizes.rows
    warm = f"{url}bulk-{sizes.cost}"
    return {
        name: (
            *("filled", warm, f"{url}lean-{rows}_pause_bulk-{sizes.cost}"),
            *(keep, dedupe, rows, sizes.cost, sizes.settle),
        )
        for name, keep, dedupe, rows in (
            ("few", many, many, few),
            ("more", many, many, more),
            ("many", many, many, many),
            ("seen", few, many, many),
            ("forgot", few, few, many),
        )
    }


def measure(sizes: Sizes) -> Figures:
    """Measure everything."""
    figures, began, before = Figures(sizes), perf_counter(), others()
    with TemporaryDirectory(prefix="livestream-feed-") as made:
        prepare_all(Path(made), sizes)
        with served(Path(made)) as url:
            said = tasks(Path(made), url, sizes.hits)
            for _ in range(sizes.rounds):
                figures.rounds.append(one_round(said))
            for _ in range(sizes.fills):
                figures.fills.append(one_round(fills(url, sizes)))
                figures.alone.append(one_round(alone(url, sizes)))
    figures.others = (others() - before) / (perf_counter() - began)
    return figures


def others() -> float:
    """Seconds for which the cores worked for others than this process and those it has ended."""
    user, nice, system, _, _, *interrupts = map(
        int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]
    )
    busy = (user + nice + system + sum(interrupts)) / os.sysconf("SC_CLK_TCK")
    return busy - sum(os.times()[:4])


def alone(url: str, sizes: Sizes) -> dict[str, tuple[object, ...]]:
    """Clients that are measured for themselves."""
    brisk, steady = sizes.brisk, sizes.steady
    return {
        "latency": ("latency", f"{url}brisk-{brisk}-10000", brisk),
        "idle": ("idle", f"{url}steady-{steady}-1000", 1_000, sizes.seconds),
        "imports": ("imports",),
    }


def main() -> None:
    """Measure, and print what was measured beside what is to be reached."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="under a minute, less settled")
    report(measure(QUICK if parser.parse_args().quick else FULL))


if __name__ == "__main__":
    main()
