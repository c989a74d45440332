"""analysis"""

import doctest
import importlib
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise
from math import ceil
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livestream_nb import analysis
from livestream_nb.errors import InvalidOption, UnknownColumn
from livestream_nb.hits.columns import resolve
from livestream_nb.hits.decode import Decoder
from livestream_nb.simulator.share import WHOLE
from livestream_nb.simulator.traffic import Traffic

HIGH = 2**64 - 1
TIME = pl.Datetime("us", "UTC")
PAIRS = pl.List(pl.Struct({"key": pl.String, "value": pl.String}))
TOTALS = pl.List(pl.Struct({"key": pl.String, "value": pl.Float64}))
PRODUCTS = pl.List(
    pl.Struct(
        {
            "category": pl.String,
            "name": pl.String,
            "units": pl.Float64,
            "revenue": pl.Float64,
            "evars": PAIRS,
            "events": TOTALS,
        }
    )
)
SCHEMA = {
    "visIdHigh": pl.UInt64,
    "visIdLow": pl.UInt64,
    "timeGMT": TIME,
    "reportSuite": pl.String,
    "pageName": pl.String,
    "purchaseId": pl.String,
    "currency": pl.String,
    "purchases": pl.Float64,
    "products": PRODUCTS,
    "events": TOTALS,
    "evars": PAIRS,
}
MODULES = ("frames", "visitors", "pages", "funnels", "orders")


def at(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime(2026, 1, 1, tzinfo=UTC) + timedelta(0, seconds)


def frame(rows: Iterable[dict[str, Any]], drop: Sequence[str] = ()) -> pl.DataFrame:
    usual = {"visIdHigh": HIGH, "visIdLow": 1, "timeGMT": at(0), "reportSuite": "shop"}
    filled = [dict.fromkeys(SCHEMA) | usual | row for row in rows]
    return pl.DataFrame(filled, schema=SCHEMA, orient="row").drop(drop)


def seen(*hits: tuple[int | None, float | None, str | None]) -> pl.DataFrame:
    """Hits from (visitor, second, page)."""
    return frame(
        {"visIdLow": who, "timeGMT": at(when), "pageName": page} for who, when, page in hits
    )


def product(name: str, revenue: float | None, units: float | None = 1.0) -> dict[str, Any]:
    kind = {"category": "Shoes", "evars": [], "events": []}
    return kind | {"name": name, "revenue": revenue, "units": units}


def bought(order: str | None, *revenues: float | None, **other: Any) -> dict[str, Any]:
    products = [product(f"p{number}", revenue) for number, revenue in enumerate(revenues)]
    sale = {"purchaseId": order, "currency": "EUR", "purchases": 1.0, "products": products}
    return sale | other


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name: str) -> None:
    """The examples in the docstrings give what they say."""
    outcome = doctest.testmod(importlib.import_module(f"livestream_nb.analysis.{name}"))
    assert outcome.attempted
    assert not outcome.failed


def test_visitors_are_exact() -> None:
    """Ids that floats, sums or digits without a mark would confuse are different visitors."""
    pairs = [(HIGH, 1), (HIGH - 1, 2), (2**53, 0), (2**53 + 1, 0), (1, 11), (11, 1), (0, 0)]
    hits = pl.DataFrame(pairs, schema={"visIdHigh": pl.UInt64, "visIdLow": pl.UInt64}, orient="row")
    assert hits.select(analysis.visitor())["visitor"].n_unique() == len(pairs)


def test_half_a_visitor_is_none() -> None:
    """With either half null there is no visitor."""
    hits = frame([{"visIdHigh": None}, {"visIdLow": None}, {}])
    assert hits.select(analysis.visitor())["visitor"].null_count() == 2


def test_visit_ends_after_inactivity() -> None:
    """A hit 30 minutes after the last one begins a visit; one a second earlier does not."""
    visits = analysis.visits(seen((1, 0, "a"), (1, 1799, "b"), (1, 3598, "c"), (1, 5398, "d")))
    assert visits["visit"].to_list() == [1, 1, 1, 2]


