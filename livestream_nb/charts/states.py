"""The timeline becomes the rows that its chart draws: pure, in plain Python.

Times are milliseconds of shown time (see :mod:`livestream_nb.charts.window`).
"""

from typing import NamedTuple

import polars as pl

from livestream_nb.charts.window import Window
from livestream_nb.protocol.status import HOLDS_SLOT, Cause

FLOOR = 60
"""Seconds that Livestream needs to notice a lost connection: about 60 (KA-16598)."""
GRAIN = 500
"""Milliseconds that a wait may be too short for a clock's sake, and is kept all the same."""
CALM = (
    Cause.ASKED,
    Cause.OPENED,
    Cause.SKIPPED,
    Cause.WAITED,
    Cause.RENEWED,
    Cause.QUEUED,
    Cause.HEARD,
)
"""Why states begin when nothing has gone wrong."""
REDIRECT = 300


class State(NamedTuple):
    """A state of a connection.

    ``ended`` is None while it lasts. ``flag`` is what went wrong, in a word or as an HTTP status,
    or None. ``floor`` is until when the minute after a lost connection was kept, or None; ``kept``
    whether to its end, and ``waited`` how much of it, in words.
    """

    time: int
    ended: int | None
    connection: int
    state: str
    HTTP: str
    attempt: int
    sentence: str
    flag: str | None
    floor: int | None
    kept: bool
    waited: str


def state_rows(frame: pl.DataFrame, window: Window) -> list[State]:
    """Return the states of :meth:`Reader.timeline` that reach into the window.

    The longest come first, so that a short state is drawn over its neighbours and stays visible.
    """
    start = 1_000 * window.start.timestamp()
    columns = (
        frame["started"].dt.epoch("ms"),
        frame["ended"].dt.epoch("ms"),
        *frame["seconds", "connection", "state", "reason", "status", "attempt", "sentence"],
    )
    rows = [
        row
        for row in zip(*(column.to_list() for column in columns), strict=True)
        if row[1] is None or row[1] >= start
    ]
    rows.sort(key=lambda row: -row[2])
    return [_state(window.shift, *row) for row in rows]


def _state(
    shift: int,
    started: int,
    ended: int | None,
    _seconds: float,
    connection: int,
    state: str,
    reason: str,
    status: int | None,
    attempt: int,
    sentence: str,
) -> State:
    whole = started + 1_000 * FLOOR
    holds = state == "cooldown" and reason in HOLDS_SLOT
    kept = ended is None or ended >= whole - GRAIN
    waited = f"{FLOOR} s" if kept or ended is None else _part(ended - started)
    return State(
        started + shift,
        None if ended is None else ended + shift,
        connection,
        state,
        "–" if status is None else str(status),
        attempt,
        sentence,
        _flag(reason, status),
        (whole if ended is None else min(whole, ended)) + shift if holds else None,
        kept,
        waited,
    )


def _flag(reason: str, status: int | None) -> str | None:
    if reason in CALM:
        return None
    return str(status) if status is not None and status >= REDIRECT else reason


def _part(lasted: int) -> str:
    return f"{round(lasted / 1_000)} of {FLOOR} s"
