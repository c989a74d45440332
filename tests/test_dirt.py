"""simulator/dirt.py"""

import json
import re
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livestream_nb.errors import InvalidOption
from livestream_nb.hits.fields import HIT_FIELDS
from livestream_nb.hits.records import parse
from livestream_nb.simulator.dirt import (
    DEEP,
    KINDS,
    LONG,
    STEP,
    bomb,
    check_kind,
    drifted,
    malformed,
    reordered,
)

HIT: dict[str, Any] = {
    "reportSuite": "examplecomprod",
    "timeGMT": 1372782179,
    "receivedTimeGMT": 1372782180,
    "hitIdHigh": 2**64 - 1,
    "hitIdLow": 2**63 + 1,
    "visIdHigh": 2**63,
    "visIdLow": 0,
    "pageName": "Ünïcode 靴 \u2028",
    "geoZip": "10115",
    "browserWidth": 1920,
    "javaEnabled": False,
    "lat": 52.5,
    "lon": 13.4,
    "mobileAudioSupport": True,
    "exclude": {"id": "0", "value": "no"},
    "evars": {"evars": {"campaign": "a", "evar1": "b"}},
    "events": {"event1": [{"count": 1, "exponent": 0, "unique": ""}]},
    "hierarchies": {"site": {"delim": 58, "values": "a:b:c"}},
}
EXACT = [name for name in HIT if name.startswith(("hitId", "visId")) or name.endswith("GMT")]


def record(**fields: object) -> bytes:
    return json.dumps(HIT | fields, ensure_ascii=False, separators=(",", ":")).encode()


RECORD = record()
MANY = [record(hitIdHigh=number) for number in range(400)]


def drifts(records: list[bytes] = MANY) -> list[dict[str, Any]]:
    return [json.loads(drifted(each)) for each in records]


def kinds_of(name: str, hits: list[dict[str, Any]]) -> set[type]:
    return {type(hit[name]) for hit in hits if name in hit}


ids = st.integers(0, 2**64 - 1)
values = st.recursive(
    st.none() | st.booleans() | ids | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(st.text(), inside, max_size=4),
    max_leaves=12,
)
odd = st.sampled_from(["exclude", "hierarchies", "mobileAudioSupport", "lat", "geoLatitude", "x"])
hits = st.fixed_dictionaries(
    dict.fromkeys(EXACT, ids), optional={"site": values, "geoZip": st.text("0123456789")}
)


@settings(deadline=None)
@given(hit=hits, others=st.dictionaries(odd, values))
def test_drift_leaves_the_hit_what_it_is(hit: dict[str, object], others: dict[str, object]) -> None:
    """Whatever a record looks like, ids and times survive exactly, in one line that is new."""
    before = json.dumps(others | hit).encode()
    after = drifted(before)
    assert {name: json.loads(after)[name] for name in EXACT} == {name: hit[name] for name in EXACT}
    assert after != before
    assert after == drifted(before)
    assert b"\n" not in after


@given(
    raw=st.binary().filter(lambda raw: b"{" not in raw)
    | st.sampled_from([b"[]", b"1", b'{"a":1', b'{"a":1e999}', b'{"a":"\\ud800"}', b'{"a":"\xff"}'])
)
def test_what_is_no_object_does_not_drift(raw: bytes) -> None:
    """A record that cannot be read as an object stays as it is."""
    assert drifted(raw) == raw
    assert drifted(malformed("nested", raw)) == malformed("nested", raw)


def test_drift_adds_fields() -> None:
    """Every drifted hit has new fields, one of them nested, that no page documents."""
    for hit in drifts():
        new = hit.keys() - HIT.keys() - {"geoLatitude", "geoLongitude"}
        assert len(new) == 2
        assert new.isdisjoint(HIT_FIELDS)
        assert [name for name in new if isinstance(hit[name], dict)]


