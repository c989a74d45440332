"""hits/decode.py, compared with tests/reference.py value by value"""

import json
import re
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from livestream_nb.hits.columns import resolve
from livestream_nb.hits.decode import Decoder
from livestream_nb.hits.fields import Column
from livestream_nb.protocol.framing import LONGEST_RECORD, Records
from livestream_nb.simulator.dirt import KINDS, drifted, malformed
from livestream_nb.simulator.share import WHOLE
from livestream_nb.simulator.traffic import Traffic
from tests import reference

NOON = datetime(2026, 4, 13, 12, tzinfo=UTC)
NUMBERED = ("evar1", "evar250", "prop1", "prop75", "event1", "event1000", "revenue", "orders")
NESTED = ("evars", "props", "events", "products", "hierarchies", "mvvar1", "mvvar3", "mcAudiences")
MIXTURES: tuple[tuple[str, ...], ...] = (
    ("default",),
    ("documented", "geoLatitude", "geoLongitude", *NUMBERED),
    ("all",),
    ("default", "evar5", "lat", "geoLongitude", "event7", *NESTED, "tnt", "tntAction"),
)
IN_LINE = tuple(kind for kind in KINDS if kind != "long")


@lru_cache
def columns_of(mixture: tuple[str, ...]) -> tuple[Column, ...]:
    return resolve(mixture)


def check(
    block: bytes, mixture: tuple[str, ...], decoder: Decoder | None = None
) -> reference.Expected:
    """A decoder says what the reference says, at first and when it has seen such a block before."""
    decoder = decoder or Decoder(columns_of(mixture))
    expected = reference.decode(block, columns_of(mixture))
    for _ in range(2):
        decoded = decoder.decode(block, connection=3, arrived=NOON.timestamp())
        assert decoded.frame.schema == decoder.schema
        assert [one.raw for one in decoded.rejected] == expected.rejected
        assert decoded.frame.height == len(expected.rows)
        assert different(decoded.frame, expected) == []
        assert Counter(decoded.unreadable) == expected.unreadable
    return expected


def different(frame: pl.DataFrame, expected: reference.Expected) -> list[tuple[Any, ...]]:
    """Where a value differs: its column, row, what the decoder says and what the reference says."""
    wanted = [row | {"arrived": NOON, "connection": 3} for row in expected.rows]
    return [
        (name, number, value, row[name])
        for name in frame.columns
        for number, (value, row) in enumerate(zip(frame[name].to_list(), wanted, strict=True))
        if value != row[name]
    ]


class Literal(str):
    """JSON text that stands in a record as it is."""

    __slots__ = ()


def dumps(value: object, *, ascii_: bool) -> str:
    match value:
        case Literal():
            return str(value)
        case dict():
            inner = (f"{json.dumps(k)}: {dumps(v, ascii_=ascii_)}" for k, v in value.items())
            return "{" + ", ".join(inner) + "}"
        case list():
            return "[" + ",".join(dumps(each, ascii_=ascii_) for each in value) + "]"
    return json.dumps(value, ensure_ascii=ascii_)