def test_visits_keep_the_frame() -> None:
    """All rows and columns stay as and where they were; hits are counted by time, not by row."""
    hits = seen((1, 9000, "c"), (2, 0, "x"), (1, 0, "a"), (1, 9001, "d"), (1, 60, "b"))
    visits = analysis.visits(hits)
    assert visits.select(hits.columns).equals(hits)
    assert visits.columns == [*hits.columns, "visitor", "visit", "visit_id"]
    assert visits["visit"].to_list() == [2, 1, 1, 2, 1]
    assert visits.schema["visit"] == visits.schema["visit_id"] == pl.UInt32


def test_hit_that_cannot_be_placed() -> None:
    """A hit without visitor or time is in no visit, and separates none."""
    visits = analysis.visits(seen((1, 0, "a"), (None, 1, "b"), (1, None, "c"), (1, 2, "d")))
    assert visits["visit"].to_list() == [1, None, None, 1]
    assert visits["visit_id"].to_list() == [1, None, None, 1]


def test_visits_are_per_report_suite() -> None:
    """One visitor on two report suites has a visit on each, also where a suite is null."""
    rows = [
        {"reportSuite": suite, "timeGMT": at(n)} for n, suite in enumerate(["a", "b", None, "a"])
    ]
    visits = analysis.visits(frame(rows))
    assert visits["visit"].to_list() == [1, 1, 1, 1]
    assert visits["visit_id"].n_unique() == 3
    assert analysis.visits(frame(rows, drop=["reportSuite"]))["visit_id"].n_unique() == 1


HITS = st.lists(
    st.tuples(
        st.sampled_from([None, 0, 1, 2]),
        st.one_of(st.none(), st.integers(0, 40).map(lambda part: part * 300.0)),
        st.sampled_from([None, "", " ", "A", "B", "C"]),
        st.sampled_from([None, "x", "y"]),
    ),
    max_size=25,
)


def traffic(hits: Sequence[tuple[Any, ...]]) -> pl.DataFrame:
    return frame(
        {"visIdLow": who, "timeGMT": at(when), "pageName": page, "reportSuite": suite}
        for who, when, page, suite in hits
    )


def slow_visits(hits: Sequence[tuple[Any, ...]]) -> list[list[int]]:
    """The rows of each visit in order, by plain Python."""
    found: list[list[int]] = []
    latest: dict[tuple[Any, Any], tuple[float, list[int]]] = {}
    placed = [row for row, hit in enumerate(hits) if hit[0] is not None and hit[1] is not None]
    for row in sorted(placed, key=lambda row: hits[row][1]):
        who, when, _, suite = hits[row]
        last, visit = latest.get((who, suite), (None, []))
        if last is None or when - last >= 1800:
            visit = []
            found.append(visit)
        visit.append(row)
        latest[who, suite] = (when, visit)
    return found


@given(HITS)
@settings(deadline=None, max_examples=50)
def test_visits_are_what_they_should_be(hits: list[tuple[Any, ...]]) -> None:
    """The rows of each visit are those that plain Python finds, and visits count up from 1."""
    visits = analysis.visits(traffic(hits)).with_row_index("row").drop_nulls("visit_id")
    found = visits.group_by("visit_id").agg(pl.col("row").sort())["row"].to_list()
    assert sorted(found) == sorted(sorted(visit) for visit in slow_visits(hits))
    numbers = (
        visits.sort("timeGMT", maintain_order=True)
        .group_by("visitor", "reportSuite")
        .agg(pl.col("visit").unique(maintain_order=True))
    )
    assert all(row == list(range(1, len(row) + 1)) for row in numbers["visit"].to_list())


