"""Data gone wrong: records that are none, records that drifted, records out of their order.

Pure, and the same each time: whatever is drawn here is drawn from the records themselves, so that a
hit that is sent again is sent byte for byte as before. Records are JSON objects without their line
ending.
"""

import random
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from livestream_nb.errors import InvalidOption

LONG = 10_000_000  # bytes
DEEP = 100_000  # lists within lists
STEP = 1 << 20  # bytes
EXACT = ("IdHigh", "IdLow", "GMT", "reportSuite")  # so their names end
FILL = b"A" * STEP
ERROR = b'{"error":"Internal Server Error","error_description":"The stream was interrupted."}'

Hit = dict[str, Any]
_MALFORMED: dict[str, Callable[[bytes], bytes]] = {
    "json": lambda record: record[:-1] + b",]",
    "utf8": lambda record: b'{"pageName":"Caf\xe9 \xff",' + record[1:],
    "truncated": lambda record: record[: len(record) // 2].decode(errors="ignore").encode(),
    "long": lambda record: b'{"pageName":"' + b"A" * LONG + b'",' + record[1:],
    "nested": lambda record: b'{"nested":' + b"[" * DEEP + b"]" * DEEP + b"," + record[1:],
    "error": lambda _: ERROR,
}
KINDS = tuple(_MALFORMED)


def check_kind(kind: object) -> None:
    """Refuse what is no kind of :func:`malformed` line."""
    if kind not in KINDS:
        raise InvalidOption.value("kind", kind, f"give one of {', '.join(KINDS)}")


def malformed(kind: str, record: bytes) -> bytes:
    """Make a line that is no hit, where the kind allows it from a record that is one.

    Parameters
    ----------
    kind : str
        ``json`` (bad JSON), ``utf8`` (bytes that are no text), ``truncated`` (cut short), ``long``
        (10 MB), ``nested`` (100,000 deep) or ``error`` (an error object of the service).
    record : bytes
        A JSON object of at least one member.
    """
    return _MALFORMED[kind](record)


def bomb(size: int) -> Iterator[bytes]:
    """Yield one record of ``size`` bytes in pieces of at most 1 MiB, which pack to very little.

    It is JSON as it should be, if 15 bytes or longer: shorter ones cannot be made.
    """
    head, tail = b'{"pageName":"', b'"}'
    yield head
    rest = size - len(head) - len(tail)
    for _ in range(rest // STEP):
        yield FILL
    yield FILL[: max(0, rest) % STEP] + tail


def reordered(records: Sequence[bytes]) -> list[bytes]:
    """The same records in another order, unless they are all alike."""
    mixed = list(records)
    random.Random(len(mixed)).shuffle(mixed)
    return mixed if mixed != list(records) else [*records[1:], *records[:1]]


def drifted(record: bytes) -> bytes:
    """The same hit as another version of the service may write it.

    It has fields that no page documents, lacks one or two, and some have another type: those that
    differ between Adobe's own pages, and two more. Ids, times and the report suite stay exact. A
    record that cannot be read as a JSON object stays as it is.
    """
    try:
        hit = msgspec.json.decode(record, type=Hit)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return record
    chance = random.Random(zlib.crc32(record))
    _disagree(hit, chance)
    _retype(hit, chance)
    _forget(hit, chance)
    _invent(hit, chance)
    return msgspec.json.encode(hit)


def _disagree(hit: Hit, chance: random.Random) -> None:
    for change in (_change_exclude, _change_hierarchies, _change_media, _change_place):
        if chance.random() < 0.5:
            change(hit)


def _change_exclude(hit: Hit) -> None:
    exclude = hit.get("exclude")
    if isinstance(exclude, dict) and "id" in exclude:
        exclude["id"] = _retyped(exclude["id"])


def _change_hierarchies(hit: Hit) -> None:
    hierarchies = hit.get("hierarchies")
    for each in hierarchies.values() if isinstance(hierarchies, dict) else ():
        match each:
            case {"delim": int(delim), "values": str(values)} if 0 < delim < 0x80:
                each |= {"delim": chr(delim), "values": values.split(chr(delim))}
            case {"delim": str(delim), "values": [*values]} if len(delim) == 1:
                each |= {"delim": ord(delim), "values": delim.join(map(str, values))}


def _change_media(hit: Hit) -> None:
    for name in ("mobileAudioSupport", "mobileVideoSupport"):
        if name in hit:
            hit[name] = "mp3,aac,mp4" if isinstance(hit[name], bool) else bool(hit[name])


def _change_place(hit: Hit) -> None:
    for short, long in (("lat", "geoLatitude"), ("lon", "geoLongitude")):
        old, new = (short, long) if short in hit else (long, short)
        if old in hit:
            hit[new] = hit.pop(old)


def _retype(hit: Hit, chance: random.Random) -> None:
    able = [name for name in _optional(hit) if _retyped(hit[name]) is not hit[name]]
    for name in chance.sample(able, min(2, len(able))):
        hit[name] = _retyped(hit[name])


def _retyped(value: object) -> object:
    match value:
        case bool():
            return str(value).lower()
        case int() | float():
            return str(value)
        case str() if value.isascii() and value.isdigit() and str(int(value[:18])) == value:
            return int(value)
    return value


def _forget(hit: Hit, chance: random.Random) -> None:
    able = _optional(hit)
    for name in chance.sample(able, min(chance.randint(1, 2), len(able))):
        del hit[name]


def _optional(hit: Hit) -> list[str]:
    return [
        name
        for name, value in hit.items()
        if not name.endswith(EXACT) and not isinstance(value, dict | list)
    ]


def _invent(hit: Hit, chance: random.Random) -> None:
    hit[f"clientHint{chance.randrange(100)}"] = chance.choice(("?1", 7, 0.25, True, None))
    hit["edge"] = {"requestId": f"{chance.getrandbits(64):016x}", "hops": [{"region": "or2"}]}
