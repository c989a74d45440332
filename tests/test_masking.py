"""masking/"""

import copy
import gzip
import hmac
import json
import pickle
import re
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livestream_nb.errors import InvalidOption
from livestream_nb.hits.columns import resolve
from livestream_nb.hits.decode import Decoded, Decoder
from livestream_nb.hits.records import Rejected, parse
from livestream_nb.masking import Mask, Masked, withheld
from livestream_nb.simulator.dirt import KINDS, drifted, malformed
from livestream_nb.simulator.share import Share
from livestream_nb.simulator.traffic import Traffic

KEY = b"0123456789abcdef-a-key-for-tests"
MASK = Mask(KEY)
SHOP = Path(__file__).parents[1] / "data" / "shop-300.ndjson.gz"
REAL_DAY = Path(__file__).parents[2] / "shared" / "traffic" / "zwitchdev-2015-07-13.ndjson.gz"
HASHED = ("ip", "ip2", "customVisId", "purchaseId", "transactionId")
HALVES = ("visIdHigh", "visIdLow", "mcVisIdHigh", "mcVisIdLow")
URLS = ("pageURL", "referrer", "linkURL")
CUT = ("lat", "lon", "geoLatitude", "geoLongitude", "zip", "geoZip", "domain", "topLevelDomain")
NAMES = ["all", "products", "hierarchies", "tnt", "tntAction", "mcAudiences", "linkURL"]
NAMES += ["geoLatitude", "revenue", "orders", "instances", "mvvar1", "mvvar2", "mvvar3"]
NAMES += [f"{family}{n}" for family in ("evar", "prop", "event") for n in range(1, 76)]
DECODER = Decoder(resolve(NAMES))
FIELDS = {name.lower() for name in re.findall(r"\w+", json.dumps(MASK.described))}


def line(**fields: object) -> bytes:
    return json.dumps({"hitIdHigh": 2**64 - 1, "hitIdLow": 1, **fields}).encode()


def masked(raw: bytes | None = None, /, **fields: object) -> dict[str, Any]:
    """The one hit of a block, masked; it is the same whether it was read quickly or not."""
    done = MASK.block(line(**fields) if raw is None else raw)
    assert done.rejected == ()
    assert done.block.count(b"\n") == 1
    record: dict[str, Any] = json.loads(done.block)
    if raw is None:
        with_patience = MASK.block(b"\xef\xbb\xbf" + line(**fields)).block
        assert json.loads(with_patience) == record
    return record


def of(kind: str, text: str) -> str:
    return hmac.new(KEY, f"{kind}\0{text}".encode(), "sha256").hexdigest()[:32]


def pair_of(high: object, low: object) -> tuple[int, int]:
    digest = hmac.new(KEY, f"id\0{high} {low}".encode(), "sha256").digest()
    return int.from_bytes(digest[:8], "big"), int.from_bytes(digest[8:16], "big")


def decode(block: bytes) -> Decoded:
    return DECODER.decode(block, connection=0, arrived=0.0)


def traffic(seed: int, count: int) -> list[bytes]:
    made, share = Traffic(seed=seed, rate=42.0), Share(0, 1)
    moments = [1_767_225_600.0 + elapsed for elapsed in made.times(0, count, share)]
    return made.records(0, count, share, moments)


def recorded(path: Path) -> list[bytes]:
    if not path.exists():
        pytest.skip(f"the recording is not beside this checkout: {path}")
    return gzip.decompress(path.read_bytes()).splitlines()


# What is hashed.


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        *(("ip", "ip"), ("ip2", "ip"), ("IPv6", "ip")),
        *(("customVisId", "visitor"), ("post_cust_visid", "visitor"), ("mcvisid", "visitor")),
        *(("purchaseId", "order"), ("purchaseID", "order"), ("transaction_id", "order")),
    ],
)
def test_values_are_hashed(key: str, kind: str) -> None:
    """A hashed field has 32 hexadecimal digits of a keyed digest; a number is hashed as text."""
    for value in ("Käthe \U0001f600", "198.18.17.5", "2001:db8::1", "1", "x" * 5_000):
        assert masked(**{key: value})[key] == of(kind, value)
    assert masked(**{key: 420520})[key] == masked(**{key: "420520"})[key] == of(kind, "420520")
    assert masked(**{key: 2**70})[key] == of(kind, str(2**70))


@pytest.mark.parametrize("nothing", ["", "  ", None, True, False, [], {}])
@pytest.mark.parametrize("key", ["ip", "customVisId", "purchaseId", "visIdHigh", "mcVisIdLow"])
def test_nothing_stays_nothing(key: str, nothing: object) -> None:
    """Where there is no value, no mask is invented."""
    assert masked(**{key: nothing, "props": {"prop1": "", "prop2": " "}})[key] == nothing
    assert masked(**{key: nothing, "props": {"prop1": ""}})["props"] == {"prop1": ""}