@given(HITS)
@settings(deadline=None, max_examples=50)
def test_edges_are_what_they_should_be(hits: list[tuple[Any, ...]]) -> None:
    """Landing and exit pages are the first and last page with a name of each visit."""
    for analyse, edge in ((analysis.landing_pages, 0), (analysis.exit_pages, -1)):
        visits = slow_visits(hits)
        expected: dict[str | None, list[int]] = {}
        for visit in visits:
            pages = [hits[row][2] for row in visit if (hits[row][2] or "").strip()]
            counts = expected.setdefault(pages[edge] if pages else None, [0, 0])
            counts[0] += 1
            counts[1] += len(visit) == 1
        pages = analyse(traffic(hits))
        assert {p: [v, b] for p, v, b, _ in pages.rows()} == expected
        shares = [number / len(visits) for number in pages["visits"].to_list()]
        assert pages["share"].to_list() == pytest.approx(shares)
        order = [(-row[1], row[0] is None, row[0] or "") for row in pages.rows()]
        assert order == sorted(order)


def slow_reach(
    hits: Sequence[tuple[Any, ...]], rows: list[int], steps: Sequence[str], limit: float
) -> int:
    """How many steps the rows take: every way to take them is tried."""
    ways: list[tuple[int, float]] = [(-1, 0.0)]
    for number, step in enumerate(steps):
        ways = [
            (place, hits[row][1] if number == 0 else began)
            for before, began in ways
            for place, row in enumerate(rows)
            if place > before and hits[row][2] == step
            if number == 0 or hits[row][1] - began <= limit
        ]
        if not ways:
            return number
    return len(steps)


@given(
    HITS,
    st.lists(st.sampled_from("ABC"), min_size=1, max_size=4),
    st.sampled_from([None, 300, 900, 3000]),
    st.sampled_from(["visits", "visitors"]),
)
@settings(deadline=None, max_examples=50)
def test_funnel_is_what_it_should_be(
    hits: list[tuple[Any, ...]], steps: list[str], limit: int | None, by: str
) -> None:
    """Those who reach each step are those for whom plain Python finds any way to it."""
    journeys = slow_visits(hits)
    if by == "visitors":
        placed = [row for visit in journeys for row in visit]
        ordered = sorted(placed, key=lambda row: (hits[row][1], row))
        journeys = [[row for row in ordered if hits[row][0] == who] for who in (0, 1, 2)]
    reach = [slow_reach(hits, rows, steps, limit or float("inf")) for rows in journeys]
    counts = [sum(reached > number for reached in reach) for number in range(len(steps))]
    within = None if limit is None else f"{limit}s"
    found = analysis.funnel(traffic(hits), steps, by=by, within=within)
    assert found[by].to_list() == counts
    of_first = [n / counts[0] if counts[0] else None for n in counts]
    assert found["of_first"].to_list() == pytest.approx(of_first)
    shares = [b / a if a else None for a, b in pairwise(counts)]
    assert found["of_previous"].to_list() == pytest.approx([None, *shares])
    assert found["name"].to_list() == steps
    assert found["step"].to_list() == list(range(1, len(steps) + 1))


def test_within_may_begin_again() -> None:
    """A visitor who begins twice may take the steps in time from the second beginning."""
    hits = seen((1, 0, "Home"), (1, 1000, "Home"), (1, 1300, "Cart"))
    assert analysis.funnel(hits, ["Home", "Cart"], within="5m")["visits"].to_list() == [1, 1]
    assert analysis.funnel(hits, ["Home", "Cart"], within="4m")["visits"].to_list() == [1, 0]
    assert analysis.funnel(hits, ["Home", "Home"], within="4m")["visits"].to_list() == [1, 0]


def test_step_needs_a_hit_of_its_own() -> None:
    """One hit takes one step; two hits of one second are two steps, by row."""
    once, twice = seen((1, 0, "A")), seen((1, 0, "A"), (1, 0, "A"))
    assert analysis.funnel(once, ["A", "A"])["visits"].to_list() == [1, 0]
    assert analysis.funnel(twice, ["A", "A"])["visits"].to_list() == [1, 1]


