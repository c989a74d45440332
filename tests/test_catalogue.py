"""hits/catalogue.py, hits/keys.py and hits/sketch.py"""

import gzip
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livestream_nb.hits.catalogue import DEEPEST, MOST_KEYS, Catalogue
from livestream_nb.hits.columns import resolve
from livestream_nb.hits.keys import LONGEST_EXAMPLE
from livestream_nb.hits.sketch import KEPT_HASHES, Distinct

REAL_DAY = Path(__file__).parents[2] / "shared" / "traffic" / "zwitchdev-2015-07-13.ndjson.gz"
SCHEMA = {
    "field": pl.String,
    "types": pl.String,
    "filled": pl.Float64,
    "distinct": pl.UInt64,
    "example": pl.String,
    "column": pl.String,
    "in_frame": pl.Boolean,
    "meaning": pl.String,
    "sampled": pl.UInt32,
}


def of(*records: dict[str, Any], columns: object = None) -> dict[str, dict[str, Any]]:
    """The catalogue of hits with these fields, each looked into; by field."""
    catalogue = Catalogue(resolve(columns))
    for number, record in enumerate(records):
        line = json.dumps({"hitIdLow": number, **record}).encode()
        catalogue.offer([line], float(number))
    frame = catalogue.frame()
    assert frame.height == 0 or frame["sampled"].unique().to_list() == [len(records)]
    return {row["field"]: row for row in frame.drop("sampled").iter_rows(named=True)}


def sampled(catalogue: Catalogue) -> int:
    frame = catalogue.frame()
    return frame["sampled"][0] if frame.height else 0


def test_nothing_seen_is_an_empty_frame() -> None:
    """Before the first record the frame has its columns and no row."""
    frame = Catalogue(resolve(None)).frame()
    assert frame.schema == SCHEMA
    assert frame.height == 0


def test_a_row_says_all() -> None:
    """A row has type, fill rate, distinct values, example, column and meaning."""
    found = of({"geoCity": "berlin"}, {"geoCity": "wien"}, {"geoCity": "berlin"}, {})
    assert found["geoCity"] == {
        "field": "geoCity",
        "types": "string",
        "filled": 0.75,
        "distinct": 2,
        "example": "berlin",
        "column": "geoCity",
        "in_frame": True,
        "meaning": "city of the IP address",
    }


def test_fields_lie_as_in_the_record() -> None:
    """A field is named by the keys that lead to it, and [] for the items of a list."""
    found = of(
        {
            "evars": {"evars": {"evar1": "a"}},
            "products": [{"name": "x", "evars": {}}, {"name": "y"}],
            "mvvars": {"1": {"m": {"values": ["a", "b"], "delim": 44}}},
            "": {" ": 1},
            "grid": [[1], [2]],
        }
    )
    assert set(found) == {
        "hitIdLow",
        "evars.evars.evar1",
        "products[].name",
        "products[].evars",
        "mvvars.1.m.values[]",
        "mvvars.1.m.delim",
        '""." "',
        "grid[][]",
    }
    assert found["mvvars.1.m.values[]"]["distinct"] == 2


def test_a_record_counts_once() -> None:
    """A record fills a field once, however many items of a list have a value there."""
    products = [{"name": "x"}, {"name": "y"}, {"name": ""}]
    found = of({"products": products}, {"products": [{"name": None}]})
    assert found["products[].name"]["filled"] == 0.5


@pytest.mark.parametrize("empty", [None, "", " \t", [], {}])
def test_blank_is_not_filled(empty: object) -> None:
    """Null, blank text, an empty list and an empty object are seen, but fill nothing."""
    row = of({"pageName": empty}, {"pageName": empty})["pageName"]
    assert (row["filled"], row["distinct"], row["example"]) == (0.0, 0, None)
    assert row["types"] != ""


@pytest.mark.parametrize(
    ("value", "types", "example"),
    [
        (0, "integer", "0"),
        (False, "boolean", "false"),
        (1.5, "number", "1.5"),
        ([{"count": "ß"}], "list", '[{"count": "ß"}]'),
        (2**64 - 1, "integer", "18446744073709551615"),
        ("[]", "string", "[]"),
        ("0", "string", "0"),
    ],
)
def test_every_other_value_fills(value: object, types: str, example: str) -> None:
    """Zero and false are values; the example is the exact value."""
    row = of({"new": value})["new"]
    assert (row["filled"], row["types"], row["example"]) == (1.0, types, example)