def test_fields_are_known_wherever_they_are() -> None:
    """A field is masked at any depth, within lists, and when it holds lists or objects itself."""
    record = masked(
        edge=[{"IP": "198.18.17.5", "near": [[{"visid_high": 2**63, "visid_low": 7}]]}],
        ip=["198.18.0.1", None, {"values": ["198.18.0.2"], "198.18.0.3": {"zip": "10115"}}],
        lat={"value": 48.8584},
        visIdHigh={"x": "2948027281753079808"},
    )
    high, low = pair_of(2**63, 7)
    near = [[{"visid_high": high, "visid_low": low}]]
    assert record["edge"] == [{"IP": of("ip", "198.18.17.5"), "near": near}]
    inside = {"values": [of("ip", "198.18.0.2")], of("ip", "198.18.0.3"): {"zip": "101"}}
    assert record["ip"] == [of("ip", "198.18.0.1"), None, inside]
    assert record["lat"] == {"value": 48.8}
    half = pair_of(2948027281753079808, "")[0]
    assert list(record["visIdHigh"].values()) == [str(half)]
    assert list(record["visIdHigh"]) != ["x"]


def test_an_address_in_the_place_of_a_domain_is_hashed() -> None:
    """Where a network has no name, its domain is the visitor's address: hashed like that."""
    address = {"ip": "14.0.207.217", "domain": "14.0.207.217", "topLevelDomain": ".217"}
    record = masked(**address)
    assert record["domain"] == record["ip"] == of("ip", "14.0.207.217")
    assert record["topLevelDomain"] == ""
    assert masked(domain=" 2001:DB8::1 ")["domain"] == of("ip", " 2001:DB8::1 ")
    names = {"domain": "cox.net", "topLevelDomain": ".net"}
    assert masked(**names).items() >= names.items()


@settings(deadline=None)
@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_ids_are_hashed_in_pairs(high: int, low: int) -> None:
    """Both halves of an id make one mask, of 64 bits each; numbers and their digits the same."""
    masks = pair_of(high, low)
    numbers = masked(visIdHigh=high, visIdLow=low, mcVisIdHigh=high, mcVisIdLow=low)
    assert (numbers["visIdHigh"], numbers["visIdLow"]) == masks
    assert (numbers["mcVisIdHigh"], numbers["mcVisIdLow"]) == masks
    texts = masked(visIdLow=f"{low}", visIdHigh=f" 0{high}")
    assert (texts["visIdHigh"], texts["visIdLow"]) == tuple(map(str, masks))


def test_other_halves_make_other_masks() -> None:
    """A mask of half an id depends on the other half, and on which half it is."""
    found = {
        (record.get("visIdHigh"), record.get("visIdLow"))
        for record in (
            *(masked(visIdHigh=high, visIdLow=low) for high in (1, 2) for low in (1, 2)),
            *(masked(visIdHigh=1), masked(visIdLow=1), masked(visIdHigh=1, visIdLow=None)),
            *(masked(visIdHigh=12, visIdLow=1), masked(visIdHigh=1, visIdLow=21)),
        )
    }
    assert len(found) == 8
    assert len({half for id_ in found for half in id_ if half is not None}) == 14


@pytest.mark.parametrize(
    "half", [-(2**63), 2**64, 2**200, 6.04e18, "n/a", "Ä", "9" * 5_000, -1e300]
)
def test_what_is_no_half_of_an_id_is_masked_too(half: object) -> None:
    """An id that is none becomes one: text stays text, a number a number."""
    record = masked(visIdHigh=half, visIdLow=7, props={"prop1": half})
    assert type(record["visIdHigh"]) is (str if isinstance(half, str) else int)
    assert 0 <= int(record["visIdHigh"]) < 2**64
    if len(str(half)) >= 3:
        assert record["props"] == {"prop1": record["visIdHigh"]}


def test_the_ids_of_hits_stay() -> None:
    """The ids and times of hits are as they were, whatever else is the same number."""
    same = {"hitIdHigh": 2948027281753079808, "hitIdLow": "2948027281753079808"}
    same |= {"timeGMT": 1372782179, "receivedTimeGMT": 1372782179}
    record = masked(**same, visIdHigh=2948027281753079808, purchaseId="1372782179")
    assert record.items() >= same.items()
    hostile = masked(timeGMT="jane@example.com", customVisId="jane@example.com")
    assert hostile["timeGMT"] == of("visitor", "jane@example.com")


