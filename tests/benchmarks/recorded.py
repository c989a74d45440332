"""What is measured of recordings: each task in a process of its own."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import Any

import polars as pl

from livestream_nb import Recording
from livestream_nb.recording.seal import seal
from tests.benchmarks.client import Measured, Task, in_memory, measured
from tests.benchmarks.ours import PATIENCE, reader
from tests.benchmarks.recordings import BEGAN, pieces, record, spooled
from tests.benchmarks.stores import COUNTRY, TOP, answered, size_of

WAYS: dict[str, dict[str, Any]] = {"alone": {}, "columns": {"raw": False}, "raw": {"raw": True}}
"""What a reader is told besides the folder to record to; alone it records nothing."""
PARTS = ("hits", "raw", "journal")
SEALS = 5


def bulk(url: str, hits: str, way: str) -> Task:
    """Read as fast as it goes, up to the frame of all hits, and record meanwhile; then seal all.

    ``sealing`` is how many seconds after the last hit everything is sealed; memory and processor
    time are of all of it.
    """
    return lambda: _read(url, int(hits), way)


def idle(url: str, hits: str, way: str) -> Task:
    """Read a slow stream, and seal all of it in the end: processor time per second of reading."""

    def work() -> Measured:
        found = _read(url, int(hits), way)
        return {"share": found["cpu"] / found["seconds"], "rate": found["hits"] / found["seconds"]}

    return work


def _read(url: str, hits: int, way: str) -> Measured:
    with TemporaryDirectory(prefix="livestream-recorded-") as made:
        options = {} if way == "alone" else {"record_to": Path(made), **WAYS[way]}
        used = process_time()
        one = reader(url, **options)
        found = measured(lambda: one.start().wait(hits=hits, timeout=PATIENCE).hits().height)
        last = perf_counter()
        one.stop()
        found |= {"sealing": perf_counter() - last, "cpu": process_time() - used}
    return found | {"peak": in_memory("VmHWM")}


def sealing(rate: str, hits: str, way: str) -> Task:
    """Seal a segment of a simulator's traffic, again and again.

    Its hits are known, its bytes in the spool; there is nothing else to be done.
    """

    def work() -> Measured:
        with TemporaryDirectory(prefix="livestream-recorded-") as made:
            folder, segment = spooled(Path(made, "all"), pieces(float(rate), int(hits)))
            spool, kept = folder.segment(segment.number), Path(made, "kept")
            kept.hardlink_to(spool)
            took = []
            for _ in range(SEALS):
                began = perf_counter()
                seal(folder, segment, raw=way == "raw")
                took.append(perf_counter() - began)
                spool.hardlink_to(kept)
            return {"hits": segment.hits, "seconds": median(took)}

    return work


def kept(rate: str, hits: str, way: str) -> Task:
    """How many bytes a recording of a simulator's traffic at such a rate takes, by its parts."""

    def work() -> Measured:
        with TemporaryDirectory(prefix="livestream-recorded-") as made:
            many = record(Path(made), pieces(float(rate), int(hits)), **WAYS[way])
            parts = {part: size_of(Path(made, part)) for part in PARTS}
            return {"hits": many, "bytes": size_of(Path(made)), "parts": parts}

    return work


def summary(folder: str, first: str, end: str) -> Task:
    """Open a recording; of these hours and one country, hits per hour and page: the most."""
    return lambda: answered(lambda: _summary(folder, int(first), int(end)).collect().rows())


def _summary(folder: str, first: int, end: int) -> pl.LazyFrame:
    begin, until = (datetime.fromtimestamp(BEGAN + 3_600 * hour, UTC) for hour in (first, end))
    received = pl.col("receivedTimeGMT")
    return (
        Recording(folder)
        .lazy()
        .filter(received.is_between(begin, until, closed="left"), pl.col("geoCountry") == COUNTRY)
        .group_by(received.dt.hour().alias("hour"), "pageName")
        .agg(pl.len().alias("hits"))
        .sort("hits", "hour", "pageName", descending=[True, False, False])
        .head(TOP)
    )


def throughput(folder: str) -> Task:
    """Open a recording, and see what came in each hour."""
    return lambda: measured(lambda: int(Recording(folder).throughput("1h")["hits"].sum()))


def lag(folder: str) -> Task:
    """Open a recording, and see how late hits came in each hour."""
    return lambda: measured(lambda: int(Recording(folder).lag("1h")["hits"].sum()))


def opened(folder: str) -> Task:
    """Open a recording, and ask how it is doing."""
    return lambda: measured(lambda: Recording(folder).status.hits)


TASKS: dict[str, Callable[..., Task]] = {
    "bulk": bulk,
    "idle": idle,
    "sealing": sealing,
    "kept": kept,
    "summary": summary,
    "throughput": throughput,
    "lag": lag,
    "opened": opened,
}
