"""How fast a log's hits follow each other: its own time against service time, piece by piece.

What lies behind is never changed, so a hit keeps for ever the moment at which it came.
"""

from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple


class Piece(NamedTuple):
    """From ``since`` (service time) on, ``factor`` seconds of the log pass in a second."""

    since: float
    elapsed: float
    factor: float


class Tempo:
    """The time of a log that began at ``began`` (Unix seconds of service time)."""

    def __init__(self, began: float) -> None:
        self._pieces = [Piece(began, 0.0, 1.0)]

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """All that is known of it, from its beginning on, by time."""
        return tuple(self._pieces)

    def change(self, factor: float, seconds: float | None, now: float) -> None:
        """Let the log's time run faster, slower or not at all; then as usual again."""
        elapsed = self.elapsed(now)
        pieces = [piece for piece in self._pieces if piece.since < now]
        pieces.append(Piece(now, elapsed, factor))
        if seconds is not None:
            pieces.append(Piece(now + seconds, elapsed + factor * seconds, 1.0))
        self._pieces = pieces

    def elapsed(self, now: float) -> float:
        """How many seconds of the log have passed; negative before it began."""
        place = bisect_right(self._pieces, now, key=lambda piece: piece.since) - 1
        since, elapsed, factor = self._pieces[max(0, place)]
        return elapsed + (now - since) * factor

    def moments(self, times: Sequence[float]) -> list[float]:
        """When the log's own times, ascending, are reached in service time."""
        if not times:
            return []
        if self._piece(times[0]) == self._piece(times[-1]):
            since, elapsed, factor = self._pieces[self._piece(times[0])]
            return [since + (time - elapsed) / factor for time in times]
        middle = len(times) // 2
        return self.moments(times[:middle]) + self.moments(times[middle:])

    def _piece(self, time: float) -> int:
        running = [place for place, piece in enumerate(self._pieces) if piece.factor]
        after = bisect_right(running, time, key=lambda place: self._pieces[place].elapsed)
        return running[max(0, after - 1)]