def test_drift_forgets_fields() -> None:
    """Every drifted hit lacks one or two of its plain fields, and any of them may go."""
    pairs = {"geoLatitude": "lat", "geoLongitude": "lon"}
    lost = [HIT.keys() - {pairs.get(name, name) for name in hit} for hit in drifts()]
    assert {len(names) for names in lost} == {1, 2}
    assert set().union(*lost) == {
        name for name, value in HIT.items() if not isinstance(value, dict)
    } - {*EXACT, "reportSuite"}


def test_drift_retypes_fields() -> None:
    """Numbers come as text and text as numbers, in some hits but not in all."""
    hits = drifts()
    assert kinds_of("browserWidth", hits) == {int, str}
    assert kinds_of("geoZip", hits) == {int, str}
    assert kinds_of("javaEnabled", hits) == {bool, str}
    assert {str(hit["geoZip"]) for hit in hits if "geoZip" in hit} == {"10115"}
    assert {hit.get("javaEnabled") for hit in hits} == {False, "false", None}


@pytest.mark.parametrize(
    ("name", "one", "other"),
    [
        ("exclude", {"id": "0", "value": "no"}, {"id": 0, "value": "no"}),
        (
            "hierarchies",
            {"site": {"delim": 58, "values": "a:b:c"}},
            {"site": {"delim": ":", "values": ["a", "b", "c"]}},
        ),
    ],
)
def test_drift_disagrees_as_the_pages_do(name: str, one: object, other: object) -> None:
    """Either documented form becomes the other, in some hits but not in all."""
    for before in (one, other):
        hits = drifts([record(**{name: before}, hitIdLow=number) for number in range(50)])
        found = [hit[name] for hit in hits]
        assert one in found
        assert other in found
        assert all(each in (one, other) for each in found)


@pytest.mark.parametrize(
    "site",
    [
        {"delim": -1, "values": "a"},
        {"delim": 0, "values": "a"},
        {"delim": 0x110000, "values": "a"},
        {"delim": "", "values": ["a"]},
        {"delim": "::", "values": ["a", "b"]},
        {"delim": 58, "values": 1},
        "a:b",
    ],
)
def test_drift_of_odd_hierarchies(site: object) -> None:
    """What is in neither documented form stays as it is."""
    odd = {"site": site, "shop": {"delim": 58, "values": "a:b"}}
    hits = drifts([record(hierarchies=odd, hitIdLow=number) for number in range(20)])
    assert all(hit["hierarchies"]["site"] == site for hit in hits)
    assert ["a", "b"] in [hit["hierarchies"]["shop"]["values"] for hit in hits]


@pytest.mark.parametrize("text", ["01000", "²", "٣", "", "9" * 5_000, "-1", "1e3", "10 115"])
def test_only_plain_numbers_lose_their_quotes(text: str) -> None:
    """Text that a number could not hold, or would hold otherwise, stays text."""
    hits = drifts([record(geoZip=text, hitIdLow=number) for number in range(50)])
    assert {hit["geoZip"] for hit in hits if "geoZip" in hit} == {text}


def test_drift_retypes_two_fields() -> None:
    """Two fields have another type, unless one of them was then left out."""
    plain = {f"field{number}": number for number in range(20)}
    hits = drifts([json.dumps(plain | {"hitIdLow": n}).encode() for n in range(50)])
    assert {sum(type(hit.get(name)) is str for name in plain) for hit in hits} == {1, 2}


def test_drift_of_media_and_place() -> None:
    """Audio support is a flag or a list of formats; a place goes by either pair of names."""
    hits = drifts()
    assert {hit.get("mobileAudioSupport") for hit in hits} >= {True, "mp3,aac,mp4"}
    back = drifts([record(mobileAudioSupport="mp3", hitIdLow=number) for number in range(50)])
    assert {hit.get("mobileAudioSupport") for hit in back} >= {True, "mp3"}
    assert {float(hit[name]) for hit in hits for name in ("lat", "geoLatitude") if name in hit} == {
        52.5
    }
    assert not [hit for hit in hits if {"lat", "geoLatitude"} <= hit.keys()]
    assert {"geoLatitude", "geoLongitude", "lat", "lon"} <= set().union(*hits)
    long = {name: value for name, value in HIT.items() if name not in ("lat", "lon")}
    places = drifts(
        [json.dumps(long | {"geoLatitude": 1.5, "hitIdLow": n}).encode() for n in range(50)]
    )
    assert {"geoLatitude", "lat"} <= set().union(*places)


