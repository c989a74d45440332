"""A block of complete records to a typed frame; what is no hit is rejected, its neighbours kept.

The law: :meth:`Decoder.decode` never raises, whatever the bytes. Each line is one record and is
decoded alone: to JSON a newline is white space, so that in a block decoded at once a damaged line
could swallow the next one.

Every line is decoded into a struct that has just the wanted fields. One that does not fit is read
with patience, whole and value by value: digits in a text become a number, what cannot be read
becomes null and is counted. Where more than a few lines of a block do not fit at the same place,
the struct is loosened there, once and for all, and the block is decoded again.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import polars as pl

from livestream_nb.hits.cells import Cells, read, series
from livestream_nb.hits.fields import UTC_TIME, Column
from livestream_nb.hits.lines import Lines
from livestream_nb.hits.records import Rejected, parse
from livestream_nb.hits.shape import Path, Shape

__all__ = ["Decoded", "Decoder", "Rejected"]

# Lines of a block that may fail at one place: reading so many with patience costs less than
# reading every later value of a loosened place one by one.
_FEW = 2

# Why a line does not become a struct.
_UNFIT = (msgspec.DecodeError, ValueError, RecursionError)

Hit = dict[str, object]


@dataclass(frozen=True)
class Decoded:
    """What a block held.

    Attributes
    ----------
    frame : polars.DataFrame
        One row per hit, in the order of the block; columns as in :attr:`Decoder.schema`.
    rejected : tuple of Rejected
        The records that are no hits, in the order of the block.
    unreadable : dict of str to int
        By column, how many values were there but could not be read and are null.
    lines : Lines
        The block's records as they came, without those that are blank.
    misses : tuple of int
        Which of the lines were rejected, by their places from 0 on: all others are rows.
    """

    frame: pl.DataFrame
    rejected: tuple[Rejected, ...] = ()
    unreadable: dict[str, int] = field(default_factory=dict)
    lines: Lines = field(default_factory=Lines)
    misses: tuple[int, ...] = ()


@dataclass
class _Records:
    """The hits of a block: structs in its order; some of them are empty, and read otherwise."""

    structs: list[Any] = field(default_factory=list)
    odd: dict[int, Hit] = field(default_factory=dict)
    rejected: list[Rejected] = field(default_factory=list)
    misses: list[int] = field(default_factory=list)


def schema_of(columns: Iterable[Column]) -> dict[str, pl.DataType]:
    """The columns of a frame of hits: those given, then ``arrived`` and ``connection``."""
    return {
        **{column.name: column.dtype for column in columns},
        "arrived": UTC_TIME,
        "connection": pl.UInt8(),
    }


class Decoder:
    """Decodes blocks of records into frames of the same columns.

    Parameters
    ----------
    columns : sequence of Column
        As :func:`livestream_nb.hits.columns.resolve` gives them.

    Attributes
    ----------
    schema : dict of str to polars.DataType
        The frame's columns: those given, then ``arrived`` and ``connection``.
    """

    def __init__(self, columns: Sequence[Column]) -> None:
        self._columns = tuple(columns)
        self._shape = Shape(self._columns)
        self.schema = schema_of(self._columns)

    def decode(self, block: bytes, *, connection: int, arrived: float) -> Decoded:
        r"""Decode a block.

        Parameters
        ----------
        block : bytes
            Complete records separated by ``\n`` or ``\r\n``; blank lines are ignored.
        connection : int
            Number of the connection, 0 to 255.
        arrived : float
            When the block reached this machine, in Unix seconds.

        Returns
        -------
        Decoded
            The hits as a frame, and the records that are none.
        """
        lines = Lines(block)
        is_text = _is_text(block)
        while (records := self._attempt(lines, is_text)) is None:
            pass
        unreadable: Counter[str] = Counter()
        stamps = _stamps(len(records.structs), connection, arrived)
        frame = pl.DataFrame([*self._series(records, unreadable), *stamps])
        misses = tuple(records.misses)
        return Decoded(frame, tuple(records.rejected), dict(+unreadable), lines, misses)

    def _attempt(self, lines: Lines, is_text: bool) -> _Records | None:
        """The lines' records; None when the struct had to be loosened."""
        records = _Records()
        misfits: Counter[Path] = Counter()
        read, hit_id = self._shape.read, self._shape.hit_id
        for line in lines:
            try:
                struct = read(line)
                # Without a hit's id it may be no hit.
                if hit_id(struct) is not None and (is_text or str(line, "utf-8")):
                    records.structs.append(struct)
                    continue
            except msgspec.ValidationError as error:
                place = self._shape.place(error)
                misfits[place] += 1
                if place and misfits[place] > _FEW:
                    self._shape.loosen(place)
                    return None
            except _UNFIT:
                pass
            self._with_patience(line, records)
        return records

    def _with_patience(self, line: memoryview, records: _Records) -> None:
        record = parse(bytes(line).removesuffix(b"\r"))
        if isinstance(record, Rejected):
            records.misses.append(len(records.structs) + len(records.rejected))
            records.rejected.append(record)
        else:
            records.odd[len(records.structs)] = record
            records.structs.append(self._shape.empty)

    def _series(self, records: _Records, unreadable: Counter[str]) -> Iterator[pl.Series]:
        columns = zip(self._columns, self._shape.cells(records.structs), strict=True)
        for column, (cells, bad) in columns:
            unreadable[column.name] += bad
            if records.odd:
                cells, bad = _with_odd(column, cells, records.odd)
                unreadable[column.name] += bad
            one, bad = series(column, cells)
            unreadable[column.name] += bad
            yield one


def _with_odd(column: Column, cells: Sequence[Any], odd: Mapping[int, Hit]) -> Cells:
    mixed, unreadable = list(cells), 0
    for row, record in odd.items():
        mixed[row], bad = read(column.kind, column.find(record))
        unreadable += bad
    return mixed, unreadable


def _is_text(block: bytes) -> bool:
    if block.isascii():
        return True
    # Twice as fast as bytes.decode.
    try:
        pl.Series([block], dtype=pl.Binary).cast(pl.String)
    except pl.exceptions.PolarsError:
        return False
    return True


def _stamps(rows: int, connection: int, arrived: float) -> tuple[pl.Series, pl.Series]:
    moment = pl.Series("arrived", [round(arrived * 1e6)], dtype=pl.Int64)
    number = pl.Series("connection", [connection], dtype=pl.UInt8)
    return moment.new_from_index(0, rows).cast(UTC_TIME), number.new_from_index(0, rows)
