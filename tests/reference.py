"""Records to rows by the book: slowly, with plain ``json`` and exact numbers, one value at a time.

What the decoder is compared with, and independent of it: of the package only the table of columns
is used, which says where a value lies in the record and of which kind it is. Each rule stands here
once, short enough to be checked by eye against ``protocol.md``. A reader takes what a record says
and gives what the column shows, or raises ValueError: that value is null, and lost.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import partial
from typing import Any

from livestream_nb.hits.fields import HIT_FIELDS, Column

# What Python refuses to read as an integer (4,300 digits) is beyond any float, too.
LONGEST_INTEGER = 4_300
# Powers of ten up to here are exact in a float; no event has a larger exponent.
LARGEST_EXPONENT = 22
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LAST_SECOND = 253_402_300_799  # 9999-12-31T23:59:59Z
DIGITS = re.compile(r"[+-]?[0-9]+")
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
HALF_CHARACTER = re.compile("[\ud800-\udfff]")
WORDS = {"true": True, "yes": True, "y": True, "1": True}
WORDS |= {"false": False, "no": False, "n": False, "0": False}
# Two spellings of one value: a column takes its own first, else the other.
OTHER_SPELLING = {"lat": "geoLatitude", "lon": "geoLongitude"}
OTHER_SPELLING |= {long: short for short, long in OTHER_SPELLING.items()}

Lost = list[object]
"""What was there and could not be read."""


@dataclass
class Expected:
    """What a block holds: a row per hit, the lines that are none, and nulls that hide a value."""

    rows: list[dict[str, object]] = field(default_factory=list)
    rejected: list[bytes] = field(default_factory=list)
    unreadable: Counter[str] = field(default_factory=Counter)


def decode(block: bytes, columns: Iterable[Column]) -> Expected:
    """Each line that is not blank is one record, and is read alone."""
    expected = Expected()
    for line in block.split(b"\n"):
        if not line.strip():
            continue
        if (record := hit(line)) is None:
            expected.rejected.append(line.removesuffix(b"\r"))
        else:
            expected.rows.append(row(record, columns, expected.unreadable))
    return expected


def hit(line: bytes) -> dict[str, Any] | None:
    """The JSON object that has a hit's id, or a field that only hits have and is no error."""
    try:
        record = json.loads(line.decode("utf-8-sig"), parse_int=_integer, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None
    if not isinstance(record, dict):
        return None
    if "hitIdHigh" in record or "hitIdLow" in record:
        return record
    return None if "error" in record or HIT_FIELDS.isdisjoint(record) else record


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= LONGEST_INTEGER else float(digits)


def _refuse(name: str) -> object:
    raise ValueError(f"{name} is no JSON")


def row(
    record: dict[str, Any], columns: Iterable[Column], unreadable: Counter[str]
) -> dict[str, object]:
    """One value per column; by column, how much was lost."""
    values: dict[str, object] = {}
    for column in columns:
        lost: Lost = []
        read = SINGLE.get(column.kind) or partial(NESTED[column.kind], lost=lost)
        values[column.name] = inside(read, written(record, column), lost)
        unreadable[column.name] += len(lost)
    return values


def written(record: dict[str, Any], column: Column) -> object:
    """What the record says for a column."""
    value: Any = record
    for key in column.path:
        value = value.get(key) if isinstance(value, dict) else None
    if value is None and column.name in OTHER_SPELLING:
        return record.get(OTHER_SPELLING[column.name])
    return value


def inside(read: Callable[[Any], Any], value: object, lost: Lost) -> Any:
    """Null for null, for a blank that is no text, and for what cannot be read: that is lost."""
    if value is None or (absent(value) and read not in TEXTUAL):
        return None
    try:
        return read(value)
    except (ValueError, ArithmeticError):
        lost.append(value)
        return None


def absent(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def text(value: object) -> str:
    """A text, with U+FFFD for half characters; a number as Python writes it; true or false."""
    match value:
        case str():
            return HALF_CHARACTER.sub("\ufffd", value)
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float() if math.isfinite(value):
            return str(value)
    raise ValueError(value)


def number(value: object) -> float:
    """A finite number, or one in a text."""
    if isinstance(value, str) and NUMBER.fullmatch(value.strip()):
        value = float(value)
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    raise ValueError(value)


def whole(value: object) -> int:
    """An exact integer, its digits, or a number small enough for a float to be exactly it."""
    if type(value) is int:
        return value
    if isinstance(value, str) and DIGITS.fullmatch(value.strip()):
        return int(value)
    found = number(value)
    if not found.is_integer() or abs(found) >= 2**53:
        raise ValueError(value)
    return int(found)


def within(low: int, value: int, high: int) -> int:
    if not low <= value <= high:
        raise ValueError(value)
    return value


def identity(value: object) -> int:
    """64 bits without a sign."""
    return within(0, whole(value), 2**64 - 1)


def integer(value: object) -> int:
    """32 bits with a sign; true is 1."""
    return within(-(2**31), int(value) if isinstance(value, bool) else whole(value), 2**31 - 1)


def flag(value: object) -> bool:
    """True and false, yes and no, 1 and 0."""
    word = text(value).strip().lower()
    if word not in WORDS:
        raise ValueError(value)
    return WORDS[word]


def time(value: object) -> datetime:
    """Unix seconds, rounded down, from 1970 to 9999."""
    return EPOCH + timedelta(seconds=within(0, math.floor(number(value)), LAST_SECOND))


def event(value: object) -> float:
    """A number, or the sum of count x 10^-exponent, exact until it becomes a float."""
    return float(_sum(value))


def _sum(value: object) -> Fraction:
    if isinstance(value, list | dict):
        return sum(map(_instance, value if isinstance(value, list) else [value]), Fraction())
    return _by_its_digits(value)


def _instance(value: object) -> Fraction:
    instance = members(value)
    exponent = 0 if absent(instance.get("exponent")) else whole(instance["exponent"])
    scale = Fraction(10) ** within(-LARGEST_EXPONENT, exponent, LARGEST_EXPONENT)
    return _by_its_digits(instance.get("count")) / scale


def _by_its_digits(value: object) -> Fraction:
    """An exact integer, or a number as it is written: 0.1 is a tenth, not the float next to it."""
    try:
        return Fraction(whole(value))
    except ValueError:
        return Fraction(str(number(value)))


SINGLE: dict[str, Callable[[Any], object]] = {
    "text": text,
    "formats": text,
    "id": identity,
    "integer": integer,
    "number": number,
    "flag": flag,
    "excluded": flag,
    "time": time,
    "event": event,
}


def members(value: object) -> dict[str, Any]:
    """An object, or the empty list that some languages write for one that is empty."""
    if isinstance(value, dict):
        return value
    if value != []:
        raise ValueError(value)
    return {}


def delimiter(value: object) -> str:
    """A character, or its code."""
    if isinstance(value, str) and len(value) == 1:
        return text(value)
    return text(chr(within(1, whole(value), 0x10FFFF)))


TEXTUAL = (text, delimiter)


def levels(value: object, mark: str | None, lost: Lost) -> list[str | None]:
    """A list of texts, or one text with delimiters between."""
    if isinstance(value, list):
        return [inside(text, each, lost) for each in value]
    return list(text(value).split(mark)) if mark else [text(value)]


def texts(value: Any, lost: Lost) -> list[str | None] | None:
    """The ``values`` of an object; where they are one text, ``delim`` or a comma is between."""
    if not isinstance(value, dict):
        return levels(value, ",", lost)
    if value and "values" not in value:
        raise ValueError(value)
    found, mark = value.get("values", []), ","
    if isinstance(found, str) and not absent(found):
        mark = inside(delimiter, value.get("delim"), lost) or mark
    return None if absent(found) else levels(found, mark, lost)


def pairs(value: object, lost: Lost) -> list[dict[str, object]]:
    """Variables by name."""
    return [{"key": text(k), "value": inside(text, v, lost)} for k, v in members(value).items()]


def totals(value: object, lost: Lost) -> list[dict[str, object]]:
    """Events by name; of several objects, the sum for each event."""
    objects = value if isinstance(value, list) else [members(value)]
    found: dict[str, list[object]] = {}
    for each in objects:
        for key, one in (inside(members, each, lost) or {}).items():
            found.setdefault(key, []).append(one)
    return [{"key": text(k), "value": inside(_together, v, lost)} for k, v in found.items()]


def _together(values: list[object]) -> float | None:
    there = [value for value in values if not absent(value)]
    return float(sum(map(_sum, there), Fraction())) if there else None


def hierarchies(value: object, lost: Lost) -> list[dict[str, object]]:
    """Hierarchies by name, each split at its own delimiter."""
    found: list[dict[str, object]] = []
    for key, each in members(value).items():
        hierarchy = inside(members, each, lost) or {}
        mark = inside(delimiter, hierarchy.get("delim"), lost)
        split = inside(partial(levels, mark=mark, lost=lost), hierarchy.get("values"), lost)
        found.append({"key": text(key), "delim": mark, "values": split})
    return found


def products(value: object, lost: Lost) -> list[dict[str, object]]:
    """Products, each with evars and events of its own."""
    own = {"evars": partial(pairs, lost=lost), "events": partial(totals, lost=lost)}
    numbers = {"units": number, "revenue": number}
    return _entries(value, {"category": text, "name": text, **numbers, **own}, lost)


def activities(value: object, lost: Lost) -> list[dict[str, object]]:
    """Activities of Adobe Target."""
    names = ("campaignId", "recipeId", "trafficType", "actionId", "actionName")
    return _entries(value, dict.fromkeys(names, text), lost)


def _entries(
    value: object, fields: dict[str, Callable[[Any], object]], lost: Lost
) -> list[dict[str, object]]:
    """Objects, or a single one; in a list, what has none of the fields is left out, and lost."""
    if not isinstance(value, list):
        if members(value) and not fields.keys() & members(value).keys():
            raise ValueError(value)
        value = [value]
    there = [each for each in value if not absent(each) and each != {}]
    known = [each for each in there if isinstance(each, dict) and fields.keys() & each.keys()]
    lost += [each for each in there if each not in known]
    return [{k: inside(read, each.get(k), lost) for k, read in fields.items()} for each in known]


NESTED: dict[str, Callable[..., object]] = {
    "texts": texts,
    "pairs": pairs,
    "totals": totals,
    "hierarchies": hierarchies,
    "products": products,
    "activities": activities,
}
