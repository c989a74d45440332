import json
from collections import defaultdict
from itertools import pairwise
from statistics import fmean
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livestream_nb.simulator.arrivals import Arrivals
from livestream_nb.simulator.traffic import Traffic

BEGAN = 1_800_000_000.0


@pytest.fixture(scope="module")
def traffic() -> Traffic:
    return Traffic(seed=1, rate=50.0)


@pytest.fixture(scope="module")
def hits(traffic: Traffic) -> list[dict[str, Any]]:
    return [json.loads(line) for line in traffic.lines(0, 5_000, BEGAN).splitlines()]


def test_same_seed_same_hits(traffic: Traffic) -> None:
    """A seed and a rate make the same bytes each time, and another seed other ones."""
    assert Traffic(1, 50.0).lines(70, 90, BEGAN) == traffic.lines(70, 90, BEGAN)
    assert Traffic(2, 50.0).lines(70, 90, BEGAN) != traffic.lines(70, 90, BEGAN)


@given(first=st.integers(0, 10**9), sizes=st.lists(st.integers(0, 40), max_size=4))
def test_any_piece_of_the_log_is_made_alone(traffic: Traffic, first: int, sizes: list[int]) -> None:
    """Pieces of a range, put together, are the range: nothing depends on what was made before."""
    pieces, at = b"", first
    for size in sizes:
        pieces += traffic.lines(at, at + size, BEGAN)
        at += size
    assert pieces == traffic.lines(first, at, BEGAN)


def test_mean_rate(traffic: Traffic) -> None:
    """Ten minutes, an hour and a year hold what the rate promises."""
    assert [traffic.logged(t) for t in (-1, 0, 600, 3_600)] == [0, 0, 30_000, 180_000]
    assert traffic.logged(365 * 86_400) == 50 * 365 * 86_400


def test_traffic_is_irregular(traffic: Traffic) -> None:
    """Seconds differ: the busiest of ten minutes has three times the hits of the mean one."""
    counts = [b - a for a, b in pairwise(traffic.logged(second) for second in range(601))]
    assert max(counts) > 3 * fmean(counts)
    assert 0 < min(counts) < fmean(counts) / 2


@given(number=st.integers(0, 10**9), rate=st.sampled_from([0.01, 50.0, 20_000.0]))
def test_count_and_time_agree(number: int, rate: float) -> None:
    """A hit is in the log from its own time on, and not before."""
    arrivals = Arrivals(3, rate)
    (time,) = arrivals.times(number, number + 1)
    blur = 1e-9 * max(1.0, time)
    assert arrivals.count(time - blur) <= number < arrivals.count(time + blur)


@given(moments=st.lists(st.floats(0, 10**6), min_size=2, max_size=9))
def test_log_never_shrinks(traffic: Traffic, moments: list[float]) -> None:
    """Later times never hold fewer hits."""
    counts = [traffic.logged(moment) for moment in sorted(moments)]
    assert counts == sorted(counts)


def test_records_are_like_the_real_ones(traffic: Traffic) -> None:
    """Every record is a JSON object of 1.5 to 4 kB that ends in CRLF."""
    records = traffic.lines(0, 5_000, BEGAN).split(b"\r\n")
    assert records.pop() == b""
    assert len(records) == 5_000
    assert 1_500 <= min(map(len, records)) <= max(map(len, records)) <= 4_000


def test_ids_use_all_64_bits(hits: list[dict[str, Any]]) -> None:
    """Hit ids are distinct, and half of them are at or above 2^63."""
    assert len({(hit["hitIdHigh"], hit["hitIdLow"]) for hit in hits}) == len(hits)
    assert 0.45 < fmean(hit["hitIdHigh"] >= 2**63 for hit in hits) < 0.55
    assert max(hit["hitIdLow"] for hit in hits) < 2**64


def test_times_lie_just_before_the_log(traffic: Traffic, hits: list[dict[str, Any]]) -> None:
    """A hit's own time is 2 to 11 s before it enters the log, and it is received at once."""
    for hit, identity in zip(hits, traffic.identities(0, 5_000, BEGAN), strict=True):
        assert 2 <= identity.logged - hit["timeGMT"] <= 11
        assert hit["receivedTimeGMT"] - hit["timeGMT"] in {0, 1}


def test_identities_are_those_of_the_records(traffic: Traffic, hits: list[dict[str, Any]]) -> None:
    """What the truth tells of a hit is what its record says."""
    names = ("hitIdHigh", "hitIdLow", "visIdHigh", "visIdLow", "timeGMT")
    told = [identity[:5] for identity in traffic.identities(0, 5_000, BEGAN)]
    assert told == [tuple(hit[name] for name in names) for hit in hits]


def test_visitors_come_for_several_hits(hits: list[dict[str, Any]]) -> None:
    """A visitor leaves some hits, with one browser, one place and one language."""
    visitors = defaultdict(list)
    for hit in hits:
        visitors[hit["visIdHigh"], hit["visIdLow"]].append(hit)
    assert 2 < len(hits) / len(visitors) < 6
    for theirs in visitors.values():
        assert (
            len({(hit["ip"], hit["browser"], hit["geoCity"], hit["language"]) for hit in theirs})
            == 1
        )


def test_about_two_percent_are_robots(hits: list[dict[str, Any]]) -> None:
    """Bots are marked as in Adobe's variable reference, and rare."""
    assert {hit["bot"] for hit in hits} == {"<Bot>", "<Not a bot>"}
    assert 0.01 < fmean(hit["bot"] == "<Bot>" for hit in hits) < 0.03


def test_values_worth_looking_at(hits: list[dict[str, Any]]) -> None:
    """Campaigns, orders, excluded hits, several scripts, HTML and emoji occur."""
    pages = "".join({hit["pageName"] for hit in hits})
    assert all(sign in pages for sign in ("<b>", "🔥", "靴", "О", "أ", "\\", '"'))
    assert any("campaign" in hit["evars"]["evars"] for hit in hits)
    assert any(hit["exclude"]["value"] == "yes" for hit in hits)
    orders = [hit for hit in hits if "purchases" in hit["events"]]
    assert orders
    assert all(hit["purchaseId"] and hit["products"][0]["revenue"] > 0 for hit in orders)
