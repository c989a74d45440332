"""What others do after a lost connection: each a policy, with its parameters and its source.

None of them was made for a service that needs a minute to notice a loss. They are told apart by how
long they wait and when they stop, so a token that was not accepted is renewed once by all of them.
Each runs in a lab and in a `Reader`, which lets 60 seconds pass all the same where the service is
Adobe's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from types import MappingProxyType

from livestream_nb.policy.backoff import backoff
from livestream_nb.policy.events import (
    Actions,
    Connect,
    Event,
    Failed,
    Opened,
    Policy,
    RenewToken,
    Wait,
)
from livestream_nb.policy.reconnect import ReconnectPolicy
from livestream_nb.policy.retry import Delay, Retry, Row
from livestream_nb.protocol.status import Cause


@dataclass(frozen=True)
class ImmediateRetry(Retry):
    """Connects again at once, for ever: a loop around a request."""

    def delay(self, row: Row, failed: Failed) -> Delay:  # noqa: ARG002
        """None at all."""
        return 0.0, 0.0


@dataclass(frozen=True)
class FixedDelay(Retry):
    """Always the same wait, a few times.

    Parameters
    ----------
    seconds : float
        What it waits.
    attempts : int
        After so many failures in a row it stops.
    """

    seconds: float
    attempts: int

    def delay(self, row: Row, failed: Failed) -> Delay:  # noqa: ARG002
        """Always the same, a few times."""
        return (self.seconds, self.seconds) if row.failures <= self.attempts else None


@dataclass(frozen=True)
class HttpStreamingClient(FixedDelay):
    """A second, ten times: ``adobe-research/http_streaming_client``, the Ruby client of 2013."""

    seconds: float = 1.0
    attempts: int = 10


@dataclass(frozen=True)
class FirehoseClientExample(FixedDelay):
    """Five seconds, and an end after three: ``Adobe-Marketing-Cloud/firehose-client-example``.

    Its program says that it exits after three failed attempts (``FirehoseClientDriver.java``). As
    published it exits at the first one that is refused, which is even earlier.
    """

    seconds: float = 5.0
    attempts: int = 3


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
            wait = backoff(60.0, 2.0, row.alike - 1, inf)
        else:
            wait = backoff(5.0, 2.0, row.alike - 1, 320.0)
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
        wait = backoff(self.least, self.factor, row.attempts - 2, self.longest)
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
        wait = backoff(self.initial, self.factor, row.attempts - 1, self.longest)
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
        return 0.0, backoff(self.base, 2.0, row.failures - 1, self.longest)


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
