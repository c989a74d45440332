"""When each slot's last connection ended, remembered for as long as this process lives.

A new reader of the same stream counts its cooldown from there: stopping and starting, or running
a cell again, must not turn into the churn that Livestream answers with 409 and 503.
"""


class Floor:
    """The end of the last connection, per stream and slot, in service seconds."""

    def __init__(self) -> None:
        self._ends: dict[tuple[str, int], float] = {}

    def ended(self, stream: str, slot: int, at: float) -> None:
        """A connection that may still hold its slot ended."""
        self._ends[stream, slot] = at

    def last_end(self, stream: str, slot: int) -> float | None:
        """When it ended, or None when none is known."""
        return self._ends.get((stream, slot))
