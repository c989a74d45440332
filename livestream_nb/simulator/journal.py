"""What the service did, in words."""

from collections import deque
from itertools import islice
from operator import attrgetter
from typing import NamedTuple

KEPT_ENTRIES = 100_000


class Entry(NamedTuple):
    """One line of what the service did.

    ``number`` counts from 1 in the order of noting; ``time`` is in Unix seconds of service time.
    """

    number: int
    time: float
    event: str
    stream: str | None
    connection: int | None
    slot: int | None
    status: int | None
    detail: str


class Journal:
    """The newest entries of one service, whichever of its streams they are about."""

    def __init__(self, kept: int = KEPT_ENTRIES) -> None:
        self._entries: deque[Entry] = deque(maxlen=kept)
        self._noted = 0

    def note(
        self,
        time: float,
        event: str,
        detail: str,
        *,
        stream: str | None = None,
        connection: int | None = None,
        slot: int | None = None,
        status: int | None = None,
    ) -> None:
        """Add an entry."""
        self._noted += 1
        self._entries.append(
            Entry(self._noted, time, event, stream, connection, slot, status, detail)
        )

    def entries(self, after: int = 0) -> list[Entry]:
        """Return the entries whose numbers are higher, by time.

        What time alone brought about is noted a little late: the order of noting is another one.
        """
        known = max(0, after - (self._noted - len(self._entries)))
        return sorted(islice(self._entries, known, None), key=attrgetter("time"))
