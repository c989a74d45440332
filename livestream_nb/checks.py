"""What the value of an option must be; a wrong one is refused, and named with the right ones."""

import re
import sys
from datetime import timedelta
from math import isfinite
from typing import TypeGuard
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from livestream_nb.errors import InvalidOption

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def is_number(value: object) -> TypeGuard[float]:
    """Whether a value is a finite number; True and False are none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def is_whole(value: object, lowest: int, highest: int) -> TypeGuard[int]:
    """Whether a value is a whole number within the range; True and False are none."""
    return isinstance(value, int) and not isinstance(value, bool) and lowest <= value <= highest


def check_positive(name: str, value: object) -> None:
    """Refuse what is not a finite number above 0."""
    if not (is_number(value) and value > 0):
        raise InvalidOption.value(name, value, "give a number above 0")


def check_seconds(name: str, value: object) -> None:
    """Refuse what is not a duration: a finite number, 0 or more."""
    if not (is_number(value) and value >= 0):
        raise InvalidOption.value(name, value, "give service seconds, 0 or more")


def check_whole(name: str, value: object, lowest: int, highest: int) -> None:
    """Refuse what is not a whole number within the range."""
    if not is_whole(value, lowest, highest):
        raise InvalidOption.value(name, value, f"give a whole number from {lowest} to {highest}")


def check_count(name: str, value: object, what: str) -> None:
    """Refuse what is not a number of things, 1 or more."""
    if not is_whole(value, 1, sys.maxsize):
        raise InvalidOption.value(name, value, f"give a number of {what}, 1 or more")


def time_zone(tz: str) -> ZoneInfo:
    """The zone of this name; refuse what this machine knows no zone by."""
    try:
        return ZoneInfo(tz)
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError):
        right = 'give a time zone by name, as in "UTC" or "Europe/Zurich"'
        raise InvalidOption.value("tz", tz, right) from None


def check_switch(name: str, value: object) -> None:
    """Refuse what is neither True nor False."""
    if not isinstance(value, bool):
        raise InvalidOption.value(name, value, "give True or False")


def seconds_in(name: str, value: object) -> float:
    """A duration such as "30s", "5m", "1h", "7d", or a timedelta, in seconds.

    Raises
    ------
    InvalidOption
        Naming the option, when the value is no duration above 0.
    """
    seconds = 0.0
    if isinstance(value, timedelta):
        seconds = value.total_seconds()
    elif isinstance(value, str) and (parts := re.fullmatch(r"(\d+(?:\.\d+)?)([smhd])", value)):
        seconds = float(parts[1]) * _UNITS[parts[2]]
    if seconds <= 0:
        right = 'give a duration such as "30s", "5m", "1h", or a timedelta'
        raise InvalidOption.value(name, value, right)
    return seconds
