"""What a policy is told, and what it answers."""

from dataclasses import dataclass
from typing import Any, Protocol

from livestream_nb.checks import is_number
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
    """A connection was lost, refused, not reached, or closed after the seconds that it was given.

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
    """Request the stream, and read it for as long as it lasts.

    Attributes
    ----------
    seconds : float or None
        Read no longer than so many service seconds: then it is closed, which the policy is told
        as a failure whose cause is ``closed``.
    """

    seconds: float | None = None


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


def checked(actions: object) -> Actions:
    """Refuse what a policy must not answer.

    Raises
    ------
    InvalidOption
        When it is no tuple of actions, a wait has no end, or one before its beginning, or a
        connection is to last no time.
    """
    if not (isinstance(actions, tuple | list) and all(isinstance(a, Action) for a in actions)):
        right = "answer with a tuple of Connect(), Wait(…), RenewToken() and GiveUp()"
        raise InvalidOption(f"The policy answered {actions!r}, which is not possible: {right}.")
    for action in actions:
        if isinstance(action, Wait) and not _ends(action):
            right = "give two finite moments, the earlier one first"
            raise InvalidOption(f"The policy answered {action!r}, which is not possible: {right}.")
        if isinstance(action, Connect) and not _lasts(action.seconds):
            right = "give seconds above 0, or None for as long as it lasts"
            raise InvalidOption(f"The policy answered {action!r}, which is not possible: {right}.")
    return tuple(actions)


def _lasts(seconds: float | None) -> bool:
    return seconds is None or (is_number(seconds) and seconds > 0)


def _ends(wait: Wait) -> bool:
    moments = (wait.earliest, wait.latest)
    return all(is_number(moment) for moment in moments) and wait.earliest <= wait.latest