# What is cut.


@pytest.mark.parametrize(
    ("value", "cut"),
    [
        *(("48.8584", "48.8"), (48.8584, 48.8), ("-0.05", "-0.0"), (-122.47, -122.4)),
        *((48, 48), (48.0, 48.0), ("48", "48"), (" +2.29 ", "+2.2"), (0.00001, 0.0)),
        *(
            (16.1, 16.1),
            (64.1, 64.1),
            (8.2999999999, 8.2),
            ("52.5", "52.5"),
            ("", ""),
            (None, None),
        ),
        *(("48,8584", ""), ("48°51'30\"", ""), (48858400, None), (1e22, None), ("4885.84", "")),
        *(("48.", ""), (".5", ""), ("9" * 5_000, ""), (True, True)),
    ],
)
@pytest.mark.parametrize("key", ["lat", "geoLongitude"])
def test_coordinates_are_cut(key: str, value: object, cut: object) -> None:
    """Of a coordinate one decimal is kept, and its type; what is not in degrees is left out."""
    found = masked(**{key: value})[key]
    assert found == cut
    assert type(found) is type(cut)


@pytest.mark.parametrize(
    ("value", "cut"),
    [
        *(("84604-1234", "846"), ("75001", "750"), ("SW1A 1AA", "SW1"), ("1010", "10")),
        *(("123", "1"), ("12", "1"), ("1", ""), ("", ""), (None, None), (75001, 750)),
        *((1010, 10), (5, None), (75001.0, 750), (-75001, None)),
    ],
)
def test_postal_codes_are_cut(value: object, cut: object) -> None:
    """Of a postal code three characters are kept, and of a short one at most half."""
    assert masked(zip=value, geoZip=value).items() >= {"zip": cut, "geoZip": cut}.items()


@pytest.mark.parametrize(
    ("url", "bare"),
    [
        ("https://shop.example/a?x=1#y", "https://shop.example/a"),
        ("HTTPS://shop.example/a#y?x", "HTTPS://shop.example/a"),
        ("https://shop.example/a#x y", "https://shop.example/a"),
        ("  //shop.example?x=1 y", "  //shop.example"),
        ("https://jane:p@ss@shop.example:8443/@b/?x", "https://shop.example:8443/@b/"),
        ("android-app://jane@com.example/x?y", "android-app://com.example/x"),
        ("https://shop.example/a?u=https://b.example/?c", "https://shop.example/a"),
        ("https://shop.example/Käthe\u2028?\ud83d\ude00", "https://shop.example/Käthe\u2028"),
        ("https://shop.example/a b", "https://shop.example/a b"),
        ("https://a.example/ https://j:p@b.example/", "https://a.example/ https://b.example/"),
        ("https://a.example?x|https://j:p@b.example/", "https://a.example"),
    ],
)
@pytest.mark.parametrize("place", ["pageURL", "referrer", "linkURL", "pageName", "key"])
def test_urls_lose_their_queries(place: str, url: str, bare: str) -> None:
    """A URL has no query, no fragment, no user and no password, whatever holds it."""
    if place == "key":
        assert masked(props={url: 1})["props"] == {bare: 1}
    else:
        assert masked(**{place: url})[place] == bare
        assert masked(**{place: [url]})[place] == [bare]
        assert masked(mvvars={"1": {"m": {"values": [url]}}})["mvvars"]["1"]["m"]["values"] == [
            bare
        ]


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("see https://a.example/?x=1 and b?", "see https://a.example/ and b?"),
        ("from:ftp://j:p@a.example#x|y", "from:ftp://a.example"),
        ('{"u":"https://j@a.example/b?c","n":1}', '{"u":"https://a.example/b","n":1}'),
        ("Page #8552, who? me@home", "Page #8552, who? me@home"),
        ("a // b? c", "a // b? c"),
        ("either//or?", "either//or?"),
    ],
)
def test_urls_within_texts_lose_theirs(text: str, bare: str) -> None:
    """A URL in the middle of a text is taken for one; what is none stays."""
    assert masked(props={"prop1": text})["props"] == {"prop1": bare}


@pytest.mark.parametrize(
    ("url", "bare"),
    [
        ("shop.example/a?x=1", "shop.example/a"),
        ("/a/@b#c", "/a/@b"),
        ("jane:p@shop.example/a", "shop.example/a"),
        ("mailto:jane@shop.example?subject=x", "shop.example"),
        ("?x=1", ""),
        ("/a?u=https://b.example/", "/a"),
        (404, 404),
    ],
)
def test_addresses_need_no_scheme(url: object, bare: object) -> None:
    """What is an address by its key is one without a scheme, too."""
    record = masked(pageURL=url, referrer=url, linkURL=url, page_url=url, pageName=url)
    assert [record[key] for key in (*URLS, "page_url")] == [bare] * 4
    assert record["pageName"] == url


