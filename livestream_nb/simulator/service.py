"""The model of one Livestream stream: requests and time in, answers and log entries out.

It deals in offsets: how many hits the stream's log holds at a time is a function handed in. It
reads no clock and touches no socket, so a day can be lived through without making its hits.

- A client that vanishes leaves a **ghost**: its slot stays taken for ``notice`` seconds, and an
  attempt that meets the ghost next to expire starts its time anew (with ``restarts``).
- A **commit** covers only what was written at least ``margin`` seconds before, and none happens
  once the connection has ended. So a resume repeats some hits and skips none, except those
  older than ``retention``. A connection that stays open is never made to skip.

All times are service seconds, and never go backwards from one call to the next.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from livestream_nb.simulator.refusals import TOO_MANY, UNSERVED_COUNT, Refused, invalid_count

KEPT_ENTRIES = 100_000


@dataclass(frozen=True)
class Entry:
    """One line of what the service did."""

    time: float
    event: str
    connection: int | None
    status: int | None
    detail: str


@dataclass(frozen=True)
class Opened:
    """Answer 200: the connection's number, and the offset of the first hit that it is given."""

    connection: int
    offset: int


@dataclass
class Range:
    """The hits that one connection was given: offsets from ``first`` up to, not with, ``end``."""

    first: int
    end: int


@dataclass
class Open:
    """A slot's connection, as far as its client is known to be there."""

    connection: int
    next_commit: float
    written: deque[tuple[float, int]] = field(default_factory=deque)


@dataclass
class Ghost:
    """A slot's connection whose client is gone, which the service has yet to notice."""

    connection: int
    notice: float
    until: float


@dataclass
class Slot:
    """A place for one connection, and how far its readers have come; None before the first."""

    holder: Open | Ghost | None = None
    committed: int | None = None
    reached: int = 0


class Stream:
    """One stream with one slot.

    Parameters
    ----------
    logged : callable
        How many hits the stream's log holds at a time.
    notice, retention, commit_every, margin : float
        Seconds, as described at the top of this module.
    restarts : bool
        Whether an attempt that meets a ghost starts the ghost's time anew.

    Attributes
    ----------
    log : deque of Entry
        What happened, oldest first; the newest 100,000.
    ranges : dict of int to Range
        By connection, every hit that was written to it.
    """

    def __init__(
        self,
        logged: Callable[[float], int],
        *,
        notice: float = 55.0,
        retention: float = 300.0,
        commit_every: float = 5.0,
        margin: float = 5.5,
        restarts: bool = True,
    ) -> None:
        self._logged = logged
        self._notice = notice
        self._retention = retention
        self._commit_every = commit_every
        self._margin = margin
        self._restarts = restarts
        self._slots = [Slot()]
        self.log: deque[Entry] = deque(maxlen=KEPT_ENTRIES)
        self.ranges: dict[int, Range] = {}

    @property
    def open(self) -> tuple[int, ...]:
        """The connections that are open, ghosts not among them."""
        holders = (slot.holder for slot in self._slots)
        return tuple(holder.connection for holder in holders if isinstance(holder, Open))

    def connect(self, max_connections: int, now: float) -> Opened | Refused:
        """Answer a client that asks for a connection."""
        self.advance(now)
        answer = self._admit(max_connections, now)
        if isinstance(answer, Refused):
            self.refuse(answer, now)
        return answer

    def refuse(self, refused: Refused, now: float) -> None:
        """Note a request that was refused, here or before it came this far."""
        self.advance(now)
        self._note(now, "refused", refused.description, status=refused.status)

    def wrote(self, connection: int, offset: int, now: float) -> None:
        """Note that every hit before ``offset`` has been handed to the connection's socket."""
        self.advance(now)
        written = self.ranges[connection]
        written.end = max(written.end, offset)
        for slot in self._slots:
            if isinstance(slot.holder, Open) and slot.holder.connection == connection:
                slot.holder.written.append((now, offset))
                slot.reached = max(slot.reached, offset)

    def close(self, connection: int, now: float, how: str, notice: float | None = None) -> None:
        """Turn an open connection into a ghost; one that is not open any more stays as it is."""
        self.advance(now)
        for slot in self._slots:
            if isinstance(slot.holder, Open) and slot.holder.connection == connection:
                lasting = self._notice if notice is None else notice
                slot.holder = Ghost(connection, lasting, now + lasting)
                detail = f"a ghost holds its slot for {lasting:g} s"
                self._note(now, how, detail, connection=connection)

    def quiet(self, now: float) -> None:
        """Note that no more hits will enter the log."""
        self.advance(now)
        self._note(now, "quiet", "no more hits enter the log")

    def advance(self, now: float) -> None:
        """Let everything happen that time alone brings about: commits, and ghosts expiring."""
        for slot in self._slots:
            if isinstance(slot.holder, Open):
                self._commit(slot, slot.holder, now)
            elif slot.holder is not None and slot.holder.until <= now:
                ghost, slot.holder = slot.holder, None
                detail = "the ghost that held the slot has expired"
                self._note(ghost.until, "freed", detail, connection=ghost.connection)

    def _admit(self, max_connections: int, now: float) -> Opened | Refused:
        if not 1 <= max_connections <= 8:
            return invalid_count(str(max_connections))
        if max_connections > len(self._slots):
            return UNSERVED_COUNT
        free = next((slot for slot in self._slots if slot.holder is None), None)
        if free is None:
            return self._conflict(now)
        return self._open(free, now)

    def _conflict(self, now: float) -> Refused:
        ghosts = [slot.holder for slot in self._slots if isinstance(slot.holder, Ghost)]
        if not ghosts:
            return TOO_MANY
        ghost = min(ghosts, key=lambda ghost: ghost.until)
        if self._restarts:
            ghost.until = now + ghost.notice
            detail = f"an attempt met the ghost: {ghost.notice:g} s more"
            self._note(now, "restarted", detail, connection=ghost.connection)
        return TOO_MANY

    def _open(self, slot: Slot, now: float) -> Opened:
        if slot.committed is None:
            slot.committed = slot.reached = self._logged(now)
        offset = max(slot.committed, self._logged(now - self._retention))
        connection = len(self.ranges) + 1
        self.ranges[connection] = Range(offset, offset)
        slot.holder = Open(connection, now + self._commit_every)
        detail = _resumption(offset, slot.reached)
        self._note(now, "connected", detail, connection=connection, status=200)
        slot.committed = offset
        slot.reached = max(slot.reached, offset)
        return Opened(connection, offset)

    def _commit(self, slot: Slot, holder: Open, now: float) -> None:
        if now < holder.next_commit:
            return
        missed = int((now - holder.next_commit) // self._commit_every)
        moment = min(now, holder.next_commit + missed * self._commit_every)
        holder.next_commit = moment + self._commit_every
        before = slot.committed
        while holder.written and holder.written[0][0] <= moment - self._margin:
            slot.committed = holder.written.popleft()[1]
        if slot.committed != before:
            detail = f"delivered up to hit {slot.committed:,}"
            self._note(moment, "committed", detail, connection=holder.connection)

    def _note(
        self,
        time: float,
        event: str,
        detail: str,
        *,
        connection: int | None = None,
        status: int | None = None,
    ) -> None:
        self.log.append(Entry(time, event, connection, status, detail))


def _resumption(offset: int, reached: int) -> str:
    if offset < reached:
        return f"from hit {offset:,}: {reached - offset:,} repeated"
    if offset > reached:
        return f"from hit {offset:,}: {offset - reached:,} skipped, older than the retention"
    return f"from hit {offset:,}"