any_text = st.text(st.characters(codec="utf-8"), max_size=8)
HOSTILE = ["", " ", "\0", "\u2028\u2029\x85\x0b", "\U0001f600", "é\u0301", "\r\n", '"\\']
HOSTILE += ["x" * 5000, "null", "NaN", "1e999", "0x1F", "1_000", "١٢", "\ufeff", "True", "{}", "-"]
texts = any_text | st.sampled_from(HOSTILE)
EDGES = [0, 1, 2**31 - 1, 2**31, 2**53 - 1, 2**53, 2**53 + 1, 2**63 - 1, 2**63, 2**63 + 1]
EDGES += [2**64 - 1, 2**64, 10**22, 10**30, 253_402_300_799, 253_402_300_800]
whole = st.sampled_from([*EDGES, *(-each for each in EDGES)]) | st.integers(-(2**70), 2**70)
ids = st.sampled_from([0, 2**63, 2**64 - 1]) | st.integers(0, 2**64 - 1)
finite = st.floats(allow_nan=False, allow_infinity=False)
LITERALS = ["1e5", "1E-2", "-0", "-0.0", "1.0", "1e400", "-1e400", "0.1e1", "9" * 40, "9" * 5000]
LITERALS += ["9007199254740993.0", "18446744073709551615.0", "1372782179.999", "1.5e-400"]
LITERALS += ['"\\ud800"', '"\\ud83d\\ude00"', '"a\\udc00b"', '"\\u0000"', '"\\/"']
literals = st.sampled_from(LITERALS).map(Literal)
scalars = st.none() | st.booleans() | whole | finite | texts | literals
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2),
    max_leaves=4,
)
digits = (whole | finite).map(str) | st.sampled_from([" 12 ", "+7", "1.", ".5", "1e3", "-1.50"])
words = st.sampled_from(["true", "FALSE", "yes", "No", "Y", "n", "1", "0", " yes ", 1, 0, 2])

exponents = st.integers(-22, 22) | st.sampled_from(
    [0, 2, "2", "", None, 2.0, 23, -23, 10**9, False, " "]
)
tenths = st.integers(-99, 99).map(lambda number: number / 10)
counts = tenths | tenths.map(str) | whole | st.sampled_from(["150", "0.5", 1e300, None, ""])
instances = st.fixed_dictionaries(
    {"count": counts}, optional={"exponent": exponents, "unique": texts}
)
events = st.lists(instances, max_size=4) | instances | digits | anything

names = st.sampled_from(["evar1", "evar5", "prop1", "event7", "event61", "site", "campaign"])
some_names = names | texts
amounts = st.lists(
    st.fixed_dictionaries(
        {"count": st.integers(-99, 10**12), "exponent": st.integers(-3, 9)},
        optional={"unique": texts},
    ),
    max_size=3,
)
variables = st.dictionaries(names, texts, max_size=4)
totals = st.dictionaries(names, amounts, max_size=4)
delimiters = st.sampled_from([58, 44, 124, ":", ",", "|"])
split = st.lists(texts, max_size=3) | st.sampled_from(["a:b,c", "a", "", " ", ":", ",,"]) | texts
hierarchy = st.fixed_dictionaries({"delim": delimiters, "values": split})
PRODUCT = {
    "category": texts,
    "name": texts,
    "units": finite | st.integers(0, 99),
    "revenue": finite | st.integers(0, 10**9),
    "evars": variables,
    "events": totals,
}
ACTIVITY = dict.fromkeys(["campaignId", "recipeId", "trafficType", "actionId", "actionName"], texts)

odd_delimiters = delimiters | st.sampled_from([0, -1, 0x110000, "58", 58.0, "", "::", True, None])
odd_split = st.lists(anything, max_size=3) | split | anything
odd_hierarchy = st.fixed_dictionaries({}, optional={"delim": odd_delimiters, "values": odd_split})
odd_texts = odd_hierarchy | odd_split
odd_variables = st.dictionaries(some_names, anything, max_size=3)
odd_totals = st.dictionaries(some_names, events, max_size=3)
odd_totals_or_list = odd_totals | st.lists(odd_totals | anything, max_size=3)
odd_product = st.fixed_dictionaries(
    {"name": scalars},
    optional={
        "category": anything,
        "units": digits | anything,
        "revenue": digits | anything,
        "evars": odd_variables | anything,
        "events": odd_totals_or_list | anything,
        "unheard": anything,
    },
)
odd_activity = st.dictionaries(st.sampled_from([*ACTIVITY, "values"]), anything, max_size=3)