def test_hits_of_one_second_go_by_row() -> None:
    """However many hits one second has, they happened in the order of their rows."""
    hits = seen(*((visitor, 60 - row % 3, f"p{row}") for row in range(900) for visitor in (1, 2)))
    assert analysis.landing_pages(hits)["page"].to_list() == ["p2"]
    assert analysis.exit_pages(hits)["page"].to_list() == ["p897"]
    steps = [f"p{row}" for row in range(2, 900, 30)]
    assert analysis.funnel(hits, steps)["visits"].to_list() == [2] * 30
    assert analysis.funnel(hits, steps[::-1])["visits"].to_list() == [2] + [0] * 29


def test_steps_of_every_kind() -> None:
    """Pages, event columns, events in the list and expressions are steps, and have names."""
    event = [{"key": "event7", "value": 2.0}]
    rows = [
        {"pageName": "Home", "purchases": 0.0},
        {"events": event},
        {"pageName": "Thanks", "purchases": 1.0},
    ]
    hits = frame(row | {"timeGMT": at(n)} for n, row in enumerate(rows))
    found = analysis.funnel(hits, ["Home", "event7", "purchases"])
    assert found["visits"].to_list() == [1, 1, 1]
    thanks = pl.col("pageName") == "Thanks"
    steps = {"start": "Home", "end": thanks & (pl.col("purchases") > 0)}
    named = analysis.funnel(hits, steps)
    assert named.select("name", "visits").rows() == [("start", 1), ("end", 1)]
    unnamed = [pl.col("purchases"), thanks.alias("bought"), thanks]
    names = analysis.funnel(hits, unnamed)["name"].to_list()
    assert names[:2] == ["purchases", "bought"]
    assert "Thanks" in names[2]


def test_event_that_is_not_there_is_no_page() -> None:
    """A step named as an event is refused when the frame lacks it, never counted as 0."""
    hits = frame([{}], drop=["events", "purchases"])
    for name in ("purchases", "event61", "cartAdditions"):
        with pytest.raises(UnknownColumn, match=rf'Reader\(columns=\["default", "{name}"\]\)'):
            analysis.funnel(hits, [name])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": "Home"}, "steps='Home' is not possible: give a list such as [\"Home\""),
        ({"steps": []}, "steps="),
        ({"steps": {}}, "steps="),
        ({"steps": [7]}, "steps="),
        ({"steps": [pl.col("pageName")]}, "the step 'pageName' is String, so it does not say"),
        ({"steps": ["A"], "by": ["visits"]}, "by=['visits']"),
        ({"steps": ["A"], "by": "people"}, 'give "visits" or "visitors"'),
        ({"steps": ["A"], "within": "soon"}, "within='soon'"),
        ({"steps": ["A"], "inactivity": 30}, "inactivity=30"),
    ],
)
def test_wrong_funnels_are_refused(options: dict[str, Any], message: str) -> None:
    """A wrong option names itself and the right ones."""
    with pytest.raises(InvalidOption) as refusal:
        analysis.funnel(seen((1, 0, "A")), **options)
    assert message in str(refusal.value)


def test_top_counts_nulls_and_blanks() -> None:
    """Null and blank are values of their own; equals come in the order of their values."""
    hits = seen((1, 0, None), (2, 0, ""), (None, 0, "B"), (1, 0, "A"), (1, 0, "A"), (3, 0, None))
    top = analysis.top(hits, "pageName")
    assert top.columns == ["value", "hits", "visitors", "share"]
    expected = [("A", 2, 1), (None, 2, 2), ("", 1, 1), ("B", 1, 0)]
    assert top.select("value", "hits", "visitors").rows() == expected
    assert top["share"].to_list() == [2 / 6, 2 / 6, 1 / 6, 1 / 6]


