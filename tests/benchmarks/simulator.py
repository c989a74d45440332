"""How fast the simulator's traffic is, so that it is never the bottleneck of a benchmark.

Run by hand: ``python -m tests.benchmarks.simulator`` (about 20 s). Records of 3.7 kB are made, made
and packed (gzip level 1, flushed after each block of 256), made, packed and written to a real
loopback socket that another process drains, and served: by a whole `Simulator` to an HTTP client in
another process, which drains, too. One process makes them all, on one core. In the same
interleaved rounds the obvious way does the same: a dict per hit, ``json.dumps``, ``zlib`` level 1,
flushed after each hit. Every packed record is unpacked again, to see that no id occurs twice.
Rates are by processor time, which other work on the machine does not change much, and by the clock.
"""

import json
import os
import re
import socket
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from itertools import count
from statistics import median
from time import perf_counter, process_time, sleep
from typing import Any
from urllib.parse import urlsplit

from isal import isal_zlib

from livestream_nb import Simulator
from livestream_nb.simulator.share import WHOLE
from livestream_nb.simulator.traffic import Traffic

SIZE, RATE, BEGAN = 3_700, 50_000.0, 1_800_000_000.0
BLOCK, BLOCKS, OBVIOUS_BLOCKS, ROUNDS = 256, 80, 8, 7
GZIP = 31
CORES = sorted(os.sched_getaffinity(0))
GOAL = 100_000
IDS = re.compile(rb'"hitIdHigh":(\d+),"hitIdLow":(\d+)')
SERVED = 1.0  # seconds of each round
DRAIN = """
import socket, sys
with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as connection:
    connection.sendall("".join(line + "\\r\\n" for line in sys.argv[2:]).encode())
    buffer = bytearray(1 << 20)
    while connection.recv_into(buffer):
        pass
"""

WAYS = {
    "made": "made",
    "packed": "made, gzip level 1",
    "written": "made, gzip level 1, loopback",
    "served": "Simulator, over HTTP",
    "obvious": "dict, json.dumps, zlib per hit",
}

Blocks = Iterator[bytes]


def made(traffic: Traffic, first: int, blocks: int) -> Blocks:
    """Yield blocks of records, CRLF after each."""
    for start in range(first, first + blocks * BLOCK, BLOCK):
        elapsed = traffic.times(start, start + BLOCK, WHOLE)
        moments = [BEGAN + time for time in elapsed]
        yield b"\r\n".join([*traffic.records(start, start + BLOCK, WHOLE, moments), b""])


def packed(traffic: Traffic, first: int, blocks: int) -> Blocks:
    packer = isal_zlib.compressobj(1, isal_zlib.DEFLATED, GZIP)
    for block in made(traffic, first, blocks):
        yield packer.compress(block) + packer.flush(isal_zlib.Z_SYNC_FLUSH)


def obvious(samples: list[dict[str, Any]], ids: Iterator[int], blocks: int) -> Blocks:
    """Yield what the obvious way makes of the same records, packed: one piece per hit."""
    packer = zlib.compressobj(1, zlib.DEFLATED, GZIP)
    for number in range(blocks * BLOCK):
        sample = samples[number % len(samples)]
        hit = sample | {"hitIdHigh": next(ids), "hitIdLow": next(ids), "timeGMT": int(BEGAN)}
        line = json.dumps(hit, separators=(",", ":"), ensure_ascii=False).encode() + b"\r\n"
        yield packer.compress(line) + packer.flush(zlib.Z_SYNC_FLUSH)


def hits_per_second(
    blocks: Blocks, many: int, use: Callable[[bytes], object]
) -> tuple[float, float]:
    """Measure by processor time, and by the clock."""
    started = process_time(), perf_counter()
    for block in blocks:
        use(block)
    ended = process_time(), perf_counter()
    by_processor, by_clock = (
        many * BLOCK / (end - start) for start, end in zip(started, ended, strict=True)
    )
    return by_processor, by_clock


