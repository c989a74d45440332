"""livestream_nb.recording with real processes: killed amid recording, and followed for a minute."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import polars as pl
import pytest

from livestream_nb import Recording, Simulator

SPEED = 30.0
SOON = 30.0
IDS = ["hitIdHigh", "hitIdLow"]

PROGRAM = """
import sys
from livestream_nb import Clock, Reader
from livestream_nb.recording import recorder
url, token, rate, origin, folder, size = sys.argv[1:]
recorder.SEGMENT_BYTES = int(size)
clock = Clock(float(rate), float(origin))
reader = Reader(url, token=token, clock=clock, record_to=folder).start()
while True:
    reader.wait(hits=reader.status.hits + 1)
    print(reader.status.hits, flush=True)
"""


class Process:
    """A process that records a stream, and says again and again how many hits it has."""

    def __init__(self, sim: Simulator, url: str, folder: Path, size: int) -> None:
        given = url, sim.token, sim.clock.rate, sim.clock.origin, folder, size
        self._process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *map(str, given)], stdout=subprocess.PIPE, text=True
        )

    def hits(self) -> int:
        """How many hits it has: waits for what it says next."""
        return int(self._process.stdout.readline())

    def kill(self) -> int:
        """Kill it; return the last number of hits that it said."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(SOON)
        said = self._process.stdout.read().split("\n")
        self._process.stdout.close()
        return max((int(line) for line in said[:-1] if line), default=0)


@pytest.fixture
def recording() -> Iterator[Callable[..., Process]]:
    made: list[Process] = []

    def make(*given: object) -> Process:
        made.append(Process(*given))
        return made[-1]

    yield make
    for each in made:
        if not each._process.stdout.closed:
            each.kill()


def ids(hits: pl.DataFrame | pl.LazyFrame) -> list[tuple[int, int]]:
    return hits.lazy().select(IDS).collect().rows()


def left_over(folder: Path) -> list[str]:
    """Half files, and what is in the spool."""
    return [path.name for path in folder.rglob("*") if path.suffix in (".aside", ".spool")]


@pytest.mark.parametrize("number", range(5))
def test_nothing_received_is_lost(number: int, recording, tmp_path: Path) -> None:
    """Killed at four random moments, amid writing and sealing, the folder has every hit once."""
    chance = Random(number)  # noqa: S311
    with Simulator(speed=SPEED, rate=100, record_size=2_000) as sim:
        streams = [sim.stream(f"s{each}", rate=100) for each in range(4)]
        folders = [tmp_path / f"s{each}" for each in range(4)]
        processes = [
            recording(sim, stream.stream_url, folder, chance.choice([200_000, 2_000_000]))
            for stream, folder in zip(streams, folders, strict=True)
        ]
        for stream, folder, process in zip(streams, folders, processes, strict=True):
            wanted, said = chance.randrange(1, 1_500), 0
            while said < wanted:
                said = process.hits()
            said = max(said, process.kill())
            recorded = ids(Recording(folder).lazy())
            assert len(recorded) >= said
            assert sorted(recorded) == sorted(ids(stream.truth())[: len(recorded)])
            assert left_over(folder) == []


def test_dedupe_goes_on_across_restarts(recording, tmp_path: Path) -> None:
    """Killed and begun again, the service repeats what it was not told of: each hit is there once.

    The repeats prove that the outage is covered.
    """
    with Simulator(speed=SPEED, rate=60, record_size=2_000) as sim:
        for wanted in (1_000, 1_500, 1_500):
            process = recording(sim, sim.stream_url, tmp_path / "rec", 500_000)
            while process.hits() < wanted:
                pass
            process.kill()
        truth = ids(sim.truth())
        found = Recording(tmp_path / "rec")
        recorded = ids(found.lazy())
        assert sorted(recorded) == sorted(truth[: len(recorded)])
        assert len(recorded) >= 4_000
        assert found.throughput("1h")["duplicates"].sum() > 0
        states = found.timeline()
        assert states.filter(pl.col("reason") == "killed").height == 3
        assert found.gaps()["verdict"].to_list() == ["covered", "covered"]
        assert found.status.state == "stopped"


def test_a_follower_keeps_up(minute: subprocess.Popen[str]) -> None:
    """At 2,000 hits/s a follower is never 2 s behind, and has the very same hits."""
    said, _ = minute.communicate(timeout=120)
    found = json.loads(said)
    assert found["sent"] > 10_000
    assert found["longest"] < 2.0
    assert found["same"]
    assert found["exact"]
