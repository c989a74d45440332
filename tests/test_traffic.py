import json
import unicodedata
from collections import Counter, defaultdict
from itertools import pairwise
from statistics import fmean
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livestream_nb.errors import InvalidOption
from livestream_nb.hits.fields import ALWAYS, DOCUMENTED
from livestream_nb.simulator.share import WHOLE, Share
from livestream_nb.simulator.site.script import LENGTH, write
from livestream_nb.simulator.traffic import Traffic

BEGAN = 1_800_000_000.0
MANY = 30_000
FUNNEL = ("product", "cart", "address", "payment", "order")
CONSTANT = (
    *("ip", "domain", "topLevelDomain", "carrier", "connectionType", "bot", "hitSource"),
    *("browser", "browserType", "browserHeight", "operatingSystem", "mobileDeviceName"),
    *("language", "languageAbbrev", "currency", "monitorWidth", "usesPersistentCookie"),
    *("geoCity", "geoRegion", "geoCountry", "geoZip", "geoDMA", "lat", "lon", "zip"),
    *("visIdType", "customVisId", "mcVisIdHigh", "mcVisIdLow"),
)
SHARES = [Share(slot, slots) for slots in range(1, 9) for slot in range(slots)]

Hit = dict[str, Any]
Visitor = tuple[int, int]


def made(traffic: Traffic, first: int, end: int, share: Share = WHOLE) -> list[bytes]:
    moments = [BEGAN + elapsed for elapsed in traffic.times(first, end, share)]
    return traffic.records(first, end, share, moments)


@pytest.fixture(scope="module")
def traffic() -> Traffic:
    return Traffic(seed=1, rate=50.0)


@pytest.fixture(scope="module")
def records(traffic: Traffic) -> list[bytes]:
    return made(traffic, 0, MANY)


@pytest.fixture(scope="module")
def hits(records: list[bytes]) -> list[Hit]:
    return [json.loads(record) for record in records]


@pytest.fixture(scope="module")
def visitors(hits: list[Hit]) -> dict[Visitor, list[Hit]]:
    visitors = defaultdict(list)
    for hit in hits:
        visitors[hit["visIdHigh"], hit["visIdLow"]].append(hit)
    return visitors


@pytest.fixture(scope="module")
def visits(visitors: dict[Visitor, list[Hit]]) -> list[list[Hit]]:
    """Return the hits of those who come once, by browser: one visit each, in order."""
    return [
        theirs
        for theirs in visitors.values()
        if theirs[0]["visIdType"] == 5
        and theirs[0]["hitSource"] == 1
        and not is_bot(theirs[0])
        and not is_excluded(theirs[0])
    ]


def is_bot(hit: Hit) -> bool:
    return hit["bot"] == "<Bot>"


def is_excluded(hit: Hit) -> bool:
    return hit["exclude"]["value"] == "yes"


def is_late(hit: Hit) -> bool:
    return hit["receivedTimeGMT"] - hit["timeGMT"] > 1


def evars_of(hit: Hit) -> dict[str, str]:
    return hit["evars"]["evars"]


def kind_of(hit: Hit) -> str:
    return evars_of(hit)["evar3"]


def total(hit: Hit, event: str) -> float:
    return sum(each["count"] / 10 ** each["exponent"] for each in hit["events"].get(event, []))


# Numbers, times and shares


def test_same_seed_same_hits(traffic: Traffic) -> None:
    """A seed and a rate make the same bytes each time, and another seed other ones."""
    assert made(Traffic(1, 50.0), 70, 90) == made(traffic, 70, 90)
    assert not set(made(Traffic(2, 50.0), 70, 90)) & set(made(traffic, 70, 90))


@given(
    first=st.integers(0, 10**9),
    sizes=st.lists(st.integers(0, 40), max_size=4),
    share=st.sampled_from(SHARES),
)
def test_any_piece_of_the_log_is_made_alone(
    traffic: Traffic, first: int, sizes: list[int], share: Share
) -> None:
    """Pieces of a range, put together, are the range: nothing depends on what was made before."""
    pieces, at = [], first
    for size in sizes:
        pieces += made(traffic, at, at + size, share)
        at += size
    assert pieces == made(traffic, first, at, share)


