"""Values of one column, read one by one, and the column's series.

What a column holds is one value per hit (`values`) or several (`nested`); which of the two is told
here by the column's kind, and nowhere else.
"""

from collections.abc import Callable, Sequence
from typing import Any

import polars as pl

from livestream_nb.hits import nested, values
from livestream_nb.hits.fields import Column

Cells = tuple[Sequence[Any], int]
"""One value per hit, None where there is none, and how many were there but could not be read."""

# A value that is just this needs no reading.
_AS_IT_IS: dict[str, type] = {"text": str, "flag": bool}
_MICROSECONDS = 1_000_000


def read(kind: str, value: object) -> tuple[Any, int]:
    """Read any JSON value as a column's kind.

    Returns
    -------
    object, int
        What the column holds, None when there is no value or none that can be read; and how many
        values were there but could not be read.
    """
    try:
        if kind in nested.DTYPES:
            return nested.read(kind, value)
        return values.read(kind, value), 0
    except ValueError:
        return None, 1


def read_each(kind: str, found: Sequence[Any]) -> Cells:
    """Read JSON values of any type as a column's kind."""
    if set(map(type, found)) <= {_AS_IT_IS.get(kind), type(None)}:
        return found, 0
    return _added(lambda value: read(kind, value), found)


def read_few(kind: str, found: Sequence[Any]) -> Cells:
    """As :func:`read_each`, for texts, true and false of which there are few different ones."""
    known = {value: read(kind, value) for value in set(found)}
    cells = {value: cell for value, (cell, _) in known.items()}
    unreadable = sum(found.count(value) for value, (_, bad) in known.items() if bad)
    return [cells[value] for value in found], unreadable


def total_each(_: str, found: Sequence[Any]) -> Cells:
    """Sum the instances of events, each with ``count`` and ``exponent``."""
    return _added(_total, found)


def _total(instances: Any) -> tuple[float | None, int]:
    if instances is None:
        return None, 0
    try:
        return values.total([(one.count, one.exponent) for one in instances]), 0
    except ValueError:
        return None, 1


def _added(one: Callable[[Any], tuple[Any, int]], found: Sequence[Any]) -> Cells:
    both = [one(value) for value in found]
    return [value for value, _ in both], sum(bad for _, bad in both)


def series(column: Column, cells: Sequence[Any]) -> tuple[pl.Series, int]:
    """A column's series of what it holds; an id beyond 64 bits is null and counted.

    Parameters
    ----------
    column : Column
        Whose name and dtype the series takes.
    cells : sequence
        As the functions above give them, or typed JSON that needs no reading.

    Returns
    -------
    polars.Series, int
        Of the column's dtype; and how many values turned out to be unreadable.
    """
    if column.kind in nested.DTYPES:
        return nested.series(column.name, column.kind, cells), 0
    try:
        return _series(column, cells), 0
    except (TypeError, OverflowError):
        readable, unreadable = read_each(column.kind, cells)
        return _series(column, readable), unreadable


def _series(column: Column, cells: Sequence[Any]) -> pl.Series:
    if column.kind != "time":
        return pl.Series(column.name, cells, dtype=column.dtype)
    # Half the time of what it takes to make microseconds of them one by one.
    seconds = pl.Series(column.name, cells, dtype=pl.Int64)
    return (seconds * _MICROSECONDS).cast(column.dtype)
