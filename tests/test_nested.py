"""Columns of several values per hit: ``hits/nested.py``."""

from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livestream_nb.hits.nested import DTYPES, read, series

ONE = [{"count": 1, "exponent": 0, "unique": ""}]
HALF = "\ud83d"
ACTIVITY = {"campaignId": "13234", "recipeId": "23", "trafficType": "0"}
ACTIVITY |= {"actionId": "1", "actionName": "Experience Visit"}
PRODUCT = {
    "category": "Clothing",
    "evars": {},
    "events": {"event61": [{"count": 3, "exponent": 0, "unique": ""}]},
    "name": "Mens Black Running Shoes",
    "revenue": 1799,
    "units": 15,
}
NO_PRODUCT = dict.fromkeys(("category", "name", "units", "revenue", "evars", "events"))

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
names = st.dictionaries(texts, st.none() | texts, max_size=4)
amounts = st.dictionaries(texts, st.none() | st.floats(-1e9, 1e9), max_size=4)
hierarchies = st.dictionaries(
    texts,
    st.fixed_dictionaries(
        {"delim": st.none() | st.sampled_from(":|/"), "values": st.none() | st.lists(texts)}
    ),
    max_size=3,
)
numbers = st.none() | st.floats(-1e9, 1e9)
labels = st.none() | texts
products = st.fixed_dictionaries(
    {"category": labels, "name": labels, "units": numbers, "revenue": numbers}
    | {"evars": st.none() | names, "events": st.none() | amounts}
)
activities = st.fixed_dictionaries(dict.fromkeys(ACTIVITY, labels))
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "texts": st.lists(st.none() | texts, max_size=4),
    "pairs": names,
    "totals": amounts,
    "hierarchies": hierarchies,
    "products": st.lists(products, max_size=3),
    "activities": st.lists(activities, max_size=3),
}
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["values", "delim", "name", "events", "evars", "count", "actionId"])
            | st.text(st.characters(), max_size=2),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)


def shown(kind: str, value: object) -> Any:
    """What a column shows of one JSON value in which everything is readable."""
    cell, unreadable = seen(kind, value)
    assert unreadable == 0
    return cell


def seen(kind: str, value: object) -> tuple[Any, int]:
    """What a column shows of one JSON value, and how much of it was unreadable."""
    normal, unreadable = read(kind, value)
    return series("column", kind, [normal]).to_list()[0], unreadable


def listed(value: dict[str, Any] | None) -> list[dict[str, Any]] | None:
    return None if value is None else [{"key": key, "value": each} for key, each in value.items()]


def expected(kind: str, value: Any) -> Any:
    """A value of `VALUES` as the column shows it."""
    match kind:
        case "pairs" | "totals":
            return listed(value)
        case "hierarchies":
            return [{"key": key, **each} for key, each in value.items()]
        case "products":
            both = ("evars", "events")
            return [each | {key: listed(each[key]) for key in both} for each in value]
    return value


@pytest.mark.parametrize("kind", DTYPES)
@given(data=st.data())
def test_a_column_shows_what_the_records_hold(kind: str, data: st.DataObject) -> None:
    """Documented values come out as they went in, row by row, whatever is null or empty."""
    values = data.draw(st.lists(st.none() | VALUES[kind], max_size=5))
    read_all = [read(kind, value) for value in values]
    assert all(unreadable == 0 for _, unreadable in read_all)
    column = series("column", kind, [normal for normal, _ in read_all])
    assert (column.name, column.dtype) == ("column", DTYPES[kind])
    assert column.to_list() == [v if v is None else expected(kind, v) for v in values]


@pytest.mark.parametrize("kind", DTYPES)
@given(value=json_values)
def test_any_json_value_is_read_or_refused(kind: str, value: object) -> None:
    """Whatever a record holds, reading it gives a row of the column's type, or a ValueError."""
    try:
        normal, unreadable = read(kind, value)
    except ValueError:
        return
    column = series("column", kind, [None, normal, None])
    assert (column.dtype, len(column), unreadable >= 0) == (DTYPES[kind], 3, True)
    assert column[0] is column[2] is None


