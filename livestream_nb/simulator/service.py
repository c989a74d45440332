"""The model of one Livestream stream: requests and time in, answers and log entries out.

It deals in offsets: how many hits a slot's log holds at a time is a function handed in. It
reads no clock and touches no socket, so a day can be lived through without making its hits.

- A stream has as many **slots** as its connections say with ``maxConnections``; each has a fixed
  share of the visitors for as long as any connection or ghost is there. An empty slot's hits wait.
- A client that vanishes leaves a **ghost**: its slot stays taken for ``notice`` seconds, and an
  attempt that finds no free slot starts the time of the ghost next to expire anew (``restarts``).
- During a **migration** new connections get 503 while open ones read on. More than twice
  ``maxConnections`` attempts within a minute bring one about, for as long as they go on.

Adobe publishes no internals: this is the smallest model that shows what is published. All times
are service seconds, and never go backwards from one call to the next.
"""

from dataclasses import dataclass

from livestream_nb.simulator.gate import Gate
from livestream_nb.simulator.http.refusals import Refused
from livestream_nb.simulator.journal import Journal
from livestream_nb.simulator.rules import Rules
from livestream_nb.simulator.share import WHOLE, Share
from livestream_nb.simulator.slots import Logged, Slot, Slots


@dataclass(frozen=True)
class Asked:
    """What a request asks for, checked: ``reset`` and ``smoothing`` (seconds) may be None."""

    max_connections: int = 1
    reset: str | None = None
    smoothing: int | None = None


@dataclass(frozen=True)
class Opened:
    """Answer 200: the connection's number, its share, and the offset of its first hit there."""

    connection: int
    share: Share
    offset: int


@dataclass
class Range:
    """Hits that one connection was given: offsets in its share from ``first`` up to ``end``."""

    connection: int
    share: Share
    first: int
    end: int