# What stands elsewhere.


def test_a_hashed_value_is_masked_wherever_it_stands() -> None:
    """A value that was hashed is masked in every other text, alone and within, and in keys."""
    mask = of("visitor", "Jane@Example.com")
    quoted = quote("Jane@Example.com", safe="")
    record = masked(
        customVisId="Jane@Example.com",
        pageURL=f"https://shop.example/u/{quoted}/x?y",
        evars={"evars": {"evar1": "Jane@Example.com", "evar2": "u=jane@example.COM;x"}},
        props={"Jane@Example.com": ["a Jane@Example.com Jane@Example.com", 1, None]},
        events={"event1": [{"count": 1, "unique": "Jane@Example.com"}]},
    )
    assert record["pageURL"] == f"https://shop.example/u/{mask}/x"
    assert record["evars"] == {"evars": {"evar1": mask, "evar2": f"u={mask};x"}}
    assert record["props"] == {mask: [f"a {mask} {mask}", 1, None]}
    assert record["events"]["event1"][0]["unique"] == mask


def test_a_url_may_be_what_was_hashed() -> None:
    """A URL that was hashed shows neither before nor after it is taken its user and query."""
    for url in ("https://a.example/jane", "https://a.example/jane?x=1"):
        mask = of("visitor", url)
        full = url.replace("//", "//j:p@") if "?" not in url else url
        assert masked(customVisId=url, props={"prop1": full, "prop2": f"u:{full}"})["props"] == {
            "prop1": mask,
            "prop2": f"u:{mask}",
        }


def test_short_values_are_sought_as_a_whole() -> None:
    """Of fewer than 6 characters only a whole text is taken for the value; of 1 or 2 none."""
    props = {"prop1": "Anna", "prop2": "Annabel", "prop3": " ANNA "}
    mask = of("visitor", "Anna")
    assert masked(customVisId="Anna", props=props)["props"] == props | {
        "prop1": mask,
        "prop3": mask,
    }
    props = {"prop1": "42", "prop2": 42}
    assert masked(customVisId="42", props=props, geoDMA=42)["props"] == props
    assert masked(customVisId="12345", geoDMA=12345)["geoDMA"] == 12345


def test_the_longest_value_counts() -> None:
    """Where one hashed value is part of another, the whole of the longer one is masked."""
    record = masked(ip="198.18.17.5", purchaseId="198.18.17.5/77", pageName="<198.18.17.5/77>")
    assert record["pageName"] == f"<{of('order', '198.18.17.5/77')}>"
    assert record["ip"] == of("ip", "198.18.17.5")


def test_masks_stay() -> None:
    """What looks like a hashed value within a mask, or in what a cut left, is none."""
    address = of("ip", "198.18.17.5")
    record = masked(ip="198.18.17.5", customVisId=address[3:12], purchaseId="846", zip="84604")
    assert (record["ip"], record["zip"]) == (address, "846")


def test_known_keys_stay() -> None:
    """A key that hits are known to have stays, even if somebody is called so."""
    props = {"pageName": "x", "post_ip": "", "new": "pageName"}
    record = masked(customVisId="pageName", pageName="pageName", ip="post_ip", props=props)
    mask = of("visitor", "pageName")
    assert record["pageName"] == mask
    assert record["props"] == {"pageName": "x", "post_ip": "", "new": mask}


def test_ids_are_masked_wherever_they_stand() -> None:
    """A half of an id is masked as a number, as its digits, padded, and in hexadecimal."""
    high, low = 2948027281753079808, 15794108271826547
    masks = pair_of(high, low)
    record = masked(
        visIdHigh=high,
        visIdLow=low,
        evars={"evars": {"evar1": f"{high:019d}{low:019d}", "evar2": f"{high}-{low}"}},
        props={"prop1": high, "prop2": [low, float(low), low + 1], f"{high}_{low}": 1},
        pageName=f"[CS]v1|{high:016X}-{low:016x}[CE]",
    )
    assert record["evars"]["evars"] == {
        "evar1": f"{masks[0]}00{masks[1]}",
        "evar2": f"{masks[0]}-{masks[1]}",
    }
    props = {"prop1": masks[0], "prop2": [masks[1], float(low), low + 1]}
    assert record["props"] == props | {f"{masks[0]}_{masks[1]}": 1}
    assert record["pageName"] == f"[CS]v1|{masks[0]:016x}-{masks[1]:016x}[CE]"
    record = masked(visIdHigh="000123", visIdLow=1, pageName="u000123")
    assert record["pageName"] == f"u{pair_of(123, 1)[0]}"


