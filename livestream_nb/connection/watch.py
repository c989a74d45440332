"""Is an open connection still alive? Quiet is not an error, but a dead peer must be found. Pure.

TCP's keepalive finds a peer that is gone. Two things it does not find: a connection behind a proxy,
and what became of it while this machine slept. A sleep shows as a jump of wall time against
monotonic time, or as a look that comes far too late; then the connection is doubtful, and lost
unless bytes come within two minutes, the time that keepalive takes as well.
"""

from dataclasses import dataclass

from livestream_nb.protocol.status import Cause

JUMP = 30.0
DOUBT = 120.0


@dataclass(frozen=True)
class Moment:
    """One look: monotonic and wall time, and when bytes last came (all in seconds)."""

    now: float
    wall: float
    heard: float


class Watch:
    """Watches one open connection.

    Parameters
    ----------
    opened : Moment
        When it was opened.
    stall_after : float, optional
        After so much silence it is stalled; None: never.
    rate : float
        The clock's rate: jump and doubt are real seconds, all else service seconds.
    """

    def __init__(self, opened: Moment, stall_after: float | None, rate: float = 1.0) -> None:
        self._before = opened
        self._stall_after = stall_after
        self._rate = rate
        self._doubted: float | None = None
        self._since: float | None = None

    def look(self, at: Moment) -> tuple[Cause, float] | None:
        """What has changed since the last look, with its seconds, or None.

        ``SUSPENDED``: the clock jumped by so much; ``SILENT``: nothing for so long; ``HEARD``:
        bytes came after one of those; ``DROPPED``: doubtful, and nothing came for so long.
        """
        jump, self._before = self._jump(at), at
        if jump >= JUMP * self._rate:
            self._doubted = self._since = at.now
            return Cause.SUSPENDED, jump
        if self._since is not None:
            return self._stalled(at, self._since)
        if self._stall_after is not None and at.now - at.heard >= self._stall_after:
            self._since = at.now
            return Cause.SILENT, at.now - at.heard
        return None

    def _jump(self, at: Moment) -> float:
        """How far wall time got ahead of the looks, which come about every second."""
        before = self._before
        late = at.now - before.now
        ahead = at.wall - before.wall - late
        return max(ahead, late)

    def _stalled(self, at: Moment, since: float) -> tuple[Cause, float] | None:
        if at.heard > since:
            self._doubted = self._since = None
            return Cause.HEARD, at.now - since
        if self._doubted is not None and at.now - self._doubted >= DOUBT * self._rate:
            return Cause.DROPPED, at.now - self._doubted
        return None
