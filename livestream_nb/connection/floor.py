"""What a process remembers of the connections of one stream: when each slot was last held.

A new connection counts its cooldown from there: stopping and starting, or running a cell again,
must not turn into the churn that Livestream answers with 409 and 503.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from livestream_nb.connection.state import Record

EVERY = 0
"""Stands for all slots, which are numbered from 1: nobody knows which one another process held."""


class Floor:
    """The ends of one stream's connections, in real monotonic seconds.

    Attributes
    ----------
    written : Record or None
        What this process last left on disk about the stream. Whatever else is found there was
        written by another process.
    """

    def __init__(self) -> None:
        self.written: Record | None = None
        self._ends: dict[int, float] = {}

    def ended(self, slot: int, at: float) -> None:
        """A slot, or `EVERY` slot, may have been held until then."""
        self._ends[slot] = max(at, self._ends.get(slot, at))

    def last_end(self, slot: int) -> float | None:
        """Until when a slot may have been held; None when nothing is known."""
        known = [self._ends[key] for key in (slot, EVERY) if key in self._ends]
        return max(known, default=None)

    def latest(self) -> float | None:
        """Until when any slot of the stream may have been held; None when nothing is known."""
        return max(list(self._ends.values()), default=None)