PLAIN: dict[str, st.SearchStrategy[Any]] = {
    "text": texts,
    "formats": st.booleans() | texts,
    "id": ids,
    "integer": st.integers(-(2**31), 2**31 - 1),
    "number": finite,
    "flag": st.booleans(),
    "excluded": st.sampled_from(["yes", "no"]),
    "time": st.integers(0, 2**32),
    "event": amounts,
    "texts": st.fixed_dictionaries({"values": st.lists(texts, max_size=4), "delim": st.just(44)}),
    "pairs": variables,
    "totals": totals,
    "hierarchies": st.dictionaries(names, hierarchy, max_size=2),
    "products": st.lists(st.fixed_dictionaries({}, optional=PRODUCT).filter(bool), max_size=3),
    "activities": st.lists(st.fixed_dictionaries({}, optional=ACTIVITY).filter(bool), max_size=2),
}
RETYPED: dict[str, st.SearchStrategy[Any]] = {
    "text": scalars,
    "formats": scalars,
    "id": ids.map(str) | digits | whole,
    "integer": digits | words,
    "number": digits | whole,
    "flag": words,
    "excluded": words | st.booleans(),
    "time": digits | finite,
    "event": events,
    "texts": odd_texts,
    "pairs": odd_variables,
    "totals": odd_totals_or_list,
    "hierarchies": st.dictionaries(some_names, odd_hierarchy | anything, max_size=3),
    "products": st.lists(odd_product | anything, max_size=3) | odd_product,
    "activities": st.lists(odd_activity | anything, max_size=3) | odd_activity,
}


def place(record: dict[str, Any], path: tuple[str, ...], value: object) -> None:
    """Put a value at the end of a path, unless something else is on the way."""
    for key in path[:-1]:
        record = record.setdefault(key, {})
        if not isinstance(record, dict):
            return
    record[path[-1]] = value


@st.composite
def records(
    draw: st.DrawFn,
    mixture: tuple[str, ...],
    value: Callable[[Column], st.SearchStrategy[Any]],
    others: st.SearchStrategy[dict[str, Any]],
) -> dict[str, Any]:
    """A record with some of the mixture's columns, and fields that no page names."""
    record: dict[str, Any] = {}
    if draw(st.integers(0, 9)):
        record = {"hitIdHigh": draw(ids), "hitIdLow": draw(ids)}
    for column in draw(st.lists(st.sampled_from(columns_of(mixture)), max_size=8)):
        place(record, column.path, draw(value(column)))
    return record | draw(others)


nothing: st.SearchStrategy[dict[str, Any]] = st.just({})
unknown = st.dictionaries(
    st.sampled_from(["clientHint", "edge", "error", "evars", "events", "exclude", "props", "\0"])
    | texts,
    anything,
    max_size=2,
)


def plain(column: Column) -> st.SearchStrategy[Any]:
    return PLAIN[column.kind]


def odd(column: Column) -> st.SearchStrategy[Any]:
    return st.one_of(PLAIN[column.kind], RETYPED[column.kind], anything)


def encoded(record: dict[str, Any], ascii_: bool = True) -> bytes:
    return dumps(record, ascii_=ascii_).encode()


def escaped(line: bytes) -> bytes:
    """The same record with the letter d and the v of a name written as escapes."""
    return line.replace(b"Id", b"I\\u0064").replace(b'"ev', b'"e\\u0076')


@st.composite
def doubled(draw: st.DrawFn, mixture: tuple[str, ...]) -> bytes:
    """A record whose fields occur twice: to JSON parsers the last one counts."""
    first, last = draw(records(mixture, odd, nothing)), draw(records(mixture, odd, nothing))
    return encoded(first | {"": 0})[:-1] + b"," + encoded(last | {"": 0})[1:]


@st.composite
def smudged(draw: st.DrawFn, mixture: tuple[str, ...]) -> bytes:
    """A record with a few bytes changed, left out or put in."""
    line = bytearray(encoded(draw(records(mixture, plain, unknown))))
    for _ in range(draw(st.integers(1, 2))):
        at = draw(st.integers(0, len(line)))
        line[at : at + draw(st.integers(0, 2))] = draw(
            st.sampled_from([b"", b'"', b"\\", b",", b"}", b"]", b"0", b"-", b".", b"e", b"x"])
            | st.sampled_from([b"\x00", b"\t", b"\x1f", b"\xff", b"\xc3", b"\xed\xa0\x80", b"\r"])
            | st.binary(max_size=2)
        )
    return bytes(line)