def test_numbers_are_masked_where_they_are_equal() -> None:
    """A number equal to a hashed value is masked; one that only has its digits is not."""
    props = {"prop1": 420520, "prop2": 420520.0, "prop3": 14205201, "prop4": "x420520"}
    mask = of("visitor", "420520")
    shown = {"prop1": mask, "prop2": mask, "prop3": 14205201, "prop4": f"x{mask}"}
    assert masked(customVisId="420520", props=props)["props"] == shown
    assert masked(customVisId=420520, props=props)["props"] == shown


def test_repeated_keys_let_nothing_through() -> None:
    """Of a key that is there twice the last value counts, and no earlier one shows."""
    raw = b'{"hitIdHigh":1,"ip" :"198.18.17.5","ip":"198.18.17.6","props":{"prop1":"198.18.17.5"},'
    for tail in (b'"a":1}', b'"a":"\\u003a"}', b'"a":"\\u003A"}'):
        record = masked(raw + tail)
        assert record["ip"] == of("ip", "198.18.17.6")
        assert record["props"] == {"prop1": of("ip", "198.18.17.5")}
    nested = (
        b'{"hitIdHigh":1,"x":{"customVisId":"jane-doe"},"x":"jane-doe","pageName":"a jane-doe"}'
    )
    record = masked(nested)
    assert record["x"] == of("visitor", "jane-doe")
    assert record["pageName"] == f"a {of('visitor', 'jane-doe')}"
    # A colon less by the mask, one more by the repeated key.
    balanced = b'{"hitIdHigh":1,"ip":"jane-doe","ip":"::1","zip":"a:b:c:d","prop":"jane-doe"}'
    assert masked(balanced)["prop"] == of("ip", "jane-doe")


def test_escapes_hide_nothing() -> None:
    """A value and a key are what they mean, however JSON spells them."""
    raw = rb'{"hitIdHigh":1,"\u0069p":"fe80::\u0061b","pageURL":"https:\/\/a.example\/b?c=1\u00e4",'
    raw += rb'"props":{"prop1":"\u0066e80::ab","\u0066e80::ab":"https:\/\/a.example#\u0061"}}'
    for each in (raw, raw.replace(b"?", rb"\u003f").replace(b"8", rb"\u0038")):
        record = masked(each)
        mask = of("ip", "fe80::ab")
        assert record["ip"] == mask
        assert record["props"] == {"prop1": mask, mask: "https://a.example"}
        assert record["pageURL"] == "https://a.example/b"
    odd = 'Jane \x1f"\\\n\u2028 Doe'
    assert masked(customVisId=odd, pageName=f"<{odd}>")["pageName"] == f"<{of('visitor', odd)}>"


# The promise.

LETTERS = "abcXYZ019 -_.@/:?#%\\\"'\n\u00e9\U0001f600"
TEXTS = st.text(LETTERS, max_size=12) | st.text(max_size=8)
IDENTITIES = st.text('abcdXYZ0189-_.@/:%\\"\u00e9', min_size=6, max_size=14)
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
LEAVES = TEXTS | NUMBERS | st.booleans() | st.none()
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4)
)
KEYS = st.sampled_from([*HASHED, *HALVES, "IP", "cust_visid", "post_visid_high", "orderId"])


@st.composite
def hits(draw: st.DrawFn) -> tuple[bytes, set[str]]:
    """A record with identities, those also elsewhere in it; and which they are."""
    texts = draw(st.lists(IDENTITIES, min_size=1, max_size=3))
    ids = draw(st.lists(st.integers(10**6, 2**64 - 1), min_size=1, max_size=3))
    identities = [*texts, *map(str, ids), *ids]
    echo = st.sampled_from(identities)
    within = st.tuples(TEXTS, echo.map(str), TEXTS).map("".join)
    fields = st.dictionaries(KEYS, echo | st.lists(echo, max_size=2), max_size=6)
    others = st.dictionaries(TEXTS | within | echo.map(str), JSON | echo | within, max_size=6)
    record: dict[str, Any] = draw(others)
    record |= draw(fields) | {"hitIdHigh": 1, "pageURL": draw(TEXTS | within)}
    record["props"] = draw(others) | {"near": draw(st.lists(fields, max_size=2))}
    return json.dumps(record).encode(), set(_told(record))


