"""Hits that were delivered before are dropped: a sliding window over hit ids.

A hit is told from others by the pair (hitIdHigh, hitIdLow), compared exactly. Of every id the
window holds which open connection brought it last; when a younger one brings it again, the service
went back to a point before the end of the earlier one.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Mapping
from typing import NamedTuple

import polars as pl

from livestream_nb.checks import check_count
from livestream_nb.hits.known import Known
from livestream_nb.hits.repeats import Spell


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
        How many of the latest hits are remembered, whole frames of them; each takes some 90 bytes.

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
        check_count("dedupe", window, "hits")
        self.without_id = 0
        self._window = window
        # Every id is in the set of the spell that brought it last. Sets, for their tables are
        # half the size of dicts', and know the hashes of what they hold.
        self._brought: defaultdict[Spell, set[int]] = defaultdict(set)
        # What each frame delivered, by the spell that it belongs to since; the oldest frame first.
        self._deliveries: deque[dict[Spell, list[int]]] = deque()
        self._delivered = 0
        # Of an id that was delivered more than once, how many later deliveries there are.
        self._more: Counter[int] = Counter()
        self._known: Known | None = None

    def know(self, known: Known) -> None:
        """Remember these hits, too, for good: those that were recorded before."""
        self._known = known if len(known) else None

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
        recorded = {} if self._known is None else self._known.owners(high, low)
        if recorded or high.null_count() or low.null_count():
            return self._one_by_one(frame, spell, recorded)
        ids = [h << 64 | w for h, w in zip(high.to_list(), low.to_list(), strict=True)]
        new = set(ids)
        if not ids or len(new) < len(ids) or not all(map(new.isdisjoint, self._brought.values())):
            return self._one_by_one(frame, spell, recorded)
        self._brought[spell] |= new
        self._remember({spell: ids})
        return Fresh(frame, 0, frozenset())

    def _one_by_one(
        self, frame: pl.DataFrame, spell: Spell, recorded: Mapping[int, Spell]
    ) -> Fresh:
        before: list[Spell | None] = []
        passed: defaultdict[Spell, list[int]] = defaultdict(list)
        for high, low in zip(
            frame["hitIdHigh"].to_list(), frame["hitIdLow"].to_list(), strict=True
        ):
            if high is None or low is None:
                self.without_id += 1
                before.append(None)
                continue
            hit = high << 64 | low
            owner = self._owner(hit)
            found = owner or recorded.get(hit)
            before.append(found)
            latest = spell if found is None else _younger(found, spell)
            self._pass(hit, owner, latest)
            passed[latest].append(hit)
        if passed:
            self._remember(passed)
        new = pl.Series([one is None for one in before], dtype=pl.Boolean)
        earlier = frozenset(one for one in before if one is not None and one.opened < spell.opened)
        return Fresh(frame.filter(new), frame.height - int(new.sum()), earlier)

    def _owner(self, hit: int) -> Spell | None:
        return next((spell for spell, ids in self._brought.items() if hit in ids), None)

    def _pass(self, hit: int, before: Spell | None, owner: Spell) -> None:
        """Note that a hit belongs to a spell now."""
        if before is not None:
            self._brought[before].remove(hit)
            self._more[hit] += 1
        self._brought[owner].add(hit)

    def _remember(self, delivery: dict[Spell, list[int]]) -> None:
        self._deliveries.append(delivery)
        self._delivered += _size(delivery)
        while self._delivered - _size(self._deliveries[0]) >= self._window:
            self._forget(self._deliveries.popleft())

    def _forget(self, delivery: dict[Spell, list[int]]) -> None:
        self._delivered -= _size(delivery)
        for owner, ids in delivery.items():
            last = [hit for hit in ids if not self._has_more(hit)] if self._more else ids
            known = self._brought[owner]
            known.difference_update(last)
            if not known:
                del self._brought[owner]

    def _has_more(self, hit: int) -> bool:
        if hit not in self._more:
            return False
        self._more[hit] -= 1
        if not self._more[hit]:
            del self._more[hit]
        return True


def _size(delivery: dict[Spell, list[int]]) -> int:
    return sum(map(len, delivery.values()))


def _younger(one: Spell, other: Spell) -> Spell:
    return other if other.opened > one.opened else one