@pytest.mark.parametrize("kind", DTYPES)
@pytest.mark.parametrize("rows", [[], [None], [[]], [None, None], [[], None], [None, [], []]])
def test_null_and_empty_are_told_apart(kind: str, rows: list[Any]) -> None:
    """A column of nothing but nulls and empty lists has its type, and tells them apart."""
    column = series("column", kind, rows)
    assert (column.name, column.dtype, column.to_list()) == ("column", DTYPES[kind], rows)


@pytest.mark.parametrize("kind", DTYPES)
def test_absent_is_null_and_empty_is_empty(kind: str) -> None:
    """JSON null and blank text are a null; an empty object and an empty list are an empty list."""
    assert [read(kind, value) for value in (None, "", " ")] == [(None, 0)] * 3
    assert [read(kind, value) for value in ({}, [])] == [([], 0)] * 2


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("texts", {"value": ["a"]}),
        ("texts", {"values": {"a": "b"}}),
        *(("pairs", value) for value in (5, 0, False, "x", ["x"], [{"a": "b"}])),
        *(("totals", value) for value in (5, 0, False, "event1")),
        *(("hierarchies", value) for value in (5, 0, False, "a:b", ["a"])),
        *(("products", value) for value in (5, 0, False, "shoes", {"price": 3})),
        *(("activities", value) for value in (5, 0, False, "1:2:3")),
    ],
)
def test_what_cannot_be_such_a_value_is_refused(kind: str, value: object) -> None:
    """A whole of another shape is a ValueError, never an empty list."""
    with pytest.raises(ValueError, match="not a value that the column holds"):
        read(kind, value)


def test_variables_keep_their_order_and_become_text() -> None:
    """Variables are in the record's order; numbers and booleans are text, blanks stay."""
    record = {"evar9": 1.0, "campaign": "DFA:172612", "evar1": "", "evar2": True, "evar3": 7}
    assert shown("pairs", record) == [
        {"key": "evar9", "value": "1.0"},
        {"key": "campaign", "value": "DFA:172612"},
        {"key": "evar1", "value": ""},
        {"key": "evar2", "value": "true"},
        {"key": "evar3", "value": "7"},
    ]


def test_an_unreadable_variable_is_null_beside_its_key() -> None:
    """A variable that is no text is null and counted; one that is JSON null is not counted."""
    record = {"evar1": {"a": 1}, "evar2": None, "evar3": ["x"], "evar4": "kept"}
    cell, unreadable = seen("pairs", record)
    assert [pair["value"] for pair in cell] == [None, None, None, "kept"]
    assert [pair["key"] for pair in cell] == list(record)
    assert unreadable == 2


@pytest.mark.parametrize("pair", [{f"evar{HALF}": "x"}, {"evar1": f"a{HALF}"}])
def test_half_characters_are_replaced(pair: dict[str, str]) -> None:
    """Half of a surrogate pair, which no frame can hold, is U+FFFD in keys and in values."""
    ((key, value),) = pair.items()
    whole = {"key": key.replace(HALF, "\ufffd"), "value": value.replace(HALF, "\ufffd")}
    assert shown("pairs", pair) == [whole]
    assert shown("texts", [key, value]) == [whole["key"], whole["value"]]


def test_events_are_valued_as_their_own_columns_are() -> None:
    """An event is the sum of count x 10^-exponent over its instances; a bare number is itself."""
    record = {
        "instances": ONE,
        "event7": ONE * 3,
        "event9": [{"count": 1799, "exponent": 2}, {"count": "1", "exponent": 2}],
        "event10": {"count": 5},
        "event11": "2.5",
        "event12": None,
        "event13": " ",
    }
    values = {pair["key"]: pair["value"] for pair in shown("totals", record)}
    assert list(values) == list(record)
    assert list(values.values()) == [1.0, 3.0, 18.0, 5.0, 2.5, None, None]


