"""``livestream-nb columns``: what a hit can hold, and how to ask for it."""

from typing import Annotated

import polars as pl
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from livestream_nb.hits.columns import SETS, resolve
from livestream_nb.hits.fields import ALWAYS, COLUMNS, FAMILIES, NESTED, SINGLE, UTC_TIME, Column

_Names = Annotated[
    list[str] | None,
    typer.Argument(help="Columns or sets, such as: default, documented, evar5. All when omitted."),
]
_WIDE = 160


def columns(names: _Names = None) -> None:
    """List what hits can hold, or what a frame of the named columns holds."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = _WIDE
    table = Table(box=None, pad_edge=False)
    for title in ("column", "type", "meaning", "in the record", "set"):
        table.add_column(title, no_wrap=title in ("column", "type"), overflow="fold")
    for column in resolve(names) if names else (*SINGLE, *NESTED):
        _add(table, column, column.name, column.meaning, column.path)
    for name, family in {} if names else FAMILIES.items():
        first = COLUMNS[f"{name}1"]
        _add(table, first, f"{name}1 to {name}{family.last}", family.meaning, family.path)
    console.print(table)


def _add(table: Table, column: Column, name: str, meaning: str, path: tuple[str, ...]) -> None:
    place = ".".join(path).replace("{}", "N")
    if column.also:
        place += f", or {'.'.join(column.also)}"
    told = f"{meaning} ({column.unit})" if column.unit else meaning
    cells = (name, _type(column.dtype), told, "" if place == name else place, _set(column))
    table.add_row(*map(Text, cells))


def _type(dtype: pl.DataType) -> str:
    if isinstance(dtype, pl.List):
        return f"List[{type(dtype.inner).__name__}]"
    return "Datetime µs UTC" if dtype == UTC_TIME else str(dtype)


def _set(column: Column) -> str:
    """The smallest set that has it."""
    if column in ALWAYS:
        return "always there"
    return next((name for name in SETS if column in resolve(name)), "")
