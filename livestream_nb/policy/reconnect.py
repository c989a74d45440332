"""The default policy: connect once, keep reading, and after a loss wait about 60 seconds.

Sources: support article KA-16598 for the cooldown; growth, jitter, patience and what heals are
this package's decisions.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from livestream_nb.checks import check_positive, check_seconds, is_number, is_whole
from livestream_nb.errors import InvalidOption
from livestream_nb.policy.backoff import backoff
from livestream_nb.policy.events import (
    Actions,
    Connect,
    Event,
    Failed,
    GiveUp,
    Opened,
    RenewToken,
    Started,
    Wait,
    Waited,
)
from livestream_nb.protocol.status import HOLDS_SLOT, NEVER_HEALS, REACHED_NOTHING, Cause

HEALS = tuple(cause for cause in Cause if cause in HOLDS_SLOT | REACHED_NOTHING)
FIRST_RETRY = 1.0


@dataclass(frozen=True)
class State:
    """What the default policy remembers of one slot.

    Attributes
    ----------
    failures : int
        Failures in a row; two healthy minutes end the row.
    cause, alike : Cause or None, int
        The last failure's cause, and how many in a row had that cause.
    opened_at : float or None
        Since when the stream has been open.
    renewed : bool
        Whether the token was renewed, and no answer since has shown that it is accepted.
    """

    failures: int = 0
    cause: Cause | None = None
    alike: int = 0
    opened_at: float | None = None
    renewed: bool = False


@dataclass(frozen=True)
class ReconnectPolicy:
    """Connect once, keep reading, and after a loss wait before connecting again.

    Durations are service seconds.

    Parameters
    ----------
    cooldown : float
        The least wait after a connection that may still hold its slot. Livestream needs about 60
        seconds to notice a lost connection (KA-16598); less is allowed on loopback only.
    jitter : float
        At most so much is added to a wait, so that many readers do not come back at once.
    growth : float
        The wait is multiplied by this with every further failure in a row.
    longest : float
        The wait grows no further than this.
    healthy_after : float
        A connection that lasted so long ends the row of failures.
    give_up_after : mapping of str to int
        Per cause, how many attempts in a row may fail before the reader stops; causes that are
        not named have no limit. The default allows ten times ``refused`` (409). What no waiting
        heals, such as a second 401 in a row, stops it whatever is given here.
    stall_after : float, optional
        After so long without a byte, not even an empty record, an open connection is shown as
        ``stalled``. It stays open: quiet is not an error, and a new connection would meet the
        ghost of this one.

    Raises
    ------
    InvalidOption
        When a duration is negative or not finite, ``stall_after`` is 0, ``growth`` is below 1,
        ``longest`` is below the cooldown, or ``give_up_after`` names no cause.
    """

    cooldown: float = 60.0
    jitter: float = 10.0
    growth: float = 1.5
    longest: float = 120.0
    healthy_after: float = 120.0
    give_up_after: Mapping[str, int] = field(default_factory=lambda: {Cause.REFUSED.value: 10})
    stall_after: float | None = None

    def __post_init__(self) -> None:
        for name in ("cooldown", "jitter", "longest", "healthy_after"):
            check_seconds(name, getattr(self, name))
        if not (is_number(self.growth) and self.growth >= 1):
            raise InvalidOption.value("growth", self.growth, "give a factor of 1 or more")
        if self.longest < self.cooldown:
            right = f"give at least the cooldown, {self.cooldown:g} seconds"
            raise InvalidOption.value("longest", self.longest, right)
        if self.stall_after is not None:
            check_positive("stall_after", self.stall_after)
        for cause, times in self.give_up_after.items():
            if cause not in HEALS or not is_whole(times, 1, sys.maxsize):
                right = f"give a whole number from 1 per cause; causes are {', '.join(HEALS)}"
                raise InvalidOption.value("give_up_after", {cause: times}, right)

    def start(self, now: float) -> State:  # noqa: ARG002  # the form that every policy has
        """The state of a slot that nothing has happened to yet."""
        return State()

    def step(self, state: State, event: Event, now: float) -> tuple[State, Actions]:
        """What to do about an event, and what to remember."""
        match event:
            case Started(last_end):
                return self._started(state, last_end, now)
            case Opened():
                return replace(state, opened_at=now, renewed=False), ()
            case Waited():
                return state, (Connect(),)
            case Failed():
                return self._failed(self._remember(state, event, now), event, now)

    def _started(self, state: State, last_end: float | None, now: float) -> tuple[State, Actions]:
        if last_end is None or last_end + self.cooldown <= now:
            return state, (Connect(),)
        floor = last_end + self.cooldown
        return state, (Wait(floor, floor + self.jitter),)

    def _remember(self, state: State, event: Failed, now: float) -> State:
        healthy = state.opened_at is not None and now - state.opened_at >= self.healthy_after
        opened = state.opened_at is not None
        return replace(
            state,
            failures=1 if healthy else state.failures + 1,
            cause=event.cause,
            alike=state.alike + 1 if state.cause is event.cause and not opened else 1,
            opened_at=None,
            renewed=state.renewed and event.status in (None, 401),
        )

    def _failed(self, state: State, event: Failed, now: float) -> tuple[State, Actions]:
        if event.cause is Cause.UNAUTHORIZED and not state.renewed:
            return replace(state, renewed=True), (RenewToken(), Connect())
        if event.cause is Cause.UNAUTHORIZED or event.cause in NEVER_HEALS:
            return state, (GiveUp(),)
        if state.alike >= self.give_up_after.get(event.cause, state.alike + 1):
            return state, (GiveUp(),)
        if event.cause in REACHED_NOTHING:
            return state, (self._retry_soon(state, now),)
        return state, (self._cool_down(state, event, now),)

    def _cool_down(self, state: State, event: Failed, now: float) -> Wait:
        grown = backoff(self.cooldown, self.growth, state.failures - 1, self.longest)
        earliest = now + max(grown, event.retry_after or 0.0)
        return Wait(earliest, earliest + self.jitter)

    def _retry_soon(self, state: State, now: float) -> Wait:
        longest = backoff(FIRST_RETRY, 2.0, state.alike - 1, self.cooldown)
        return Wait(now, now + longest)
