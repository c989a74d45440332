"""A kernel that ends, and who comes after it: real processes, a real simulator, its log as witness.

The simulator runs 30 times as fast as real time, and so do the readers' clocks: a kernel that ends
tells every sixth of a second, instead of every five, that it still reads.
"""

import signal
import socket
import subprocess
import sys
from ast import literal_eval
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from livestream_nb import Reader, Simulator
from livestream_nb.connection.state import Record, Store
from livestream_nb.errors import StreamBusy
from tests.plain import ids_of, until

SPEED = 30.0
SOON = 20.0
FLOOR, JITTER, INTERVAL, SLACK = 60.0, 10.0, 5.0, 25.0
LONG_WAIT = 2
"""A seed by which 9.6 of the 10 seconds of jitter are drawn first."""

KERNEL = """
import sys
from livestream_nb import Clock, Reader
url, token, rate, origin, connections = sys.argv[1:]
clock = Clock(float(rate), float(origin))
reader = Reader(url, token=token, clock=clock, connections=int(connections))
print("ready", flush=True)
for line in sys.stdin:
    print(repr(eval(line)), flush=True)
"""


class Kernel:
    """A Python process with a `reader` that does as it is told, and can be ended in any way."""

    def __init__(self, program: str, *given: object) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", program, *map(str, given)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._hear() == "ready"

    def __call__(self, line: str) -> Any:
        """The value of an expression there, if it is a literal."""
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()
        return literal_eval(self._hear())

    def start(self, hits: int = 50) -> None:
        """Start reading, and wait for some hits."""
        self(f"reader.start().wait(hits={hits}, timeout={SOON}) and None")

    def ids(self) -> list[tuple[int, int]]:
        return self("list(reader.hits(columns=['hitIdHigh', 'hitIdLow']).iter_rows())")

    def end(self, signal_: int | None = None) -> None:
        """By a signal, or else as a program that comes to its end without `reader.stop()`."""
        if signal_ is not None:
            self.process.send_signal(signal_)
        self.process.stdin.close()
        self.process.wait(SOON)
        self.process.stdout.close()

    def _hear(self) -> str:
        return self.process.stdout.readline().strip()


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state directory that knows of no other test."""
    monkeypatch.setenv("LIVESTREAM_NB_STATE", str(tmp_path))
    return tmp_path


@pytest.fixture
def sim() -> Iterator[Simulator]:
    with Simulator(speed=SPEED, rate=20) as made:
        yield made


@pytest.fixture
def kernel() -> Iterator[Callable[..., Kernel]]:
    made: list[Kernel] = []

    def make(sim: Simulator, connections: int = 1) -> Kernel:
        clock = sim.clock
        given = sim.stream_url, sim.token, clock.rate, clock.origin, connections
        made.append(Kernel(KERNEL, *given))
        return made[-1]

    yield make
    for each in made:
        each.end(signal.SIGKILL)


def told(sim: Simulator, state: Path) -> Record | None:
    """What the state on disk tells of the stream."""
    return Store(state, sim.stream_url.removeprefix("http://").replace("api/1/stream/", "")).read()


def moments(sim: Simulator, event: str) -> list[datetime]:
    return sim.log.filter(pl.col("event") == event)["time"].to_list()


def between(sim: Simulator, end: str = "left") -> float:
    """Service seconds from the end of the first connection to the second, by the service's log."""
    return (moments(sim, "connected")[1] - moments(sim, end)[0]).total_seconds()


def first_state(reader: Reader) -> tuple[str, str, str]:
    return reader.timeline().select("state", "reason", "sentence").row(0)


def refreshed(sim: Simulator, state: Path) -> None:
    """Wait until the reading process has just told that it still reads."""
    before = told(sim, state)
    until(lambda: told(sim, state) != before)


def let_pass(sim: Simulator, seconds: float = FLOOR / 2, after: str = "left") -> None:
    """Let time pass: half the cooldown, so that what remains of it can be told from a new one."""
    until(lambda: moments(sim, after))
    moment = moments(sim, after)[0].timestamp() + seconds
    until(lambda: sim.clock.utc() > moment)