def test_retyped_fields_show_all_their_types() -> None:
    """A field whose type varies shows every type, in order of the alphabet."""
    found = of({"a": 1}, {"a": "1"}, {"a": None}, {"a": {"b": 1}}, {"a": 0.5}, {"a": True})
    assert found["a"]["types"] == "boolean | integer | null | number | object | string"


def test_an_object_is_shown_by_its_keys() -> None:
    """An object or list that is sometimes empty has no row beside those of its keys."""
    found = of({"events": {}, "list": []}, {"events": {"event1": []}, "list": [1]})
    assert set(found) == {"hitIdLow", "events.event1", "list[]"}
    assert of({"events": {}})["events"]["types"] == "object"


def test_an_event_is_one_value() -> None:
    """The instances of an event are one value and not three fields."""
    instances = [{"count": 1, "exponent": 0, "unique": ""}]
    found = of({"events": {"event5": instances}, "products": [{"events": {"event5": instances}}]})
    assert set(found) == {"hitIdLow", "events.event5", "products[].events.event5"}
    assert found["events.event5"]["column"] == "event5"


@pytest.mark.parametrize(
    ("columns", "field", "column", "in_frame"),
    [
        ("default", "pageName", "pageName", True),
        ("default", "geoZip", "geoZip", False),
        ("default", "evars.evars.campaign", "campaign", True),
        ("default", "exclude.value", "excluded", True),
        ("default", "exclude.id", None, False),
        ("default", "evars.evars.evar7", "evar7", False),
        ("evar7", "evars.evars.evar7", "evar7", True),
        ("default", "products[].name", "products", False),
        ("products", "products[].name", "products", True),
        ("evars", "evars.evars.evar7", "evar7", True),
        ("evars", "evars.evars.unheard", "evars", True),
        ("default", "unheard", None, False),
        ("default", "pageName.inner", None, False),
        ("default", "pageName[]", None, False),
    ],
)
def test_the_column_that_holds_a_field(
    columns: str, field: str, column: str | None, in_frame: bool
) -> None:
    """A field has the name of the column of its own, else of the column of several values."""
    value: object = "x"
    for key in reversed(field.replace("[]", ".[]").split(".")):
        value = [value] if key == "[]" else {key: value}
    assert isinstance(value, dict)
    row = of(value, columns=columns)[field]
    assert (row["column"], row["in_frame"]) == (column, in_frame)
    assert (row["meaning"] is None) == (column is None)


@pytest.mark.parametrize("field", ["lat", "geoLatitude", "lon", "geoLongitude"])
@pytest.mark.parametrize(("columns", "in_frame"), [("documented", True), ("default", False)])
def test_both_spellings_are_in_the_frame(field: str, columns: str, in_frame: bool) -> None:
    """A field that fills a column in either spelling is in the frame with it."""
    row = of({field: "1"}, columns=columns)[field]
    assert (row["column"], row["in_frame"]) == (field, in_frame)


def test_keys_with_dots_are_no_paths() -> None:
    """A key that looks like a path is not taken for the column there."""
    row = of({"evars.evars.campaign": "x"})["evars.evars.campaign"]
    assert (row["column"], row["in_frame"]) == (None, False)


def test_the_most_filled_come_first() -> None:
    """Rows are sorted by fill rate, then by name."""
    found = of({"b": 1, "a": 1}, {"b": 1, "a": 1, "z": 1, "y": ""})
    assert list(found) == ["a", "b", "hitIdLow", "z", "y"]


def test_examples_are_short() -> None:
    """An example has at most 80 characters."""
    row = of({"a": "x" * 1_000}, {"a": "y"})["a"]
    assert row["example"] == "x" * LONGEST_EXAMPLE


def test_half_characters_do_no_harm() -> None:
    """Halves of surrogate pairs in keys and values are shown as U+FFFD."""
    assert of({"a\ud800": "b\udc00"})["a\ufffd"]["example"] == "b\ufffd"