def test_top_by_visitors() -> None:
    """Visitors rank, and the share is of all visitors, not of the sum."""
    hits = seen((1, 0, "A"), (1, 0, "A"), (1, 0, "A"), (1, 0, "B"), (2, 0, "B"), (None, 0, "A"))
    top = analysis.top(hits, "pageName", by="visitors")
    assert top.select("value", "visitors", "share").rows() == [("B", 2, 1.0), ("A", 1, 0.5)]


def test_top_by_a_measure() -> None:
    """An expression ranks under its own name; its share is of the whole frame, also beyond n."""
    rows = [("A", 0.1), ("A", 0.2), ("B", 0.6), ("C", None)]
    hits = frame({"pageName": page, "purchases": value} for page, value in rows)
    top = analysis.top(hits, "pageName", n=2, by=analysis.money("purchases").sum())
    assert top.columns == ["value", "hits", "visitors", "purchases", "share"]
    assert top["purchases"].to_list() == [Decimal("0.60"), Decimal("0.30")]
    assert top["share"].to_list() == pytest.approx([2 / 3, 1 / 3])
    nothing = analysis.top(hits, "pageName", n=None, by=pl.col("purchases").sum() * 0)
    assert nothing["share"].to_list() == [None] * 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"by": "revenue"}, 'by=\'revenue\' is not possible: give "hits", "visitors", or an'),
        ({"by": pl.col("purchases")}, "makes one number of many hits"),
        ({"by": pl.len().alias("share")}, "give it an alias()"),
        ({"what": "evars"}, "name a column of single values"),
        ({"n": 0}, "n=0"),
    ],
)
def test_wrong_tops_are_refused(options: dict[str, Any], message: str) -> None:
    """A wrong option names itself and the right ones."""
    with pytest.raises(InvalidOption) as refusal:
        analysis.top(seen((1, 0, "A")), **({"what": "pageName"} | options))
    assert message in str(refusal.value)


def test_money_adds_up() -> None:
    """0.1 and 0.2 are 0.30; 17.99 stays 17.99; halves round away from zero."""
    amounts = pl.DataFrame({"revenue": [0.1, 0.2, 17.99, -0.125, 0.125, None]})
    exact = amounts.select(analysis.money("revenue"))["revenue"]
    expected = ["0.10", "0.20", "17.99", "-0.13", "0.13"]
    assert exact.to_list() == [*map(Decimal, expected), None]
    assert exact.dtype == pl.Decimal(38, 2)
    assert exact.head(2).sum() == Decimal("0.30")


@given(st.lists(st.integers(-(2**51) + 1, 2**51 - 1), max_size=20))
@settings(deadline=None, max_examples=50)
def test_money_is_exact(hundredths: list[int]) -> None:
    """Every amount below 22 trillion is exact to the cent, and so is the sum."""
    amounts = pl.DataFrame({"x": [n / 100 for n in hundredths]}, schema={"x": pl.Float64})
    exact = amounts.select(analysis.money("x"))["x"]
    assert exact.to_list() == [Decimal(n) / 100 for n in hundredths]
    assert (exact.sum() or Decimal(0)) == Decimal(sum(hundredths)) / 100


@pytest.mark.parametrize("amount", [float("nan"), float("inf"), 1e300, 2.0**51 / 100])
def test_money_beyond_exactness_is_null(amount: float) -> None:
    """What no longer holds cents is null, and so is the revenue of its order."""
    assert pl.select(analysis.money(pl.lit(amount))).item() is None
    assert analysis.orders(frame([bought("1", amount, 5.0)]))["revenue"].to_list() == [None]


