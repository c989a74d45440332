"""One JSON value to one typed value, for records whose types are not the documented ones.

Each reader takes any JSON value and returns what the column holds, or raises ValueError.
JSON null and blank text in a column that is no text mean that there is no value. Exactness comes
first: an id is an integer or it is nothing.
"""

import re
import sys
from collections.abc import Callable, Sequence
from fractions import Fraction
from math import isfinite

INT32_MAX = 2**31 - 1
UINT64_MAX = 2**64 - 1
# From here on a float no longer tells neighbouring integers apart.
INEXACT_FLOAT = 2**53
# 9999-12-31T23:59:59Z, the last second that Python's datetime can show.
LAST_SECOND = 253_402_300_799
# The largest power of ten that a float holds exactly.
LARGEST_EXPONENT = 22

_FLOAT_MAX = sys.float_info.max

_UNREADABLE = "not a value that the column holds"
_INTEGER = re.compile(r"[+-]?[0-9]{1,40}")
_NUMBER = re.compile(r"[+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?")
_SURROGATE = re.compile("[\ud800-\udfff]")
_FLAGS = {"true": True, "yes": True, "y": True, "1": True}
_FLAGS |= {"false": False, "no": False, "n": False, "0": False}


def absent(value: object) -> bool:
    """Whether it is no value: JSON null, or blank where no text is wanted."""
    return value is None or (isinstance(value, str) and not value.strip())


def text(value: object) -> str:
    """A string; a number's digits, ``true`` or ``false``; half characters become U+FFFD."""
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) or (isinstance(value, float) and isfinite(value)):
        return str(value)
    raise ValueError(_UNREADABLE)


def whole(value: object) -> int:
    """An integer, from an integer, its digits, or a float that is exactly one."""
    if isinstance(value, str) and _INTEGER.fullmatch(value.strip()):
        return int(value)
    if isinstance(value, str):
        value = number(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) < INEXACT_FLOAT:
        return int(value)
    raise ValueError(_UNREADABLE)


def _between(low: int, value: int, high: int) -> int:
    if not low <= value <= high:
        raise ValueError(_UNREADABLE)
    return value


def identity(value: object) -> int:
    """An unsigned 64-bit id, exact."""
    return _between(0, whole(value), UINT64_MAX)


def integer(value: object) -> int:
    """A signed 32-bit number; true and false are 1 and 0."""
    found = int(value) if isinstance(value, bool) else whole(value)
    return _between(-INT32_MAX - 1, found, INT32_MAX)


def number(value: object) -> float:
    """A finite float, from a number or its digits."""
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        value = float(value)
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _FLOAT_MAX:
        return float(value)
    raise ValueError(_UNREADABLE)


def flag(value: object) -> bool:
    """A boolean, from true and false, 1 and 0, or yes and no."""
    answer = _FLAGS.get(text(value).strip().lower())
    if answer is None:
        raise ValueError(_UNREADABLE)
    return answer


def time(value: object) -> int:
    """A moment in whole Unix seconds, rounded down, from 1970 to the year 9999."""
    seconds = number(value)
    return _between(0, int(seconds // 1), LAST_SECOND)


def total(instances: Sequence[tuple[float, int]]) -> float:
    """Sum an event's (count, exponent) pairs: each adds ``count * 10^-exponent``.

    The sum is exact and is rounded once, so that 0.1 and 0.2 are 0.3.
    """
    places = max((exponent for _, exponent in instances), default=0)
    # 10**-n would be a float.
    units = sum(_exact(count) * 10 ** (places - exponent) for count, exponent in instances)
    try:
        value = units / 10**places if places >= 0 else units * 10**-places
        return float(value)
    except OverflowError:
        raise ValueError(_UNREADABLE) from None


def _exact(count: float) -> int | Fraction:
    # The digits of a float as they were written: 0.1 is a tenth.
    return count if isinstance(count, int) else Fraction(repr(count))


def event(value: object) -> float:
    """An event's value, summed over its instances; a bare number is its own value."""
    if not isinstance(value, list | dict):
        return number(value)
    return total([_instance(item) for item in (value if isinstance(value, list) else [value])])


def _instance(item: object) -> tuple[float, int]:
    if not isinstance(item, dict) or "count" not in item:
        raise ValueError(_UNREADABLE)
    exponent = item.get("exponent")
    places = 0 if absent(exponent) else whole(exponent)
    return _count(item["count"]), _between(-LARGEST_EXPONENT, places, LARGEST_EXPONENT)


def _count(value: object) -> float:
    try:
        return whole(value)
    except ValueError:
        return number(value)


READERS: dict[str, Callable[[object], object]] = {
    "text": text,
    "id": identity,
    "integer": integer,
    "number": number,
    "flag": flag,
    "formats": text,
    "excluded": flag,
    "time": time,
    "event": event,
}


def read(kind: str, value: object) -> object:
    """Read a value of a column's kind.

    Raises
    ------
    ValueError
        When the value cannot become what such a column holds.
    """
    if value is None or (kind not in ("text", "formats") and absent(value)):
        return None
    return READERS[kind](value)
