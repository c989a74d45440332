"""The bytes of frames' texts: how many there are, and how equal ones come to share them.

A text in a frame is a view of 16 bytes; one of more than 12 bytes refers to bytes elsewhere, and
any number of views may refer to the same.
"""

import polars as pl

_VIEW = 16
_WITHIN = 12
# Bytes of a row's text, on average, from which on it pays to look for equal ones.
_WORTH = 4


def shared(frame: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """The same rows, equal texts of a column referring to the same bytes; and the bytes saved."""
    columns, saved = [], 0
    for column in frame.get_columns():
        if column.dtype == pl.String and _refers(column):
            distinct = column.unique().drop_nulls()
            codes = column.cast(pl.Enum(distinct)).to_physical()
            saved += int(column.estimated_size() - distinct.estimated_size())
            column = distinct.gather(codes).alias(column.name)
        columns.append(column)
    return pl.DataFrame(columns), saved


def _refers(column: pl.Series) -> bool:
    size, rows = column.estimated_size(), column.len()
    if size < _WORTH * rows:
        return False
    return size > _WITHIN * rows or bool((column.str.len_bytes() > _WITHIN).any())


class Scale:
    """Weighs frames of one schema.

    Parameters
    ----------
    schema : dict of str to polars.DataType
        Their columns.
    """

    def __init__(self, schema: dict[str, pl.DataType]) -> None:
        self._texts = sum(dtype == pl.String for dtype in schema.values())
        self._nested = [name for name, dtype in schema.items() if dtype.is_nested()]

    def size(self, frame: pl.DataFrame) -> int:
        """Bytes of a frame, none of whose texts share theirs."""
        texts = self._texts * frame.height + sum(_texts(frame[name]) for name in self._nested)
        return int(frame.estimated_size()) + _VIEW * texts


def _texts(column: pl.Series) -> int:
    """How many texts a column has, those within lists and structs too."""
    if isinstance(column.dtype, pl.List):
        return _texts(column.explode())
    if isinstance(column.dtype, pl.Struct):
        return sum(_texts(field) for field in column.struct.unnest())
    return column.len() if column.dtype == pl.String else 0
