"""The struct that the wanted columns are decoded into, and back from structs to lists of values.

A struct with just the wanted fields lets the decoder skip everything else in a record without
making objects of it. The fields form a tree, as the keys in the record do. Where values are not as
documented, the tree is loosened: from then on any JSON is taken at that place and read value by
value, so that a field which has changed its type costs little, and only itself.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import astuple

from livestream_nb.hits import values
from livestream_nb.hits.cells import Cells, read_each, read_few, total_each
from livestream_nb.hits.fields import Column, dig
from livestream_nb.hits.nested import DTYPES as NESTED_KINDS

Path = tuple[str, ...]
Found = dict[Path, Sequence[Any]]


class Instance(Struct, gc=False):
    """One instance of an event."""

    count: int | float
    exponent: Annotated[int, Meta(ge=-values.LARGEST_EXPONENT, le=values.LARGEST_EXPONENT)] = 0


# What the struct accepts. Unsigned 64-bit has no upper bound here: msgspec's end at 2^63.
_TYPES: dict[str, Any] = {
    "text": str,
    "id": Annotated[int, Meta(ge=0)],
    "integer": Annotated[int, Meta(ge=-values.INT32_MAX - 1, le=values.INT32_MAX)],
    "number": float | str,
    "flag": bool,
    "formats": bool | str,
    "excluded": bool | str,
    "time": Annotated[int, Meta(ge=0, le=values.LAST_SECOND)],
    "event": list[Instance],
}
# How the kinds are finished whose accepted types are not yet what the column holds.
_FINISH: dict[str, Callable[[str, Sequence[Any]], Cells]] = {
    "number": read_each,
    "formats": read_few,
    "excluded": read_few,
    "event": total_each,
}
_FIRST = attrgetter("f0")
_STRETCH = 128
_HIT_ID = ("hitIdHigh",)
_PLACE = re.compile(r"at `\$\.(.*)`$")


class Shape:
    """Records as structs for a set of columns.

    Parameters
    ----------
    columns : sequence of Column
        The wanted columns.

    Attributes
    ----------
    read : callable
        Decodes one record; raises `msgspec.ValidationError` for a value of another type than is
        accepted at its place.
    hit_id : callable
        What such a record has as the first half of a hit's id: None when it has none.
    empty : msgspec.Struct
        A record of nothing.
    """

    def __init__(self, columns: Sequence[Column]) -> None:
        self._columns = tuple(columns)
        self._loose = {
            path for column in columns if column.kind in NESTED_KINDS for path in column.paths
        }
        self._build()

    def place(self, error: msgspec.ValidationError) -> Path:
        """The wanted place that an error is about, that of a value or of a branch of the tree.

        Returns
        -------
        tuple of str
            Its keys; none when the whole record is of another type, or it accepts any already.
        """
        told = _PLACE.search(str(error))
        path = tuple(re.split(r"\.|\[", told[1])) if told else ()
        while path and path not in self._types:
            path = path[:-1]
        return () if path in self._loose else path

    def loosen(self, path: Path) -> None:
        """Accept any JSON at a place from now on."""
        self._loose.add(path)
        self._build()

    def cells(self, records: Sequence[Any]) -> list[Cells]:
        """What the records hold for each column, in the order of the columns.

        Parameters
        ----------
        records : sequence
            Decoded records, all by the present :attr:`read`.
        """
        found: Found = {}
        self._spread((), records, found)
        return [self._column(column, found) for column in self._columns]

    def _build(self) -> None:
        self._types: dict[Path, Any] = {}
        self._branches: dict[Path, tuple[list[Path], Struct]] = {}
        kinds: dict[Path, str] = {}
        for column in self._columns:
            kinds |= dict.fromkeys(map(self._place, column.paths), column.kind)
        record = self._grow((), kinds)
        inside, self.empty = self._branches[()]
        self.read: Callable[[bytes | memoryview], Any] = msgspec.json.Decoder(record).decode
        self.hit_id = attrgetter(f"f{inside.index(_HIT_ID)}")

    def _place(self, path: Path) -> Path:
        """Where a path leaves the structs: at its end, or at the first place that is loose."""
        starts = (path[:end] for end in range(1, len(path)))
        return next((start for start in starts if start in self._loose), path)

    def _grow(self, prefix: Path, kinds: Mapping[Path, str]) -> type[Struct]:
        depth = len(prefix) + 1
        inside = sorted({path[:depth] for path in kinds if path[: depth - 1] == prefix})
        for path in inside:
            self._types[path] = self._type(path, kinds)
        fields = [(f"f{n}", self._types[path] | None, None) for n, path in enumerate(inside)]
        keys = {f"f{n}": path[-1] for n, path in enumerate(inside)}
        branch = msgspec.defstruct("_".join(("record", *prefix)), fields, rename=keys, gc=False)
        self._branches[prefix] = inside, branch()
        return branch

    def _type(self, path: Path, kinds: Mapping[Path, str]) -> Any:
        if path in self._loose:
            return Any
        return _TYPES[kinds[path]] if path in kinds else self._grow(path, kinds)

    def _spread(self, prefix: Path, records: Sequence[Any], found: Found) -> None:
        inside, _ = self._branches[prefix]
        found.update(zip(inside, _columns(len(inside), records), strict=True))
        for path in inside:
            if path in self._branches:
                empty = self._branches[path][1]
                self._spread(path, [empty if it is None else it for it in found[path]], found)

    def _column(self, column: Column, found: Found) -> Cells:
        cells, *others = (self._at(path, found) for path in column.paths)
        for other in others:
            cells = [b if a is None else a for a, b in zip(cells, other, strict=True)]
        loose = any(self._place(path) in self._loose for path in column.paths)
        finish = read_each if loose else _FINISH.get(column.kind)
        return finish(column.kind, cells) if finish else (cells, 0)

    def _at(self, path: Path, found: Found) -> Sequence[Any]:
        place = self._place(path)
        rest = path[len(place) :]
        return [dig(node, rest) for node in found[place]] if rest else found[place]


def _columns(fields: int, records: Sequence[Any]) -> list[list[Any]]:
    """The records' fields, each as a list.

    In stretches, since as many tuples at once as a block has records would set off Python's
    garbage collection every time.
    """
    if fields == 1:
        return [list(map(_FIRST, records))]
    columns: list[list[Any]] = [[] for _ in range(fields)]
    for start in range(0, len(records), _STRETCH):
        rows = map(astuple, records[start : start + _STRETCH])
        for column, cells in zip(columns, zip(*rows, strict=True), strict=True):
            column.extend(cells)
    return columns
