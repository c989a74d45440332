import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livestream_nb.hits.columns import resolve
from livestream_nb.hits.decode import Decoded, Decoder
from livestream_nb.hits.records import parse

EVERYTHING = ["default", "documented", "linkURL", "evar1", "evar2", "prop1", "prop13"]
EVERYTHING += ["instances", "carts", "event1", "revenue"]
NOON = datetime(2026, 4, 13, 12, tzinfo=UTC)


def decode(block: bytes, columns: Any = None) -> Decoded:
    decoder = Decoder(resolve(columns))
    return decoder.decode(block, connection=3, arrived=NOON.timestamp())


def lines(*records: object) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\r\n" for record in records)


def hit(number: int = 1, **more: object) -> dict[str, object]:
    return {"hitIdHigh": 2**63 + number, "hitIdLow": number, "timeGMT": 1372782179, **more}


def value(column: str, record: dict[str, object]) -> tuple[object, int]:
    """What a column shows of a record, and how often it counted as unreadable."""
    decoded = decode(lines(hit(**record)), [column])
    assert decoded.rejected == ()
    return decoded.frame[column].item(), decoded.unreadable.get(column, 0)


def test_the_frame_has_the_schema() -> None:
    """A frame has the decoder's schema, with rows and without."""
    decoder = Decoder(resolve("documented"))
    assert list(decoder.schema)[-2:] == ["arrived", "connection"]
    for block in (b"", b"\r\n\n  \n", lines(hit()), b"nonsense"):
        frame = decoder.decode(block, connection=0, arrived=0.0).frame
        assert frame.schema == decoder.schema


def test_a_hit_is_read() -> None:
    """Ids, times, text, nested values and what the reader adds are in the row of the hit."""
    record = hit(
        visIdHigh=0,
        visIdLow=2**64 - 1,
        receivedTimeGMT=1372782180,
        pageName="Caf\u00e9 \U0001f600 \u2028",
        evars={"evars": {"campaign": "DFA:172612", "evar1": "shoes"}},
        props={"prop1": "results"},
        events={"event1": [{"count": 1, "exponent": 0, "unique": ""}]},
        exclude={"id": "0", "value": "no", "description": "include"},
    )
    columns = ["pageName", "campaign", "evar1", "evar2", "prop1", "event1", "event2", "excluded"]
    assert decode(lines(record), columns).frame.row(0, named=True) == {
        "hitIdHigh": 2**63 + 1,
        "hitIdLow": 1,
        "visIdHigh": 0,
        "visIdLow": 2**64 - 1,
        "timeGMT": datetime(2013, 7, 2, 16, 22, 59, tzinfo=UTC),
        "receivedTimeGMT": datetime(2013, 7, 2, 16, 23, tzinfo=UTC),
        "pageName": "Caf\u00e9 \U0001f600 \u2028",
        "campaign": "DFA:172612",
        "evar1": "shoes",
        "evar2": None,
        "prop1": "results",
        "event1": 1.0,
        "event2": None,
        "excluded": False,
        "arrived": NOON,
        "connection": 3,
    }


@pytest.mark.parametrize("high", [0, 1, 2**53 + 1, 2**63 - 1, 2**63, 2**64 - 1])
def test_ids_are_exact(high: int) -> None:
    """Unsigned 64-bit ids are exact, as numbers and as digits in a text."""
    for written in (high, str(high)):
        decoded = decode(lines({"hitIdHigh": written, "hitIdLow": 1}))
        assert decoded.frame["hitIdHigh"].to_list() == [high]


NO_ID = ["18446744073709551616", "1" + "0" * 30, "9" * 5000, "-1", "1.5", "1e19"]
NO_ID += ["9007199254740993.0", '"1.5"', '"x"', "true", "[1]", "{}"]


@pytest.mark.parametrize("high", NO_ID)
def test_an_id_that_is_none_is_null(high: str) -> None:
    """An id outside 64 bits, or that is not exactly an integer, is null and counted."""
    block = lines(hit(1)) + b'{"hitIdHigh":' + high.encode() + b',"hitIdLow":2}\n' + lines(hit(3))
    decoded = decode(block)
    assert decoded.frame["hitIdLow"].to_list() == [1, 2, 3]
    assert decoded.frame["hitIdHigh"].to_list() == [2**63 + 1, None, 2**63 + 3]
    assert decoded.unreadable == {"hitIdHigh": 1}


