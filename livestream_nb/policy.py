"""When to connect again: (state, event, now) → (state, actions). Pure: no clock, no chance.

The law: between the end of a connection that may still hold a slot and the next request for that
slot, at least the cooldown passes. Neither Livestream's load balancer nor its API can tell a
connection that is lost from one that is quiet; they need about 60 seconds to notice, and a client
that comes back sooner meets the ghost of its own connection (support article KA-16598). So jitter
is added to the cooldown, never taken from it.

A policy of one's own is any object with ``start(now) -> state`` and
``step(state, event, now) -> (state, actions)``. It is told what happened by the events below and
answers with the actions below, performed in order. After :class:`Opened` there is nothing to do
but read, so the actions are empty; every other event needs an action, or the slot rests for ever.
Times are service seconds of one monotonic clock. The runner draws the moment between a wait's
earliest and latest.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Protocol

from livestream_nb.checks import check_seconds, is_number
from livestream_nb.errors import InvalidOption
from livestream_nb.protocol.status import Cause


@dataclass(frozen=True)
class Started:
    """Someone asked for the stream; ``last_end`` is when this slot's last connection ended."""

    last_end: float | None = None


@dataclass(frozen=True)
class Opened:
    """The stream was answered with 200 and is being read."""


@dataclass(frozen=True)
class Failed:
    """A connection was lost, refused, or not reached.

    Attributes
    ----------
    cause : Cause
        Which of these, in one word.
    status : int or None
        The HTTP status, where one was answered.
    retry_after : float or None
        Seconds that the service asked to wait.
    """

    cause: Cause
    status: int | None = None
    retry_after: float | None = None


@dataclass(frozen=True)
class Waited:
    """A wait is over."""


@dataclass(frozen=True)
class Connect:
    """Request the stream, and read it for as long as it lasts."""


@dataclass(frozen=True)
class Wait:
    """Do nothing until some moment between ``earliest`` and ``latest``."""

    earliest: float
    latest: float


@dataclass(frozen=True)
class RenewToken:
    """Ask the credentials for a fresh token."""


@dataclass(frozen=True)
class GiveUp:
    """Stop for good."""


Event = Started | Opened | Failed | Waited
Action = Connect | Wait | RenewToken | GiveUp
Actions = tuple[Action, ...]


class Policy(Protocol):
    """What a reader and the lab ask of a policy; `ReconnectPolicy` is the default one."""

    def start(self, now: float) -> Any:
        """The state of a slot that nothing has happened to yet."""

    def step(self, state: Any, event: Event, now: float) -> tuple[Any, Actions]:
        """What to do about an event, and what to remember."""


PATIENCE = MappingProxyType({Cause.REFUSED.value: 10})
NEVER_HEALS = frozenset(
    {
        Cause.FORBIDDEN,
        Cause.INVALID,
        Cause.MISSING,
        Cause.DISABLED,
        Cause.UNSUPPORTED,
        Cause.UNTRUSTED,
        Cause.MISDIRECTED,
        Cause.UNEXPECTED,
    }
)
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
        Whether the token was renewed since the stream was last open.
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
        not named have no limit. The default allows ten times ``refused`` (409).

    Raises
    ------
    InvalidOption
        When a duration is negative or not finite, ``growth`` is below 1, ``longest`` is below the
        cooldown, or ``give_up_after`` names no cause.
    """

    cooldown: float = 60.0
    jitter: float = 10.0
    growth: float = 1.5
    longest: float = 120.0
    healthy_after: float = 120.0
    give_up_after: Mapping[str, int] = field(default_factory=lambda: PATIENCE)

    def __post_init__(self) -> None:
        for name in ("cooldown", "jitter", "longest", "healthy_after"):
            check_seconds(name, getattr(self, name))
        if not (is_number(self.growth) and self.growth >= 1):
            raise InvalidOption.value("growth", self.growth, "give a factor of 1 or more")
        if self.longest < self.cooldown:
            right = f"give at least the cooldown, {self.cooldown:g} seconds"
            raise InvalidOption.value("longest", self.longest, right)
        for cause, times in self.give_up_after.items():
            if cause not in set(Cause) or not is_number(times) or times < 1:
                right = f"give a number from 1 per cause; causes are {', '.join(Cause)}"
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
        )

    def _failed(self, state: State, event: Failed, now: float) -> tuple[State, Actions]:
        if event.cause is Cause.UNAUTHORIZED and not state.renewed:
            return replace(state, renewed=True), (RenewToken(), Connect())
        if event.cause is Cause.UNAUTHORIZED or event.cause in NEVER_HEALS:
            return state, (GiveUp(),)
        if state.alike >= self.give_up_after.get(event.cause, state.alike + 1):
            return state, (GiveUp(),)
        if event.cause is Cause.UNREACHABLE:
            return state, (self._retry_soon(state, now),)
        return state, (self._cool_down(state, event, now),)

    def _cool_down(self, state: State, event: Failed, now: float) -> Wait:
        grown = min(self.cooldown * self.growth ** min(state.failures - 1, 64), self.longest)
        earliest = now + max(grown, event.retry_after or 0.0)
        return Wait(earliest, earliest + self.jitter)

    def _retry_soon(self, state: State, now: float) -> Wait:
        longest = min(FIRST_RETRY * 2.0 ** min(state.alike - 1, 64), self.cooldown)
        return Wait(now, now + longest)