def _told(node: object, key: str = "") -> Iterator[str]:
    if isinstance(node, dict):
        for name, value in node.items():
            yield from _told(value, name if name in {*HASHED, *HALVES, "IP"} else key and name)
    elif isinstance(node, list):
        for item in node:
            yield from _told(item, key)
    elif key and isinstance(node, str | int) and not isinstance(node, bool):
        yield str(node).strip()


def texts(node: object) -> Iterator[str]:
    """Every text and key of JSON values."""
    if isinstance(node, dict):
        yield from node
    for item in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from texts(item)
    if isinstance(node, str):
        yield node


def numbers(node: object) -> Iterator[float]:
    """Every number of JSON values."""
    for item in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from numbers(item)
    if isinstance(node, int | float):
        yield node


@settings(deadline=None, max_examples=300)
@given(hits(), st.booleans())
def test_no_hashed_value_shows(hit: tuple[bytes, set[str]], patiently: bool) -> None:
    """What stood in a hashed field is no number of the masked record, and in no text or key."""
    raw, told = hit
    done = MASK.block(b"\xef\xbb\xbf" + raw if patiently else raw)
    assert done.rejected == ()
    record = json.loads(done.block)
    sought = [value.lower() for value in told if len(value) >= 6]
    assert not [text for text in texts(record) for value in sought if value in text.lower()]
    assert {str(number) for number in numbers(record)}.isdisjoint(sought)


def _tells_nobody(value: object) -> bool:
    names = {re.sub("[_-]", "", text).lower().removeprefix("post") for text in texts(value)}
    return names.isdisjoint(FIELDS) and "//" not in json.dumps(value)


@settings(deadline=None, max_examples=200)
@given(JSON.filter(_tells_nobody))
def test_the_rest_stays(value: object) -> None:
    """Where there is nothing to mask, a record has the same keys in the same order, and values."""
    raw = line(props={"prop1": value})
    for each in (raw, b"\xef\xbb\xbf" + raw):
        assert json.dumps(json.loads(MASK.block(each).block)) == raw.decode()


BYTES = st.binary(max_size=60) | st.text(max_size=30).map(lambda text: text.encode())
WILD = st.sampled_from(
    [
        *(b'{"hitIdHigh":1', b'"ip":', b'"visIdHigh":', b'"lat":', b'"zip":', b'"pageURL":'),
        *(b'"domain":', b'"props":{', b'"198.18.17.5"', b'"\\ud800"', b"1e999", b"NaN", b"-"),
        *(b'"https://a:b@c?d#e"', b"9" * 30, b"null", b"true", b"}", b"[", b"]", b",", b":"),
        *(b"\n", b"\r\n", b" ", b"\xff", b"\xef\xbb\xbf", b'"', b"\\", b"{", b"0.1", b'""'),
    ]
)


@settings(deadline=None, max_examples=400)
@given(st.lists(BYTES | WILD, max_size=25).map(b"".join))
def test_a_block_of_anything_is_masked(block: bytes) -> None:
    """Whatever the bytes, each line becomes a hit or is rejected, exactly as when it is decoded."""
    done = MASK.block(block)
    told = [parse(each.removesuffix(b"\r")) for each in block.split(b"\n") if each.strip()]
    assert len(done.rejected) == sum(isinstance(each, Rejected) for each in told)
    assert done.block.count(b"\n") == len(told) - len(done.rejected)
    for each in done.block.splitlines():
        assert isinstance(parse(each), dict)


@pytest.mark.parametrize(
    "odd",
    [
        *('"\\ud800"', '"a\\udc00b"', "1e999", "-1e999", "9" * 5_000, "1" * 400, "1E400", "-0"),
        *("123456789012345678901234567890", "1e5", "0.1", "1799.00", '"\\u0000"', '"\\u007f"'),
    ],
)
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
def test_odd_values_decode_to_the_same(odd: str, bom: bytes) -> None:
    """Numbers of any size and halves of characters decode to what they decoded to before."""
    raw = bom + b'{"hitIdHigh":1,"ip":"198.18.17.5","pageName":%b,"geoDMA":%b,"props":{"prop1":%b}}'
    block = raw.replace(b"%b", odd.encode())
    before, after = decode(block), decode(MASK.block(block).block)
    assert before.frame.drop("ip").equals(after.frame.drop("ip"))
    assert before.unreadable == after.unreadable


# Traffic.

MASKED = ("customVisId", "ip", "purchaseId", "transactionId", *HALVES, *CUT, *URLS)


