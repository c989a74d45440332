"""What is measured of the package: a `Reader` with everything on, in a process of its own."""

import gc
import json
from collections.abc import Callable
from http.client import HTTPConnection
from statistics import median, quantiles
from time import monotonic, perf_counter, process_time, sleep
from typing import Any
from urllib.parse import urlsplit

import anyio._backends._asyncio  # noqa: F401  # these three are imported by the first request
import filelock  # noqa: F401
import httpcore  # noqa: F401

from livestream_nb import Reader
from tests.benchmarks.client import Measured, Task, in_memory, measured
from tests.benchmarks.feed import go_on

PATIENCE = 240.0  # seconds
QUERIES = 20


def reader(url: str, keep: int = 1_000_000, dedupe: int = 1_000_000, **further: Any) -> Reader:
    """A reader of a prepared stream."""
    return Reader(url, token="benchmark", keep=keep, dedupe=dedupe, **further)


def bulk(url: str, hits: str) -> Task:
    """Read as fast as it goes, up to the frame of all hits."""
    return lambda: measured(lambda: _all(url, int(hits)))


def spun(url: str, hits: str) -> Task:
    """The same while the main thread computes in Python, and only looks from time to time."""
    return lambda: measured(lambda: _all_beside(url, int(hits)))


def _all(url: str, hits: int, keep: int = 1_000_000) -> int:
    with reader(url, keep) as one:
        return one.wait(hits=hits, timeout=PATIENCE).hits().height


def _all_beside(url: str, hits: int) -> int:
    with reader(url) as one:
        turns, limit = 0, monotonic() + PATIENCE
        while one.status.hits < hits and monotonic() < limit:
            for _ in range(100_000):
                turns += 1
        return one.hits().height


def latency(url: str, hits: str) -> Task:
    """Seconds from a chunk's being given to the socket until all its hits are in ``hits()``."""

    def work() -> Measured:
        seen: list[tuple[int, float]] = [(0, 0.0)]
        with reader(url) as one:
            while seen[-1][0] < int(hits):
                one.wait(hits=seen[-1][0] + 1, timeout=PATIENCE)
                seen.append((one.hits(columns=["hitIdHigh"]).height, monotonic()))
        waits = [
            next(at for height, at in seen if height >= given) - sent
            for given, sent in sent_of(url)
        ]
        parts = quantiles(waits, n=20)
        return {"p50": parts[9], "p95": parts[18]}

    return work


def sent_of(url: str) -> list[tuple[int, float]]:
    """What the server says of the last paced stream: hits so far, and when they were sent."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=PATIENCE)
    connection.request("GET", "/sent")
    return json.loads(connection.getresponse().read())


def idle(url: str, hits: str, seconds: str) -> Task:
    """Processor time while hits come slowly and nobody looks."""

    def work() -> Measured:
        with reader(url) as one:
            one.wait(hits=int(hits), timeout=PATIENCE)
            before, began, used = one.status.hits, perf_counter(), process_time()
            sleep(float(seconds))
            share = (process_time() - used) / (perf_counter() - began)
            rate = (one.status.hits - before) / (perf_counter() - began)
        return {"share": share, "rate": rate}

    return work


def filled(warm: str, url: str, keep: str, dedupe: str, rows: str, hits: str, settle: str) -> Task:
    """Processor time per hit, memory and the time of a query when so many hits have come before.

    Another reader, which keeps little, runs warm first. The stream pauses between the ``rows`` that
    come before and the ``hits`` that are measured; memory has so many seconds to settle.
    """

    def work() -> Measured:
        _all(warm, int(hits), keep=1_000)
        gc.collect()
        with reader(url, int(keep), int(dedupe)) as one:
            one.wait(hits=int(rows), timeout=PATIENCE)
            sleep(float(settle))
            memory, used = in_memory(), process_time()
            go_on(url)
            one.wait(hits=int(rows) + int(hits), timeout=PATIENCE)
            used = process_time() - used
            took, last = _queries(one)
        return {"cost": used / int(hits), "memory": memory, "query": took, "last": last}

    return work


def _queries(one: Reader) -> tuple[float, int]:
    """The median time of a query for the last minute, and how many rows it gave."""
    took = []
    for _ in range(QUERIES):
        began = perf_counter()
        rows = one.hits(last="1m").height
        took.append(perf_counter() - began)
    return median(took), rows


TASKS: dict[str, Callable[..., Task]] = {
    "bulk": bulk,
    "spun": spun,
    "latency": latency,
    "idle": idle,
    "filled": filled,
}
