"""The struct that the wanted columns are decoded into, and back from structs to columns.

A struct with just the wanted fields lets the decoder skip everything else in a record without
making objects of it. The fields form a tree, as the keys in the record do; a branch that a record
lacks is the same empty struct for all.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache, partial
from operator import attrgetter
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from livestream_nb.hits import values
from livestream_nb.hits.fields import Column

_Path = tuple[str, ...]


class _Instance(Struct, gc=False):
    """One instance of an event."""

    count: float
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
    "event": list[_Instance],
}


def _total(instances: list[_Instance]) -> float:
    return values.total([(instance.count, instance.exponent) for instance in instances])


# Kinds whose accepted types are not yet what the column holds.
_FINISH: dict[str, Callable[[Any], object]] = {
    "number": partial(values.read, "number"),
    "formats": lru_cache(1_024)(partial(values.read, "formats")),
    "excluded": lru_cache(16)(partial(values.read, "excluded")),
    "event": _total,
}


class Shape:
    """Records as structs for a set of columns.

    Parameters
    ----------
    columns : sequence of Column
        The wanted columns; no column's path may lie inside another's.

    Attributes
    ----------
    type : type of msgspec.Struct
        What a record is decoded into. Decoding refuses values of other types than documented.
    """

    def __init__(self, columns: Sequence[Column]) -> None:
        self._branches: list[tuple[_Path, Struct]] = []
        self.type = self._grow((), columns)
        self._leaves = [
            (column.path[:-1], attrgetter(column.path[-1]), _FINISH.get(column.kind))
            for column in columns
        ]

    def _grow(self, prefix: _Path, columns: Sequence[Column]) -> type[Struct]:
        depth = len(prefix)
        branches: dict[str, list[Column]] = {}
        fields: list[tuple[str, Any, None]] = []
        for column in columns:
            if len(column.path) == depth + 1:
                fields.append((column.path[depth], _TYPES[column.kind] | None, None))
            else:
                branches.setdefault(column.path[depth], []).append(column)
        for key, inside in branches.items():
            place = len(self._branches)
            branch = self._grow((*prefix, key), inside)
            self._branches.insert(place, ((*prefix, key), branch()))
            fields.append((key, branch | None, None))
        return msgspec.defstruct("_".join(("record", *prefix)), fields, gc=False)

    def columns(self, records: Sequence[Struct]) -> list[list[Any]]:
        """One list of values per column, in the order of the columns.

        Parameters
        ----------
        records : sequence of msgspec.Struct
            Decoded records.

        Raises
        ------
        ValueError
            When a value, though of an accepted type, cannot be read.
        """
        nodes: dict[_Path, Sequence[Any]] = {(): records}
        for path, empty in self._branches:
            get = attrgetter(path[-1])
            found = map(get, nodes[path[:-1]])
            nodes[path] = [empty if node is None else node for node in found]
        return [_read(map(get, nodes[path]), finish) for path, get, finish in self._leaves]


def _read(found: Iterable[Any], finish: Callable[[Any], object] | None) -> list[Any]:
    if finish is None:
        return list(found)
    return [value if value is None else finish(value) for value in found]
