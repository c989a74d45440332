"""What came in each step of a window, as plain rows: pure.

These are the figures of `livestream_nb.measures.throughput` and `livestream_nb.measures.lag`, made
for a few new seconds at a time: of so few rows, tuples are many times as fast as frames.
"""

from collections import defaultdict
from collections.abc import Iterable
from math import ceil, inf
from typing import NamedTuple, TypeVar

import polars as pl

from livestream_nb.measures import MEDIAN, OPEN, P95

OF_LATE = 10
"""Seconds, or three steps if these are longer."""
TOO_OLD = 4
"""Times as old as that."""


class Second(NamedTuple):
    """Hits that a connection brought in a step, which begins at a second of Unix time."""

    time: int
    connection: int
    hits: int


class Spell(NamedTuple):
    """When a connection was open, in Unix seconds."""

    connection: int
    start: float
    end: float


class Delay(NamedTuple):
    """How late the hits of a step came, in seconds, and how many they were."""

    time: int
    median: float
    p95: float
    hits: int


def counted(
    seconds: Iterable[tuple[int, int, int]], spells: Iterable[Spell], steps: range
) -> list[Second]:
    """Return the hits of each step and connection, by both; 0 where it was open without any.

    ``seconds`` are a second of Unix time, a connection and hits; several of the same add up.
    """
    sums = dict.fromkeys(_open(spells, steps), 0)
    for time, connection, hits in seconds:
        step = time - time % steps.step
        if step in steps:
            sums[step, connection] = sums.get((step, connection), 0) + hits
    return [Second(*key, hits) for key, hits in sorted(sums.items())]


def _open(spells: Iterable[Spell], steps: range) -> Iterable[tuple[int, int]]:
    for connection, start, end in spells:
        first = max(steps.start, int(start // steps.step) * steps.step)
        last = min(steps.stop - 1, end)
        for step in range(first, int(last) + 1, steps.step):
            yield step, connection


def delayed(seconds: Iterable[tuple[int, float, int]], steps: range) -> list[Delay]:
    """Return how late hits came in each step, by time; none for a step without hits.

    ``seconds`` are a second of Unix time, a delay and hits; several of the same add up.
    """
    found: dict[int, dict[float, int]] = defaultdict(lambda: defaultdict(int))
    for time, delay, hits in seconds:
        step = time - time % steps.step
        if step in steps:
            found[step][delay] += hits
    return [_delay(step, delays) for step, delays in sorted(found.items())]


def _delay(time: int, delays: dict[float, int]) -> Delay:
    ordered, hits = sorted(delays.items()), sum(delays.values())
    quantiles = []
    for share in (MEDIAN, P95):
        came = 0
        for delay, many in ordered:
            came += many
            if came / hits >= share:
                quantiles.append(delay)
                break
    return Delay(time, quantiles[0], quantiles[1], hits)


def spells(timeline: pl.DataFrame) -> list[Spell]:
    """Return when connections were open, by start; ``end`` is infinite for those that are."""
    opened = timeline.filter(pl.col("state").is_in(OPEN))
    microseconds = opened.select("connection", pl.col("started", "ended").to_physical())
    return [
        Spell(connection, start / 1e6, inf if end is None else end / 1e6)
        for connection, start, end in microseconds.rows()
    ]


def pace(rows: list[Second], every: int) -> float | None:
    """Return the hits per second of late, of all connections together."""
    late = _of_late(rows, every)
    times = {row.time for row in late}
    return sum(row.hits for row in late) / (len(times) * every) if late else None


def delay(rows: list[Delay], every: int, now: float) -> float | None:
    """Return how late most hits of late came, in seconds; None when they are long past."""
    late = [row for row in _of_late(rows, every) if row.time >= now - TOO_OLD * OF_LATE * every]
    hits = sum(row.hits for row in late)
    return sum(row.median * row.hits for row in late) / hits if hits else None


_Row = TypeVar("_Row", Second, Delay)


def _of_late(rows: list[_Row], every: int) -> list[_Row]:
    """The rows of the last times that have any, the newest first."""
    times: list[int] = []
    late: list[_Row] = []
    for row in reversed(rows):
        if row.time not in times[-1:]:
            times.append(row.time)
        if len(times) > max(3, ceil(OF_LATE / every)):
            break
        late.append(row)
    return late
