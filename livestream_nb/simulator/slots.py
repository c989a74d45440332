"""The places of a stream: who holds each, and how far its readers have come.

A **commit** covers only what was written at least ``margin`` seconds before, and none happens
once the connection has ended. So a resume repeats some hits and skips none, except those older
than the retention. A connection that stays open is never made to skip.

A connection may **flow**: then whatever is due counts as written at that very moment, and nobody
has to say so. A day is lived through in as many steps as things happen in it, however many hits.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from math import ceil, floor

from livestream_nb.simulator.rules import Rules
from livestream_nb.simulator.share import Share

Logged = Callable[[Share, float], int]
"""How many hits of a share the stream's log holds at a time."""

Note = Callable[[float, str, str, int, "Slot"], None]

OLDEST = ("smallest", "earliest")
A_LITTLE = 1e-6


@dataclass
class Open:
    """A slot's connection, as far as its client is known to be there.

    ``flowed`` is until when all that was due counts as written; None when it does not flow.
    """

    connection: int
    next_commit: float
    smoothing: int | None = None
    written: deque[tuple[float, int]] = field(default_factory=deque)
    flowed: float | None = None


@dataclass
class Ghost:
    """A slot's connection whose client is gone, which the service has yet to notice."""

    connection: int
    notice: float
    until: float