def check_same(records: list[bytes]) -> None:
    """Masked records decode to the same hits in all columns that are not masked."""
    block = b"\r\n".join(records)
    done = MASK.block(block)
    before, after = decode(block), decode(done.block)
    assert not after.rejected
    assert len(done.rejected) == len(before.rejected)
    drop = [name for name in MASKED if name in before.frame.columns]
    assert before.frame.drop(drop).equals(after.frame.drop(drop))
    for column in set(before.unreadable) | set(after.unreadable):
        if column not in MASKED:
            assert before.unreadable.get(column) == after.unreadable.get(column)
    for url in URLS:
        urls = zip(before.frame[url], after.frame[url], strict=True)
        assert all(_bare(full) == bare for full, bare in urls)


def _bare(url: str | None) -> str | None:
    if not url:
        return url
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=host, query="", fragment="").geturl()


def check_none_shows(records: list[bytes]) -> None:
    """No original of the hashed fields is found in the masked bytes."""
    out = MASK.block(b"\n".join(records)).block.splitlines()
    for raw, text in zip(records, out, strict=True):
        record = json.loads(raw)
        told = [str(record[key]) for key in (*HASHED, *HALVES) if record.get(key)]
        assert told
        assert not [value for value in told if value.encode() in text]


@pytest.mark.parametrize("seed", [1, 16598])
def test_traffic_stays_the_same_hits(seed: int) -> None:
    """The simulator's hits are the same but for what is masked, and none of that shows."""
    records = traffic(seed, 2_000)
    check_same(records)
    check_none_shows(records)


def test_hostile_traffic_stays_the_same_hits() -> None:
    """So are hits that drifted, and those between records that are none."""
    records = [drifted(record) for record in traffic(7, 1_000)]
    for number, kind in enumerate(KINDS):
        records.insert(50 * number, malformed(kind, records[50 * number]))
    check_same(records)


@pytest.mark.parametrize("path", [SHOP, REAL_DAY], ids=["shop", "real day"])
def test_recordings_stay_the_same_hits(path: Path) -> None:
    """So are recorded hits."""
    records = recorded(path)
    check_none_shows(records)
    if path == SHOP:
        check_same(records)


def test_visitors_stay_apart() -> None:
    """Masked visitors are as many as before, and each has as many hits."""
    block = b"\n".join(recorded(SHOP))
    before, after = decode(block).frame, decode(MASK.block(block).block).frame
    for names in (["visIdHigh", "visIdLow"], ["ip"], ["customVisId"], ["purchaseId"]):
        counts = [sorted(frame.group_by(names).len()["len"].to_list()) for frame in (before, after)]
        assert counts[0] == counts[1]
    assert set(before["visIdHigh"]).isdisjoint(after["visIdHigh"])


# What is no hit.


@pytest.mark.parametrize("kind", KINDS)
def test_of_what_is_no_hit_nothing_shows(kind: str) -> None:
    """A record that is no hit is told by its reason and length, and by nothing that it says."""
    record = line(pageName="a jane-doe", error_description="jane-doe")
    raw = malformed(kind, record).replace(b"stream was", b"jane-doe")
    done = MASK.block(b"\n" + raw + b"\r\n\n")
    if isinstance(parse(raw), dict):
        return
    (rejected,) = done.rejected
    assert done.block == b""
    assert rejected.raw == b""
    told = parse(raw)
    assert isinstance(told, Rejected)
    known = rejected.reason.partition(" (")[0]
    assert told.reason.startswith(known)
    assert known != "not a hit"
    assert rejected.reason == f"{known} ({len(raw):,} bytes, withheld because of the mask)"


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b'{"error":"e","error_description":"jane"}', "not a hit but an error from the service"),
        (b'{"jane":1}', "not a hit: it has none of a hit's fields"),
        (b"[1]", "not an object"),
        (b"\xff", "not UTF-8"),
        (b'{"hitIdHigh":1,"a":"\xff"}', "not UTF-8"),
        (b'{"hitIdHigh":NaN}', "not JSON"),
        (b'{"hitIdHigh":1,"jane', "not JSON: the record is cut short"),
        (b"jane", "not JSON"),
        (b"[" * 100_000, "nested too deeply to read"),
        (
            line(near=[{"ip": f"198.18.1.{n}"} for n in range(100)]),
            "it has more values to be masked than a hit has",
        ),
    ],
)
def test_reasons_are_plain_words(raw: bytes, reason: str) -> None:
    """The reason is one of a few, each in plain words."""
    (rejected,) = MASK.block(raw).rejected
    told = f"{reason} ({len(raw):,} bytes, withheld because of the mask)"
    assert rejected == Rejected(b"", told)


def test_an_unknown_reason_is_not_quoted() -> None:
    """What a reason says that is not known is left out."""
    told = "not a hit (1,234 bytes, withheld because of the mask)"
    assert withheld("too long: jane", 1_234) == Rejected(b"", told)
    assert withheld("longer than 4 MiB: 9 bytes", 9).reason.startswith("longer than 4 MiB (9 bytes")


