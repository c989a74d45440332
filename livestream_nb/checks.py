"""What the value of an option must be; a wrong one is refused, and named with the right ones."""

from math import isfinite
from typing import TypeGuard

from livestream_nb.errors import InvalidOption


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


def check_switch(name: str, value: object) -> None:
    """Refuse what is neither True nor False."""
    if not isinstance(value, bool):
        raise InvalidOption.value(name, value, "give True or False")