@pytest.mark.parametrize(
    ("column", "written", "read", "unreadable"),
    [
        ("geoDMA", "511", 511, 0),
        ("geoDMA", 511.0, 511, 0),
        ("geoDMA", "", None, 0),
        ("geoDMA", 2**31, None, 1),
        ("geoDMA", "many", None, 1),
        ("geoDMA", {"id": 5}, None, 1),
        ("usesPersistentCookie", True, 1, 0),
        ("lat", "48.85", 48.85, 0),
        ("lat", -3, -3.0, 0),
        ("lat", "north", None, 1),
        ("lat", " ", None, 0),
        ("javaEnabled", "Y", True, 0),
        ("javaEnabled", 0, False, 0),
        ("javaEnabled", "perhaps", None, 1),
        ("truncated", "false", False, 0),
        ("mobileAudioSupport", True, "true", 0),
        ("mobileAudioSupport", "mp3,aac", "mp3,aac", 0),
        ("mobileAudioSupport", ["mp3"], None, 1),
        ("pageName", 404, "404", 0),
        ("pageName", None, None, 0),
        ("pageName", ["a"], None, 1),
        ("pageName", "", "", 0),
        ("timeGMT", "1372782179", datetime(2013, 7, 2, 16, 22, 59, tzinfo=UTC), 0),
        ("timeGMT", 1372782179.75, datetime(2013, 7, 2, 16, 22, 59, tzinfo=UTC), 0),
        ("timeGMT", -1, None, 1),
        ("timeGMT", 1372782179000, None, 1),
        ("timeGMT", 253402300799, datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC), 0),
    ],
)
def test_other_types_are_read_or_null(
    column: str, written: object, read: object, unreadable: int
) -> None:
    """A value of another type is read if it can be; else it is null and counted."""
    assert value(column, {column: written}) == (read, unreadable)


@pytest.mark.parametrize("written", ["1e999", "-1e999", "9" * 400, '"1e999"', '"."'])
def test_numbers_beyond_a_float_are_null(written: str) -> None:
    """A number that no float holds is null and counted."""
    decoded = decode(b'{"hitIdHigh":1,"lat":%s}' % written.encode(), ["lat"])
    assert decoded.frame["lat"].to_list() == [None]
    assert decoded.unreadable == {"lat": 1}


def test_an_infinite_number_is_no_text() -> None:
    """A number too large to be read is not shown as text either."""
    decoded = decode(b'{"hitIdHigh":1,"pageName":1e999}')
    assert decoded.frame["pageName"].to_list() == [None]
    assert decoded.unreadable == {"pageName": 1}


@pytest.mark.parametrize(
    ("exclude", "read", "unreadable"),
    [
        ({"id": "0", "value": "no"}, False, 0),
        ({"id": 8, "value": "yes"}, True, 0),
        ({"id": 0}, None, 0),
        ({"value": "unsure"}, None, 1),
        ("no", None, 0),
        (None, None, 0),
    ],
)
def test_excluded_is_what_exclude_says(exclude: object, read: object, unreadable: int) -> None:
    """Excluded comes from exclude's yes or no, whatever type its id has."""
    assert value("excluded", {"exclude": exclude}) == (read, unreadable)


@pytest.mark.parametrize(
    ("instances", "read", "unreadable"),
    [
        ([{"count": 1, "exponent": 0, "unique": ""}], 1.0, 0),
        ([{"count": 1799, "exponent": 2}], 17.99, 0),
        ([{"count": 15, "exponent": -1}], 150.0, 0),
        ([{"count": 1}, {"count": 25, "exponent": 1}], 3.5, 0),
        ([{"count": "150", "exponent": "2"}], 1.5, 0),
        ({"count": 3, "exponent": 0}, 3.0, 0),
        (4, 4.0, 0),
        ([{"exponent": 0}], None, 1),
        ([{"count": 1, "exponent": 10**9}], None, 1),
        ([{"count": 1e300, "exponent": -20}], None, 1),
        ("once", None, 1),
    ],
)
def test_an_event_is_the_sum_of_its_instances(
    instances: object, read: object, unreadable: int
) -> None:
    """An event's value is the sum over its instances of count * 10^-exponent."""
    assert value("revenue", {"events": {"revenue": instances}}) == (read, unreadable)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"nonsense", "not JSON: Expecting value at character 1"),
        (b'{"hitIdHigh":1,"hitIdLow":2,"evars":{"evars"', "not JSON: the record is cut short"),
        (b'{"hitIdHigh":1,"hitIdLow":2,"evars":', "not JSON: the record is cut short"),
        (b'{"hitIdHigh":1,"pageName":"caf', "not JSON: the record is cut short"),
        (b'{"hitIdHigh":1,"pageName":"caf\xe9"}', "not UTF-8: byte 0xe9 at position 30"),
        (b'{"hitIdHigh":1,"unknown":"caf\xe9"}', "not UTF-8: byte 0xe9 at position 29"),
        (b'{"hitIdHigh":NaN}', "not JSON: NaN is no JSON number"),
        (b'{"hitIdHigh":1}{"hitIdHigh":2}', "not JSON: Extra data at character 16"),
        (b'{"hitIdHigh":1,"x":' + b"[" * 200_000 + b"]" * 200_000 + b"}", "nested too deeply"),
        (b"[1, 2]", "not an object but a list"),
        (b"12", "not an object but a number"),
        (b"null", "not an object but null"),
        (b"{}", "not a hit: it has none of a hit's fields"),
        (b'{"status":"ok"}', "not a hit: it has none of a hit's fields"),
        (b'{"error":"conflict"}', "not a hit but an error from the service: 'conflict'"),
        (
            b'{"error":409,"error_description":"slot is taken"}',
            "not a hit but an error from the service: 'slot is taken'",
        ),
    ],
)
def test_what_is_no_hit_is_rejected_and_its_neighbours_kept(raw: bytes, reason: str) -> None:
    """A record that is no hit is rejected with its bytes and a reason; its neighbours stay."""
    decoded = decode(lines(hit(1)) + raw + b"\r\n" + lines(hit(2)))
    assert decoded.frame["hitIdLow"].to_list() == [1, 2]
    [rejected] = decoded.rejected
    assert rejected.raw == raw
    assert rejected.reason.startswith(reason)


