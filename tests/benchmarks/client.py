"""One measurement in a process of its own: a fresh client, its processor time and its memory.

``python -m tests.benchmarks.client TASK ARGUMENTS`` imports what the task needs, prints ``ready``,
waits for a line on standard input, does the task and prints what it measured as JSON. It ends by
itself: when nobody says go, and five minutes after that whatever happens.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import Any, Self

from tests.benchmarks.feed import Feed, pin
from tests.benchmarks.peers import PEERS, decoded, default_shape, gunzipped

LIFETIME = 300  # seconds
Measured = dict[str, Any]
Task = Callable[[], Measured]


def measured(work: Callable[[], int]) -> Measured:
    """Do work that gives a number of hits, and measure it."""
    began, used = perf_counter(), process_time()
    hits = work()
    return {"hits": hits, "seconds": perf_counter() - began, "cpu": process_time() - used} | {
        "peak": in_memory("VmHWM")
    }


def in_memory(what: str = "VmRSS") -> int:
    """Bytes of memory that this process holds, or held at most (``VmHWM``).

    Not by ``getrusage``: its peak begins with that of the process that started this one.
    """
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith(what))


def peer(name: str, url: str) -> Task:
    """Read a stream the way of a peer."""
    for library in PEERS[name].libraries:
        import_module(library)
    return lambda: measured(lambda: len(PEERS[name].read(url)))


def gunzip(directory: str, hits: str) -> Task:
    """Unpack what a bulk client receives; in memory, on one core."""
    pieces = _pinned(directory, hits)

    def work() -> int:
        for _ in gunzipped(pieces):
            pass
        return int(hits)

    return lambda: measured(work)


def decode(directory: str, hits: str) -> Task:
    """Unpack and decode what a bulk client receives; in memory, on one core."""
    pieces, shape = _pinned(directory, hits), default_shape()
    return lambda: measured(lambda: sum(len(block) for block in decoded(pieces, shape)))


def _pinned(directory: str, hits: str) -> list[bytes]:
    pin(0)
    return Feed.load(Path(directory), "bulk").pieces(int(hits))


def imports() -> Task:
    """How long the package takes to import when polars is there already."""

    def work() -> Measured:
        began = perf_counter()
        import_module("livestream_nb")
        return {"seconds": perf_counter() - began}

    import_module("polars")
    return work


def task(name: str, *arguments: str) -> Task:
    """A task by its name, of module ``ours`` or of that before the dot.

    These are known only once they are imported, and what they measure with them.
    """
    common: dict[str, Callable[..., Task]] = {
        "peer": peer,
        "gunzip": gunzip,
        "decode": decode,
        "imports": imports,
    }
    if name in common:
        return common[name](*arguments)
    room, _, known = name.rpartition(".")
    return import_module(f"tests.benchmarks.{room or 'ours'}").TASKS[known](*arguments)


class Client:
    """Such a process, seen from the one that starts it; gone after its result."""

    def __init__(self, *said: object) -> None:
        self._state = TemporaryDirectory(prefix="livestream-benchmark-")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.client", *map(str, said)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"LIVESTREAM_NB_STATE": self._state.name},
        )

    def ready(self) -> Self:
        """Wait until it has imported what it needs."""
        assert self._process.stdout.readline() == "ready\n", f"{self._process.args} did not start"
        return self

    def result(self) -> Measured:
        """Tell it to go, and wait for what it measured."""
        answer, _ = self._process.communicate("go\n", timeout=LIFETIME)
        assert self._process.returncode == 0, f"{self._process.args} failed"
        return json.loads(answer)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            stream.close()
        self._state.cleanup()


def main() -> None:
    """Be the client's process."""
    signal.alarm(LIFETIME)
    work = task(*sys.argv[1:])
    print("ready", flush=True)
    if sys.stdin.readline():
        signal.alarm(LIFETIME)
        print(json.dumps(work()), flush=True)


if __name__ == "__main__":
    main()
