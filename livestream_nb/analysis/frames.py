"""Frames in and out: what every analysis asks of a frame of hits before it begins."""

from collections.abc import Iterable
from typing import TypeVar, cast

import polars as pl

from livestream_nb.errors import InvalidOption, UnknownColumn

Hits = TypeVar("Hits", bound=pl.DataFrame | pl.LazyFrame)


def lazily(hits: object, who: str, needed: Iterable[str]) -> pl.LazyFrame:
    """The frame as a plan, once it is known to have the columns.

    Raises
    ------
    InvalidOption
        When it is no frame of polars.
    UnknownColumn
        When it lacks columns; names all of them, who needs them, and how to ask for them.
    """
    if not isinstance(hits, pl.DataFrame | pl.LazyFrame):
        right = "give a polars frame, as reader.hits() does"
        raise InvalidOption(f"hits is a {type(hits).__name__}, which {who}() cannot read: {right}.")
    need(hits.collect_schema(), who, needed)
    return hits.lazy()


def need(schema: pl.Schema, who: str, names: Iterable[str]) -> None:
    """Refuse a frame that lacks columns."""
    missing = [name for name in dict.fromkeys(names) if name not in schema]
    if missing:
        kind, them = ("column", "it") if len(missing) == 1 else ("columns", "them")
        asked = ", ".join(f'"{name}"' for name in ["default", *missing])
        raise UnknownColumn(
            f"{who}() needs the {kind} {', '.join(missing)}, which this frame does not have: ask "
            f"the reader, as in Reader(columns=[{asked}]), and keep {them} in hits(columns=[...]) "
            "and select()."
        )


def as_given(hits: Hits, plan: pl.LazyFrame) -> Hits:
    """The plan itself for who gave a LazyFrame, else its result."""
    return cast("Hits", plan if isinstance(hits, pl.LazyFrame) else plan.collect())


def expression(column: str | pl.Expr) -> pl.Expr:
    """A column by its name, or an expression as it is."""
    return pl.col(column) if isinstance(column, str) else column


def filled(text: pl.Expr) -> pl.Expr:
    """A text, or null where it is blank: Livestream sends both for "no value"."""
    text = text.cast(pl.String)
    return pl.when(text.str.strip_chars() != "").then(text)


def entry(column: str | pl.Expr, key: str) -> pl.Expr:
    """One value of a column of keys and values: of ``evars``, ``props`` or ``events``.

    Parameters
    ----------
    column : str or Expr
        The column: List(Struct{key, value}).
    key : str
        Such as "evar5" or "event61".

    Returns
    -------
    Expr
        Named as the key: String for ``evars`` and ``props``, Float64 for ``events``; null where the
        hit has no such key.

    Examples
    --------
    >>> import polars as pl
    >>> from livestream_nb import analysis
    >>> hits = pl.DataFrame({"evars": [[{"key": "evar1", "value": "spring"}], []]})
    >>> hits.select(analysis.entry("evars", "evar1")).rows()
    [('spring',), (None,)]
    """
    found = pl.element().struct.field("key") == key
    value = pl.element().struct.field("value").filter(found)
    return expression(column).list.eval(value).list.first().alias(key)