def test_every_cut_of_a_record_leaves_its_neighbours() -> None:
    """Wherever a record is cut, the next one is not swallowed."""
    record = lines(hit(2, evars={"evars": {"evar1": "a"}}, x=[1, {"y": 2}])).rstrip()
    for end in range(1, len(record)):
        decoded = decode(lines(hit(1)) + record[:end] + b"\n" + lines(hit(3), hit(4)))
        assert decoded.frame["hitIdLow"].to_list() == [1, 3, 4]
        assert [rejected.raw for rejected in decoded.rejected] == [record[:end]]


def test_a_damaged_line_cannot_lean_on_its_neighbours() -> None:
    """Lines that only together are JSON are damaged lines, even when the count would fit."""
    block = b'{"hitIdHigh":1,"x":\n{"hitIdHigh":2}\n}\n{"hitIdHigh":3}{"hitIdHigh":4}\n'
    decoded = decode(block)
    assert decoded.frame["hitIdHigh"].to_list() == [2]
    assert len(decoded.rejected) == 3


def test_blank_lines_are_no_records() -> None:
    """Empty records, with any line ending, are neither hits nor rejected."""
    decoded = decode(b"\r\n\n" + lines(hit(1)) + b"\r\n \t\r\n" + lines(hit(2)).rstrip())
    assert (decoded.frame.height, decoded.rejected) == (2, ())


def test_a_hit_without_ids_is_kept() -> None:
    """A hit without ids is kept, with null ids."""
    decoded = decode(lines({"pageName": "home", "ignored": 1}, hit(1)))
    assert decoded.frame["hitIdHigh"].to_list() == [None, 2**63 + 1]
    assert (decoded.rejected, decoded.unreadable) == ((), {})


def test_a_hit_with_an_error_field_is_kept() -> None:
    """A record with a hit's id is a hit, whatever else it says."""
    block = lines(hit(1, error="none"), hit(2, error="none", timeGMT="noon"))
    assert decode(block).frame["hitIdLow"].to_list() == [1, 2]


def test_half_a_character_does_not_lose_the_hit() -> None:
    """A lone surrogate becomes U+FFFD; pairs are read as the character that they are."""
    raw = b'{"hitIdHigh":1,"pageName":"a\\ud83d b \\ud83d\\ude00","unknown":"\\udc00"}'
    assert decode(raw).frame["pageName"].to_list() == ["a\ufffd b \U0001f600"]


def test_unknown_fields_and_a_byte_order_mark_do_not_matter() -> None:
    """Fields that are not wanted may be anything that is JSON; a leading mark is ignored."""
    more = b'{"hitIdHigh":5,"hitIdLow":6,"new":{"a":[1e400,-0.0]}}'
    decoded = decode(b"\xef\xbb\xbf" + more + b"\r\n" + more)
    assert decoded.frame["hitIdLow"].to_list() == [6, 6]