def test_orders_are_told_apart() -> None:
    """Hits of one purchase id are one order, the earliest counts; without one, each is its own."""
    rows = [
        bought("1", 9.0, timeGMT=at(50), visIdLow=2),
        bought("1", 0.1, 0.2, timeGMT=at(10)),
        bought("1", 7.0, timeGMT=None),
        bought("", 1.0, timeGMT=at(20)),
        bought(" ", 2.0, timeGMT=at(30)),
        bought(None, 3.0, timeGMT=at(40), currency="USD"),
        bought("1", 4.0, timeGMT=at(60), reportSuite="other"),
        bought("2", 5.0, purchases=None),
        bought("3", 5.0, purchases=0.0),
    ]
    orders = analysis.orders(frame(rows))
    assert orders.select("purchaseId", "currency", "revenue", "repeats").rows() == [
        ("1", "EUR", Decimal("0.30"), 2),
        (None, "EUR", Decimal("1.00"), 0),
        (None, "EUR", Decimal("2.00"), 0),
        (None, "USD", Decimal("3.00"), 0),
        ("1", "EUR", Decimal("4.00"), 0),
    ]
    assert orders.schema["revenue"] == pl.Decimal(38, 2)
    assert orders["visitor"][0] == f"{HIGH}-1"
    merged = analysis.orders(frame(rows, drop=["reportSuite"]))
    assert merged["repeats"].to_list() == [3, 0, 0, 0]


def test_orders_without_products() -> None:
    """No products, null ones and null numbers are nothing, not an error."""
    rows = [bought("1"), bought("2", products=None), bought("3", None, 2.5)]
    orders = analysis.orders(frame(rows))
    totals = [(0, 0.0, Decimal("0.00")), (0, 0.0, Decimal("0.00")), (2, 2.0, Decimal("2.50"))]
    assert orders.select("lines", "units", "revenue").rows() == totals
    assert str(orders["units"][0]) == "0.0"
    lines = analysis.order_lines(frame(rows))
    found = [("3", "p0", None), ("3", "p1", Decimal("2.50"))]
    assert lines.select("purchaseId", "name", "revenue").rows() == found


def test_orders_by_the_list_of_events() -> None:
    """Where the events are one list, purchases are found in it."""
    rows = [
        bought("1", 1.0, events=[{"key": "orders", "value": 1.0}]),
        bought("2", 1.0, events=[{"key": "purchases", "value": 2.0}]),
        bought("3", 1.0, events=[{"key": "carts", "value": 1.0}]),
        bought("4", 1.0, events=None),
    ]
    orders = analysis.orders(frame(rows, drop=["purchases"]))
    assert orders["purchaseId"].to_list() == ["1", "2"]


def test_entry_of_a_list() -> None:
    """A key's value comes out of its list: null where the hit has none."""
    rows = [{"evars": [{"key": "evar1", "value": "x"}, {"key": "evar2", "value": ""}]}, {}]
    found = frame(rows).select(analysis.entry("evars", "evar2"), analysis.entry("evars", "evar9"))
    assert found.rows() == [("", None), (None, None)]
    assert found.columns == ["evar2", "evar9"]


ANALYSES = {
    "visits": analysis.visits,
    "landing_pages": analysis.landing_pages,
    "exit_pages": analysis.exit_pages,
    "top": lambda hits: analysis.top(hits, "pageName"),
    "funnel": lambda hits: analysis.funnel(hits, ["A", "purchases"]),
    "orders": analysis.orders,
    "order_lines": analysis.order_lines,
}


@pytest.mark.parametrize("name", ANALYSES)
def test_lazy_in_lazy_out(name: str) -> None:
    """A LazyFrame gives a LazyFrame, of the same rows, dtypes and order as the DataFrame."""
    hits = frame([bought("1", 1.0, pageName="A"), bought("2", 2.0, pageName="B")])
    found, lazy = ANALYSES[name](hits), ANALYSES[name](hits.lazy())
    assert isinstance(lazy, pl.LazyFrame)
    assert lazy.collect_schema() == found.schema
    assert lazy.collect().equals(found)