@dataclass
class Slot:
    """A place for one connection: its share of the hits, its holder, its position.

    ``committed`` is the offset from which the next holder is given hits, ``reached`` the highest
    that any has been given.
    """

    share: Share
    committed: int
    reached: int
    holder: Open | Ghost | None = None

    def wrote(self, holder: Open, offset: int, now: float) -> None:
        """Remember that every hit before ``offset`` was handed to the holder's socket."""
        holder.written.append((now, offset))
        self.reached = max(self.reached, offset)

    def flow(
        self, holder: Open, due: Callable[[float], int], now: float, every: float, margin: float
    ) -> None:
        """Make up for what was written since the last time, as far as a commit may ask for it."""
        if holder.flowed is None or now <= holder.flowed:
            return
        since, asked = holder.flowed, holder.next_commit - margin
        asked += every * max(0, ceil((max(since, now - margin - every) - asked) / every))
        while asked <= now:
            self.wrote(holder, due(asked), asked - A_LITTLE)  # found by a commit despite rounding
            asked += every
        self.wrote(holder, due(now), now)
        holder.flowed = now

    def commit(self, holder: Open, now: float, every: float, margin: float) -> float | None:
        """Make up for the commits that are due; when the latest was, if it moved the position."""
        if now < holder.next_commit:
            return None
        missed = int((now - holder.next_commit) // every)
        moment = min(now, holder.next_commit + missed * every)
        holder.next_commit = moment + every
        before = self.committed
        while holder.written and holder.written[0][0] <= moment - margin:
            self.committed = holder.written.popleft()[1]
        return moment if self.committed != before else None


class Slots:
    """All places of one stream; none before its first connection.

    ``note`` is called with a time, an event, its detail, a connection and its slot.
    """

    def __init__(self, logged: Logged, rules: Rules, note: Note) -> None:
        self._logged = logged
        self._rules = rules
        self._note = note
        self._slots: list[Slot] = []

    def __len__(self) -> int:
        """How many places there are."""
        return len(self._slots)

    @property
    def held(self) -> bool:
        """Whether any connection or ghost is there."""
        return any(slot.holder is not None for slot in self._slots)

    @property
    def free(self) -> Slot | None:
        """The first place that nobody holds."""
        return next((slot for slot in self._slots if slot.holder is None), None)

    def open(self) -> Iterator[tuple[Slot, Open]]:
        """The places of open connections."""
        for slot in self._slots:
            if isinstance(slot.holder, Open):
                yield slot, slot.holder

    def find(self, connection: int | None) -> tuple[Slot, Open] | None:
        """The place of a connection, if that is open."""
        return next((pair for pair in self.open() if pair[1].connection == connection), None)

    def close(self, slot: Slot, holder: Open, now: float, how: str, notice: float | None) -> None:
        """Turn an open connection into a ghost."""
        lasting = self._rules.notice if notice is None else notice
        slot.holder = Ghost(holder.connection, lasting, now + lasting)
        detail = f"a ghost holds its slot for {lasting:g} s"
        self._note(now, how, detail, holder.connection, slot)

    def restart(self, now: float) -> None:
        """Let an attempt that found no free place meet the ghost next to expire."""
        found = min(self._ghosts(), key=lambda pair: pair[1].until, default=None)
        if found is not None and self._rules.restarts:
            slot, ghost = found
            ghost.until = now + ghost.notice
            detail = f"an attempt met the ghost: {ghost.notice:g} s more"
            self._note(now, "restarted", detail, ghost.connection, slot)

    def advance(self, now: float) -> None:
        """Commit what is due, and let ghosts expire."""
        rules = self._rules
        for slot, holder in self.open():
            due = partial(self.due, slot, holder.smoothing)
            slot.flow(holder, due, now, rules.commit_every, rules.margin)
            moment = slot.commit(holder, now, rules.commit_every, rules.margin)
            if moment is not None:
                detail = f"delivered up to hit {slot.committed:,}"
                self._note(moment, "committed", detail, holder.connection, slot)
        for slot, ghost in self._ghosts():
            if ghost.until <= now:
                slot.holder = None
                detail = "the ghost that held the slot has expired"
                self._note(ghost.until, "freed", detail, ghost.connection, slot)

    def lay_out(self, count: int, reset: str | None, now: float) -> None:
        """Prepare the places for the first of a new set of connections; none may be held.

        Where the places stay as they are, so do their positions, unless a reset is asked for.
        """
        since = None if reset is None else self._reset(reset, now)
        if since is None and count == len(self._slots):
            return
        if since is None:
            since = min((self._caught_up(slot, now) for slot in self._slots), default=now)
        shares = [Share(slot, count) for slot in range(count)]
        self._slots = [
            Slot(share, self._logged(share, since), self._logged(share, since)) for share in shares
        ]

    def open_at(self, slot: Slot, connection: int, smoothing: int | None, now: float) -> None:
        """Give a place to a connection, which begins where the last commit says."""
        slot.committed = max(slot.committed, self._logged(slot.share, now - self._rules.retention))
        slot.reached = max(slot.reached, slot.committed)
        slot.holder = Open(connection, now + self._rules.commit_every, smoothing)

    def due(self, slot: Slot, smoothing: int | None, now: float) -> int:
        """Up to which offset hits may be given out.

        With smoothing, what entered the log during one bucket goes out evenly during the next.
        Adobe calls it a buffer that evens out the rate, and the bucket the window of its average
        (``AdobeDocs/analytics-2.0-apis``, ``livestream/index.md``); the rest is our reading.
        """
        if smoothing is None:
            return self._logged(slot.share, now)
        start = floor(now / smoothing) * smoothing
        before = self._logged(slot.share, start - smoothing)
        until = self._logged(slot.share, start)
        return before + int((until - before) * (now - start) / smoothing)

    def _ghosts(self) -> Iterator[tuple[Slot, Ghost]]:
        for slot in self._slots:
            if isinstance(slot.holder, Ghost):
                yield slot, slot.holder

    def _reset(self, reset: str, now: float) -> float:
        return now - self._rules.retention if reset in OLDEST else now

    def _caught_up(self, slot: Slot, now: float) -> float:
        """When the log held nothing yet that the place has still to give, to a millisecond."""
        early, late = now - self._rules.retention, now
        while late - early > 1e-3:
            middle = (early + late) / 2
            if self._logged(slot.share, middle) <= slot.committed:
                early = middle
            else:
                late = middle
        return early
