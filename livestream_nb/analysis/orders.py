"""What was bought: orders and their lines, with exact money.

Livestream's ``products[].revenue`` is taken as it is. Adobe's pages contradict each other on
whether it is whole units of the currency or hundredths: their example (``example-output.md``) has
1799 for 15 pairs of shoes, and ``release-notes.md`` of 13 April 2026 says "rounds to two decimal
places", which is how this reads it.
"""

from collections.abc import Sequence
from decimal import Decimal

import polars as pl

from livestream_nb.analysis.frames import Hits, as_given, entry, expression, filled, lazily, need
from livestream_nb.analysis.visitors import PLACED, visitor

MONEY = pl.Decimal(38, 2)
# Below this many hundredths the nearest float still tells which one was meant.
MOST = 2**51

NEEDED = ("products", "purchaseId", "currency", *PLACED)
PURCHASE = ("purchases", "orders")


def money(amount: str | pl.Expr) -> pl.Expr:
    """An amount as exact decimal: sums are right to the cent, in any order.

    A float is read as the number of two decimals that it is nearest to (halves away from zero), so
    0.1 and 0.2 add up to 0.30. Never add amounts of different currencies: group by ``currency``.

    Parameters
    ----------
    amount : str or Expr
        A column of numbers, such as the event "revenue".

    Returns
    -------
    Expr
        Decimal(38, 2); null where there is no number, or where it is so large (22 trillion) that
        a float does not hold cents.

    Examples
    --------
    >>> import polars as pl
    >>> from livestream_nb import analysis
    >>> hits = pl.DataFrame({"currency": ["EUR", "EUR"], "revenue": [0.1, 0.2]})
    >>> hits.group_by("currency").agg(analysis.money("revenue").sum()).rows()
    [('EUR', Decimal('0.30'))]
    """
    return _decimal(_hundredths(expression(amount)))


def _hundredths(amount: pl.Expr) -> pl.Expr:
    count = (amount.cast(pl.Float64) * 100).round(mode="half_away_from_zero")
    return pl.when(count.abs() < MOST).then(count).cast(pl.Int64)


def _decimal(hundredths: pl.Expr) -> pl.Expr:
    return (hundredths.cast(MONEY) * pl.lit(Decimal("0.01"))).cast(MONEY)


def orders(hits: Hits) -> Hits:
    """One row per purchase.

    A purchase is a hit whose event ``purchases`` or ``orders`` is above 0. Hits with the same
    ``purchaseId`` (in the same report suite, if there is a column ``reportSuite``) are one
    purchase, and the earliest by ``timeGMT`` counts, as at Adobe; hits without one are a purchase
    each. Hits that Adobe leaves out of its reports are in: ``filter`` by ``excluded`` before.

    Parameters
    ----------
    hits : DataFrame or LazyFrame
        With ``products``, ``purchaseId``, ``currency``, and ``purchases``, ``orders`` or
        ``events``.

    Returns
    -------
    DataFrame or LazyFrame
        Oldest first: ``timeGMT``, ``reportSuite`` if there, ``purchaseId`` (null when blank),
        ``visitor``, ``currency``, ``lines`` (UInt32: how many products), ``units`` (Float64),
        ``revenue`` (Decimal(38, 2), in ``currency``; the sum over the products, read as `money`
        does; null if one of them is too large for that), ``repeats`` (UInt32: further hits of the
        same purchase, left out).

    Raises
    ------
    UnknownColumn
        When the frame lacks a column that this needs.

    Examples
    --------
    >>> import polars as pl
    >>> from livestream_nb import analysis
    >>> shoes = {"category": "Shoes", "name": "Runner", "units": 2.0, "revenue": 59.8}
    >>> hits = pl.DataFrame({"timeGMT": pl.from_epoch(pl.Series([0, 5])), "visIdHigh": 1,
    ...     "visIdLow": 1, "purchaseId": "A1", "currency": "EUR", "purchases": 1.0,
    ...     "products": [[shoes], [shoes]]})
    >>> analysis.orders(hits).select("purchaseId", "units", "revenue", "repeats").rows()
    [('A1', 2.0, Decimal('59.80'), 1)]
    """
    plan, about = _purchases(hits, "orders")
    units, revenue = _each("units").list.sum(), _each("revenue")
    exact = revenue.list.eval(_hundredths(pl.element()))
    readable = _filled_length(exact).eq_missing(_filled_length(revenue))
    summed = plan.select(
        *about,
        lines=pl.col("products").list.len().fill_null(0),
        units=pl.when(units != 0).then(units).otherwise(0.0),
        revenue=_decimal(pl.when(readable).then(exact.list.sum().fill_null(0))),
        repeats="repeats",
    )
    return as_given(hits, summed)


