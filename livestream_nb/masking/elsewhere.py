"""The second pass over a record: what is masked whatever its key.

Taken out of texts are the queries of URLs; and where a value stands again that was hashed, its
mask is put. It is sought in any case, and percent-encoded too; half of an id also as the sixteen
hexadecimal digits that Adobe's own cookie has.
"""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import msgspec

from livestream_nb.masking.cuts import without_queries
from livestream_nb.masking.fields import CLOSED, HIT, KINDS, as_text, rename
from livestream_nb.masking.record import Record

# From how many characters on a value is sought as a whole, and within texts.
_WHOLE, _WITHIN = 3, 6
# A hit has fewer. To seek any number of them in a record of some megabytes would take minutes.
_MOST = 64
_LONGEST_HALF = len(str(2**64))
_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]*")
_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
_AFTER_SLASHES = re.compile(rb'//[^"\\]*(?:\\.[^"\\]*)*')
_encode = msgspec.json.Encoder().encode


class TooMany(Exception):
    """A record has more values to be hashed than a hit has."""


class Elsewhere:
    """Masks the texts and numbers of a record, after those that its keys tell to be masked.

    Parameters
    ----------
    record : Record
        What was masked by its keys.

    Raises
    ------
    TooMany
        When there are more values to seek than a hit has.
    """

    def __init__(self, record: Record) -> None:
        self._masks: dict[str, str] = {}
        for half, number in record.halves:
            self._seek(half, str(number))
            if half.isdecimal() and len(half) <= _LONGEST_HALF:
                self._masks.setdefault(f"{int(half):016x}", f"{number:016x}")
        for value, mask in record.hashed:
            self._seek(value, mask)
            if not _UNRESERVED.fullmatch(value):
                self._seek(quote(value.encode(errors="surrogatepass"), safe=""), mask)
        if len(self._masks) > _MOST:
            raise TooMany
        # The longer first: one may be part of another.
        self._near = sorted(self._masks, key=len, reverse=True)

    def _seek(self, value: str, mask: str) -> None:
        low = _lower(value).strip()
        if len(low) >= _WHOLE:
            self._masks.setdefault(low, mask)

    def is_needed(self, text: bytes) -> bool:
        """Whether there may be something to mask in a record, as msgspec has written it."""
        if b"?" in text or b"#" in text or b"@" in text:
            after = b" ".join(_AFTER_SLASHES.findall(text))
            if b"?" in after or b"#" in after or b"@" in after:
                return True
        low = text.lower()
        self._near = [
            sought
            for sought in self._near
            if (sought.encode() if sought.isalnum() else _encode(sought)[1:-1]) in low
        ]
        return bool(self._near)

    def mask(self, node: dict[str, Any]) -> None:
        """Mask an object in place."""
        for key, value in node.items():
            if KINDS[key] in CLOSED or (key in HIT and _is_number(value)):
                continue
            node[key] = self._text(value) if type(value) is str else self._value(value)
        if not KINDS.keys() >= node.keys():
            rename(node, self._text)

    def _value(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, dict):
            self.mask(value)
        elif isinstance(value, list):
            value[:] = [self._value(item) for item in value]
        elif isinstance(value, int | float) and not isinstance(value, bool):
            return self._number(value)
        return value

    def _number(self, number: float) -> object:
        digits = as_text(number).removesuffix(".0")
        mask = self._masks.get(digits) if len(digits) >= _WITHIN else None
        if mask is None:
            return number
        return int(mask) if len(mask) <= _LONGEST_HALF and mask.isdecimal() else mask

    def _text(self, text: str) -> str:
        if "//" in text:
            # Without its user, a URL may be what was hashed.
            return self._without_hashed(without_queries(self._without_hashed(text)))
        low = _lower(text)
        for sought in self._near:
            if sought in low:
                return self._without_hashed(text)
        return text

    def _without_hashed(self, text: str) -> str:
        low = _lower(text)
        for sought in self._near:
            if sought not in low:
                continue
            if low.strip() in self._masks:
                return self._masks[low.strip()]
            if len(sought) >= _WITHIN:
                text = self._masks[sought].join(_around(text, low, sought))
                low = _lower(text)
        return text


def _around(text: str, low: str, sought: str) -> Iterator[str]:
    """The pieces of a text around what is sought in its lower case."""
    start = 0
    for piece in low.split(sought):
        yield text[start : start + len(piece)]
        start += len(piece) + len(sought)


def _lower(text: str) -> str:
    """The letters of ASCII in lower case, so that the text stays as long as it is."""
    return text.lower() if text.isascii() else text.translate(_LOWER)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) or (isinstance(value, str) and value.isdigit())