def test_order_is_kept_among_odd_records() -> None:
    """Plain, odd and damaged records mixed: hits come out in the order of the block."""
    block = b""
    for number in range(100):
        odd = {"geoDMA": str(number)} if number % 3 == 0 else {"geoDMA": number}
        block += lines(hit(number, **odd)) + (b"{cut\n" if number % 7 == 0 else b"")
    decoded = decode(block, ["geoDMA"])
    assert decoded.frame["hitIdLow"].to_list() == list(range(100))
    assert decoded.frame["geoDMA"].to_list() == list(range(100))
    assert len(decoded.rejected) == 15


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**200), 2**200)
    | st.floats()
    | st.text(st.characters(codec=None, categories=None, exclude_categories=()), max_size=6)
    | st.sampled_from(["no", "1", "1e5", "9" * 5000, "-3.5"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["evars", "campaign", "count", "exponent", "value"]), inner
        )
    ),
    max_leaves=6,
)
FIELDS = ["hitIdHigh", "hitIdLow", "timeGMT", "pageName", "geoDMA", "lat", "javaEnabled", "evars"]
FIELDS += ["events", "exclude", "mobileAudioSupport", "props", "visIdLow"]
odd = st.dictionaries(st.sampled_from([*FIELDS, "error", "other"]), anything)


def pieces() -> Iterator[st.SearchStrategy[bytes]]:
    yield st.binary(max_size=20)
    yield odd.map(lambda record: json.dumps(record).encode())
    yield st.tuples(odd, st.integers(0, 80)).map(lambda cut: json.dumps(cut[0]).encode()[: cut[1]])
    yield st.sampled_from([b"\n", b"\r\n", b"\r", b"{", b'"', b"\\", b"\xff", b"\x00", b"[" * 5000])


@settings(deadline=None, max_examples=150)
@given(st.lists(st.one_of(*pieces()), max_size=8).map(b"\n".join))
def test_no_bytes_make_it_raise(block: bytes) -> None:
    """Whatever the bytes, each line that is not blank is either one row or one rejected record."""
    decoded = decode(block, EVERYTHING)
    records = [line for line in block.split(b"\n") if line.strip()]
    assert decoded.frame.height + len(decoded.rejected) == len(records)
    assert decoded.frame.schema == Decoder(resolve(EVERYTHING)).schema
    rejected = iter(records)
    assert all(
        one.raw in (line.removesuffix(b"\r") for line in rejected) for one in decoded.rejected
    )


