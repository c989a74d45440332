import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from livestream_nb.hits.columns import resolve
from livestream_nb.hits.decode import Decoder
from livestream_nb.hits.fields import COLUMNS, FAMILIES, HIT_FIELDS, Column
from livestream_nb.hits.schema import record_schema, schema_json
from livestream_nb.simulator.share import WHOLE
from livestream_nb.simulator.site.script import LENGTH
from livestream_nb.simulator.traffic import Traffic

ROOT = Path(__file__).parents[1]
SHOP = ROOT / "data" / "shop-300.ndjson.gz"
TRAFFIC = ROOT.parent / "shared" / "traffic"

SCHEMA = record_schema()
VALIDATOR = Draft202012Validator(SCHEMA)

# The facts of Adobe's example page, shortened.
SAMPLE: dict[str, Any] = {
    "reportSuite": "examplecomprod",
    "timeGMT": 1372782179,
    "receivedTimeGMT": 1372782179,
    "hitIdHigh": 2948027281753079808,
    "hitIdLow": 4948646782672799561,
    "visIdHigh": 1944017885723175213,
    "visIdLow": 2512895455560210216,
    "visIdType": 3,
    "pageName": "Page #8552",
    "pageURL": "http://example.com/page8552.html",
    "evars": {"evars": {"campaign": "DFA:172612", "evar1": "Summer Shoe Promo"}},
    "events": {"event1": [{"count": 1, "exponent": 0, "unique": ""}]},
    "exclude": {"id": "0", "value": "no", "description": "include"},
    "mvvars": {
        "1": {"m": {"values": ["event_category:summer sale", "event_type:click"], "delim": 44}}
    },
    "products": [
        {
            "category": "Clothing",
            "evars": {},
            "events": {"event61": [{"count": 3, "exponent": 0, "unique": ""}]},
            "name": "Mens Black Running Shoes",
            "revenue": 1799,
            "units": 15,
        }
    ],
}


def faults(**fields: object) -> list[str]:
    """Where the schema finds fault with the sample, changed in these fields."""
    found = VALIDATOR.iter_errors(SAMPLE | fields)
    return sorted(".".join(map(str, error.absolute_path)) for error in found)


def instance(**more: object) -> dict[str, object]:
    return {"count": 1, "exponent": 0, "unique": "", **more}


def at(path: tuple[str, ...], value: object) -> dict[str, object]:
    """The field in which a value lies at the end of a path."""
    for key in reversed(path):
        value = {key: value}
    assert isinstance(value, dict)
    return value


def part(path: tuple[str, ...]) -> dict[str, Any]:
    """What the schema says of the values at the end of a path."""
    here = SCHEMA
    for key in path:
        numbered = here.get("patternProperties", {}).items()
        found = [inside for pattern, inside in numbered if re.search(pattern, key)]
        named = here.get("properties", {})
        found += [named[key]] if key in named else []
        assert len(found) == 1, f"{path}: {len(found)} places in the schema"
        here = found[0]
    return here


def records(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in gzip.decompress(path.read_bytes()).split(b"\r\n") if line]


def test_it_is_a_schema() -> None:
    """It is a valid JSON Schema of draft 2020-12, and says so."""
    assert SCHEMA["$schema"] == Draft202012Validator.META_SCHEMA["$id"]
    Draft202012Validator.check_schema(SCHEMA)
    assert {"title", "description"} <= SCHEMA.keys()


def test_bytes_and_dict_are_the_same_schema() -> None:
    """The JSON text is the schema as a dict, in a size that people can read."""
    assert json.loads(schema_json()) == SCHEMA
    assert len(schema_json()) < 16_384


def test_a_changed_copy_changes_no_other() -> None:
    """Each call gives a schema of one's own."""
    record_schema()["properties"].clear()
    assert record_schema() == json.loads(schema_json())


def test_the_sample_is_valid() -> None:
    """The sample of Adobe's example page is valid."""
    assert faults() == []


def test_the_shop_is_valid() -> None:
    """Every hit of the shipped sample is valid."""
    shop = records(SHOP)
    assert len(shop) == 300
    assert [list(VALIDATOR.iter_errors(record)) for record in shop] == [[]] * 300


def test_every_made_up_hit_is_valid() -> None:
    """Every page view that the simulator's traffic is made of is valid, as a hit of somebody."""
    traffic, scenes = Traffic(seed=1, rate=50.0), {}
    made = list(traffic._made(range(10_000), [1.8e9] * 10_000))
    for number, (*_, scene) in enumerate(made):
        scenes.setdefault(id(scene), number)
    assert len(scenes) == LENGTH
    for number in scenes.values():
        (record,) = traffic.records(number, number + 1, WHOLE, [1.8e9])
        assert list(VALIDATOR.iter_errors(json.loads(record))) == []


def test_the_real_days_are_valid() -> None:
    """Every hit of the recordings of real days is valid."""
    days = sorted(TRAFFIC.glob("*.ndjson.gz"))
    if not days:
        pytest.skip(f"no recording of a real day is beside this checkout: {TRAFFIC}")
    hits = [record for day in days for record in records(day)]
    assert len(hits) >= 592
    assert [list(VALIDATOR.iter_errors(record)) for record in hits] == [[]] * len(hits)