class Stream:
    """One stream.

    Parameters
    ----------
    logged : callable
        How many hits of a share the log holds at a time.
    name : str
        What the journal's entries call it.
    rules : Rules
        The numbers of the model.
    enabled : bool
        Whether it is enabled for the current API; if not, it answers 424.
    journal : Journal, optional
        Where it notes what happens; its own when omitted.
    """

    def __init__(
        self,
        logged: Logged,
        name: str = "demo",
        *,
        rules: Rules | None = None,
        enabled: bool = True,
        journal: Journal | None = None,
    ) -> None:
        self.name = name
        self.journal = journal or Journal()
        self._rules = rules or Rules()
        self._logged = logged
        self._slots = Slots(logged, self._rules, self._note)
        self._gate = Gate(self._rules, enabled=enabled, note=self._note)
        self._given: dict[int, Range] = {}
        self._repeats: list[Range] = []
        self._began = self._ended = 0.0

    @property
    def open(self) -> tuple[int, ...]:
        """The connections that are open, ghosts not among them."""
        return tuple(holder.connection for _, holder in self._slots.open())

    @property
    def slots(self) -> int:
        """How many slots there are; 1 before the first connection."""
        return len(self._slots) or 1

    @property
    def ranges(self) -> list[Range]:
        """Every hit that was written to a connection, as often as it was."""
        return [*self._given.values(), *self._repeats]

    def connect(self, asked: Asked, now: float) -> Opened | Refused:
        """Answer a client that asks for a connection."""
        self.advance(now)
        place = self._shut(asked, now) or self._place(asked, now)
        if isinstance(place, Refused):
            self._note(now, "refused", place.description, status=place.status)
            return place
        return self._admit(place, asked, now)

    def refuse(self, refused: Refused, now: float) -> None:
        """Note a request that was refused before it came this far."""
        self.note("refused", refused.description, now, status=refused.status)

    def due(self, connection: int, now: float) -> int:
        """Up to which offset, not with it, a connection may be given hits by now; 0 once closed."""
        found = self._slots.find(connection)
        return 0 if found is None else self._slots.due(found[0], found[1].smoothing, now)

    def wrote(self, connection: int, offset: int, now: float) -> None:
        """Note that every hit before ``offset`` has been handed to the connection's socket."""
        self.advance(now)
        self._given[connection].end = offset
        found = self._slots.find(connection)
        if found is not None:
            found[0].wrote(found[1], offset, now)

    def flow(self, connection: int, flows: bool, now: float) -> None:
        """Let whatever is due count as written to a connection from now on, or no longer."""
        self.advance(now)
        found = self._slots.find(connection)
        if found is not None:
            found[1].flowed = now if flows else None

    def repeated(self, connection: int, first: int, end: int) -> None:
        """Note that hits were written to a connection once more."""
        self._repeats.append(Range(connection, self._given[connection].share, first, end))

    def close(self, connection: int, now: float, how: str, notice: float | None = None) -> None:
        """Turn an open connection into a ghost; one that is not open any more stays as it is."""
        self.advance(now)
        found = self._slots.find(connection)
        if found is not None:
            self._slots.close(*found, now, how, notice)
            self._ended = now

    def migrate(self, seconds: float, now: float, *, retry_after: bool = False) -> None:
        """Begin a migration, or make the one that is going on last at least so long."""
        self.advance(now)
        self._gate.migrate(seconds, now, retry_after=retry_after)

    def enable(self, now: float) -> float:
        """Enable the stream for the current API; return when that takes effect."""
        self.advance(now)
        return self._gate.enable(now)

    def note(
        self,
        event: str,
        detail: str,
        now: float,
        *,
        connection: int | None = None,
        status: int | None = None,
    ) -> None:
        """Note what was done to the stream from outside."""
        self.advance(now)
        found = self._slots.find(connection)
        self._note(now, event, detail, connection, found and found[0], status)

    def advance(self, now: float) -> None:
        """Let everything happen that time alone brings about."""
        self._gate.advance(now)
        self._slots.advance(now)
        for slot, holder in self._slots.open():
            if holder.flowed is not None:
                self._given[holder.connection].end = slot.reached

    def _shut(self, asked: Asked, now: float) -> Refused | None:
        held = self._slots.held
        return self._gate.refusal(
            len(self._slots) if held else asked.max_connections,
            idle_for=0.0 if held or not self._slots else now - self._ended,
            quiet=self._quiet(now),
            resets=asked.reset is not None and not held,
            now=now,
        )

    def _quiet(self, now: float) -> bool:
        wanted = self._rules.quiet_after
        if wanted is None or not self._slots or now - self._began < wanted:
            return False
        return self._logged(WHOLE, now) == self._logged(WHOLE, now - wanted)

    def _place(self, asked: Asked, now: float) -> Slot | Refused:
        if not self._slots.held:
            self._lay_out(asked, now)
        elif asked.max_connections != len(self._slots):
            return _differing(asked.max_connections, len(self._slots))
        elif asked.reset is not None:
            self._note(now, "ignored", f"reset={asked.reset}: not every connection is closed")
        place = self._slots.free
        if place is None:
            self._slots.restart(now)
            return _too_many(len(self._slots))
        return place

    def _lay_out(self, asked: Asked, now: float) -> None:
        if not self._slots:
            self._began = now
        if asked.reset is not None:
            self._gate.reset(now)
            self._note(now, "moved", f"reset={asked.reset} sets every position anew")
        self._slots.lay_out(asked.max_connections, asked.reset, now)

    def _admit(self, slot: Slot, asked: Asked, now: float) -> Opened:
        connection, reached = len(self._given) + 1, slot.reached
        self._slots.open_at(slot, connection, asked.smoothing, now)
        offset = slot.committed
        self._given[connection] = Range(connection, slot.share, offset, offset)
        self._note(now, "connected", _resumption(slot, reached), connection, slot, 200)
        return Opened(connection, slot.share, offset)

    def _note(
        self,
        time: float,
        event: str,
        detail: str,
        connection: int | None = None,
        slot: Slot | None = None,
        status: int | None = None,
    ) -> None:
        self.journal.note(
            time,
            event,
            detail,
            stream=self.name,
            connection=connection,
            slot=None if slot is None else slot.share.slot,
            status=status,
        )


def _too_many(slots: int) -> Refused:
    text = f"The number of open connections exceeds maxConnections={slots}."
    return Refused(409, "Conflict", text)


def _differing(asked: int, slots: int) -> Refused:
    text = f"maxConnections={asked} differs from the {slots} of the connections that are open."
    return Refused(409, "Conflict", text)


def _resumption(slot: Slot, reached: int) -> str:
    offset = slot.committed
    where = f"slot {slot.share.slot} of {slot.share.slots}, from hit {offset:,}"
    if offset < reached:
        return f"{where}: {reached - offset:,} repeated"
    if offset > reached:
        return f"{where}: {offset - reached:,} skipped, older than the retention"
    return where
