"""What a reader's options must be: wrong ones are refused before anything is sent."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

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


def check_time_zone(tz: str) -> str:
    """A time zone's name that this machine knows."""
    try:
        ZoneInfo(tz)
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError):
        right = 'give a time zone by name, as in "UTC" or "Europe/Berlin"'
        raise InvalidOption.value("tz", tz, right) from None
    return tz