@given(st.lists(st.sampled_from([b"a", b"b", b"c"]), max_size=6))
def test_reordered(records: list[bytes]) -> None:
    """The same records, in another order if there is one, the same each time."""
    before = list(records)
    mixed = reordered(records)
    assert records == before
    assert sorted(mixed) == sorted(records)
    assert (mixed == records) == (len(set(records)) < 2)
    assert mixed == reordered(records)


def test_reordered_thoroughly() -> None:
    """Of many records, hardly any has the neighbours that it had before."""
    places = [MANY.index(each) for each in reordered(MANY)]
    steps = [abs(one - other) for one, other in pairwise(places)]
    assert steps.count(1) < 20


def is_json(raw: bytes) -> bool:
    try:
        json.loads(raw)
    except (ValueError, RecursionError):
        return False
    return True


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("json", "not JSON: Expecting"),
        ("utf8", "not UTF-8: byte 0xe9"),
        ("truncated", "not JSON: "),
        ("nested", "nested too deeply to read"),
        ("error", "not a hit but an error from the service: 'The stream was interrupted.'"),
    ],
)
@settings(deadline=None)
@given(hit=hits)
def test_malformed_lines_are_no_hits(kind: str, reason: str, hit: dict[str, object]) -> None:
    """A line of each kind is refused by a patient parser for its kind's own reason."""
    line = malformed(kind, json.dumps(hit, ensure_ascii=False).encode())
    assert b"\n" not in line
    assert parse(line).reason.startswith(reason)  # type: ignore[union-attr]


def test_each_fault_is_its_own() -> None:
    """Bad UTF-8 is good JSON but for its bytes, deep nesting is balanced, an error is an object."""
    assert is_json(malformed("utf8", RECORD).decode("latin-1").encode())
    nested = malformed("nested", RECORD)
    deepest = re.search(rb"\[+\]+", nested)
    assert deepest is not None
    assert deepest.group() == b"[" * DEEP + b"]" * DEEP
    assert is_json(nested.replace(deepest.group(), b"0"))
    assert json.loads(malformed("error", RECORD)).keys() == {"error", "error_description"}
    half = malformed("truncated", record(pageName="靴" * 400))
    assert RECORD[:100] == half[:100]
    assert half.decode()


def test_long_line() -> None:
    """The long line is a hit of ten megabytes."""
    line = malformed("long", RECORD)
    assert 10_000_000 < len(line) < 10_010_000
    assert json.loads(line)["hitIdHigh"] == HIT["hitIdHigh"]


def test_kinds() -> None:
    """There are six kinds, and another one is refused by name."""
    assert KINDS == ("json", "utf8", "truncated", "long", "nested", "error")
    assert (LONG, STEP) == (10_000_000, 1 << 20)
    for kind in KINDS:
        check_kind(kind)
    for wrong in ("xml", None, 1):
        with pytest.raises(InvalidOption, match="kind=.* give one of json, utf8"):
            check_kind(wrong)


@pytest.mark.parametrize(
    "size", [15, 16, 100, STEP, STEP + 14, STEP + 15, 3 * STEP + 15, 5_000_000]
)
def test_bomb_is_one_record_in_small_pieces(size: int) -> None:
    """A bomb is JSON of the size asked for, and no piece of it is longer than a mebibyte or so."""
    pieces = list(bomb(size))
    whole = b"".join(pieces)
    assert len(whole) == size
    assert set(json.loads(whole)["pageName"]) <= {"A"}
    assert max(map(len, pieces)) <= STEP + 1
