"""One line of a block, masked: quickly, or with patience where that could let something through."""

import json
from collections.abc import Sequence
from functools import partial
from math import isinf
from typing import Any

import msgspec

from livestream_nb.hits.records import Rejected, parse
from livestream_nb.masking.elsewhere import Elsewhere, TooMany
from livestream_nb.masking.record import Digest, Record

_Hit = dict[str, Any]
_decode = msgspec.json.Decoder(_Hit).decode
_encode = msgspec.json.Encoder().encode
_TOO_DEEP = "nested too deeply to read"
_TOO_MANY = "it has more values to be masked than a hit has"
# What may be told of a record that is no hit: nothing that could be its own words.
_REASONS = (
    "longer than 4 MiB",
    "not UTF-8",
    _TOO_DEEP,
    "not JSON: the record is cut short",
    "not JSON",
    "not an object",
    "not a hit but an error from the service",
    "not a hit: it has none of a hit's fields",
    _TOO_MANY,
)


def masked(raw: bytes, digest: Digest) -> bytes | Rejected:
    """Mask a record.

    Parameters
    ----------
    raw : bytes
        One line, not blank.
    digest : callable
        As for :class:`livestream_nb.masking.record.Record`.

    Returns
    -------
    bytes or Rejected
        The hit as JSON, or that it is none: see :func:`withheld`.
    """
    try:
        return _quickly(raw, digest) or _patiently(raw, digest)
    except RecursionError:
        return withheld(_TOO_DEEP, len(raw))
    except TooMany:
        return withheld(_TOO_MANY, len(raw))


def withheld(reason: str, length: int) -> Rejected:
    """What may be told of a record that is no hit: roughly why, and of what length it is.

    Parameters
    ----------
    reason : str
        Why, in words that may quote the record; as in :class:`livestream_nb.hits.records.Rejected`.
    length : int
        Bytes of the record.
    """
    known = next((known for known in _REASONS if reason.startswith(known)), "not a hit")
    return Rejected(b"", f"{known} ({length:,} bytes, withheld because of the mask)")


def _quickly(raw: bytes, digest: Digest) -> bytes | None:
    """The masked hit; None when it has to be read with patience."""
    hit = _read(raw)
    if hit is None or "hitIdHigh" not in hit:
        return None
    record = Record(digest)
    record.mask(hit)
    text = _encode(hit)
    if _may_repeat_keys(raw, text):
        return None
    elsewhere = Elsewhere(record)
    if elsewhere.is_needed(text):
        elsewhere.mask(hit)
        text = _encode(hit)
    return text


def _read(raw: bytes) -> _Hit | None:
    try:
        return _decode(raw)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def _may_repeat_keys(raw: bytes, text: bytes) -> bool:
    """Whether the record had more members than were read: of a repeated key only the last is.

    Each member has a colon, and so may texts, which have as many when they are written again. Only
    masking takes some: then, what was read is written without it.
    """
    if b"\\" in raw and (b"\\u003a" in raw or b"\\u003A" in raw):
        return True
    colons = raw.count(b":")
    return text.count(b":") != colons and _encode(_read(raw)).count(b":") != colons


def _patiently(raw: bytes, digest: Digest) -> bytes | Rejected:
    repeated: list[_Hit] = []
    hit = parse(raw, pairs=partial(_last, repeated))
    if isinstance(hit, Rejected):
        return withheld(hit.reason, len(raw))
    record = Record(digest)
    # Of what a repeated key held before, only what stands elsewhere could still show.
    for members in (hit, *repeated):
        record.mask(members)
    Elsewhere(record).mask(hit)
    return _written(hit).encode()


def _last(repeated: list[_Hit], pairs: Sequence[tuple[str, Any]]) -> _Hit:
    last = dict(pairs)
    if len(last) < len(pairs):
        repeated += [{key: value} for key, value in pairs if value is not last[key]]
    return last


def _written(value: object) -> str:
    """A JSON text that reads as the same value, whatever the number or the text."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(k)}:{_written(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_written, value)) + "]"
    if isinstance(value, float) and isinf(value):
        return "1e999" if value > 0 else "-1e999"
    return json.dumps(value)
