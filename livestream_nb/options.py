"""What a reader's options must be: wrong ones are refused before anything is sent."""

from collections.abc import Callable

from livestream_nb.clock import Clock
from livestream_nb.connection.credentials import BearerToken
from livestream_nb.errors import InvalidOption
from livestream_nb.policy import Policy
from livestream_nb.protocol.request import StreamRequest

LEAST_COOLDOWN = 60.0


def check_policy(policy: Policy, request: StreamRequest) -> None:
    """A policy has two methods, and for Adobe's service a cooldown of at least 60 seconds.

    Livestream needs about that long to notice a lost connection (KA-16598).
    """
    if not (hasattr(policy, "start") and hasattr(policy, "step")):
        right = "give a ReconnectPolicy, or an object with start(now) and step(state, event, now)"
        raise InvalidOption.value("policy", policy, right)
    cooldown = getattr(policy, "cooldown", LEAST_COOLDOWN)
    if cooldown < LEAST_COOLDOWN and not request.loopback:
        right = (
            f"give at least {LEAST_COOLDOWN:g} seconds, because Livestream needs about as long to "
            "notice a lost connection; less is for the simulator"
        )
        raise InvalidOption.value("cooldown", cooldown, right)


def check_clock(clock: object) -> Clock:
    """A clock, of this package's kind."""
    if not isinstance(clock, Clock):
        raise InvalidOption.value("clock", clock, "give a Clock, as in Clock() or simulator.clock")
    return clock


def choose_credentials(token: str | Callable[[], str] | None, credentials: object) -> BearerToken:
    """Who asks: by a token or by credentials, not by both. No value is shown."""
    if credentials is None:
        return BearerToken(token)
    if token is not None:
        raise InvalidOption("Both token= and credentials= are given: give one of them.")
    if not isinstance(credentials, BearerToken):
        kind = type(credentials).__name__
        raise InvalidOption(f"credentials is of type {kind}: give a BearerToken, or use token=.")
    return credentials