def test_too_many_keys_share_a_row() -> None:
    """Keys beyond the first 2,000 share one last row, which counts them."""
    catalogue = Catalogue(resolve(None))
    for start in (0, 10_000):
        keys = {f"key{start + i}": i for i in range(1, 2_101)}
        catalogue.offer([json.dumps({"hitIdLow": 1, **keys}).encode()], float(start))
    frame = catalogue.frame()
    last = frame.row(-1, named=True)
    assert frame.height == MOST_KEYS + 1
    assert last["field"].startswith("(keys beyond")
    assert last["distinct"] == pytest.approx(101 + 2_100, rel=0.4)
    assert (last["filled"], last["types"], last["column"]) == (1.0, None, None)
    assert frame.filter(pl.col("field") == "key7")["filled"].to_list() == [0.5]


def test_too_many_lists_share_the_row() -> None:
    """The items of a list that has no room any more are counted, too."""
    keys = {f"k{i}": 1 for i in range(MOST_KEYS - 2)}
    found = of({**keys, "list": [1, 2]})
    assert found["(keys beyond the first 2,000)"]["example"] == "list[]"


def test_long_keys_are_cut() -> None:
    """A key of 100,000 characters is shown by its first hundred."""
    found = of({"k" * 100_000: 1}, {"k" * 100_001: 2})
    assert found["k" * 100 + "…"]["distinct"] == 2


def test_deep_values_are_one_value() -> None:
    """What is nested deeper than eight levels is not looked into."""
    value: Any = "end"
    for _ in range(30):
        value = {"a": value}
    found = of(value)
    assert found[".".join("a" * DEEPEST)]["types"] == "object"


def nested(depth: int, around: bytes) -> bytes:
    inner = b"[" * depth + b"]" * depth
    return b'{"hitIdLow":1,"a":' + around.replace(b"?", inner) + b"}"


HOSTILE = [
    *(nested(depth, b"?") for depth in (100, 900, 990, 5_000, 100_000)),
    *(nested(depth, b'[{"count":?}]') for depth in (100, 900, 970, 980, 990, 5_000)),
    b'{"hitIdLow":1' + b"0" * 5_000 + b"}",
    b'{"hitIdLow":1e999,"a":-1e999}',
    b'{"hitIdLow":1,"":"\\u0000"}',
    b'{"hitIdLow":NaN}',
    b"\xef\xbb\xbf{}",
    b"\xff",
    b"",
]


@pytest.mark.parametrize("line", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_lines_do_no_harm(line: bytes) -> None:
    """Whatever a line is, the catalogue goes on, and gives a frame."""
    catalogue = Catalogue(resolve(None))
    catalogue.offer([line, memoryview(line), b'{"hitIdLow":7,"z":1}'], 0.0)
    assert "z" in catalogue.frame()["field"]


@given(st.lists(st.binary(max_size=40) | st.text().map(str.encode), max_size=20))
def test_any_bytes_do_no_harm(lines: list[bytes]) -> None:
    """Whatever the bytes, nothing is raised."""
    catalogue = Catalogue(resolve(None))
    catalogue.offer(lines, 0.0)
    catalogue.frame()


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=2), inner),
    max_leaves=30,
)


@given(st.lists(st.dictionaries(st.sampled_from("abc"), JSON), max_size=8))
def test_shares_are_those_of_the_records(records: list[dict[str, Any]]) -> None:
    """Shares and numbers of different values of the top keys equal those counted by hand."""
    found = of(*records)
    for key in "abc":
        flat = [r[key] for r in records if not isinstance(r.get(key, {}), dict | list)]
        values = [value for value in flat if value is not None and str(value).strip()]
        if values:
            row = found[key]
            assert row["filled"] == len(values) / len(records)