def test_blocks_are_told_in_order() -> None:
    """Hits keep their order, blank lines are left out, and each hit is one line."""
    block = b"\r\n".join([line(hitIdLow=1), b" ", b"x", line(hitIdLow=2), b"[", line(hitIdLow=3)])
    done = MASK.block(block)
    assert b"\r" not in done.block
    assert [json.loads(each)["hitIdLow"] for each in done.block.split(b"\n")[:-1]] == [1, 2, 3]
    assert [each.reason.partition(",")[0] for each in done.rejected] == [
        "not JSON (1 bytes",
        "not JSON: the record is cut short (1 bytes",
    ]
    assert MASK.block(b"") == MASK.block(b"\r\n \n") == Masked(b"")


@pytest.mark.parametrize("char", ["/", ":", "a", ":/", "@", "//", "a:", "?", " ", "%", ":1", "\\"])
def test_long_texts_take_no_longer(char: str) -> None:
    """The time for a record grows as its length does: half a megabyte is masked in a moment."""
    long = char * (500_000 // len(char))
    for text in (long, f"https://{long}", f"//{long}x", f"{long}!"):
        fields = dict.fromkeys(
            ("ip", "pageURL", "pageName", "domain", "lat", "zip", "visIdHigh"), text
        )
        assert MASK.block(line(**fields, topLevelDomain=text)).rejected == ()
    echo = "198.18.17.5" * 50_000
    assert masked(ip="198.18.17.5", pageName=echo)["pageName"] == of("ip", "198.18.17.5") * 50_000


# The key.


@pytest.mark.parametrize("key", ["0123456789abcde", b"0123456789abcde", "", b"", "ü" * 7])
def test_short_keys_are_refused(key: str | bytes) -> None:
    """A key of fewer than 16 bytes is refused, and not shown."""
    with pytest.raises(InvalidOption, match="give 16 bytes or more") as error:
        Mask(key)
    shown = "".join(traceback.TracebackException.from_exception(error.value).format())
    assert len(key) == 0 or str(key) not in shown.replace(f"Mask({key!r})", "")


@pytest.mark.parametrize("key", [None, 123456789012345678, bytearray(32), ["0123456789abcdef"]])
def test_other_keys_are_refused(key: Any) -> None:
    """What is neither text nor bytes is refused, and not shown."""
    with pytest.raises(InvalidOption, match="give a string or bytes") as error:
        Mask(key)
    assert repr(key) not in str(error.value).replace("NoneType", "")


def test_a_refused_key_is_in_no_frame() -> None:
    """A traceback that shows variables shows no key within the package."""
    with pytest.raises(InvalidOption) as error:
        Mask("too-short-canary"[:15])
    for frame, _ in traceback.walk_tb(error.value.__traceback__):
        if "livestream_nb" in frame.f_code.co_filename:
            assert "too-short" not in repr(frame.f_locals)
    assert error.value.__context__ is None


def test_the_key_shows_nowhere() -> None:
    """A mask shows a fingerprint of its key, and is neither pickled nor copied."""
    mask = Mask("canary-0123456789")
    shown = f"{mask!r} {mask} {mask:} {vars(mask)} {mask.described} {dir(mask)}"
    shown += repr([getattr(mask, name) for name in dir(mask)])
    assert "canary" not in shown
    assert str(mask.described["key"]) in repr(mask)
    assert re.fullmatch("[0-9a-f]{16}", str(mask.described["key"]))
    assert copy.copy(mask) is copy.deepcopy(mask) is mask
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match="not stored"):
            pickle.dumps(mask, protocol)


def test_masks_are_equal_by_their_keys() -> None:
    """Masks of one key are equal, given as text or bytes, and mask alike; others do not."""
    text, data, other = Mask("ü" * 16), Mask("ü".encode() * 16), Mask("x" * 16)
    assert text == data != other
    assert hash(text) == hash(data) != hash(other)
    assert text != "ü" * 16
    raw = line(ip="198.18.17.5", visIdHigh=1, visIdLow=2)
    assert text.block(raw) == data.block(raw) != other.block(raw)
    assert text.described == data.described != other.described
    assert Mask("\ud800" * 16) != Mask("?" * 16)


def test_the_description_is_json() -> None:
    """The description names every masked column, and is JSON."""
    described = json.dumps(MASK.described)
    assert json.loads(described) == MASK.described
    assert MASK.described["format"] == 1
    for name in MASKED:
        assert f'"{name}"' in described
