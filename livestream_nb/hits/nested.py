"""Columns of several values per hit: their types, and how JSON becomes them.

The law: what a record holds keeps its place. A value inside that is JSON null, blank where no text
is wanted, or unreadable is null beside its key; the unreadable ones are counted. Left out, and
counted, are only an entry of a list of objects that is none, and a product or activity that has
none of the known fields.

A *normal form* is a flat list: where the column has structs, their fields in turn. An object per
entry would be most of what the garbage collector looks at.

Shapes are from Adobe's pages (``AdobeDocs/analytics-2.0-apis``, ``livestream/``): its variable
reference and its example. Of ``tnt`` the release notes of 2026-04-13 also know ``values`` with a
``delim``, but no page says what such a text means: it is unreadable.
"""

import sys
from collections.abc import Callable, Sequence
from functools import partial
from itertools import accumulate, chain
from typing import Any

import polars as pl

from livestream_nb.hits import values

Normal = list[Any]
_Readers = dict[str, Callable[[Any], Any]]

_TEXT, _NUMBER = pl.String(), pl.Float64()
_TEXTS = pl.List(_TEXT)
_PAIRS = pl.List(pl.Struct({"key": _TEXT, "value": _TEXT}))
_TOTALS = pl.List(pl.Struct({"key": _TEXT, "value": _NUMBER}))
_HIERARCHY = pl.Struct({"key": _TEXT, "delim": _TEXT, "values": _TEXTS})
_PRODUCT: dict[str, pl.DataType]
_PRODUCT = {"category": _TEXT, "name": _TEXT, "units": _NUMBER, "revenue": _NUMBER}
_ACTIVITY = ("campaignId", "recipeId", "trafficType", "actionId", "actionName")

DTYPES: dict[str, pl.DataType] = {
    "texts": _TEXTS,
    "pairs": _PAIRS,
    "totals": _TOTALS,
    "hierarchies": pl.List(_HIERARCHY),
    "products": pl.List(pl.Struct(_PRODUCT | {"evars": _PAIRS, "events": _TOTALS})),
    "activities": pl.List(pl.Struct(dict.fromkeys(_ACTIVITY, _TEXT))),
}
"""Kinds of columns: list variables and audiences, evars and props by name, events by name (valued
as in their own columns), hierarchies, products, and activities of Adobe Target."""

_UNREADABLE = "not a value that the column holds"


def read(kind: str, value: object) -> tuple[Normal | None, int]:
    """Read any JSON value into a kind's normal form.

    Parameters
    ----------
    kind : str
        A key of :data:`DTYPES`.
    value : object
        What the record holds at the column's path. Numbers may be retyped as texts and back,
        texts be one text with delimiters, a list of objects a single one. Events may be a list of
        objects: their instances are put together. An empty object or list is an empty column.

    Returns
    -------
    tuple of (list or None, int)
        The normal form, None for JSON null and for blank text; and how many values inside were
        there but unreadable.

    Raises
    ------
    ValueError
        When the whole cannot be such a value.
    """
    if values.absent(value):
        return None, 0
    reading = _Reading()
    return getattr(reading, kind)(value), reading.unreadable


