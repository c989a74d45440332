"""Which slot of a stream may connect when. Pure: the time is passed in.

One connect of a stream is in flight at a time, and those of several slots are 5 seconds apart. A
409 holds back every slot that is not connected until the refused one tries again: eight slots that
ask in turn would keep each other's ghosts alive. All of this is this package's decision; the 60
seconds are from support article KA-16598.
"""

from math import inf

APART = 5.0
FLOOR = 60.0
"""Seconds between two requests for a slot that Adobe's service is given, whatever a policy says."""


class Turns:
    """The turns of a stream's slots; seconds of one monotonic clock.

    Parameters
    ----------
    slots : int
        How many slots take turns.

    Attributes
    ----------
    due : float
        The earliest moment for the next connect of any slot; infinite while one is in flight.
    """

    def __init__(self, slots: int) -> None:
        self._apart = APART if slots > 1 else 0.0
        self._earliest = -inf
        self._in_flight = False

    @property
    def due(self) -> float:  # noqa: D102  # described with the class
        return inf if self._in_flight else self._earliest

    def began(self) -> None:
        """A slot sends its request."""
        self._in_flight = True

    def answered(self, now: float) -> None:
        """Its answer came, or will not come."""
        self._in_flight = False
        self.hold(now + self._apart)

    def hold(self, until: float) -> None:
        """No slot connects before this moment."""
        self._earliest = max(self._earliest, until)