@settings(deadline=None, max_examples=50)
@given(st.lists(odd.map(lambda record: json.dumps(record).encode()), max_size=8))
def test_neighbours_do_not_change_a_record(records: list[bytes]) -> None:
    """A block decodes to what its lines decode to, each alone."""
    together = decode(b"\n".join(records), EVERYTHING)
    alone = [decode(record, EVERYTHING) for record in records]
    assert together.frame.to_dicts() == [row for one in alone for row in one.frame.to_dicts()]
    assert together.rejected == tuple(rejected for one in alone for rejected in one.rejected)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The lines that were read with patience."""
    seen: list[bytes] = []

    def noting(raw: bytes) -> Any:
        seen.append(raw)
        return parse(raw)

    monkeypatch.setattr("livestream_nb.hits.decode.parse", noting)
    return seen


RETYPED = {
    "a number as text": ({"geoDMA": "511"}, "geoDMA", 511),
    "a text as number": ({"pageName": 404}, "pageName", "404"),
    "an id as text": ({"hitIdHigh": "18446744073709551615"}, "hitIdHigh", 2**64 - 1),
    "a time as text": ({"timeGMT": "0"}, "timeGMT", datetime(1970, 1, 1, tzinfo=UTC)),
    "words for a flag": ({"javaEnabled": "Y"}, "javaEnabled", True),
    "an event without a list": ({"events": {"event1": {"count": 3}}}, "event1", 3.0),
    "a count as text": ({"events": {"event1": [{"count": "3"}]}}, "event1", 3.0),
    "an evar as number": ({"evars": {"evars": {"evar1": 1.0}}}, "evar1", "1.0"),
    "a text for an object": ({"evars": "none"}, "evar1", None),
    "a list for an inner object": ({"evars": {"evars": []}}, "evar1", None),
    "true for an object": ({"exclude": True}, "excluded", None),
}


@pytest.mark.parametrize(("fields", "column", "read"), RETYPED.values(), ids=RETYPED)
def test_a_field_retyped_in_every_record_is_read_at_speed(
    fields: dict[str, object], column: str, read: object, patient: list[bytes]
) -> None:
    """A field of another type in every record is read, and costs no second look at each."""
    columns = ["default", "geoDMA", "javaEnabled", "evar1", "event1"]
    decoder = Decoder(resolve(columns))
    for number in range(3):
        del patient[:]
        block = lines(*({**hit(n), "bot": "no", **fields} for n in range(50)))
        decoded = decoder.decode(block, connection=0, arrived=0.0)
        assert decoded.frame[column].to_list() == [read] * 50, number
        assert decoded.frame["bot"].to_list() == ["no"] * 50
        assert (decoded.rejected, decoded.unreadable) == ((), {})
    assert patient == []


def test_a_few_odd_records_leave_the_others_fast(patient: list[bytes]) -> None:
    """Two odd values in a block are read by themselves, in every block; the third widens."""
    decoder = Decoder(resolve("geoDMA"))
    for many in (2, 2, 3):
        records = [hit(n, geoDMA=str(n) if n < many else n) for n in range(30)]
        frame = decoder.decode(lines(*records), connection=0, arrived=0.0).frame
        assert frame["geoDMA"].to_list() == list(range(30))
    assert len(patient) == 2 + 2 + 2


def test_what_cannot_be_read_is_counted_in_a_widened_column() -> None:
    """In a column that was widened, unreadable values are null and counted one by one."""
    decoder = Decoder(resolve(["geoDMA", "evar1"]))
    records = [hit(n, geoDMA=["1", "many", None, 2, {}][n % 5], evars=n) for n in range(20)]
    decoded = decoder.decode(lines(*records), connection=0, arrived=0.0)
    assert decoded.frame["geoDMA"].to_list() == [1, None, None, 2, None] * 4
    assert decoded.unreadable == {"geoDMA": 8}


@pytest.mark.parametrize(
    ("fields", "lat", "other"),
    [
        ({"lat": "1.5"}, 1.5, 1.5),
        ({"geoLatitude": 2}, 2.0, 2.0),
        ({"lat": 1, "geoLatitude": "2"}, 1.0, 2.0),
        ({"lat": None, "geoLatitude": "2"}, 2.0, 2.0),
        ({}, None, None),
    ],
)
def test_either_spelling_of_a_place_is_read(
    fields: dict[str, object], lat: float | None, other: float | None
) -> None:
    """Latitude is read in either spelling; when both are there, each column has its own."""
    for more in ({}, {"hitIdHigh": "7"}):  # with speed, and with patience
        frame = decode(lines(hit(**fields) | more), ["lat", "geoLatitude"]).frame
        assert frame.select("lat", "geoLatitude").row(0) == (lat, other)


def test_a_map_and_values_of_it_may_be_asked_for_together() -> None:
    """A nested column beside single values out of it, with speed and with patience."""
    record = hit(
        evars={"evars": {"campaign": "c", "evar1": "a", "evar2": 2.0}},
        events={"event1": [{"count": 1, "exponent": 1}], "carts": [{"count": 1}]},
        mvvars={"2": {"m": {"values": ["x", "y"], "delim": 44}}},
    )
    columns = ["default", "evars", "evar1", "events", "event1", "mvvar2", "mvvar1"]
    for more in ({}, {"visIdHigh": "7"}):
        row = decode(lines(record | more), columns).frame.row(0, named=True)
        assert (row["campaign"], row["evar1"], row["event1"]) == ("c", "a", 0.1)
        assert [tuple(each.values()) for each in row["evars"]] == [
            ("campaign", "c"), ("evar1", "a"), ("evar2", "2.0")
        ]  # fmt: skip
        assert row["events"] == [{"key": "event1", "value": 0.1}, {"key": "carts", "value": 1.0}]
        assert (row["mvvar1"], row["mvvar2"]) == (None, ["x", "y"])


def test_sums_of_an_event_are_exact() -> None:
    """Instances are added as decimals and rounded once: 0.1 and 0.2 make 0.3."""
    tenths = [{"count": 1, "exponent": 1}, {"count": 2, "exponent": 1}]
    cents = [{"count": 1999, "exponent": 2}] * 3 + [{"count": 0.1}, {"count": 2**53 + 1}]
    for instances, total in ((tenths, 0.3), (cents, 9007199254741054.0)):
        for more in ({}, {"hitIdHigh": "7"}):
            record = hit(events={"revenue": instances}) | more
            assert decode(lines(record), "revenue").frame["revenue"].item() == total


def test_lines_are_handed_on_without_blank_ones() -> None:
    """Beside the frame, a block gives its records as they came, also those that were rejected."""
    block = b"\r\n  \r\n" + lines(hit()) + b"x\n\n" + lines(hit()).rstrip()
    decoded = decode(block)
    assert [bytes(line).strip() for line in decoded.lines] == [
        lines(hit()).strip(), b"x", lines(hit()).strip()
    ]  # fmt: skip
    assert [rejected.raw for rejected in decoded.rejected] == [b"x"]