@pytest.mark.parametrize("slots", range(1, 9))
@pytest.mark.parametrize("rate", [0.2, 50.0, 20_000.0])
def test_shares_divide_the_log_by_visitor(slots: int, rate: float) -> None:
    """Shares together are the whole log, and a hit is its slot's whose visIdLow says so."""
    traffic = Traffic(1, rate)
    whole = made(traffic, 1_000, 3_520)
    rest = set(whole)
    for slot in range(slots):
        share = Share(slot, slots)
        first, end = (len(range(slot, number, slots)) for number in (1_000, 3_520))
        records = made(traffic, first, end, share)
        assert [whole[number - 1_000] for number in traffic.numbers(first, end, share)] == records
        assert {json.loads(record)["visIdLow"] % slots for record in records} == {slot}
        rest -= set(records)
    assert not rest


@given(elapsed=st.floats(0, 10**7), slots=st.integers(1, 8))
def test_shares_hold_all_that_the_log_holds(traffic: Traffic, elapsed: float, slots: int) -> None:
    """At any moment the shares' hits are as many as the log's, and almost equally many each."""
    counts = [traffic.logged(elapsed, Share(slot, slots)) for slot in range(slots)]
    assert sum(counts) == traffic.logged(elapsed, WHOLE)
    assert max(counts) - min(counts) <= 1


@given(number=st.integers(0, 10**8), share=st.sampled_from(SHARES))
def test_counts_and_times_agree(traffic: Traffic, number: int, share: Share) -> None:
    """A share's hit is in the log from its own time on, and not before."""
    (elapsed,) = traffic.times(number, number + 1, share)
    assert traffic.logged(elapsed - 1e-3, share) <= number < traffic.logged(elapsed + 1e-3, share)


def test_an_empty_log_has_no_hits(traffic: Traffic) -> None:
    """Before the log begins, and at its first moment, no share holds a hit."""
    assert {traffic.logged(moment, share) for moment in (-1.0, 0.0) for share in SHARES} == {0}


@given(first=st.integers(0, 10**9), share=st.sampled_from(SHARES))
def test_identities_are_those_of_the_records(traffic: Traffic, first: int, share: Share) -> None:
    """What tells hits apart is what their records say."""
    moments = [BEGAN + elapsed for elapsed in traffic.times(first, first + 50, share)]
    told = traffic.identities(first, first + 50, share, moments)
    hits = [json.loads(record) for record in traffic.records(first, first + 50, share, moments)]
    for column, field in (
        (told.high, "hitIdHigh"),
        (told.low, "hitIdLow"),
        (told.visitor_high, "visIdHigh"),
        (told.visitor_low, "visIdLow"),
        (told.time, "timeGMT"),
    ):
        assert column == [hit[field] for hit in hits]


# Ids and times of hits


def test_ids_use_all_64_bits(hits: list[Hit]) -> None:
    """Hit ids are distinct, and half of every id's values are at or above 2^63."""
    assert len({(hit["hitIdHigh"], hit["hitIdLow"]) for hit in hits}) == MANY
    for field in ("hitIdHigh", "hitIdLow", "visIdHigh", "visIdLow"):
        assert 0.47 < fmean(hit[field] >= 2**63 for hit in hits) < 0.53
        assert 0 <= min(hit[field] for hit in hits) < max(hit[field] for hit in hits) < 2**64


@given(number=st.integers(2**40, 2**48))
def test_ids_are_distinct_far_away(traffic: Traffic, number: int) -> None:
    """Hits that are trillions apart have different ids, and ids stay within 64 bits."""
    near = traffic.identities(0, 1_000, WHOLE, [BEGAN] * 1_000)
    far = traffic.identities(number, number + 1_000, WHOLE, [BEGAN] * 1_000)
    assert not set(zip(near.high, near.low, strict=True)) & set(zip(far.high, far.low, strict=True))
    assert max(*far.high, *far.low, *far.visitor_high, *far.visitor_low) < 2**64


def test_hits_are_received_before_they_enter_the_log(traffic: Traffic, hits: list[Hit]) -> None:
    """A hit is received 20 to 40 s before it enters the log, after delays of all lengths."""
    moments = [BEGAN + elapsed for elapsed in traffic.times(0, MANY, WHOLE)]
    delays = [m - hit["receivedTimeGMT"] for m, hit in zip(moments, hits, strict=True)]
    assert 20 <= min(delays) < 21
    assert 39 < max(delays) <= 40
    assert fmean(delays) == pytest.approx(30, abs=0.5)