class _Reading:
    """One value being read by the reader that is named as its kind; counts what is unreadable."""

    unreadable = 0

    def inner(self, reader: Callable[[Any], Any], value: object) -> Any:
        if value is None or (reader not in _TEXTUAL and values.absent(value)):
            return None
        try:
            return reader(value)
        except ValueError:
            self.unreadable += 1
            return None

    def texts(self, value: Any) -> Normal | None:
        delimiter = None
        if isinstance(value, dict):
            if value and "values" not in value:
                raise ValueError(_UNREADABLE)
            value, delimiter = value.get("values", []), value.get("delim")
        if values.absent(value):
            return None
        if isinstance(value, str):
            # Adobe's own since 2026-04-13 is always a comma.
            delimiter = self.inner(_delimiter, delimiter) or ","
        return self.levels(value, delimiter)

    def levels(self, value: object, delimiter: str | None) -> Normal:
        if isinstance(value, list):
            return value if _plain(value) else [self.inner(values.text, each) for each in value]
        whole = values.text(value)
        return list(whole.split(delimiter)) if delimiter else [whole]

    def pairs(self, value: object) -> Normal:
        found = _object(value)
        flat = list(chain.from_iterable(found.items()))
        return flat if _plain(flat) else self.named(values.text, found)

    def totals(self, value: object) -> Normal:
        found = self.merged(value) if isinstance(value, list) else _object(value)
        return self.named(values.event, found)

    def named(self, reader: Callable[[Any], Any], found: dict[str, Any]) -> Normal:
        read = ((values.text(key), self.inner(reader, value)) for key, value in found.items())
        return list(chain.from_iterable(read))

    def merged(self, objects: list[Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for each in objects:
            for key, value in (self.inner(_object, each) or {}).items():
                before = found.get(key)
                both = [*_instances(before), *_instances(value)]
                found[key] = value if values.absent(before) else both
        return found

    def hierarchies(self, value: object) -> Normal:
        read: Normal = []
        for key, each in _object(value).items():
            fields = self.inner(_object, each) or {}
            delimiter = self.inner(_delimiter, fields.get("delim"))
            levels = self.inner(partial(self.levels, delimiter=delimiter), fields.get("values"))
            read += values.text(key), delimiter, levels
        return read

    def products(self, value: object) -> Normal:
        texts: _Readers = dict.fromkeys(("category", "name"), values.text)
        numbers = dict.fromkeys(("units", "revenue"), values.number)
        return self.entries(value, texts | numbers | {"evars": self.pairs, "events": self.totals})

    def activities(self, value: object) -> Normal:
        return self.entries(value, dict.fromkeys(_ACTIVITY, values.text))

    def entries(self, value: Any, readers: _Readers) -> Normal:
        single = not isinstance(value, list)
        if single and _object(value) and readers.keys().isdisjoint(value):
            raise ValueError(_UNREADABLE)
        found = [entry for entry in ([value] if single else value) if not values.absent(entry)]
        kept = [e for e in found if isinstance(e, dict) and not readers.keys().isdisjoint(e)]
        self.unreadable += len(found) - len(kept) - found.count({})
        return [self.inner(read, entry.get(key)) for entry in kept for key, read in readers.items()]


def _object(value: object) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    if value == []:
        return {}
    raise ValueError(_UNREADABLE)


def _plain(found: list[Any]) -> bool:
    try:
        together = "".join(found)
    except TypeError:
        return False
    return together.isascii() or values.text(together) == together


def _instances(value: object) -> list[Any]:
    if isinstance(value, list):
        return value
    if isinstance(value, dict):
        return [value]
    return [] if values.absent(value) else [{"count": value}]


def _delimiter(value: object) -> str:
    if isinstance(value, str) and len(value) == 1:
        return values.text(value)
    code = values.whole(value)
    if not 0 < code <= sys.maxunicode:
        raise ValueError(_UNREADABLE)
    return values.text(chr(code))


# What reads texts: blank is a text, too.
_TEXTUAL = (values.text, _delimiter)


def series(name: str, kind: str, normal: Sequence[Normal | None]) -> pl.Series:
    """Put normal forms into a column.

    Parameters
    ----------
    name : str
        The column's name.
    kind : str
        A key of :data:`DTYPES`.
    normal : sequence of (list or None)
        One normal form per row, as :func:`read` gives them.

    Returns
    -------
    polars.Series
        As many rows, of the kind's type; None is a null, an empty list stays one.
    """
    return _series(name, DTYPES[kind], normal)


def _series(name: str, dtype: Any, rows: Sequence[Any]) -> pl.Series:
    if not rows:
        return pl.Series(name, [], dtype=dtype)
    if isinstance(dtype, pl.List):
        return _lists(name, dtype, rows)
    if isinstance(dtype, pl.Struct):
        parts = [
            _series(part.name, part.dtype, rows[i :: len(dtype.fields)])
            for i, part in enumerate(dtype.fields)
        ]
        return pl.DataFrame(parts).to_struct(name)
    return pl.Series(name, rows, dtype=dtype)


def _lists(name: str, dtype: pl.List, rows: Sequence[Normal | None]) -> pl.Series:
    if all(row is None for row in rows):
        return pl.Series(name, [None], dtype=dtype).new_from_index(0, len(rows))
    flat = _series(name, dtype.inner, list(chain.from_iterable(filter(None, rows))))
    width = len(dtype.inner.fields) if isinstance(dtype.inner, pl.Struct) else 1
    many = [None if row is None else len(row) // width for row in rows]
    ends = accumulate(length or 0 for length in many)
    slices = [
        None if length is None else flat.slice(end - length, length)
        for length, end in zip(many, ends, strict=True)
    ]
    return pl.Series(name, slices)