BLANK = [b"", b" \t", b"\r"]
MARK = b"\xef\xbb\xbf"
BARE = b'null [] {} { }{ 1e5 "" {"edge":1} {"pageName":1} {"hitIdHigh":1}x {"hitIdHigh":1,}'.split()
BARE += [b'{"hitIdLow":null,"error":1}', b'{"pageName":"a","error":null}', b' {"hitIdHigh":1} ']
BARE += [b"\xff", MARK + b"{}", MARK + b'{"hitIdHigh":1}', MARK + MARK + b'{"hitIdHigh":1}']
ODD_JSON = b"01 1. .5 +1 - 1e 0x1 1e999 NaN -Infinity 'a' nul tru /**/1 {a:1} [1,] [,1]".split()
ODD_JSON += [
    b'{"a"}',
    b'{"a":1,}',
    rb'"\x"',
    rb'"\u12"',
    rb'"\/"',
    rb'"\ud800"',
    rb'"\ud800\ud800"',
]
ODD_JSON += [b'"\t"', b'"\x01"', b'"\x7f"', b'"\xff"', b'"\xed\xa0\x80"', b"1 2", b'"a" "b"']


def lines(mixture: tuple[str, ...]) -> st.SearchStrategy[bytes]:
    """One line of a block: mostly a hit, in one of all its ways."""
    hits = records(mixture, plain, nothing).map(encoded)
    odd_hits = st.builds(encoded, records(mixture, odd, unknown), st.booleans())
    return st.one_of(
        hits,
        odd_hits,
        hits.map(drifted),
        odd_hits.map(drifted),
        odd_hits.map(escaped),
        doubled(mixture),
        st.builds(malformed, st.sampled_from(IN_LINE), hits),
        smudged(mixture),
        st.sampled_from([*BLANK, *BARE]),
    )


@st.composite
def blocks(draw: st.DrawFn, line: st.SearchStrategy[bytes]) -> bytes:
    ending = draw(st.sampled_from([b"\n", b"\r\n"]))
    return ending.join(draw(st.lists(line, max_size=8))) + draw(st.sampled_from([b"", ending]))


mixtures = st.sampled_from(MIXTURES)


@settings(deadline=None, max_examples=60)
@given(st.data(), mixtures, st.booleans())
def test_documented_records_are_read_exactly(
    data: st.DataObject, mixture: tuple[str, ...], ascii_: bool
) -> None:
    """Records as documented become exactly what plain json reads, and nothing is counted."""
    hits = records(mixture, plain, nothing).map(lambda record: record | {"hitIdLow": 1})
    block = data.draw(blocks(hits.map(lambda record: encoded(record, ascii_))))
    expected = check(block, mixture)
    assert (expected.rejected, expected.unreadable) == ([], Counter())


def exact_to_the_last_line(block: bytes, mixture: tuple[str, ...]) -> None:
    expected = check(block, mixture)
    written = [line for line in block.split(b"\n") if line.strip()]
    assert len(expected.rows) + len(expected.rejected) == len(written)


@settings(deadline=None, max_examples=150)
@given(st.data(), mixtures)
def test_dirt_and_drift_are_read_exactly(data: st.DataObject, mixture: tuple[str, ...]) -> None:
    """Whatever lies between and around them, hits are exact, and no line is lost or invented."""
    exact_to_the_last_line(data.draw(blocks(lines(mixture))), mixture)


@pytest.mark.slow
@settings(deadline=None, max_examples=3_000, suppress_health_check=list(HealthCheck))
@given(st.data(), mixtures)
def test_much_dirt_and_drift_are_read_exactly(
    data: st.DataObject, mixture: tuple[str, ...]
) -> None:
    """Three thousand blocks of dirt and drift, exact to the last line."""
    exact_to_the_last_line(data.draw(blocks(lines(mixture))), mixture)


