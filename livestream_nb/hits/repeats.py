"""Hits that came again: which open connection had brought them, and when they were repeated.

A repeat proves where the service went back to, so it is worth more than a count.
"""

from collections.abc import Iterable
from typing import NamedTuple

import polars as pl

from livestream_nb.hits.fields import UTC_TIME

KEPT_REPEATS = 10_000

_SCHEMA: dict[str, pl.DataType] = {
    "connection": pl.UInt8(),
    "opened": UTC_TIME,
    "time": UTC_TIME,
}
_PHYSICAL = _SCHEMA | {"opened": pl.Int64(), "time": pl.Int64()}


class Spell(NamedTuple):
    """One open connection, from its first byte to its loss.

    Attributes
    ----------
    connection : int
        Number of the connection, 0 to 255.
    opened : float
        When it opened, in Unix seconds: the very number that the timeline holds.
    """

    connection: int
    opened: float


class Repeats:
    """Remembers by second which spells' hits came again. Not safe to share between threads."""

    def __init__(self) -> None:
        self._latest: dict[tuple[int, Spell], float] = {}

    def add(self, spells: Iterable[Spell], arrived: float) -> None:
        """Note that hits of these spells came again at a moment in Unix seconds."""
        for spell in spells:
            key = int(arrived // 1), spell
            self._latest[key] = max(arrived, self._latest.get(key, arrived))
        while len(self._latest) > KEPT_REPEATS:
            del self._latest[next(iter(self._latest))]

    def frame(self) -> pl.DataFrame:
        """The newest 10,000 rows, the oldest first, as :meth:`Buffer.repeats` describes them."""
        rows = [
            (spell.connection, round(spell.opened * 1e6), round(time * 1e6))
            for (_, spell), time in self._latest.items()
        ]
        frame = pl.DataFrame(rows, schema=_PHYSICAL, orient="row")
        return frame.cast({"opened": UTC_TIME, "time": UTC_TIME})
