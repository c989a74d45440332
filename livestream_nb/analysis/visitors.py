"""Who came, and how often: visitors and their visits."""

from collections.abc import Sequence
from datetime import timedelta

import polars as pl

from livestream_nb.analysis.frames import Hits, as_given, lazily
from livestream_nb.checks import seconds_in

VISITOR = ("visIdHigh", "visIdLow")
PLACED = (*VISITOR, "timeGMT")


def visitor() -> pl.Expr:
    """One exact value per visitor, from both halves of the id.

    Returns
    -------
    Expr
        ``visitor`` (String): the halves in digits with a hyphen between, as in
        "7312903512518354903-13529412669086276535"; null when either is null. A text, because it
        stays exact wherever it goes: in JSON, spreadsheets, pandas, and in ``==``.

    Examples
    --------
    >>> import polars as pl
    >>> from livestream_nb import analysis
    >>> hits = pl.DataFrame({"visIdHigh": [2**64 - 1, None], "visIdLow": [7, 7]})
    >>> hits.select(analysis.visitor())["visitor"].to_list()
    ['18446744073709551615-7', None]
    """
    # Not pl.format: in polars 2.1, its streaming engine panics where a part has no row left.
    return pl.concat_str(VISITOR, separator="-").alias("visitor")


def visits(hits: Hits, inactivity: str | timedelta = "30m") -> Hits:
    """Add which visit each hit belongs to.

    A visit ends when the visitor does nothing for so long, by ``timeGMT``; the next hit begins a
    new one. Hits may be in any order. With a column ``reportSuite``, each report suite has visits
    of its own. Adobe also ends a visit after 12 hours of activity, 2,500 hits, or 100 hits within
    100 seconds; this does not. A visit that began before the frame's first hit begins there.

    Parameters
    ----------
    hits : DataFrame or LazyFrame
        With ``visIdHigh``, ``visIdLow``, ``timeGMT``; ``reportSuite`` if there are several.
    inactivity : str or timedelta
        How long nothing happens until a visit is over: "30m".

    Returns
    -------
    DataFrame or LazyFrame
        The same rows in the same order, and ``visitor`` (String, see `visitor`), ``visit`` (UInt32:
        1 is the visitor's first in this frame), ``visit_id`` (UInt32: no two visits of the frame
        share it; other frames number anew). A hit without visitor or time is in no visit: null.

    Raises
    ------
    UnknownColumn
        When the frame lacks a column that this needs.
    InvalidOption
        When ``inactivity`` is no duration.

    Examples
    --------
    >>> import polars as pl
    >>> from livestream_nb import analysis
    >>> times = pl.from_epoch(pl.Series([0, 60, 3600]))
    >>> hits = pl.DataFrame({"visIdHigh": 1, "visIdLow": 1, "timeGMT": times})
    >>> analysis.visits(hits)["visit"].to_list()
    [1, 1, 2]
    """
    pause = timedelta(seconds=seconds_in("inactivity", inactivity))
    plan = lazily(hits, "visits", PLACED)
    suite = [name for name in ("reportSuite",) if name in plan.collect_schema()]
    return as_given(hits, _numbered(plan.with_columns(visitor()), [*suite, *VISITOR], pause))


def _numbered(plan: pl.LazyFrame, keys: Sequence[str], pause: timedelta) -> pl.LazyFrame:
    """Add ``visit`` and ``visit_id``: counted in the order of visitors and times, and put back."""
    known = pl.all_horizontal(*(pl.col(name).is_not_null() for name in PLACED))
    order, placed, another, begun, number, first = (f"_visits_{part}" for part in range(6))
    parts = [known, *map(pl.col, keys)]
    changes = [part.gather(order).ne_missing(part.gather(order).shift()) for part in parts]
    rested = pl.col("timeGMT").gather(order).diff() >= pause
    numbers = {"visit": pl.col(number) - pl.col(first) + 1, "visit_id": pl.col(number)}
    return (
        plan.with_columns(pl.arg_sort_by(*parts, "timeGMT").alias(order))
        .with_columns(known.gather(order).alias(placed), pl.any_horizontal(changes).alias(another))
        .with_columns(
            (pl.col(placed) & (pl.col(another) | rested.fill_null(value=False))).alias(begun)
        )
        .with_columns(pl.col(begun).cum_sum().cast(pl.UInt32).alias(number))
        .with_columns(
            pl.when(another).then(number).forward_fill().alias(first), pl.col(order).arg_sort()
        )
        .with_columns(
            pl.when(known).then(counted.gather(order)).alias(name)
            for name, counted in numbers.items()
        )
        .drop(order, placed, another, begun, number, first)
    )