def order_lines(hits: Hits) -> Hits:
    """One row per product of each purchase; purchases are told apart as in `orders`.

    Returns
    -------
    DataFrame or LazyFrame
        ``timeGMT``, ``reportSuite`` if there, ``purchaseId``, ``visitor``, ``currency`` of the
        purchase, oldest first, then ``category``, ``name`` (String), ``units`` (Float64),
        ``revenue`` (Decimal(38, 2), see `money`) of the product, in the hit's order. A purchase
        without products has no row.

    Raises
    ------
    UnknownColumn
        When the frame lacks a column that this needs.

    Examples
    --------
    >>> import polars as pl
    >>> from livestream_nb import analysis
    >>> shoes = {"category": "Shoes", "name": "Runner", "units": 2.0, "revenue": 59.8}
    >>> hits = pl.DataFrame({"timeGMT": pl.from_epoch(pl.Series([0])), "visIdHigh": 1,
    ...     "visIdLow": 1, "purchaseId": "A1", "currency": "EUR", "purchases": 1.0,
    ...     "products": [[shoes]]})
    >>> analysis.order_lines(hits).group_by("name", "currency").agg(pl.col("revenue").sum()).rows()
    [('Runner', 'EUR', Decimal('59.80'))]
    """
    plan, about = _purchases(hits, "order_lines")
    product = pl.col("products").struct
    lines = (
        plan.select(*about, "products")
        .explode("products")
        .drop_nulls("products")
        .select(
            *about,
            *(product.field(name) for name in ("category", "name", "units")),
            money(product.field("revenue")).alias("revenue"),
        )
    )
    return as_given(hits, lines)


def _each(name: str) -> pl.Expr:
    return pl.col("products").list.eval(pl.element().struct.field(name))


def _filled_length(values: pl.Expr) -> pl.Expr:
    return values.list.drop_nulls().list.len()


def _purchases(hits: pl.DataFrame | pl.LazyFrame, who: str) -> tuple[pl.LazyFrame, list[str]]:
    """The first hit of each purchase, oldest first, and the names of what tells about it."""
    plan = lazily(hits, who, ())
    schema = plan.collect_schema()
    told = [name for name in (*PURCHASE, "events") if name in schema]
    need(schema, who, [*NEEDED, *(told or PURCHASE[:1])])
    suite = [name for name in ("reportSuite",) if name in schema]
    about = ["timeGMT", *suite, "purchaseId", "visitor", "currency"]
    same = [*suite, "purchaseId"]
    found = (
        plan.filter(_purchased(told))
        .select("timeGMT", *suite, filled(pl.col("purchaseId")), visitor(), "currency", "products")
        .sort("timeGMT", maintain_order=True, nulls_last=True)
        .with_columns(copy=pl.int_range(pl.len()).over(same), repeats=(pl.len() - 1).over(same))
    )
    alone = pl.col("purchaseId").is_null()
    kept = found.filter((pl.col("copy") == 0) | alone)
    return kept.with_columns(
        repeats=pl.when(alone).then(0).otherwise("repeats").cast(pl.UInt32)
    ), about


def _purchased(told: Sequence[str]) -> pl.Expr:
    """Whether a hit is a purchase; the list of events is asked only where it is all there is."""
    named = [pl.col(name) for name in told if name in PURCHASE]
    held = named or [entry("events", name) for name in PURCHASE]
    return pl.any_horizontal(event > 0 for event in held)