def test_an_unreadable_event_is_null_beside_its_key() -> None:
    """One unreadable instance makes its event null, counted once; the neighbours stay."""
    record = {"event1": [*ONE, {"total": 3}, "x"], "event2": "many", "event3": ONE}
    cell, unreadable = seen("totals", record)
    assert [pair["value"] for pair in cell] == [None, None, 1.0]
    assert unreadable == 2


def test_events_in_a_list_of_objects_are_put_together() -> None:
    """Of several objects, each event has all instances; what is no object is counted."""
    tenth = {"count": 1, "exponent": 1}
    objects = [
        {"event1": [tenth], "event2": 4, "event3": None},
        {"event1": [{"count": 2, "exponent": 1}], "event3": ONE, "event4": " "},
        "event5",
        None,
        {"event2": "0.5", "event1": tenth, "event4": None},
        {"event2": " "},
    ]
    cell, unreadable = seen("totals", objects)
    assert cell == [
        {"key": "event1", "value": 0.4},
        {"key": "event2", "value": 4.5},
        {"key": "event3", "value": 1.0},
        {"key": "event4", "value": None},
    ]
    assert unreadable == 1


@pytest.mark.parametrize(
    ("delim", "values"),
    [
        (58, "home:clothing::shoes"),
        ("58", "home:clothing::shoes"),
        (":", "home:clothing::shoes"),
        (":", ["home", "clothing", "", "shoes"]),
    ],
)
def test_both_spellings_of_a_hierarchy(delim: object, values: object) -> None:
    """A delimiter is a character or its code; the levels one text or a list, blank ones too."""
    record = {"site": {"delim": delim, "values": values}}
    levels = ["home", "clothing", "", "shoes"]
    assert shown("hierarchies", record) == [{"key": "site", "delim": ":", "values": levels}]


@pytest.mark.parametrize("delim", [0, -1, 0x110000, "::", "", True, [58]])
def test_levels_without_a_delimiter_are_one(delim: object) -> None:
    """An unreadable delimiter is null and counted; a text is then a single level."""
    cell, unreadable = seen("hierarchies", {"site": {"delim": delim, "values": "a:b"}})
    assert cell == [{"key": "site", "delim": None, "values": ["a:b"]}]
    assert unreadable == 1


def test_a_space_and_the_last_character_are_delimiters() -> None:
    """Blank is a delimiter like any other, and so is the last code of all."""
    last = chr(0x10FFFF)
    record = {
        "spaced": {"delim": " ", "values": "a b"},
        "last": {"delim": 0x10FFFF, "values": f"a{last}b"},
    }
    cell = shown("hierarchies", record)
    assert [each["values"] for each in cell] == [["a", "b"], ["a", "b"]]
    assert [each["delim"] for each in cell] == [" ", last]


def test_a_hierarchy_without_levels_keeps_its_name() -> None:
    """Levels that are null, absent or blank are null; what is unreadable is null and counted."""
    record = {
        "none": None,
        "null": {"delim": 58, "values": None},
        "absent": {"delim": 58},
        "blank": {"delim": 58, "values": " "},
        "empty": {"values": []},
        "number": 5,
        "object": {"delim": 58, "values": {"1": "a"}},
        "mixed": {"delim": 58, "values": ["a", 2, None, ["b"]]},
    }
    cell, unreadable = seen("hierarchies", record)
    assert [each["key"] for each in cell] == list(record)
    assert [each["values"] for each in cell] == [
        *([None] * 4),
        [],
        None,
        None,
        ["a", "2", None, None],
    ]
    assert unreadable == 3


