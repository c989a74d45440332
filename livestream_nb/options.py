"""What a reader's options must be: wrong ones are refused before anything is sent."""

from collections.abc import Callable
from pathlib import Path

from livestream_nb.checks import check_positive, is_number
from livestream_nb.clock import Clock
from livestream_nb.connection.credentials import BearerToken, Credentials, from_env
from livestream_nb.errors import InvalidOption
from livestream_nb.policy import FLOOR, Policy
from livestream_nb.protocol.request import StreamRequest


def check_policy(policy: Policy, request: StreamRequest) -> None:
    """A policy has two methods, and for Adobe's service a cooldown of at least 60 seconds.

    Livestream needs about that long to notice a lost connection (KA-16598).
    """
    if not (hasattr(policy, "start") and hasattr(policy, "step")):
        right = "give a ReconnectPolicy, or an object with start(now) and step(state, event, now)"
        raise InvalidOption.value("policy", policy, right)
    cooldown = getattr(policy, "cooldown", FLOOR)
    if not is_number(cooldown):
        raise InvalidOption.value("policy.cooldown", cooldown, "give seconds, or none at all")
    stall_after = getattr(policy, "stall_after", None)
    if stall_after is not None:
        check_positive("policy.stall_after", stall_after)
    if cooldown < FLOOR and not request.loopback:
        right = (
            f"give at least {FLOOR:g} seconds, because Livestream needs about as long to "
            "notice a lost connection; less is for the simulator"
        )
        raise InvalidOption.value("cooldown", cooldown, right)


def check_clock(clock: object) -> Clock:
    """A clock, of this package's kind."""
    if not isinstance(clock, Clock):
        raise InvalidOption.value("clock", clock, "give a Clock, as in Clock() or simulator.clock")
    return clock


def check_folder(record_to: object) -> Path | None:
    """Where to record, if somewhere: as a path that does not change with the working folder."""
    if record_to is None:
        return None
    if not isinstance(record_to, str | Path) or not str(record_to):
        raise InvalidOption.value("record_to", record_to, "give the path of a folder")
    return Path(record_to).expanduser().absolute()


def choose_credentials(token: str | Callable[[], str] | None, credentials: object) -> Credentials:
    """Who asks: by a token or by credentials, or by what the environment says. No value is shown.

    Raises
    ------
    MissingCredentials
        When there is none of these.
    """
    if token is not None and credentials is not None:
        raise InvalidOption("Both token= and credentials= are given: give one of them.")
    if token is not None:
        return BearerToken(token)
    chosen = from_env() if credentials is None else credentials
    if chosen is None:
        return BearerToken(None)
    if not isinstance(chosen, Credentials):
        kind = type(chosen).__name__
        right = "give a BearerToken or a ServerToServer, or use token="
        raise InvalidOption(f"credentials is of type {kind}: {right}.")
    return chosen
