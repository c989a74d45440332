"""What the stream carries, also beside the columns of the frame: a catalogue of the keys seen.

It is made from a sample, because to look into every value of a record costs some twenty times what
decoding the wanted columns costs. A sample is paid for from a credit that grows with the seconds
and with the records that pass, so that the catalogue takes about 1 % of a busy reader's time; a
long record costs more, so that no stream can make it take much more than that.

The keys form a tree, as in the records; what is below a list is one branch for all its items.
"""

from collections.abc import Collection, Iterator, Sequence
from functools import cache
from typing import Any

import polars as pl

from livestream_nb.hits.fields import COLUMNS, Column
from livestream_nb.hits.keys import LONGEST_KEY, Key
from livestream_nb.hits.records import Rejected, parse

MOST_KEYS = 2_000
DEEPEST = 8

_MOST_CREDIT = 100.0
_PER_SECOND = 2.0
_ONE_IN = 2_048
_USUAL_SIZE = 4_096
_GOLDEN = 0.618_033_988_749_895

_SCHEMA: dict[str, pl.DataType] = {
    "field": pl.String(),
    "types": pl.String(),
    "filled": pl.Float64(),
    "distinct": pl.UInt64(),
    "example": pl.String(),
    "column": pl.String(),
    "in_frame": pl.Boolean(),
    "meaning": pl.String(),
    "sampled": pl.UInt32(),
}


class Catalogue:
    """The keys seen in a sample of the records. Not safe to share between threads.

    Parameters
    ----------
    columns : collection of Column
        Those that are in the frame.
    """

    def __init__(self, columns: Collection[Column]) -> None:
        self._held = frozenset(path for column in columns for path in column.paths)
        self._root = Key()
        self._beyond = Key(name=f"(keys beyond the first {MOST_KEYS:,})")
        self._keys = 0
        self._sampled = 0
        self._arrived = float("-inf")
        self._credit = 0.0
        self._phase = 0.0

    def offer(self, lines: Sequence[bytes | memoryview], arrived: float) -> None:
        """Look into few of a block's records: 2 per second and one in 2,048, the first 100 at once.

        Parameters
        ----------
        lines : sequence of bytes or memoryview
            The block's records; nothing of them is held.
        arrived : float
            When the block reached this machine, in Unix seconds.
        """
        earned = max(0.0, arrived - self._arrived) * _PER_SECOND
        self._arrived = max(arrived, self._arrived)
        self._credit = min(self._credit + earned, _MOST_CREDIT) + len(lines) / _ONE_IN
        wanted = min(int(self._credit), len(lines))
        # Steps of the golden ratio: no rhythm of the stream is met always at the same place.
        self._phase = (self._phase + _GOLDEN) % 1.0
        for pick in range(wanted):
            line = lines[int((pick + self._phase) * len(lines) / wanted)]
            if self._credit < 1.0:
                return
            self._credit -= max(1.0, len(line) / _USUAL_SIZE)
            self._look(bytes(line))

    def _look(self, raw: bytes) -> None:
        record = parse(raw)
        if not isinstance(record, Rejected):
            self._object(self._root, record)
            self._sampled += 1

    def _object(self, key: Key, value: dict[str, Any]) -> None:
        children = key.children
        for name, inner in value.items():
            child = children.get(name) or self._grown(key, name)
            if child is not None:
                self._value(child, inner)

    def _value(self, key: Key, value: object) -> None:
        kind = type(value)
        if (kind is not dict and kind is not list) or _is_one(key, value):
            key.note(value, self._sampled)
            return
        key.types.add(kind)
        if isinstance(value, dict):
            self._object(key, value)
        elif isinstance(value, list) and (items := self._items(key)):
            for item in value:
                self._value(items, item)

    def _items(self, key: Key) -> Key | None:
        return key.children.get(None) or self._grown(key, None)

    def _grown(self, parent: Key, name: str | None) -> Key | None:
        if name is not None and len(name) > LONGEST_KEY:
            name = name[: LONGEST_KEY + 1]
            if name in parent.children:
                return parent.children[name]
        if self._keys == MOST_KEYS:
            self._beyond.note(parent.naming(name), self._sampled)
            return None
        self._keys += 1
        parent.children[name] = child = Key(parent, name)
        self._place(child, parent)
        return child

    def _place(self, child: Key, parent: Key) -> None:
        around = parent.column if parent.column and parent.column.dtype.is_nested() else None
        child.column = _columns().get(child.path, around)
        child.held = child.path in self._held or (around is not None and parent.held)

    def frame(self) -> pl.DataFrame:
        """The catalogue as it is now.

        Returns
        -------
        polars.DataFrame
            One row per key that had values, the most often filled first, then by name: ``field``
            (String, such as ``products[].name``); ``types`` (String, such as
            ``integer | string``); ``filled`` (Float64: share of the sampled records that have a
            value there that is neither null nor blank); ``distinct`` (UInt64: estimate of the
            number of different values in the sample, exact below 256); ``example`` (String: the
            first value seen, at most 80 characters); ``column`` (String: the name of the column
            that holds it; null when there is none); ``in_frame`` (Boolean: the frame of hits has
            it); ``meaning`` (String: what the column says); ``sampled`` (UInt32: how many records
            the shares are of). An event is one value, whatever its instances. Keys beyond the
            first 2,000 share one last row; its ``distinct`` counts them.
        """
        keys = [key for key in _below(self._root) if key.is_listed]
        rows = [key.row(self._sampled) for key in keys]
        frame = pl.DataFrame(rows, _SCHEMA, orient="row").sort(
            "filled", "field", descending=[True, False]
        )
        if not self._beyond.filled:
            return frame
        last = pl.DataFrame([self._beyond.row(self._sampled)], _SCHEMA, orient="row")
        return pl.concat([frame, last.with_columns(types=pl.lit(None, pl.String))])


def _below(key: Key) -> Iterator[Key]:
    for child in key.children.values():
        yield child
        yield from _below(child)


@cache
def _columns() -> dict[tuple[str | None, ...], Column]:
    """Every column by where it lies; before all others the one whose own place it is."""
    places: dict[tuple[str | None, ...], Column] = {}
    for column in COLUMNS.values():
        places.update(dict.fromkeys(column.paths, column))
    places.update((column.path, column) for column in COLUMNS.values())
    return places


def _is_one(key: Key, value: Any) -> bool:
    """Empty, an event's instances, or so deep that it is not looked into."""
    if not value or len(key.path) == DEEPEST:
        return True
    return isinstance(value, list) and isinstance(value[0], dict) and "count" in value[0]
