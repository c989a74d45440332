"""The simulator's options, refused before anything is served."""

from math import isfinite
from pathlib import Path
from typing import TypeGuard

from livestream_nb.errors import InvalidOption


def check_positive(name: str, value: object) -> None:
    """Refuse what is not a finite number above 0."""
    if not (_is_number(value) and value > 0):
        raise InvalidOption.value(name, value, "give a number above 0")


def check_seconds(name: str, value: object) -> None:
    """Refuse what is not a duration: a finite number, 0 or more."""
    if not (_is_number(value) and value >= 0):
        raise InvalidOption.value(name, value, "give service seconds, 0 or more")


def check_whole(name: str, value: object, lowest: int, highest: int) -> None:
    """Refuse what is not a whole number within the range."""
    if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
        raise InvalidOption.value(name, value, f"give a whole number, {lowest} to {highest}")


def check_switch(name: str, value: object) -> None:
    """Refuse what is neither True nor False."""
    if not isinstance(value, bool):
        raise InvalidOption.value(name, value, "give True or False")


def check_replay(hits: object, pace: object) -> None:
    """Refuse a recording that is no path, and a pace that is none or has nothing to pace."""
    if hits is not None and not isinstance(hits, str | Path):
        raise InvalidOption.value("hits", hits, "give the path of a recording")
    if pace != "original" and not (_is_number(pace) and pace > 0):
        raise InvalidOption.value("pace", pace, 'give "original" or service seconds above 0')
    if pace != "original" and hits is None:
        raise InvalidOption.value("pace", pace, "a pace needs a recording, hits=…")


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