def served() -> tuple[float, float]:
    """Measure what a whole simulator gives to one client that only drains."""
    with Simulator(rate=4 * GOAL, record_size=SIZE) as simulator:
        ask = (
            f"GET {urlsplit(simulator.stream_url).path} HTTP/1.1",
            "Host: localhost",
            f"Authorization: Bearer {simulator.token}",
            "Accept-Encoding: gzip",
            "",
        )
        reader = draining(urlsplit(simulator.stream_url).port, *ask)
        while not (first := given(simulator)):
            sleep(0.01)
        started = process_time(), perf_counter()
        sleep(SERVED)
        hits, ended = given(simulator) - first, (process_time(), perf_counter())
    reader.wait(timeout=10)
    by_processor, by_clock = (end - start for start, end in zip(started, ended, strict=True))
    return hits / by_processor, hits / by_clock


def given(simulator: Simulator) -> int:
    """How many hits have been written to clients."""
    stream = simulator._served.stream
    return simulator._host.ask(lambda: sum(each.end - each.first for each in stream.ranges))


def ids_in(packed_blocks: list[bytes]) -> list[tuple[bytes, bytes]]:
    return IDS.findall(zlib.decompressobj(GZIP).decompress(b"".join(packed_blocks)))


def draining(port: int | None, *said: str) -> subprocess.Popen[bytes]:
    """Start a process on another core that connects, says something, and reads from then on."""
    reader = subprocess.Popen([sys.executable, "-c", DRAIN, str(port), *said])
    os.sched_setaffinity(reader.pid, CORES[-1:])
    return reader


def drained() -> tuple[socket.socket, subprocess.Popen[bytes]]:
    """Connect to a process that drains."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        reader = draining(listener.getsockname()[1])
        connection, _ = listener.accept()
    return connection, reader


def run() -> dict[str, list[tuple[float, float]]]:
    """Measure every way in turn, round by round: hits per second of each."""
    traffic = Traffic(seed=1, rate=RATE, record_size=SIZE)
    samples = [json.loads(line) for line in b"".join(made(traffic, 0, 2)).splitlines()]
    os.sched_setaffinity(0, CORES[:1])
    connection, reader = drained()
    rates: dict[str, list[tuple[float, float]]] = {way: [] for way in WAYS}
    seen: list[tuple[bytes, bytes]] = []
    ids, starts = count(2**63), count(0, BLOCKS * BLOCK)
    with connection:
        for _ in range(ROUNDS):
            kept: list[bytes] = []
            sent: list[bytes] = []
            ways: dict[str, tuple[Blocks, int, Callable[[bytes], object]]] = {
                "made": (made(traffic, next(starts), BLOCKS), BLOCKS, len),
                "packed": (packed(traffic, next(starts), BLOCKS), BLOCKS, kept.append),
                "written": (
                    packed(traffic, next(starts), BLOCKS),
                    BLOCKS,
                    lambda block, sent=sent: (connection.sendall(block), sent.append(block)),
                ),
                "obvious": (obvious(samples, ids, OBVIOUS_BLOCKS), OBVIOUS_BLOCKS, len),
            }
            for way, (blocks, many, use) in ways.items():
                rates[way].append(hits_per_second(blocks, many, use))
            rates["served"].append(served())
            seen += ids_in(kept) + ids_in(sent)
    reader.wait(timeout=10)
    assert len(seen) == len(set(seen)) == 2 * ROUNDS * BLOCKS * BLOCK, "an id occurred twice"
    print(f"{len(seen):,} packed records unpacked again: every id once")
    return rates


def main() -> None:
    """Print the medians, and how many times the obvious way's they are."""
    rates = run()
    by_processor, by_clock = (
        {way: median(pair[side] for pair in pairs) for way, pairs in rates.items()}
        for side in (0, 1)
    )
    print(f"{'hits/s of one core, medians of':32} {ROUNDS} rounds   by the clock")
    for way, words in WAYS.items():
        print(
            f"{words:32} {by_processor[way]:9,.0f} {by_clock[way]:14,.0f}   "
            f"{by_processor[way] / by_processor['obvious']:5.1f} times the obvious way"
        )
    print(
        f"goal for the whole simulator: {GOAL:,} hits/s; {by_processor['served'] / GOAL:.2f} of it"
    )


if __name__ == "__main__":
    main()
