"""One line of a block, read with patience: a hit, or the reason why it is none.

JSON that a strict parser refuses for its values alone (half of a surrogate pair, numbers beyond
any machine type) is read; what is no JSON, no text or no hit is rejected in plain words.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass

from livestream_nb.hits.fields import HIT_FIELDS

# Longer ones Python refuses to read.
_LONGEST_INTEGER = 4_300

Pairs = list[tuple[str, object]]


@dataclass(frozen=True)
class Rejected:
    """A record that is no hit: its bytes, and why in plain words."""

    raw: bytes
    reason: str


def parse(
    raw: bytes, *, pairs: Callable[[Pairs], dict[str, object]] | None = None
) -> dict[str, object] | Rejected:
    """Read one line as a hit.

    Parameters
    ----------
    raw : bytes
        One record, not blank.
    pairs : callable, optional
        Makes each object from its keys and values, some of which may be there twice; when
        omitted, the last counts.

    Returns
    -------
    dict or Rejected
        The hit as JSON values, or why it is none.
    """
    try:
        record = _json(raw.decode("utf-8-sig"), pairs)
    except (ValueError, RecursionError) as error:
        return Rejected(raw, _fault(error))
    if not isinstance(record, dict):
        return Rejected(raw, f"not an object but {_KINDS[type(record)]}")
    reason = _no_hit(record)
    return Rejected(raw, reason) if reason else record


_KINDS = {
    list: "a list",
    str: "a text",
    int: "a number",
    float: "a number",
    bool: "true or false",
    type(None): "null",
}


def _json(text: str, pairs: Callable[[Pairs], dict[str, object]] | None) -> object:
    return json.loads(text, parse_int=_integer, parse_constant=_constant, object_pairs_hook=pairs)


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _LONGEST_INTEGER else float(digits)


def _constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON number")


def _fault(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"not UTF-8: byte 0x{error.object[error.start]:02x} at position {error.start}"
    if isinstance(error, RecursionError):
        return "nested too deeply to read"
    if not isinstance(error, json.JSONDecodeError):
        return f"not JSON: {error}"
    if error.msg.startswith("Unterminated") or not error.doc[error.pos :].strip():
        return "not JSON: the record is cut short"
    return f"not JSON: {error.msg} at character {error.pos + 1}"


def _no_hit(record: dict[str, object]) -> str:
    if "hitIdHigh" in record or "hitIdLow" in record:
        return ""
    if "error" in record:
        said = record.get("error_description", record["error"])
        words = ascii(said[:200]) if isinstance(said, str) else "in no words"
        return f"not a hit but an error from the service: {words}"
    if HIT_FIELDS.isdisjoint(record):
        return "not a hit: it has none of a hit's fields"
    return ""
