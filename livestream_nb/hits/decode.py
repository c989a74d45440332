"""A block of complete records to a typed frame; what is no hit is rejected, its neighbours kept.

The law: :meth:`Decoder.decode` never raises, whatever the bytes. Each line is one record and is
decoded alone: to JSON a newline is white space, so that in a block decoded at once a damaged line
could swallow the next one.

Two ways lead to the frame. The fast one decodes every line into a struct that has just the wanted
fields. When anything in a block is not as documented, the careful way halves it until it has the
lines that are to blame, and reads those value by value: digits in a text become a number, what
cannot be read becomes null and is counted.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import polars as pl

from livestream_nb.hits import values
from livestream_nb.hits.fields import UTC_TIME, Column
from livestream_nb.hits.records import Rejected, dig, parse
from livestream_nb.hits.shape import Shape

__all__ = ["Decoded", "Decoder", "Rejected"]

# What a line that is not as documented makes msgspec, the readers or polars raise.
_NOT_AS_DOCUMENTED = (msgspec.DecodeError, ValueError, TypeError, OverflowError, RecursionError)


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
    """

    frame: pl.DataFrame
    rejected: tuple[Rejected, ...] = ()
    unreadable: dict[str, int] = field(default_factory=dict)


@dataclass
class _Pieces:
    """What the careful way has gathered so far; one list of values per column."""

    data: list[list[Any]]
    rejected: list[Rejected] = field(default_factory=list)
    unreadable: Counter[str] = field(default_factory=Counter)

    def add(self, more: list[list[Any]]) -> None:
        for have, new in zip(self.data, more, strict=True):
            have += new


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
        self._read = msgspec.json.Decoder(self._shape.type).decode
        self._ids = [i for i, column in enumerate(self._columns) if column.kind == "id"]
        self._hit_id = [column.name for column in self._columns].index("hitIdHigh")
        self.schema: dict[str, pl.DataType] = {
            **{column.name: column.dtype for column in self._columns},
            "arrived": UTC_TIME,
            "connection": pl.UInt8(),
        }

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
        lines = [line for line in block.split(b"\n") if line and not line.isspace()]
        try:
            frame = self._frame(self._fast(lines))
            return Decoded(self._stamp(frame, connection, arrived))
        except _NOT_AS_DOCUMENTED:
            pieces = _Pieces([[] for _ in self._columns])
            self._careful(lines, pieces)
        frame = self._stamp(self._frame(pieces.data), connection, arrived)
        return Decoded(frame, tuple(pieces.rejected), dict(pieces.unreadable))

    def _fast(self, lines: Sequence[bytes]) -> list[list[Any]]:
        for line in lines:
            if not line.isascii():
                line.decode()
        data = self._shape.columns([self._read(line) for line in lines])
        if None in data[self._hit_id]:
            raise ValueError("a record without a hit's id may be no hit")
        return data

    def _careful(self, lines: Sequence[bytes], pieces: _Pieces) -> None:
        try:
            data = self._fast(lines)
            if all(id_ is None or id_ <= values.UINT64_MAX for i in self._ids for id_ in data[i]):
                pieces.add(data)
                return
        except _NOT_AS_DOCUMENTED:
            pass
        if len(lines) == 1:
            self._patient(lines[0], pieces)
            return
        middle = len(lines) // 2
        self._careful(lines[:middle], pieces)
        self._careful(lines[middle:], pieces)

    def _patient(self, line: bytes, pieces: _Pieces) -> None:
        record = parse(line.removesuffix(b"\r"))
        if isinstance(record, Rejected):
            pieces.rejected.append(record)
            return
        pieces.add([[self._value(column, record, pieces)] for column in self._columns])

    def _value(self, column: Column, record: dict[str, object], pieces: _Pieces) -> object:
        try:
            return values.read(column.kind, dig(record, column.path))
        except ValueError:
            pieces.unreadable[column.name] += 1
            return None

    def _frame(self, data: list[list[Any]]) -> pl.DataFrame:
        return pl.DataFrame([_series(column, data[i]) for i, column in enumerate(self._columns)])

    def _stamp(self, frame: pl.DataFrame, connection: int, arrived: float) -> pl.DataFrame:
        moment = pl.Series("arrived", [round(arrived * 1e6)], dtype=pl.Int64).cast(UTC_TIME)
        number = pl.Series("connection", [connection], dtype=pl.UInt8)
        rows = frame.height
        return frame.with_columns(moment.new_from_index(0, rows), number.new_from_index(0, rows))


def _series(column: Column, data: list[Any]) -> pl.Series:
    if column.kind != "time":
        return pl.Series(column.name, data, dtype=column.dtype)
    return (pl.Series(column.name, data, dtype=pl.Int64) * 1_000_000).cast(UTC_TIME)