def said(column: Column) -> str:
    """What the schema ought to say of a column."""
    family = column.name.rstrip("0123456789")
    if family in FAMILIES and family != column.name:
        last, _, _, meaning = FAMILIES[family]
        return f"{meaning} 1 to {last}"
    return f"{column.meaning} ({column.unit})" if column.unit else column.meaning


def test_every_column_is_described() -> None:
    """The schema says at each column's place what the table says, with its unit."""
    found = {column.name: part(column.path)["description"] for column in COLUMNS.values()}
    assert found == {column.name: said(column) for column in COLUMNS.values()}
    assert found["timeGMT"] == "when the hit happened (Unix seconds)"
    assert found["evar17"] == "conversion variable 1 to 250"


def test_every_field_of_a_hit_is_named() -> None:
    """The schema names each field of a record that the table knows."""
    variables = {"mvvar1", "mvvar2", "mvvar3"}  # they lie in mvvars
    assert set(SCHEMA["properties"]) == HIT_FIELDS - variables


@pytest.mark.parametrize(
    "name", ["hitIdHigh", "hitIdLow", "visIdHigh", "visIdLow", "timeGMT", "receivedTimeGMT"]
)
def test_a_hit_has_identity_visitor_and_time(name: str) -> None:
    """A record without its id, its visitor or its times is no hit."""
    record = {key: value for key, value in SAMPLE.items() if key != name}
    (error,) = VALIDATOR.iter_errors(record)
    assert repr(name) in error.message


def test_nothing_else_is_required() -> None:
    """A record with nothing but identity, visitor and times is a hit."""
    assert VALIDATOR.is_valid({key: SAMPLE[key] for key in SCHEMA["required"]})
    assert len(SCHEMA["required"]) == 6


@pytest.mark.parametrize(
    "fields",
    [
        {"exclude": {"id": 0, "value": "yes", "description": "bot"}},
        {"hierarchies": {"site-hier": {"delim": 58, "values": "home page:clothing:mens"}}},
        {"hierarchies": {"1": {"delim": ":", "values": ["Search Results"]}}},
        {"mobileAudioSupport": False, "mobileVideoSupport": True},
        {"mobileAudioSupport": "mp3,aac", "mobileVideoSupport": "mp4"},
        {"lat": "48.85", "lon": "2.35"},
        {"lat": 48.85, "lon": 2.35},
        {"geoLatitude": 48.85, "geoLongitude": 2.35},
        {"evars": {"evars": {"evar7": 1.0, "evar250": "1.0"}}},
        {"products": [{"events": {"event61": [instance()]}}, {"events": [instance()]}]},
        {"products": [{"revenue": 17.99, "units": 1, "evars": {"evar2": "red", "evar3": 1.0}}]},
        {"products": []},
        {"events": {"purchases": [instance(), instance(unique="A1")], "event9": [{"count": 3}]}},
        {"events": {"revenue": [instance(count=1799, exponent=2), instance(count=-2.5)]}},
        {"mcAudiences": {"values": ["1111", "2222"], "delim": 44}},
        {"tnt": [{"campaignId": "13234"}], "tntAction": [{"actionId": "1"}]},
        {"tnt": {"values": [], "delim": 44}, "tntAction": {}},
        {"hitIdHigh": 0, "hitIdLow": 2**64 - 1, "timeGMT": 0},
    ],
    ids=json.dumps,
)
def test_either_type_is_valid(fields: dict[str, object]) -> None:
    """Where Adobe's pages show more than one type, each is valid."""
    assert faults(**fields) == []


@pytest.mark.parametrize(
    "fields",
    [
        {"newField": 5, "evar1": [], "mvvar1": None},
        {"evars": {"more": 1, "evars": {"other": [1], "evar0": 5, "eVar1": {}, "evar1234": None}}},
        {"props": {"prop0": 5, "prop123": [], "section": 1}},
        {"events": {"sales": 5, "event0": "x", "event12345": 1, "event1": [instance(more=1)]}},
        {"exclude": {"more": 1}},
        {"mvvars": {"4": 1, "1": {"n": 1, "m": {"more": 1}}}},
        {"hierarchies": {"any name": {"more": 1}}},
        {"products": [{"more": 1, "evars": {"evars": {"evar1": "a"}}}, {}]},
        {"mcAudiences": {"more": 1}},
    ],
    ids=json.dumps,
)
def test_unknown_fields_are_valid(fields: dict[str, object]) -> None:
    """Fields that no page names are valid, wherever they are and whatever they hold."""
    assert faults(**fields) == []


