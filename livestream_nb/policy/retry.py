"""Policies that only say how long to wait after a failure: the rest is the same for all."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace

from livestream_nb.policy.events import (
    Actions,
    Connect,
    Event,
    Failed,
    GiveUp,
    Opened,
    RenewToken,
    Wait,
)
from livestream_nb.protocol.status import Cause

Delay = tuple[float, float] | None


@dataclass(frozen=True)
class Row:
    """Failures in a row since the stream was last open.

    Attributes
    ----------
    failures : int
        How many; the loss of an open stream is the first.
    lost : bool
        Whether there was such a loss.
    alike : int
        How many of the last attempts failed like the last one: with a status, or without.
    answered : bool
        Which kind that is.
    renewed : bool
        Whether the token has been renewed.
    """

    failures: int = 0
    lost: bool = False
    alike: int = 0
    answered: bool = False
    renewed: bool = False

    @property
    def attempts(self) -> int:
        """How many attempts to connect have failed."""
        return self.failures - self.lost


class Retry(ABC):
    """A policy that waits between two limits after a failure, or stops."""

    @abstractmethod
    def delay(self, row: Row, failed: Failed) -> Delay:
        """The least and the longest seconds to wait; None to stop."""

    def start(self, now: float) -> Row:  # noqa: ARG002  # the form that every policy has
        """The state of a slot that nothing has happened to yet."""
        return Row()

    def step(self, row: Row, event: Event, now: float) -> tuple[Row, Actions]:
        """What to do about an event, and what to remember."""
        match event:
            case Opened():
                return Row(lost=True), ()
            case Failed(Cause.UNAUTHORIZED) if not row.renewed:
                return replace(row, renewed=True), (RenewToken(), Connect())
            case Failed():
                answered, failures = event.status is not None, row.failures + 1
                alike = row.alike + 1 if answered == row.answered else 1
                alike = min(alike, failures - row.lost)
                row = replace(row, failures=failures, alike=alike, answered=answered)
                delay = self.delay(row, event)
                if delay is None:
                    return row, (GiveUp(),)
                least, longest = delay
                return row, (Wait(now + least, now + longest),) if longest else (Connect(),)
        return row, (Connect(),)