@pytest.mark.parametrize(
    "value",
    [
        ["red", "", "7"],
        ["red", "", 7],
        "red,,7",
        {"values": ["red", "", "7"], "delim": 44},
        {"values": ["red", "", "7"], "delim": "beyond"},
        {"values": "red,,7"},
        {"values": "red||7", "delim": 124},
        {"values": "red||7", "delim": "|"},
    ],
)
def test_every_spelling_of_a_list_variable(value: object) -> None:
    """Values are a list or one text, bare or with a delimiter beside them; else it is a comma."""
    assert shown("texts", value) == ["red", "", "7"]


def test_an_unreadable_value_keeps_its_place() -> None:
    """Of a list variable's values an unreadable one is null where it stood."""
    assert seen("texts", ["a", {"b": 1}, None, "c"]) == (["a", None, None, "c"], 1)
    assert seen("texts", {"values": "a,b", "delim": "beyond"}) == (["a", "b"], 1)
    assert [read("texts", {"values": each}) for each in (None, " ")] == [(None, 0)] * 2


def test_a_product_of_the_example_page() -> None:
    """The example's product, in a list and by itself, has all its values as they are."""
    row = {"category": "Clothing", "name": "Mens Black Running Shoes"}
    row |= {"units": 15.0, "revenue": 1799.0, "evars": []}
    row |= {"events": [{"key": "event61", "value": 3.0}]}
    assert shown("products", [PRODUCT]) == shown("products", PRODUCT) == [row]


def test_what_is_missing_in_a_product_is_null() -> None:
    """A product has every field; absent, null and blank numbers are null, a blank name is text."""
    (row,) = shown("products", [{"name": "", "units": "", "revenue": None, "evars": " "}])
    assert row == NO_PRODUCT | {"name": ""}


def test_what_is_unreadable_in_a_product_is_null() -> None:
    """What is unreadable anywhere inside a product is null and counted, its neighbours stay."""
    product = {
        "name": ["x"],
        "units": "two",
        "revenue": "17.99",
        "evars": {"evar1": {}, "evar2": "rust"},
        "events": 5,
    }
    (row,), unreadable = seen("products", [product])
    pairs = [{"key": "evar1", "value": None}, {"key": "evar2", "value": "rust"}]
    assert row == NO_PRODUCT | {"revenue": 17.99, "evars": pairs}
    assert unreadable == 4


def test_entries_that_are_no_products_are_left_out() -> None:
    """Of a list, an entry without any known field is left out, and counted if it says anything."""
    cell, unreadable = seen("products", [None, {}, "", {"price": 3}, "shoes", 0, {"name": "Shoe"}])
    assert cell == [NO_PRODUCT | {"name": "Shoe"}]
    assert unreadable == 3


def test_activities_of_target() -> None:
    """Activities are a list of objects or a single one; numbers are text, what is absent null."""
    retyped = ACTIVITY | {"campaignId": 13234, "recipeId": 23}
    assert shown("activities", [retyped]) == shown("activities", ACTIVITY) == [ACTIVITY]
    assert shown("activities", [{"actionId": "65535"}]) == [
        dict.fromkeys(ACTIVITY) | {"actionId": "65535"}
    ]


def test_activities_as_texts_are_unreadable() -> None:
    """Texts of which no page of Livestream says what they mean are not guessed at."""
    with pytest.raises(ValueError, match="not a value that the column holds"):
        read("activities", {"values": ["13234:23:0"], "delim": 44})
    assert seen("activities", ["13234:23:0", ACTIVITY]) == ([ACTIVITY], 1)


def test_columns_are_a_single_chunk_and_go_on_in_polars() -> None:
    """A column is one chunk, and polars unpacks it to as many rows as there were values."""
    rows = [read("pairs", {f"evar{i}": str(row) for i in range(row)})[0] for row in range(300)]
    column = series("evars", "pairs", rows)
    assert column.n_chunks() == 1
    pairs = column.to_frame().with_row_index().filter(pl.col("evars").list.len() > 0)
    unpacked = pairs.explode("evars").unnest("evars")
    assert unpacked.height == sum(range(300))
    assert unpacked["value"].cast(pl.UInt32).equals(unpacked["index"].alias("value"))
