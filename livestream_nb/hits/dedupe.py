"""Hits that were delivered before are dropped: a sliding window over hit ids.

A hit is told from others by the pair (hitIdHigh, hitIdLow), compared exactly. Of every id the
window holds which open connection brought it last; when a younger one brings it again, the service
went back to a point before the end of the earlier one.
"""

from itertools import islice
from typing import NamedTuple

import polars as pl

from livestream_nb.checks import check_count
from livestream_nb.hits.repeats import Spell

# The window outgrows what was asked for by one part in so many before it is cut back.
_PARTS = 16


class Fresh(NamedTuple):
    """What is new in a frame.

    Attributes
    ----------
    frame : polars.DataFrame
        The new hits, in their order.
    dropped : int
        How many hits were seen before.
    repeated : frozenset of Spell
        The earlier spells that had brought them; one that repeats its own hits is not among them.
    """

    frame: pl.DataFrame
    dropped: int
    repeated: frozenset[Spell]


class Dedupe:
    """Remembers hit ids and who brought them, and drops hits that were seen before.

    Parameters
    ----------
    window : int
        How many of the latest distinct ids are remembered, at least; a sixteenth more at most.

    Attributes
    ----------
    without_id : int
        How many hits had no id and were let through.

    Raises
    ------
    InvalidOption
        When the window is not a whole number of at least 1.
    """

    def __init__(self, window: int = 1_000_000) -> None:
        check_count("window", window, "hits")
        self.without_id = 0
        self._window = window
        # In the order in which the ids came last.
        self._known: dict[int, Spell] = {}

    def fresh(self, frame: pl.DataFrame, spell: Spell) -> Fresh:
        """Drop the hits whose id was seen among the latest, also within the frame.

        Parameters
        ----------
        frame : polars.DataFrame
            Hits, with ``hitIdHigh`` and ``hitIdLow`` as UInt64. Hits with a null in either pass.
        spell : Spell
            The open connection that brings them.
        """
        high, low = frame["hitIdHigh"], frame["hitIdLow"]
        if high.null_count() or low.null_count():
            return self._one_by_one(frame, spell)
        ids = [h << 64 | w for h, w in zip(high.to_list(), low.to_list(), strict=True)]
        brought = dict.fromkeys(ids, spell)
        if len(brought) < len(ids) or not self._known.keys().isdisjoint(brought):
            return self._one_by_one(frame, spell)
        self._known.update(brought)
        self._forget()
        return Fresh(frame, 0, frozenset())

    def _one_by_one(self, frame: pl.DataFrame, spell: Spell) -> Fresh:
        pairs = zip(frame["hitIdHigh"].to_list(), frame["hitIdLow"].to_list(), strict=True)
        before = [self._brought(high, low, spell) for high, low in pairs]
        self._forget()
        new = pl.Series([one is None for one in before], dtype=pl.Boolean)
        earlier = frozenset(one for one in before if one is not None and one.opened < spell.opened)
        return Fresh(frame.filter(new), frame.height - int(new.sum()), earlier)

    def _brought(self, high: int | None, low: int | None, spell: Spell) -> Spell | None:
        """Remember a hit, and tell which spell had brought it before."""
        if high is None or low is None:
            self.without_id += 1
            return None
        hit = high << 64 | low
        before = self._known.pop(hit, None)
        self._known[hit] = spell if before is None else _younger(before, spell)
        return before

    def _forget(self) -> None:
        excess = len(self._known) - self._window
        if excess > self._window // _PARTS:
            for hit in list(islice(self._known, excess)):
                del self._known[hit]


def _younger(one: Spell, other: Spell) -> Spell:
    return other if other.opened > one.opened else one