@settings(deadline=None, max_examples=60)
@given(st.data(), mixtures)
def test_a_field_of_another_type_in_every_record_is_read_exactly(
    data: st.DataObject, mixture: tuple[str, ...]
) -> None:
    """A field that changes its type in every record, and back, is exact before and after."""
    kind = data.draw(st.sampled_from(sorted({column.kind for column in columns_of(mixture)})))
    alike = [column for column in columns_of(mixture) if column.kind == kind]
    column = data.draw(st.sampled_from(alike))
    decoder = Decoder(columns_of(mixture))
    for values in (PLAIN, RETYPED, PLAIN):
        hits = data.draw(st.lists(records(mixture, plain, nothing), min_size=3, max_size=6))
        for record in hits:
            place(record, column.path, data.draw(values[column.kind]))
        check(b"\n".join(map(encoded, hits)), mixture, decoder)


def test_what_is_barely_a_record_or_barely_none() -> None:
    """Lines at the edge of JSON and of a hit, alone and among hits: read or rejected as by json."""
    odd = [
        b'{"hitIdHigh":1,"%s":%s}' % (name, value)
        for name in (b"pageName", b"edge")
        for value in ODD_JSON
    ]
    for line in (*BARE, *odd):
        check(line, ("default",))
    exact_to_the_last_line(b"\n".join([*BARE, *odd]), ("default",))


ONE_OF_EACH_KIND = ("pageName", "mobileAudioSupport", "visIdLow", "geoDMA", "lat", "isErrorPage")
ONE_OF_EACH_KIND += ("excluded", "timeGMT", "event1", "mvvar1", "props", "events", "hierarchies")
ONE_OF_EACH_KIND += ("products", "tnt")
RAW = r"""
null  true  false  0  -0  -0.0  1  1.0  1e5  1e-2  -0.5  1.5  1e19  1e400  0.1  1372782179.999  {}
[]  [null]  [[]]  [{}]  ""  " "  "null"  "true"  " Yes "  "n"  "1"  "1.0"  "+5"  " 7 "  "."  ".5"
"5."  "1e3"  "1e400"  "0x1F"  "1_000"  "१"  "\u001c5"  "\u0000"  "\ud800"  "\ud83d\ude00"  "a:b,c"
","  [1,null,"x",{}]  ["a","\udc00"]  {"a":1}  {"":null}  2147483647  2147483648  -2147483648
-2147483649  9007199254740991.0  9007199254740992.0  9007199254740993  9223372036854775807
9223372036854775808  18446744073709551615  18446744073709551616  -1  "18446744073709551615"
"18446744073709551616"  253402300799.9  253402300800  18446744073709551615.0
[{"count":0.1},{"count":0.2}]  [{"count":"9007199254740993"}]  [{"count":1,"exponent":"2"}]
{"count":3}  [{"count":123456789012345678901234567890,"exponent":22}]  [{"count":1,"exponent":23}]
[{"count":true}]  [{"count":9007199254740993,"exponent":1},{"count":1,"exponent":1}]
[{"count":1},null]  [{"exponent":1}]  [{"count":1e308},{"count":1e308}]
[{"count":1e308},{"count":1e308},{"count":-1e308}]  [{"count":"x"}]  [{"count":1,"exponent":-22}]
[{"count":1,"exponent":null}]  [{"count":1,"exponent":2.5}]  [{"count":-0.0}]
{"values":["a",2],"delim":44}  {"values":"a:b","delim":58}  {"values":"a:b","delim":":"}
{"values":" "}  {"values":"a,b"}  {"values":"a:b","delim":"58"}  {"values":"a,b","delim":0}
{"values":{}}  {"delim":44}  {"values":["a"],"delim":"::"}  {"values":"a1b","delim":"1"}
{"values":"a,b","delim":true}  {"values":5}  {"a":{"delim":58,"values":"x:y"}}
{"a":{"delim":":","values":["x",null,[]]}}  {"a":{"values":"x:y"}}  {"a":null,"b":"","c":[],"d":5}
{"a":{"delim":"::","values":"x::y"}}  {"a":{"delim":58,"values":{}}}
{"a":{"delim":58,"values":" "}}
{"a":[{"count":1},{"count":25,"exponent":1}],"b":"4","c":"x","d":[]}
[{"a":1},{"a":[{"count":2}]},{"b":null},5,"",[]]  [{"a":"x"},{"a":1}]
[{"a":" "},{"a":1},{"a":null}]  {"name":"a"}  [{"name":"a"},{"name":"a"},{"q":1},{},null," ",5]
[{"name":null,"units":""}]  {"q":1}
[{"name":1,"units":"2","revenue":"17.99","evars":{"evar1":1.0},"events":{"e":[{"count":1}]}}]
[{"name":[],"units":"many","revenue":true,"evars":5,"events":"x"}]  [{"category":"","evars":[]}]
[{"name":"a","events":[{"e":[{"count":0.1}]},{"e":[{"count":0.2}]}]}]
[{"name":"a","evars":{"b":{}}}]  {"campaignId":1}
[{"campaignId":"1","actionName":null},{"recipeId":{}},{"other":1}]
"""
WRITTEN = [
    Literal(each)
    for each in (*re.split(r"\n|  ", RAW.strip()), "9" * 400, "9" * 5000, f'"{"x" * 5000}"')
]


