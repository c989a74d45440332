"""What surrounds the clients of a lab: the service's model, the network, tokens, and what fails.

Its verbs are those of the simulator, so that one story can be told to both; and two more, for what
is not the service's doing: a network that is gone, and another consumer.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from math import ceil, inf
from typing import NamedTuple

from livestream_nb.lab.agenda import Agenda
from livestream_nb.lab.traffic import Traffic
from livestream_nb.protocol.status import CAUSES, Cause, Refusal
from livestream_nb.simulator.http.refusals import ON_DEMAND, UNAUTHORIZED, Refused
from livestream_nb.simulator.journal import Journal
from livestream_nb.simulator.rules import Rules
from livestream_nb.simulator.scenarios import Call
from livestream_nb.simulator.service import Asked, Stream
from livestream_nb.simulator.share import Share

WITHOUT_TRACE = frozenset(
    {"slice", "bomb", "malform", "reorder", "new_member", "drift", "redirect"}
)
"""Verbs that change the bytes of a stream or the way to it, and nothing that a lab knows of."""

UNREACHABLE = Refusal(Cause.UNREACHABLE, None, "")
TOKENLESS = Refusal(Cause.TOKENLESS, None, "")
UNANSWERED = Refusal(Cause.DROPPED, None, "no answer came")


@dataclass
class Site:
    """Where a client is: until when its network is gone, and which of the tokens it has."""

    gone_until: float = 0.0
    token: int = 0


class Flow(NamedTuple):
    """Hits that a connection brought in a row: offsets from ``first`` up to ``end``.

    Those that were in the log by ``since`` came then, the others as they entered the log.
    """

    since: float
    until: float
    first: int
    end: int


@dataclass
class Line:
    """One connection.

    Attributes
    ----------
    connection : int
        Its number.
    share : Share
        Which hits it brings.
    site : Site
        Where its client is.
    lost : callable
        Called when it has ended.
    first, since : int, float
        From which offset and moment on hits come by it that are in none of ``flows`` yet.
    begun : int
        The offset of its very first hit.
    flows : list of Flow
        What it has brought.
    stalled : float
        Until when the service sends nothing.
    ended : Cause or None
        How it ended.
    """

    connection: int
    share: Share
    site: Site
    lost: Callable[[], None]
    first: int
    since: float
    begun: int = 0
    flows: list[Flow] = field(default_factory=list)
    stalled: float = -inf
    ended: Cause | None = None


class World:
    """One stream and all that can happen to it.

    Parameters
    ----------
    agenda : Agenda
        The time.
    traffic : Traffic
        The hits.
    rules : Rules
        The numbers of the service's model.
    notice : callable
        How long the ghost of a connection stays that ends at a moment.

    Attributes
    ----------
    lines : dict of int to Line
        The open connections by number, of all clients.
    home : Site
        Where the client is that is looked at.
    rival : callable
        Lets another consumer want the stream for so many seconds.
    """

    def __init__(
        self, agenda: Agenda, traffic: Traffic, rules: Rules, notice: Callable[[float], float]
    ) -> None:
        self.agenda = agenda
        self.traffic = traffic
        self.stream = Stream(traffic.logged, rules=rules, journal=Journal(kept=0))
        self.lines: dict[int, Line] = {}
        self.home = Site()
        self.rival: Callable[[float], object] = lambda _: None
        self._token = 0
        self._notice = notice
        self._tokens_from = 0.0
        self._refusing: tuple[float, int, float | None] = (-inf, 503, None)

    # ------------------------------------------------------------------ what clients ask

    def ask(self, site: Site, connections: int, lost: Callable[[], None]) -> Line | Refusal:
        """Answer a request that reaches the service now; ``lost`` is for when its line ends."""
        now = self.agenda.now
        if now < site.gone_until:
            return UNREACHABLE
        refused = self._turned_away(site, now)
        opened = refused or self.stream.connect(Asked(connections), now)
        if isinstance(opened, Refused):
            cause = CAUSES[opened.status]
            wish = opened.retry_after
            seconds = None if wish is None else float(ceil(wish))
            return Refusal(cause, opened.status, opened.description, seconds)
        self.stream.flow(opened.connection, True, now)
        line = Line(opened.connection, opened.share, site, lost, opened.offset, now, opened.offset)
        self.lines[opened.connection] = line
        return line

    def _turned_away(self, site: Site, now: float) -> Refused | None:
        if site.token < self._token:
            return UNAUTHORIZED
        until, status, retry_after = self._refusing
        if now >= until:
            return None
        return Refused(status, "", ON_DEMAND[status], retry_after)

    def renew(self, site: Site) -> bool:
        """Give a site a fresh token, if the token service has one."""
        if self.agenda.now < self._tokens_from or self.agenda.now < site.gone_until:
            return False
        site.token = self._token
        return True

    def end(self, line: Line, cause: Cause, how: str = "left", ghost: float | None = None) -> None:
        """End a connection: its client is told, and its ghost stays for ``ghost`` seconds."""
        now = self.agenda.now
        if self.lines.pop(line.connection, None) is None:
            return
        self.stream.close(line.connection, now, how, self._notice(now) if ghost is None else ghost)
        self.settle(line)
        line.ended = cause
        line.lost()

    def settle(self, line: Line) -> None:
        """Account for what a connection has brought until now."""
        now = self.agenda.now
        if now >= line.stalled:
            due = max(line.first, self.traffic.logged(line.share, now))
            line.flows.append(Flow(line.since, now, line.first, due))
            line.first, line.since = due, now

    # ------------------------------------------------------------------ what is done to it

    def do(self, call: Call) -> None:
        """Carry out one call of a story."""
        if call.verb not in WITHOUT_TRACE:
            getattr(self, call.verb)(**call.options)

    def drop(
        self, ghost: float | None = None, connection: int | None = None, slot: int | None = None
    ) -> None:
        """End all connections, or that of one number, or the one that holds a place."""
        for line in tuple(self.lines.values()):
            if connection in (None, line.connection) and slot in (None, line.share.slot):
                self.end(line, Cause.DROPPED, "dropped", ghost)

    cut = reset = drop

    def corrupt(self, connection: int | None = None) -> None:
        """Damage the gzip: the client gives the connection up."""
        for line in tuple(self.lines.values()):
            if connection in (None, line.connection):
                self.end(line, Cause.CORRUPT)

    def stall(self, seconds: float = 60.0, connection: int | None = None) -> None:
        """Send nothing for a while, and then everything that is due."""
        now = self.agenda.now
        for line in tuple(self.lines.values()):
            if connection in (None, line.connection) and now >= line.stalled:
                self.settle(line)
                line.stalled = now + seconds
                self.stream.flow(line.connection, False, now)
                self.agenda.at(line.stalled, partial(self._flow_again, line))

    def _flow_again(self, line: Line) -> None:
        if line.ended is None:
            line.since = self.agenda.now
            self.stream.flow(line.connection, True, self.agenda.now)

    def duplicate(self, count: int = 100, connection: int | None = None) -> None:
        """Send the last so many hits once more."""
        now = self.agenda.now
        for line in tuple(self.lines.values()):
            if connection in (None, line.connection):
                self.settle(line)
                line.flows.append(Flow(now, now, max(line.begun, line.first - count), line.first))

    def migrate(self, seconds: float = 120.0, retry_after: bool = False) -> None:
        """Answer new connections with 503 for a while; open ones read on."""
        self.stream.migrate(seconds, self.agenda.now, retry_after=retry_after)

    def refuse(
        self, status: int = 503, seconds: float = 60.0, retry_after: float | None = None
    ) -> None:
        """Answer new connections with a status for a while."""
        self._refusing = self.agenda.now + seconds, status, retry_after

    def go_quiet(self, seconds: float | None = None) -> None:
        """Let no hits enter the log for a while."""
        self.traffic.tempo.change(0.0, seconds, self.agenda.now)

    def spike(self, factor: float = 10.0, seconds: float = 60.0) -> None:
        """Let so many times as many hits enter the log for a while."""
        self.traffic.tempo.change(factor, seconds, self.agenda.now)

    def expire_tokens(self) -> None:
        """Let no token that was issued so far be valid any more."""
        self._token += 1

    def fail_tokens(self, seconds: float = 60.0, status: int = 503) -> None:  # noqa: ARG002  # any
        """Let the token service give none for a while."""
        self._tokens_from = max(self._tokens_from, self.agenda.now + seconds)

    def unreachable(self, seconds: float = 60.0) -> None:
        """Let the network of the client that is looked at be gone for a while."""
        self.home.gone_until = max(self.home.gone_until, self.agenda.now + seconds)
        for line in tuple(self.lines.values()):
            if line.site is self.home:
                self.end(line, Cause.DROPPED, "cut")