WRONG: dict[str, list[object]] = {
    "text": [5, True, None, ["a"], {}],
    "id": ["5", -1, 2**64, 1.5, True, None],
    "integer": ["5", 1.5, True, None],
    "number": [True, None, [1.5]],
    "flag": [1, "true", None],
    "formats": [1, None, ["mp3"]],
    "excluded": [1, None],
    "time": ["1372782179", -1, 1372782179.5, None],
    "event": [
        1,
        "1",
        None,
        instance(),
        [1],
        [{}],
        [instance(count="1")],
        [instance(exponent=1.5)],
        [instance(unique=5)],
    ],
    "texts": [None, "a,b", 5, []],
    "pairs": [None, "a", 5, []],
    "totals": [None, "a", 5, []],
    "products": [None, "a", 5, {}],
    "hierarchies": [None, "a:b", 5, []],
    "activities": [None, "a", 5],
}


def wrong(column: Column) -> list[object]:
    counts = column.name != "evars" and column.name.startswith("evar")  # one may hold a number
    return [value for value in WRONG[column.kind] if not (counts and value == 5)]


def test_every_column_refuses_other_types() -> None:
    """At each column's place a value of a type that no page shows is a fault, and the only one."""
    for column in COLUMNS.values():
        for value in wrong(column):
            (found,) = faults(**at(column.path, value))
            assert found.startswith(".".join(column.path)), f"{column.name}: {value!r}"


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"evars": []}, "evars"),
        ({"evars": {"evars": "a"}}, "evars.evars"),
        ({"props": "a"}, "props"),
        ({"events": []}, "events"),
        ({"products": {}}, "products"),
        ({"products": ["shoes"]}, "products.0"),
        ({"products": [{"name": 5}]}, "products.0.name"),
        ({"products": [{"category": None}]}, "products.0.category"),
        ({"products": [{"revenue": "1799"}]}, "products.0.revenue"),
        ({"products": [{"units": "15"}]}, "products.0.units"),
        ({"products": [{"evars": []}]}, "products.0.evars"),
        ({"products": [{"evars": {"evar1": []}}]}, "products.0.evars.evar1"),
        ({"products": [{"events": "event61"}]}, "products.0.events"),
        ({"products": [{"events": {"event61": 3}}]}, "products.0.events"),
        ({"products": [{"events": [3]}]}, "products.0.events"),
        ({"exclude": "no"}, "exclude"),
        ({"exclude": {"id": 0.5}}, "exclude.id"),
        ({"exclude": {"description": 5}}, "exclude.description"),
        ({"mvvars": []}, "mvvars"),
        ({"mvvars": {"3": []}}, "mvvars.3"),
        ({"mvvars": {"2": {"m": []}}}, "mvvars.2.m"),
        ({"mvvars": {"1": {"m": {"values": "a,b"}}}}, "mvvars.1.m.values"),
        ({"mvvars": {"1": {"m": {"values": [1]}}}}, "mvvars.1.m.values.0"),
        ({"mvvars": {"1": {"m": {"delim": ","}}}}, "mvvars.1.m.delim"),
        ({"hierarchies": []}, "hierarchies"),
        ({"hierarchies": {"site": "a:b"}}, "hierarchies.site"),
        ({"hierarchies": {"site": {"values": 5}}}, "hierarchies.site.values"),
        ({"hierarchies": {"site": {"values": [5]}}}, "hierarchies.site.values.0"),
        ({"hierarchies": {"site": {"delim": 5.5}}}, "hierarchies.site.delim"),
        ({"mcAudiences": ["1111"]}, "mcAudiences"),
        ({"tnt": "13234"}, "tnt"),
        ({"tntAction": 5}, "tntAction"),
    ],
    ids=str,
)
def test_nested_parts_refuse_other_types(fields: dict[str, object], place: str) -> None:
    """A nested part of a type that no page shows is a fault at its place."""
    assert faults(**fields) == [place]


text = st.text(max_size=8)
TAKEN: dict[str, st.SearchStrategy[object]] = {
    "text": text,
    "id": st.integers(0, 2**64 - 1),
    "integer": st.integers(-(2**31), 2**31 - 1),
    "number": (number := st.floats(allow_nan=False, allow_infinity=False))
    | st.integers(-(2**70), 2**70)
    | number.map(str),
    "flag": st.booleans(),
    "formats": st.booleans() | text,
    "excluded": st.booleans() | st.sampled_from(["yes", "no", "Y", "1"]),
    "time": st.integers(0, 253_402_300_799),
    "event": st.lists(
        st.fixed_dictionaries(
            {"count": st.integers(-(10**9), 10**12) | st.floats(-1e9, 1e9)},
            optional={"exponent": st.integers(-22, 22), "unique": text, "more": text},
        ),
        max_size=3,
    ),
}


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_what_the_decoder_takes_is_valid(data: st.DataObject) -> None:
    """A value that the decoder reads at a column's place without loss is valid there."""
    kind = data.draw(st.sampled_from(list(TAKEN)))
    column = data.draw(st.sampled_from([c for c in COLUMNS.values() if c.kind == kind]))
    value = data.draw(TAKEN[kind])
    record = SAMPLE | at(column.path, value)
    decoded = Decoder(resolve(column.name)).decode(
        json.dumps(record).encode(), connection=0, arrived=0.0
    )
    assert (decoded.frame[column.name].null_count(), decoded.rejected) == (0, ())
    assert faults(**at(column.path, value)) == []