def test_no_value_is_lost() -> None:
    """Of a real day every key is there, with as many values as were counted by hand."""
    if not REAL_DAY.exists():
        pytest.skip(f"the real day is not at {REAL_DAY}")
    lines = gzip.decompress(REAL_DAY.read_bytes()).splitlines()
    catalogue = Catalogue(resolve("default"))
    for number, line in enumerate(lines):
        catalogue.offer([line], number * 1.0)
    frame = catalogue.frame()
    assert sampled(catalogue) == len(lines)
    rows = {row["field"]: row for row in frame.iter_rows(named=True)}
    records = [json.loads(line) for line in lines]
    for name in {key for record in records for key in record}:
        values = [record[name] for record in records if name in record]
        if not any(isinstance(value, dict | list) for value in values):
            seen = [value for value in values if str(value).strip() and value is not None]
            assert rows[name]["filled"] == len(seen) / len(lines)
            assert rows[name]["distinct"] == pytest.approx(len(set(seen)), rel=0.3)


def block(count: int, size: int = 0) -> list[bytes]:
    return [b'{"hitIdLow":%d,"a":"%s"}' % (i, b"x" * size) for i in range(count)]


def test_the_first_records_are_all_looked_into() -> None:
    """Of the first 100 records every one is looked into; of a block of 5,000 a hundred or so."""
    small, large = Catalogue(resolve(None)), Catalogue(resolve(None))
    small.offer(block(90), 0.0)
    large.offer(block(5_000), 0.0)
    assert sampled(small) == 90
    assert sampled(large) == 102


def test_a_fast_stream_is_sampled_thinly() -> None:
    """Of a fast stream some two per second and one in 2,048 are looked into."""
    catalogue = Catalogue(resolve(None))
    for second in range(40):
        for part in range(8):
            catalogue.offer(block(512), second + part / 8)
    assert sampled(catalogue) == pytest.approx(100 + 40 * (2 + 2), abs=3)


def test_time_that_stands_or_goes_back_earns_nothing() -> None:
    """A clock that stands still or jumps to and fro does not make more samples."""
    catalogue = Catalogue(resolve(None))
    for moment in (50.0, 50.0, 0.0, 50.0, 0.0, 50.0):
        catalogue.offer(block(150), moment)
    assert sampled(catalogue) == 100
    catalogue.offer(block(150), 60.0)
    assert sampled(catalogue) == 120


def test_a_long_quiet_is_not_saved_up() -> None:
    """After a day without records no more are looked into at once than at the beginning."""
    catalogue = Catalogue(resolve(None))
    catalogue.offer(block(150), 0.0)
    catalogue.offer(block(150), 86_400.0)
    assert sampled(catalogue) == 200


def test_a_long_record_costs_more() -> None:
    """Of records of 64 KiB a sixteenth as many are looked into."""
    catalogue = Catalogue(resolve(None))
    catalogue.offer(block(200, 65_536), 0.0)
    assert sampled(catalogue) == 7
    catalogue.offer(block(200), 1.0)
    assert sampled(catalogue) == 7


def test_the_sample_is_spread_over_the_block() -> None:
    """Which records of a block are looked into does not depend on where they stand in it."""
    catalogue = Catalogue(resolve(None))
    for number in range(400):
        lines = [b'{"hitIdLow":1,"place%d":1}' % place for place in range(8)]
        catalogue.offer(lines, 50.0 + number / 2)
    places = catalogue.frame().filter(pl.col("field").str.starts_with("place"))
    assert places.height == 8
    assert places["filled"].min() > 0.09
    assert places["filled"].max() < 0.16


@given(st.sets(st.text(), max_size=KEPT_HASHES - 1), st.integers(1, 3))
def test_few_values_are_counted_exactly(values: set[str], times: int) -> None:
    """Below 256 different texts the count is exact, however often each comes."""
    sketch = Distinct()
    for _ in range(times):
        for value in values:
            sketch.add(value)
    assert sketch.estimate() == len(values)


@pytest.mark.parametrize("count", [256, 1_000, 100_000])
def test_many_values_are_estimated(count: int) -> None:
    """Above, the estimate is within five standard errors of 6.3 %."""
    sketch = Distinct()
    for number in [*range(count), *range(0, count, 7)]:
        sketch.add(f"value {number}")
    assert sketch.estimate() == pytest.approx(count, rel=5 * 0.063)


def test_the_sketch_is_bounded() -> None:
    """However many different texts came, 256 hashes are held."""
    sketch = Distinct()
    for number in range(5_000):
        sketch.add(str(number))
    assert len(sketch._least) == KEPT_HASHES
