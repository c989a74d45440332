"""How far visits or visitors come: steps in order."""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta

import polars as pl

from livestream_nb.analysis.frames import Hits, as_given, entry, lazily, need
from livestream_nb.analysis.visitors import PLACED, visitor, visits
from livestream_nb.checks import seconds_in
from livestream_nb.errors import InvalidOption, UnknownColumn

Step = str | pl.Expr

COUNTED = {"visits": pl.col("visit_id"), "visitors": visitor()}
EVENT = re.compile(
    r"event\d+|carts|cart(Additions|Removals|Views)|checkouts|instances|orders|productViews"
    r"|purchases|revenue|units"
)
RIGHT_STEPS = 'give a list such as ["Home", "Cart", "orders"], or a dict of names to steps'


def funnel(
    hits: Hits,
    steps: Sequence[Step] | Mapping[str, Step],
    *,
    by: str = "visits",
    within: str | timedelta | None = None,
    inactivity: str | timedelta = "30m",
) -> Hits:
    """How many visits, or visitors, take the steps one after the other.

    Each step is a later hit than the step before, by ``timeGMT`` (hits of one second: by row);
    other hits may lie between. What must hold of one hit is one step:
    ``(pl.col("pageName") == "Thanks") & (pl.col("orders") > 0)``. Hits without visitor or time
    are in no visit, and are left out.

    Parameters
    ----------
    hits : DataFrame or LazyFrame
        With what `visits` and the steps need.
    steps : sequence or mapping
        Each is the name of a column of numbers or booleans or of an event ("orders", "event7"),
        taken where it is above 0; another text is a page's name, exactly as in ``pageName``; or it
        is an expression, true or above 0 where the step is taken. A dict names its steps.
    by : "visits" or "visitors"
        Who takes all steps: the same visit, or the same visitor in any of their visits and report
        suites.
    within : str or timedelta, optional
        The longest time from the first step to each later one: "10m".
    inactivity : str or timedelta
        When a visit is over: see `visits`.

    Returns
    -------
    DataFrame or LazyFrame
        A row per step: ``step`` (UInt32, from 1), ``name`` (String), ``visits`` or ``visitors``
        (UInt32), ``of_first`` and ``of_previous`` (Float64, 0 to 1: shares of those at the first
        step and at the one before; null where there are none).

    Raises
    ------
    UnknownColumn
        When the frame lacks a column that this needs.
    InvalidOption
        When ``steps``, ``by``, ``within`` or ``inactivity`` is not one of the above.

    Examples
    --------
    >>> import polars as pl
    >>> from livestream_nb import analysis
    >>> times = pl.from_epoch(pl.Series([0, 60, 60]))
    >>> hits = pl.DataFrame({"visIdHigh": 1, "visIdLow": [1, 1, 2], "timeGMT": times,
    ...                      "pageName": ["Home", "Cart", "Home"]})
    >>> analysis.funnel(hits, ["Home", "Cart"]).rows()
    [(1, 'Home', 2, 1.0, None), (2, 'Cart', 1, 0.5, 0.5)]
    """
    if by not in tuple(COUNTED):
        raise InvalidOption.value("by", by, 'give "visits" or "visitors"')
    limit = None if within is None else timedelta(seconds=seconds_in("within", within))
    plan = lazily(hits, "funnel", PLACED)
    names, wanted = zip(*_named(steps), strict=True)
    conditions = [_condition(plan.collect_schema(), step) for step in wanted]
    _check(plan, names, conditions)
    taken = _taken(visits(plan, inactivity), COUNTED[by], conditions)
    for number in range(1, len(names)):
        taken = taken.with_columns(_follows(number, limit))
    return as_given(hits, _counts(taken, names, by))


def _named(steps: object) -> list[tuple[str, Step]]:
    """Each step and what it is called."""
    if isinstance(steps, Mapping):
        named = list(steps.items())
    elif isinstance(steps, Sequence) and not isinstance(steps, str):
        named = [(_name(step), step) for step in steps]
    else:
        named = []
    if not named or not all(isinstance(part, Step) for pair in named for part in pair):
        raise InvalidOption.value("steps", steps, RIGHT_STEPS)
    return named