def test_one_hit_in_a_hundred_is_late(hits: list[Hit]) -> None:
    """Late hits happened minutes to an hour before they were received, others 0 or 1 s."""
    gaps = [hit["receivedTimeGMT"] - hit["timeGMT"] for hit in hits]
    late = [gap for gap in gaps if gap > 1]
    assert 0.008 < len(late) / MANY < 0.012
    assert 180 <= min(late) < max(late) <= 3_600
    assert {gap for gap in gaps if gap <= 1} == {0, 1}
    assert len(set(late)) > 50


@pytest.mark.parametrize("rate", [0.2, 50.0, 1_000.0, 20_000.0])
def test_nobody_goes_back_in_time(rate: float) -> None:
    """A visitor's times of receipt never run backwards, nor do their own times when not late."""
    traffic = Traffic(1, rate)
    lanes = traffic._lanes
    for lane in range(0, lanes, lanes // 40):
        visitors = defaultdict(list)
        for record in made(traffic, 0, 100, Share(lane, lanes)):
            hit = json.loads(record)
            visitors[hit["visIdHigh"], hit["visIdLow"]].append(hit)
        assert 1 < len(visitors) < 100
        for theirs in visitors.values():
            received = [hit["receivedTimeGMT"] for hit in theirs]
            own = [hit["timeGMT"] for hit in theirs if not is_late(hit)]
            assert received == sorted(received)
            assert own == sorted(own)


def test_pages_follow_each_other_within_a_minute(visits: list[list[Hit]]) -> None:
    """Between two pages of a visit about 20 seconds pass."""
    gaps = [b["timeGMT"] - a["timeGMT"] for visit in visits for a, b in pairwise(visit)]
    assert fmean(gaps) == pytest.approx(17, rel=0.1)
    assert max(gaps) < 60


# Visitors


def test_visitors_stay_who_they_are(visitors: dict[Visitor, list[Hit]]) -> None:
    """A visitor has one browser, device, place, language, currency and address on all hits."""
    for theirs in visitors.values():
        assert len({tuple(hit.get(field) for field in CONSTANT) for hit in theirs}) == 1


def test_lanes_have_visitors_of_their_own() -> None:
    """At one moment all who are on the site are different visitors, with different ids."""
    traffic = Traffic(1, 1_000.0)
    lanes = traffic._lanes
    told = traffic.identities(0, lanes, WHOLE, [BEGAN] * lanes)
    assert len(set(told.visitor_high)) == len(set(told.visitor_low)) == lanes > 10_000


def test_a_visit_that_is_played_again_is_by_others(traffic: Traffic) -> None:
    """When a lane begins its script anew, those who come once are other visitors."""
    lane = Share(5, traffic._lanes)
    first, again = (
        traffic.identities(lap * LENGTH, (lap + 1) * LENGTH, lane, [BEGAN] * LENGTH)
        for lap in (0, 1)
    )
    once, twice = set(first.visitor_high), set(again.visitor_high)
    assert len(once & twice) < 50 < 700 < min(len(once), len(twice))


def test_places_fit_together(hits: list[Hit]) -> None:
    """A city lies in one country, region and zip, and a country has one currency."""
    places = {(h["geoCity"], h["geoCountry"], h["geoRegion"], h["geoZip"], h["lat"]) for h in hits}
    assert len(places) == len({city for city, *_ in places})
    currencies = {(hit["geoCountry"], hit["currency"]) for hit in hits}
    assert len(currencies) == len({country for country, _ in currencies}) > 8
    assert all((hit["geoDMA"] > 0) == (hit["geoCountry"] == "usa") for hit in hits)


def test_mobile_fields_are_those_of_mobile_devices(hits: list[Hit]) -> None:
    """Screen and device are told of phones and tablets only, and user agents are empty."""
    assert {hit["userAgent"] for hit in hits} == {""}
    for hit in hits:
        mobile = hit["mobileDeviceType"] != ""
        assert mobile == hit["mobileCookieSupport"] == ("mobileScreenWidth" in hit)
        assert not mobile or hit["operatingSystem"].startswith(("iOS", "Android"))
    assert 0.3 < fmean(hit["mobileCookieSupport"] for hit in hits) < 0.7


def test_one_hit_in_five_is_by_somebody_who_comes_back(
    hits: list[Hit], visitors: dict[Visitor, list[Hit]]
) -> None:
    """Members, 18 % of the hits, are logged in, have a number of their own, and come again."""
    members = [theirs for theirs in visitors.values() if theirs[0]["visIdType"] == 0]
    assert 0.15 < sum(map(len, members)) / MANY < 0.21
    assert len({theirs[0]["customVisId"] for theirs in members}) == len(members)
    again = [
        theirs
        for theirs in members
        if any(b["timeGMT"] - a["timeGMT"] > 120 for a, b in pairwise(theirs))
    ]
    assert len(again) > 20
    for hit in hits:
        assert (hit["visIdType"] == 0) == (evars_of(hit)["evar1"] == "logged-in")


def test_about_two_percent_are_bots(hits: list[Hit], visitors: dict[Visitor, list[Hit]]) -> None:
    """Bots are rare, walk long paths, and put nothing into carts."""
    assert {hit["bot"] for hit in hits} == {"<Bot>", "<Not a bot>"}
    assert 0.018 < fmean(map(is_bot, hits)) < 0.022
    lengths = [len(theirs) for theirs in visitors.values() if is_bot(theirs[0])]
    assert max(lengths) > 15
    assert not any(kind_of(hit) in FUNNEL[1:] for hit in hits if is_bot(hit))


def test_addresses_are_nobodys(records: list[bytes], hits: list[Hit]) -> None:
    """IP addresses are of RFC 2544's range, and every host is under .example or .test."""
    assert all(hit["ip"].startswith(("198.18.", "198.19.")) for hit in hits)
    assert {hit["topLevelDomain"] for hit in hits} == {".example", ".test"}
    assert all(hit["domain"].endswith(hit["topLevelDomain"]) for hit in hits)
    for record in records:
        hosts = [url.split(b"/")[0] for url in record.split(b"://")[1:]]
        assert all(host.endswith((b".example", b".test")) for host in hosts)


# Visits


def test_the_funnel_falls(visits: list[list[Hit]]) -> None:
    """Of all visits, fewer reach each step of the way to an order; a few per cent reach it."""
    reached = [
        fmean(any(kind_of(hit) == step for hit in visit) for visit in visits) for step in FUNNEL
    ]
    assert all(further < before for before, further in pairwise([1.0, *reached]))
    assert 0.015 < reached[-1] < 0.06


def test_visits_are_ordered_paths(visits: list[list[Hit]]) -> None:
    """No order without a payment, no checkout without a cart; the cart holds what was seen."""
    before = {"address": {"cart"}, "payment": {"address"}, "order": {"payment"}}
    seen: Counter[str] = Counter()
    for visit in visits:
        for a, b in pairwise(visit):
            seen[kind_of(b)] += 1
            assert kind_of(a) in before.get(kind_of(b), {kind_of(a)})
            if (kind_of(a), kind_of(b)) == ("product", "cart"):
                assert a["products"][0]["name"] in {product["name"] for product in b["products"]}
    assert all(seen[step] > 20 for step in FUNNEL)


def test_only_the_first_hit_of_a_visit_tells_where_it_came_from(visits: list[list[Hit]]) -> None:
    """Later hits have the page before as their referrer, no search engine and no campaign."""
    for visit in visits:
        for a, b in pairwise(visit):
            assert b["referrer"] == a["pageURL"]
            assert b["searchEngine"] == ""
            assert "campaign" not in evars_of(b)
    entries = [visit[0] for visit in visits if "shop.example" not in visit[0]["referrer"]]
    assert len({hit["referrer"] for hit in entries}) > 6
    assert {"", "Google", "DuckDuckGo"} < {hit["searchEngine"] for hit in entries}
    campaigns = Counter(evars_of(hit).get("campaign", "") for hit in entries)
    assert len(campaigns) > 6
    assert 0.3 < campaigns[""] / len(entries) < 0.9


def test_pages_are_zipf_distributed(hits: list[Hit]) -> None:
    """A few pages have most views: the r-th page has about 1/r of the first one's."""
    views = [count for _, count in Counter(hit["pageName"] for hit in hits).most_common()]
    assert len(views) > 70
    assert sum(views[:10]) > 0.35 * MANY
    assert all(0.25 < views[rank - 1] * rank / views[0] < 2.5 for rank in (2, 5, 10, 20, 40))
    products = Counter(hit["pageName"] for hit in hits if kind_of(hit) == "product")
    ranked = [count for _, count in products.most_common()]
    assert ranked[0] > 1.4 * ranked[1] > 3 * ranked[9]


def test_orders_add_up(hits: list[Hit]) -> None:
    """An order has an id of its own, and its events are the sums of its products."""
    orders = [hit for hit in hits if "purchases" in hit["events"]]
    assert len(orders) > 100
    assert len({hit["purchaseId"] for hit in orders}) == len(orders)
    assert any(len(hit["products"]) > 1 for hit in orders)
    for hit in orders:
        assert hit["purchaseId"] == hit["transactionId"] == hit["events"]["event20"][0]["unique"]
        assert 0 < len(hit["purchaseId"]) <= 20
        revenue = sum(product["revenue"] for product in hit["products"])
        assert total(hit, "revenue") == pytest.approx(revenue)
        assert total(hit, "units") == sum(product["units"] for product in hit["products"]) > 0


def test_hits_that_order_nothing_have_no_revenue(hits: list[Hit]) -> None:
    """Only an order has a purchase's id, revenue and units."""
    for hit in hits:
        if "purchases" not in hit["events"]:
            assert not {"revenue", "units", "orders"} & set(hit["events"])
            assert "purchaseId" not in hit
            assert all(p["revenue"] == p["units"] == 0 for p in hit["products"])


def test_searches_have_terms(hits: list[Hit]) -> None:
    """A search has its term in evar5, and a number of results unless there are none."""
    searches = [hit for hit in hits if "event5" in hit["events"]]
    assert len({evars_of(hit)["evar5"] for hit in searches}) > 8
    for hit in searches:
        assert (total(hit, "event8") > 0) == (kind_of(hit) == "search")
        assert ("event6" in hit["events"]) == (kind_of(hit) == "nothing")


# What Adobe's pages say of records


def test_every_field_of_the_reference_appears(hits: list[Hit]) -> None:
    """Each field that Adobe documents is in some hit, with a value of its type."""
    types = {"text": str, "id": int, "integer": int, "number": str, "time": int, "flag": bool}
    for column in (*ALWAYS, *DOCUMENTED):
        values: list[Any] = hits
        for key in column.path:
            values = [value[key] for value in values if key in value]
        assert values, column.name
        if column.kind in types:
            assert {type(value) for value in values} == {types[column.kind]}, column.name
    nested = {"evars", "props", "events", "products", "hierarchies", "mvvars", "exclude"}
    for field in nested | {"tnt", "tntAction", "mcAudiences"}:
        assert any(hit.get(field) for hit in hits), field


def test_events_of_products_are_the_hits_too(hits: list[Hit]) -> None:
    """A product has no event that the hit has not, none has the value 0, and none is twice."""
    assert any(product["events"] for hit in hits for product in hit["products"])
    for hit in hits:
        for product in hit["products"]:
            assert product["name"]
            assert set(product["events"]) <= set(hit["events"])
            assert product["revenue"] == round(product["revenue"], 2)
        names = [product["name"] for product in hit["products"]]
        assert len(names) == len(set(names))
        assert all(each["count"] > 0 for values in hit["events"].values() for each in values)
        assert all(len(each["unique"]) <= 20 for v in hit["events"].values() for each in v)


def test_an_event_can_happen_several_times_in_a_hit(hits: list[Hit]) -> None:
    """Instances of an event are counted one by one."""
    assert {len(hit["events"]["event7"]) for hit in hits if "event7" in hit["events"]} == {1, 2, 3}


def test_list_variables_repeat_nothing(hits: list[Hit]) -> None:
    """List variables 1 to 3 appear, each with a comma as delimiter and no value twice."""
    assert {number for hit in hits for number in hit["mvvars"]} == {"1", "2", "3"}
    for hit in hits:
        for variable in hit["mvvars"].values():
            assert variable["m"]["delim"] == 44
            assert len(variable["m"]["values"]) == len(set(variable["m"]["values"])) > 0


def test_bots_and_excluded_hits_have_no_referrer(hits: list[Hit]) -> None:
    """Referrer and search engine are left out for both, props for excluded hits alone."""
    assert 0.01 < fmean(map(is_excluded, hits)) < 0.02
    for hit in hits:
        hidden = is_bot(hit) or is_excluded(hit)
        assert hidden == ("referrer" not in hit) == ("searchEngine" not in hit)
        assert is_excluded(hit) == ("props" not in hit)
        assert not hidden or "tntAction" not in hit
        assert hit["exclude"]["id"] == ("4" if is_excluded(hit) else "0")


def test_variables_are_sparse_and_within_their_limits(hits: list[Hit]) -> None:
    """Hits set some of evar1 to evar250 and prop1 to prop75, no value over 255 bytes."""
    evars = Counter(key for hit in hits for key in evars_of(hit))
    props = Counter(key for hit in hits for key in hit.get("props", {}))
    assert {"evar1", "evar250"} < set(evars) <= {f"evar{n}" for n in range(1, 251)} | {"campaign"}
    assert {"prop1", "prop75"} < set(props) <= {f"prop{n}" for n in range(1, 76)} | {"site_section"}
    assert evars["evar250"] < MANY / 5
    assert len({evars_of(hit)["evar100"] for hit in hits if "evar100" in evars_of(hit)}) > 2
    for hit in hits:
        values = [*evars_of(hit).values(), *hit.get("props", {}).values()]
        assert max(len(value.encode()) for value in values) <= 255
        assert len(hit["pageName"].encode()) <= 100


def test_names_are_of_many_scripts(hits: list[Hit]) -> None:
    """Page names have five scripts, bidi marks, HTML, emoji, quotes, and up to 100 bytes."""
    pages = {hit["pageName"] for hit in hits}
    letters = {unicodedata.name(sign, "?").split()[0] for page in pages for sign in page}
    assert {"LATIN", "CYRILLIC", "ARABIC", "CJK", "KATAKANA", "HIRAGANA"} < letters
    text = "".join(pages)
    assert all(sign in text for sign in ("\u2067", "<b>", "🔥", '"', "\\", "ä", "&"))
    assert max(len(page.encode()) for page in pages) == 100
    assert max(len(evars_of(hit)["evar4"].encode()) for hit in hits) == 255


# Sizes


def test_records_are_as_long_as_real_ones(records: list[bytes]) -> None:
    """Records are 1.5 to 4.2 kB of one line each, 2.5 kB on average."""
    sizes = [len(record) for record in records]
    assert 1_500 <= min(sizes) < 1_800
    assert 3_800 < max(sizes) <= 4_200
    assert fmean(sizes) == pytest.approx(2_500, rel=0.05)
    assert not any(b"\n" in record or b"\r" in record for record in records)


@pytest.mark.parametrize("size", [2_000, 3_000, 3_700, 4_000])
def test_record_size_is_the_mean(size: int) -> None:
    """Records can be made as long as a benchmark needs them, on average."""
    sizes = list(map(len, made(Traffic(1, 50.0, size), 0, 4_000)))
    assert fmean(sizes) == pytest.approx(size, rel=0.06)


@pytest.mark.parametrize("size", [1_999, 4_001, 2_000.0, True])
def test_record_size_is_checked(size: Any) -> None:
    """A size that records cannot have is refused."""
    with pytest.raises(InvalidOption, match="record_size"):
        Traffic(1, 50.0, size)


@pytest.mark.parametrize("seed", [0, 2, 16598, 2**63 - 1])
def test_any_seed_makes_such_traffic(seed: int) -> None:
    """Sizes, bots, orders and delays are alike whatever the seed."""
    records = made(Traffic(seed, 50.0), 0, 6_000)
    assert 1_500 <= min(map(len, records)) <= max(map(len, records)) <= 4_200
    hits = [json.loads(record) for record in records]
    assert 0.015 < fmean(map(is_bot, hits)) < 0.025
    gaps = [hit["receivedTimeGMT"] - hit["timeGMT"] for hit in hits]
    assert {gap for gap in gaps if gap < 180} == {0, 1}
    assert max(gaps) <= 3_600
    assert len(write(seed, None).scenes) == LENGTH
    assert 0.003 < fmean("purchases" in hit["events"] for hit in hits) < 0.02
