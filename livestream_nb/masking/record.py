"""One record being masked: the first pass, by its keys."""

from collections.abc import Callable, Iterable
from typing import Any

from livestream_nb.hits.values import identity
from livestream_nb.masking.cuts import NUMBERS, TEXTS, is_address
from livestream_nb.masking.fields import HASHED, KINDS, PLAIN, Kind, as_text, pair, rename

Digest = Callable[[str, str], bytes]


class Record:
    """Masks the values of a record in place, each as its key says.

    Parameters
    ----------
    digest : callable
        The keyed digest, of at least 16 bytes, of a kind of value and a text.

    Attributes
    ----------
    hashed : list of (str, str)
        The values that were hashed, as texts, and their masks.
    halves : list of (str, int)
        The halves of ids, as texts, and their masks.
    """

    def __init__(self, digest: Digest) -> None:
        self._digest = digest
        self._ids: dict[tuple[str, str], tuple[int, int]] = {}
        self.hashed: list[tuple[str, str]] = []
        self.halves: list[tuple[str, int]] = []

    def mask(self, node: dict[str, Any]) -> None:
        """Mask an object, and what is in it."""
        self._inside(node.values())
        if not PLAIN.issuperset(node):
            self._members(node, {key: kind for key in node if (kind := KINDS[key])})

    def _inside(self, values: Iterable[Any]) -> None:
        for value in values:
            kind = type(value)
            if kind is str or kind is int:
                continue
            if kind is dict:
                self.mask(value)
            elif kind is list:
                self._inside(value)

    def _members(self, node: dict[str, Any], kinds: dict[str, Kind]) -> None:
        """Mask those values of an object whose keys have a kind."""
        halves = []
        for key, kind in kinds.items():
            if kind == "half":
                halves.append(key)
            else:
                node[key] = self._value(node[key], kind)
        for high, low in dict.fromkeys(map(pair, halves)):
            self._pair(node, high, low)

    def _pair(self, node: dict[str, Any], high: str, low: str) -> None:
        """Mask both halves of an id."""
        first, second = node.get(high), node.get(low)
        masks = self._id(_text(first), _text(second))
        if first is not None:
            node[high] = self._half(first, masks[0])
        if second is not None:
            node[low] = self._half(second, masks[1])

    def _half(self, value: Any, mask: int) -> Any:
        if type(value) is int:
            return mask
        if not _text(value):
            return self._value(value, "half")
        if not isinstance(value, str):
            return mask
        self.halves.append((value, mask))
        return str(mask)

    def _value(self, value: Any, kind: Kind) -> Any:
        if isinstance(value, str):
            return self._leaf(value, kind) if value and not value.isspace() else value
        if isinstance(value, list):
            return [self._value(item, kind) for item in value]
        if isinstance(value, dict):
            return self._object(value, kind)
        return value if value is None or isinstance(value, bool) else self._leaf(value, kind)

    def _object(self, node: dict[str, Any], kind: Kind) -> dict[str, Any]:
        """Mask an object under a key of a kind: those keys of its own that have none."""
        self._members(node, {key: kind for key in node if not KINDS[key]})
        rename(node, lambda key: str(self._value(key, kind)))
        return node

    def _leaf(self, value: str | float, kind: Kind) -> object:
        if kind in HASHED:
            return self._hash(value, kind)
        if kind == "half":
            return self._half(value, self._id(_text(value), "")[0])
        if not isinstance(value, str):
            return NUMBERS[kind](value) if kind in NUMBERS else value
        if kind == "domain" and is_address(value):
            return self._hash(value, "ip")
        return TEXTS[kind](value)

    def _hash(self, value: str | float, kind: Kind) -> str:
        text = as_text(value)
        mask = self._digest(kind, text)[:16].hex()
        self.hashed.append((text, mask))
        return mask

    def _id(self, high: str, low: str) -> tuple[int, int]:
        """The masks of both halves of an id: unsigned, of 64 bits each."""
        masks = self._ids.get((high, low))
        if masks is None:
            digest = self._digest("id", f"{high} {low}")
            masks = int.from_bytes(digest[:8]), int.from_bytes(digest[8:16])
            self._ids[high, low] = masks
            self.halves += (high, masks[0]), (low, masks[1])
        return masks


def _text(half: object) -> str:
    """Half of an id as text, the same for a number and for its digits; of what is none, nothing."""
    if type(half) is int:
        return str(half)
    if not isinstance(half, str | float):
        return ""
    try:
        return str(identity(half))
    except ValueError:
        return as_text(half).strip()