def _name(step: Step) -> str:
    """A text is its own name; so is an alias; another expression is called by what it says."""
    if not isinstance(step, pl.Expr):
        return step
    name = step.meta.output_name()
    given = name not in step.meta.root_names() or step.meta.eq(pl.col(name))
    return name if given else str(step)


def _condition(schema: pl.Schema, step: Step) -> pl.Expr:
    """What is true, or above 0, of a hit that takes the step."""
    if isinstance(step, pl.Expr):
        need(schema, "funnel", step.meta.root_names())
        return step
    if _countable(schema.get(step)):
        return pl.col(step)
    if EVENT.fullmatch(step):
        return _event(schema, step)
    need(schema, "funnel", ["pageName"])
    return pl.col("pageName") == step


def _event(schema: pl.Schema, name: str) -> pl.Expr:
    if "events" in schema:
        return entry("events", name)
    raise UnknownColumn(
        f"the step {name!r} is an event, which this frame does not have: ask the reader, as in "
        f'Reader(columns=["default", "{name}"]). If it is a page, give '
        f'pl.col("pageName") == {name!r}.'
    )


def _check(plan: pl.LazyFrame, names: Sequence[str], conditions: Sequence[pl.Expr]) -> None:
    found = plan.select(step.alias(str(number)) for number, step in enumerate(conditions))
    for name, dtype in zip(names, found.collect_schema().dtypes(), strict=True):
        if not _countable(dtype):
            raise InvalidOption(
                f"the step {name!r} is {dtype}, so it does not say which hits take it: "
                'compare it with something, as in pl.col("pageURL").str.contains("/cart").'
            )


def _countable(dtype: pl.DataType | None) -> bool:
    return dtype is not None and (dtype.is_numeric() or dtype == pl.Boolean)


def _taken(plan: pl.LazyFrame, who: pl.Expr, conditions: Sequence[pl.Expr]) -> pl.LazyFrame:
    """The hits that take a step, by ``who`` and ``time``: a column of truth for each step.

    Step 0 holds the time at which it is taken.
    """
    steps = {str(number): step.cast(pl.Float64) > 0 for number, step in enumerate(conditions)}
    return (
        plan.select(who.alias("who"), visit="visit_id", time="timeGMT", **steps)
        .filter(pl.col("visit").is_not_null() & pl.any_horizontal(*steps))
        .sort("who", "time", maintain_order=True)
        .with_columns(pl.when("0").then("time").alias("0"))
    )


def _follows(number: int, limit: timedelta | None) -> pl.Expr:
    """For each hit that takes this step after the ones before: when the first one was taken.

    The latest such time is as good as any. It never goes back while the hits of one visitor go on,
    so the last one seen is the latest, and no grouping is needed.
    """
    before = pl.col(str(number - 1))
    owner = pl.when(before.is_not_null()).then("who").forward_fill().shift()
    first = before.forward_fill().shift()
    follows = pl.col(str(number)) & (owner == pl.col("who"))
    if limit is not None:
        follows &= pl.col("time") - first <= limit
    return pl.when(follows).then(first).alias(str(number))


def _counts(taken: pl.LazyFrame, names: Sequence[str], by: str) -> pl.LazyFrame:
    reached = [
        pl.col("who").filter(pl.col(str(number)).is_not_null()).n_unique()
        for number in range(len(names))
    ]
    count = pl.col(by).cast(pl.Float64)
    return (
        taken.select(pl.concat_list(reached).explode().cast(pl.UInt32).alias(by))
        .with_columns(
            of_first=_share(count, count.first()), of_previous=_share(count, count.shift())
        )
        .select(
            pl.int_range(1, len(names) + 1, dtype=pl.UInt32).alias("step"),
            pl.lit(pl.Series(names, dtype=pl.String)).alias("name"),
            by,
            "of_first",
            "of_previous",
        )
    )


def _share(count: pl.Expr, whole: pl.Expr) -> pl.Expr:
    return pl.when(whole > 0).then(count / whole)