def test_successor_of_a_killed_kernel(sim, kernel, state: Path) -> None:
    """The successor of a killed kernel waits out what remains, says so, and loses nothing."""
    first = kernel(sim)
    first.start()
    had = first.ids()
    refreshed(sim, state)
    first.end(signal.SIGKILL)
    let_pass(sim)
    with sim.reader() as reader:
        reader.wait(state="streaming", timeout=SOON)
        assert FLOOR <= between(sim) <= FLOOR + INTERVAL + JITTER + SLACK
        assert moments(sim, "refused") == []
        began, reason, sentence = first_state(reader)
        assert (began, reason) == ("cooldown", "asked")
        assert sentence.startswith("This stream was read a moment ago")
        assert "Next attempt in" in sentence
        sim.go_quiet()
        until(lambda: set(ids_of(sim.truth())) <= {*had, *ids_of(reader.hits())}, SOON)
        assert reader.hits().select("hitIdHigh", "hitIdLow").is_unique().all()


def test_successor_of_a_program_that_just_ends(kernel) -> None:
    """A program that ends without stop() leaves its successor the cooldown, too.

    It takes its time to end, during which it tells nothing: hence slower, and with a long wait.
    """
    with Simulator(speed=15, rate=20) as sim:
        first = kernel(sim)
        first.start()
        first.end()
        with sim.reader(seed=LONG_WAIT) as reader:
            reader.wait(state="streaming", timeout=SOON)
            assert FLOOR <= between(sim) <= FLOOR + INTERVAL + JITTER + SLACK
            assert first_state(reader)[:2] == ("cooldown", "asked")


def test_successor_in_another_process(sim, kernel, state: Path) -> None:
    """A kernel that is ended by SIGTERM leaves a restarted one, a new process, the cooldown."""
    first = kernel(sim)
    first.start()
    second = kernel(sim)
    refreshed(sim, state)
    first.end(signal.SIGTERM)
    second.start()
    until(lambda: moments(sim, "left"))
    assert FLOOR <= between(sim) <= FLOOR + INTERVAL + JITTER + SLACK
    assert second("reader.timeline().row(0)[1]") == "cooldown"


def test_kernel_killed_while_it_waits(sim, kernel, state: Path) -> None:
    """Who is killed during a cooldown leaves the rest of it, not a new one, to the successor."""
    first = kernel(sim)
    first.start()
    sim.drop()
    first("reader.wait(state='cooldown', timeout=20) and None")
    until(lambda: not told(sim, state).open)
    let_pass(sim, after="dropped")
    first.end(signal.SIGKILL)
    with sim.reader() as reader:
        reader.wait(state="streaming", timeout=SOON)
        assert FLOOR <= between(sim, "dropped") <= FLOOR + JITTER + SLACK
        assert first_state(reader)[:2] == ("cooldown", "asked")


def test_a_second_process_is_refused(sim, kernel) -> None:
    """A stream that a live process reads is refused: who reads it, where, and what to do."""
    first = kernel(sim)
    first.start()
    reader = sim.reader()
    with pytest.raises(StreamBusy) as busy:
        reader.start()
    for part in (str(first.process.pid), socket.gethostname(), "exclusive=False"):
        assert part in str(busy.value)
    assert (reader.status.state, reader.status.connects) == ("stopped", 0)
    assert len(moments(sim, "connected")) == 1
    assert moments(sim, "refused") == []


def test_reading_beside_another_process(sim, kernel, state: Path) -> None:
    """exclusive=False reads in a slot that is free, and leaves the other's state alone."""
    first = kernel(sim, connections=2)
    first.start()
    until(lambda: len(moments(sim, "connected")) == 2)
    sim.drop(ghost=0, connection=2)
    with sim.reader(connections=2, exclusive=False) as beside:
        beside.wait(hits=20, timeout=SOON)
        writers = set()
        for _ in range(6):
            refreshed(sim, state)
            writers.add(told(sim, state).pid)
        assert writers == {first.process.pid}
        of_the_other = sim.log.filter(
            (pl.col("connection") == 1) & (pl.col("event") != "committed")
        )
        assert of_the_other["event"].to_list() == ["connected"]
    refreshed(sim, state)
    assert told(sim, state).pid == first.process.pid


def test_a_cell_that_is_run_again(sim) -> None:
    """Running a cell again goes on with its connection; once stopped, the floor is kept."""
    cells = [sim.reader().start().wait(hits=20, timeout=SOON) for _ in range(3)]
    assert len(moments(sim, "connected")) == 1
    cells[0].stop()
    assert moments(sim, "left") == []
    cells[-1].stop()
    with sim.reader(columns="default", keep=500) as changed:
        changed.wait(state="streaming", timeout=SOON)
        assert FLOOR <= between(sim) <= FLOOR + JITTER + SLACK
        assert first_state(changed)[:2] == ("cooldown", "asked")
    assert moments(sim, "refused") == []