@pytest.mark.parametrize("name", ONE_OF_EACH_KIND)
def test_every_kind_of_column_reads_every_edge(name: str) -> None:
    """Values at the edges of what a column takes are exact: alone, mixed, and all alike."""
    [column] = (each for each in columns_of((name,)) if each.name == name)
    block: list[bytes] = []
    for number, value in enumerate(WRITTEN):
        record: dict[str, Any] = {"hitIdHigh": 2**64 - 1, "hitIdLow": number}
        place(record, column.path, value)
        block.append(encoded(record))
    learned = Decoder(columns_of((name,)))
    check(b"\n".join(block), (name,), learned)
    for line in block:
        check(line, (name,))
        check(b"\n".join([line] * 3), (name,), learned)


@pytest.mark.parametrize("mixture", MIXTURES, ids=" ".join)
def test_a_site_s_traffic_is_read_exactly(mixture: tuple[str, ...]) -> None:
    """A site's hits, as they are, drifted, and with each kind of malformed line between."""
    traffic = Traffic(seed=7, rate=100.0)
    moments = [NOON.timestamp() + each for each in traffic.times(0, 240, WHOLE)]
    hits = traffic.records(0, 240, WHOLE, moments)
    assert check(b"\r\n".join(hits), mixture).unreadable == Counter()
    check(b"\r\n".join(map(drifted, hits)), mixture)
    mixed = [drifted(record) if number % 3 else record for number, record in enumerate(hits)]
    for number in range(200, 0, -20):
        mixed.insert(number, malformed(IN_LINE[number % len(IN_LINE)], hits[number]))
    expected = check(b"\r\n".join(mixed), mixture)
    assert (len(expected.rows), len(expected.rejected)) == (240, 10)


def test_a_record_that_is_too_long_leaves_its_neighbours() -> None:
    """A record of 10 MB never reaches the decoder; those before and after it are exact."""
    traffic = Traffic(seed=7, rate=100.0)
    hits = traffic.records(0, 3, WHOLE, [NOON.timestamp()] * 3)
    sent = b"\r\n".join([hits[0], malformed("long", hits[1]), hits[2], b""])
    framing = Records()
    pieces = (sent[first : first + (1 << 20)] for first in range(0, len(sent), 1 << 20))
    block = b"".join(map(framing.cut, pieces))
    assert [each.size > LONGEST_RECORD for each in framing.overlong] == [True]
    assert len(check(block, MIXTURES[1]).rows) == 2
