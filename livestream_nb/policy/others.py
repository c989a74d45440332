"""What others do after a lost connection: each a policy, with its parameters and its source.

None of them was made for a service that needs a minute to notice a loss. They are told apart by how
long they wait and when they stop, so a token that was not accepted is renewed once by all of them.
Each runs in a lab and in a `Reader`, which lets 60 seconds pass all the same where the service is
Adobe's.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from livestream_nb.policy.events import (
    Actions,
    Connect,
    Event,
    Failed,
    GiveUp,
    Opened,
    Policy,
    RenewToken,
    Wait,
)
from livestream_nb.policy.reconnect import ReconnectPolicy
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


@dataclass(frozen=True)
class ImmediateRetry(Retry):
    """Connects again at once, for ever: a loop around a request."""

    def delay(self, row: Row, failed: Failed) -> Delay:  # noqa: ARG002
        """None at all."""
        return 0.0, 0.0


@dataclass(frozen=True)
class HttpStreamingClient(Retry):
    """A second, ten times: ``adobe-research/http_streaming_client``, the Ruby client of 2013.

    Parameters
    ----------
    seconds : float
        Its reconnect interval.
    attempts : int
        After so many failures in a row it stops.
    """

    seconds: float = 1.0
    attempts: int = 10

    def delay(self, row: Row, failed: Failed) -> Delay:  # noqa: ARG002
        """Always the same, a few times."""
        return (self.seconds, self.seconds) if row.failures <= self.attempts else None


@dataclass(frozen=True)
class FirehoseClientExample(Retry):
    """Five seconds, and an end after three: ``Adobe-Marketing-Cloud/firehose-client-example``.

    Its program says that it exits after three failed attempts (``FirehoseClientDriver.java``). As
    published it exits at the first one that is refused, which is even earlier.

    Parameters
    ----------
    seconds : float
        What it waits.
    attempts : int
        After so many failures in a row it exits.
    """

    seconds: float = 5.0
    attempts: int = 3

    def delay(self, row: Row, failed: Failed) -> Delay:  # noqa: ARG002
        """Always the same, a few times."""
        return (self.seconds, self.seconds) if row.failures <= self.attempts else None


@dataclass(frozen=True)
class ScheduledRuns:
    """Runs of two minutes, every four minutes: ``jofultz/AdobeClickStreamIngestion``.

    Its README runs a function by a timer (``0 */4 * * * *``), which reads for ``ExecutionSeconds``
    and closes; a run that fails is over. Its three staggered readers are left at one.

    Parameters
    ----------
    seconds : float
        How long a run reads.
    every : float
        From the beginning of a run to that of the next.
    """

    seconds: float = 120.0
    every: float = 240.0

    def start(self, now: float) -> float:
        """When the first run begins."""
        return now

    def step(self, began: float, event: Event, now: float) -> tuple[float, Actions]:
        """Wait for the timer after each run."""
        match event:
            case Opened():
                return began, ()
            case Failed():
                runs = (now - began) // self.every + 1
                moment = began + runs * self.every
                return began, (RenewToken(), Wait(moment, moment))
        return began, (Connect(self.seconds),)


@dataclass(frozen=True)
class XStreaming(Retry):
    """At once, then by kind of failure: X's advice for its streams.

    Source: docs.x.com, "Handling disconnections": connect at once after a loss; then 250 ms more
    with every network error, to 16 s; after HTTP errors 5 s, doubling to 320 s; after 429 a minute,
    doubling.
    """

    def delay(self, row: Row, failed: Failed) -> Delay:
        """By kind."""
        if row.attempts == 0:
            return 0.0, 0.0
        if failed.status is None:
            wait = min(0.25 * row.alike, 16.0)
        elif failed.cause is Cause.THROTTLED:
            wait = 60.0 * 2.0 ** (row.alike - 1)
        else:
            wait = min(5.0 * 2.0 ** min(row.alike - 1, 16), 320.0)
        return wait, wait


@dataclass(frozen=True)
class Websockets(Retry):
    """What ``async for connection in websockets.connect(…)`` does: a 409 ends it.

    Source: websockets 17, ``client.py`` (``backoff``) and ``asyncio/client.py`` (``connect``,
    ``process_exception``): at once after a loss; then up to 5 s, then 3.1 s growing by 1.618 to
    90 s; network errors and the statuses below are tried again, any other ends the loop.

    Parameters
    ----------
    initial, least, longest, factor : float
        Its delays in seconds, and their growth.
    retried : tuple of int
        The statuses after which it tries again.
    """

    initial: float = 5.0
    least: float = 3.1
    longest: float = 90.0
    factor: float = 1.618
    retried: tuple[int, ...] = (500, 502, 503, 504)

    def delay(self, row: Row, failed: Failed) -> Delay:
        """Growing."""
        if failed.status is not None and failed.status not in self.retried:
            return None
        if row.attempts <= 1:
            return 0.0, self.initial * row.attempts
        wait = min(self.least * self.factor ** min(row.attempts - 2, 64), self.longest)
        return wait, wait


@dataclass(frozen=True)
class Grpc(Retry):
    """A second, growing by 1.6 to two minutes, a fifth more or less: gRPC's connection backoff.

    Source: ``grpc/grpc``, ``doc/connection-backoff.md``. After a loss it connects at once; a delay
    counts from the beginning of an attempt there, from its end here.

    Parameters
    ----------
    initial, longest, factor, jitter : float
        Seconds, and shares of them.
    """

    initial: float = 1.0
    longest: float = 120.0
    factor: float = 1.6
    jitter: float = 0.2

    def delay(self, row: Row, failed: Failed) -> Delay:  # noqa: ARG002
        """Growing, with jitter around it."""
        if row.attempts == 0:
            return 0.0, 0.0
        wait = min(self.initial * self.factor ** min(row.attempts - 1, 64), self.longest)
        return wait * (1 - self.jitter), wait * (1 + self.jitter)


@dataclass(frozen=True)
class FullJitter(Retry):
    """Anything from nothing to a limit that doubles: AWS's "full jitter".

    Source: Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015; base and
    limit are those of the AWS SDKs' standard mode, which stops after three attempts. A stream goes
    on.

    Parameters
    ----------
    base, longest : float
        The first limit, and the highest, in seconds.
    """

    base: float = 1.0
    longest: float = 20.0

    def delay(self, row: Row, failed: Failed) -> Delay:  # noqa: ARG002
        """Between nothing and the limit."""
        return 0.0, min(self.base * 2.0 ** min(row.failures - 1, 64), self.longest)


POLICIES: Mapping[str, Policy] = MappingProxyType(
    {
        "livestream_nb": ReconnectPolicy(),
        "immediate retry": ImmediateRetry(),
        "http_streaming_client": HttpStreamingClient(),
        "firehose-client-example": FirehoseClientExample(),
        "AdobeClickStreamIngestion": ScheduledRuns(),
        "X streaming": XStreaming(),
        "websockets": Websockets(),
        "gRPC": Grpc(),
        "AWS full jitter": FullJitter(),
    }
)
"""Ours, and those of others, by name."""