@pytest.mark.parametrize("name", ANALYSES)
def test_empty_frames(name: str) -> None:
    """No hits give the same columns, and no rows but a funnel's steps at 0."""
    hits = frame([bought("1", 1.0, pageName="A")])
    found, empty = ANALYSES[name](hits), ANALYSES[name](hits.clear())
    assert empty.schema == found.schema
    assert empty.height == (2 if name == "funnel" else 0)


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("visits", ["timeGMT"]),
        ("landing_pages", ["pageName"]),
        ("exit_pages", ["visIdLow"]),
        ("top", ["pageName", "visIdHigh"]),
        ("funnel", ["pageName"]),
        ("orders", ["products", "currency"]),
        ("order_lines", ["purchaseId"]),
    ],
)
def test_missing_columns_are_named(name: str, missing: list[str]) -> None:
    """Who needs which columns is said, all at once, and how to ask for them."""
    with pytest.raises(UnknownColumn) as refusal:
        ANALYSES[name](frame([{}], drop=missing))
    asked = ", ".join(f'"{column}"' for column in ["default", *missing])
    assert str(refusal.value).startswith(f"{name}() needs the column")
    assert f"Reader(columns=[{asked}])" in str(refusal.value)


def test_missing_events_are_named() -> None:
    """Without any column that tells a purchase, orders() asks for one."""
    lacking = frame([{}], drop=["purchases", "events", "currency"])
    with pytest.raises(UnknownColumn, match=r"orders\(\) needs the columns currency, purchases,"):
        analysis.orders(lacking)


@pytest.mark.parametrize("name", ANALYSES)
def test_only_frames(name: str) -> None:
    """Anything but a frame of polars is refused, and the message says what to give."""
    with pytest.raises(InvalidOption, match=r"hits is a dict.*reader\.hits\(\)"):
        ANALYSES[name]({"pageName": ["A"]})


def made(count: int) -> list[bytes]:
    made = Traffic(3, 40.0)
    moments = [1_800_000_000.0 + time for time in made.times(0, count, WHOLE)]
    return made.records(0, count, WHOLE, moments)


def decoded(lines: Sequence[bytes]) -> pl.DataFrame:
    """The hits in these records, with all columns that an analysis asks for."""
    decoder = Decoder(resolve(["default", "purchaseId", "currency", "purchases", "products"]))
    return decoder.decode(b"\n".join(lines) + b"\n", connection=1, arrived=0.0).frame


@pytest.mark.parametrize("name", ANALYSES)
@pytest.mark.parametrize("rows", [1, 7, 60])
def test_a_frame_in_many_parts(name: str, rows: int) -> None:
    """It is all the same whether the hits lie together or in parts, as a reader holds them."""
    hits = decoded(made(2_000))
    parts = pl.concat([hits[n : n + rows] for n in range(0, hits.height, rows)], rechunk=False)
    assert parts.n_chunks() == ceil(2_000 / rows)
    together = ANALYSES[name](hits)
    assert together.height
    assert ANALYSES[name](parts).equals(together)
    assert ANALYSES[name](parts.lazy()).collect().equals(together)


def test_real_run() -> None:
    """The orders of the simulator's shop are those in its records, to the cent."""
    lines = made(10_000)
    hits = decoded(lines)
    expected: dict[str, Decimal] = {}
    for record in map(json.loads, lines):
        if "purchases" in record["events"]:
            sums = (Decimal(str(item["revenue"])) for item in record["products"])
            expected[record["purchaseId"]] = sum(sums, Decimal(0)).quantize(
                Decimal("0.01"), ROUND_HALF_UP
            )
    orders = analysis.orders(pl.concat([hits, hits]))
    assert len(expected) > 10
    assert dict(orders.select("purchaseId", "revenue").iter_rows()) == expected
    assert set(orders["repeats"]) == {1}
    lines_of = analysis.order_lines(hits).group_by("purchaseId").agg(pl.col("revenue").sum())
    assert dict(lines_of.iter_rows()) == expected
    visits = analysis.visits(hits)
    assert visits["visit_id"].null_count() == 0
    assert analysis.landing_pages(hits)["visits"].sum() == visits["visit_id"].n_unique()
    steps = analysis.funnel(hits, [pl.col("pageName").is_not_null(), "purchases"])["visits"]
    assert 0 < steps[1] <= len(expected) < steps[0]
