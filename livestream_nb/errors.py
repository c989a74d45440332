"""Every error this package raises.

::

    LivestreamError
    ├── InvalidOption (ValueError)       a wrong value, refused before anything was sent
    │   ├── UnknownColumn                a column name that no hit has
    │   └── MissingCredentials           no token at all
    ├── RecordingError                   a recording that is missing or cannot be read
    ├── PortInUse                        the simulator's port is taken
    ├── CorruptStream                    bytes that are not gzip, or gzip that is damaged
    ├── TokenUnavailable                 no token for now: its function or service failed
    ├── TokenDenied                      no token at all: the client's id or secret is wrong
    ├── UntrustedRedirect                a redirect that must not be given the token
    ├── StreamBusy                       another reader, or another process, reads this stream
    ├── StreamFailed                     the stream stopped for good; has ``cause`` and ``status``
    └── WaitTimeout (TimeoutError)       a condition that did not come true in time

Each message says what happened, what it means and what to do. No message holds a secret.
"""

from collections.abc import Callable
from functools import partial


class LivestreamError(Exception):
    """The root of every error that livestream_nb raises."""


class InvalidOption(LivestreamError, ValueError):
    """A wrong value, refused before anything was sent."""

    @classmethod
    def value(cls, name: str, value: object, right: str) -> "InvalidOption":
        """Name the option, the value that was given, and the right ones."""
        return cls(f"{name}={value!r} is not possible: {right}.")


class UnknownColumn(InvalidOption):
    """A column name that no hit has."""


class MissingCredentials(InvalidOption):
    """No token was given; the message points to the simulator."""


class RecordingError(LivestreamError):
    """A recording that is missing or cannot be read."""


class PortInUse(LivestreamError):
    """Another program listens on the port that the simulator was to serve."""


class CorruptStream(LivestreamError):
    """The stream's bytes are not gzip, or the gzip is damaged: the rest cannot be read."""


class TokenUnavailable(LivestreamError):
    """No token for now: the function or the service that was to give one failed."""


class TokenDenied(LivestreamError):
    """No token at all: the token service does not accept the client, or gave nothing sendable."""


class UntrustedRedirect(LivestreamError):
    """The service redirected to a place that must not be given the token."""


class StreamBusy(LivestreamError):
    """Another reader reads the same stream: here with other options, or in another process."""


class StreamFailed(LivestreamError):
    """The stream stopped for good.

    Attributes
    ----------
    cause : str
        One word, as in the timeline's ``reason`` column.
    status : int or None
        The HTTP status, where one was answered.
    """

    def __init__(self, message: str, *, cause: str, status: int | None = None) -> None:
        super().__init__(message)
        self.cause = cause
        self.status = status

    def __reduce__(self) -> tuple[Callable[[str], "StreamFailed"], tuple[str]]:
        return partial(StreamFailed, cause=self.cause, status=self.status), (str(self),)


class WaitTimeout(LivestreamError, TimeoutError):
    """A condition that was waited for did not come true in time."""
