"""Which values and pages lead: top values, landing pages, exit pages."""

from collections.abc import Callable
from datetime import timedelta

import polars as pl

from livestream_nb.analysis.frames import Hits, as_given, expression, filled, lazily
from livestream_nb.analysis.visitors import PLACED, VISITOR, visitor, visits
from livestream_nb.checks import check_count
from livestream_nb.errors import InvalidOption

MEASURES = {"hits": pl.len(), "visitors": visitor().drop_nulls().n_unique()}
COLUMNS = ("value", *MEASURES, "share")


def top(hits: Hits, what: str | pl.Expr, n: int | None = 10, by: str | pl.Expr = "hits") -> Hits:
    """The values that occur most.

    Parameters
    ----------
    hits : DataFrame or LazyFrame
        With the column, ``visIdHigh`` and ``visIdLow``.
    what : str or Expr
        A column of single values, such as "pageName"; ``explode`` a list first.
    n : int or None
        How many values at most; None for all.
    by : "hits", "visitors" or Expr
        What to go by. An expression makes one number of many hits, such as
        ``pl.col("event1").sum()``; money is best as ``analysis.money("revenue").sum()``.

    Returns
    -------
    DataFrame or LazyFrame
        Most first, equals by value: ``value`` (as in the column; null and "" are values like any
        other), ``hits``, ``visitors`` (UInt32; hits without a visitor count for none), the
        measure under its own name if ``by`` is an expression, and ``share`` (Float64, 0 to 1): the
        measure of these hits by the measure of all hits. One visitor has several values, so shares
        of visitors may add up to more than 1.

    Raises
    ------
    UnknownColumn
        When the frame lacks a column that this needs.
    InvalidOption
        When ``what``, ``n`` or ``by`` is not one of the above.

    Examples
    --------
    >>> import polars as pl
    >>> from livestream_nb import analysis
    >>> pages = ["Home", "Shoes", "Home"]
    >>> hits = pl.DataFrame({"visIdHigh": 1, "visIdLow": [1, 1, 2], "pageName": pages})
    >>> analysis.top(hits, "pageName", n=1).select("value", "hits", "visitors").rows()
    [('Home', 2, 2)]
    """
    if n is not None:
        check_count("n", n, "values")
    value, measure = expression(what), _measure(by)
    roots = [*value.meta.root_names(), *measure.meta.root_names()]
    plan = lazily(hits, "top", [*roots, *VISITOR])
    name = by if isinstance(by, str) else measure.meta.output_name()
    counts = MEASURES | {name: measure}
    counted = plan.group_by(value.alias("value")).agg(**counts)
    _check(counted.collect_schema(), what, by, name)
    part, whole = (pl.col(which).cast(pl.Float64) for which in (name, "share"))
    ranked = (
        counted.join(plan.select(share=measure), how="cross")
        .with_columns(share=pl.when(whole != 0).then(part / whole))
        .sort(name, "value", descending=[True, False], nulls_last=True)
    )
    return as_given(hits, ranked if n is None else ranked.head(n))


def _measure(by: object) -> pl.Expr:
    """The expression that ranks."""
    measure = MEASURES.get(by) if isinstance(by, str) else by
    if not isinstance(measure, pl.Expr):
        raise _wrong_measure(by)
    if isinstance(by, pl.Expr) and (name := measure.meta.output_name()) in COLUMNS:
        raise InvalidOption(f"by makes a column {name!r}, which top() has: give it an alias().")
    return measure


def _check(schema: pl.Schema, what: object, by: object, measure: str) -> None:
    if schema["value"].is_nested():
        right = "name a column of single values; explode() a list first, and group its values"
        raise InvalidOption.value("what", _shown(what), right)
    if not (schema[measure].is_numeric() or schema[measure] == pl.Boolean):
        raise _wrong_measure(by)


def _wrong_measure(by: object) -> InvalidOption:
    right = 'give "hits", "visitors", or an expression that makes one number of many hits'
    return InvalidOption.value("by", _shown(by), f'{right}, such as pl.col("event1").sum()')


def _shown(value: object) -> object:
    return str(value) if isinstance(value, pl.Expr) else value


def landing_pages(
    hits: Hits, page: str | pl.Expr = "pageName", inactivity: str | timedelta = "30m"
) -> Hits:
    """Where visits begin: the first page of each.

    A hit without a page name, such as a followed link, is no page; a visit without any page has
    the page null.

    Parameters
    ----------
    hits : DataFrame or LazyFrame
        With the page and what `visits` needs.
    page : str or Expr
        What tells pages apart: "pageName", "pageURL", an evar.
    inactivity : str or timedelta
        When a visit is over: see `visits`.

    Returns
    -------
    DataFrame or LazyFrame
        Most visits first, equals by page: ``page`` (String), ``visits``, ``bounces`` (UInt32: of
        these, the visits of a single hit), ``share`` (Float64: of all visits).

    Raises
    ------
    UnknownColumn
        When the frame lacks a column that this needs.

    Examples
    --------
    >>> import polars as pl
    >>> from livestream_nb import analysis
    >>> times = pl.from_epoch(pl.Series([0, 60, 3600]))
    >>> hits = pl.DataFrame({"visIdHigh": 1, "visIdLow": 1, "timeGMT": times,
    ...                      "pageName": ["Home", "Shoes", "Home"]})
    >>> analysis.landing_pages(hits).rows()
    [('Home', 2, 1, 1.0)]
    """
    return _edges("landing_pages", hits, page, inactivity, pl.Expr.first)


def exit_pages(
    hits: Hits, page: str | pl.Expr = "pageName", inactivity: str | timedelta = "30m"
) -> Hits:
    """Where visits end: the last page of each; otherwise as `landing_pages`.

    A visit that still goes on counts with its last page so far.

    Examples
    --------
    >>> import polars as pl
    >>> from livestream_nb import analysis
    >>> times = pl.from_epoch(pl.Series([0, 60, 3600]))
    >>> hits = pl.DataFrame({"visIdHigh": 1, "visIdLow": 1, "timeGMT": times,
    ...                      "pageName": ["Home", "Shoes", "Home"]})
    >>> analysis.exit_pages(hits).rows()
    [('Home', 1, 1, 0.5), ('Shoes', 1, 0, 0.5)]
    """
    return _edges("exit_pages", hits, page, inactivity, pl.Expr.last)


def _edges(
    who: str,
    hits: Hits,
    page: str | pl.Expr,
    inactivity: str | timedelta,
    edge: Callable[[pl.Expr], pl.Expr],
) -> Hits:
    shown = expression(page)
    plan = visits(lazily(hits, who, [*shown.meta.root_names(), *PLACED]), inactivity)
    edges = (
        plan.select("visit_id", "timeGMT", page=filled(shown))
        .drop_nulls("visit_id")
        .sort("timeGMT", maintain_order=True)
        .group_by("visit_id")
        .agg(page=edge(pl.col("page").drop_nulls()), single=pl.len() == 1)
        .group_by("page")
        .agg(visits=pl.len(), bounces=pl.col("single").sum().cast(pl.UInt32))
        .with_columns(share=pl.col("visits") / pl.col("visits").sum())
        .sort("visits", "page", descending=[True, False], nulls_last=True)
    )
    return as_given(hits, edges)
