from itertools import pairwise
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livestream_nb.simulator.arrivals import DAY, Arrivals

RATE = 50.0
RATES = st.sampled_from([0.01, 0.7, 50.0, 20_000.0])


@pytest.fixture(scope="module")
def arrivals() -> Arrivals:
    return Arrivals(3, RATE)


def test_days_hold_what_the_rate_promises(arrivals: Arrivals) -> None:
    """A day and a year hold exactly rate times seconds."""
    assert arrivals.count(DAY) == RATE * DAY
    assert arrivals.count(365 * DAY) == RATE * 365 * DAY


def test_nothing_before_the_log_begins(arrivals: Arrivals) -> None:
    """At its first moment, and before it, the log is empty."""
    assert [arrivals.count(moment) for moment in (-1.0, 0.0)] == [0, 0]


def test_a_log_begins_at_average_traffic(arrivals: Arrivals) -> None:
    """The first ten minutes hold what the rate promises, the first thirteen nearly so."""
    for minutes in (10, 13):
        assert arrivals.count(60 * minutes) == pytest.approx(RATE * 60 * minutes, rel=0.1)
    assert arrivals.count(600) == pytest.approx(RATE * 600, rel=0.001)


def test_days_have_a_rhythm(arrivals: Arrivals) -> None:
    """Traffic rises for six hours to 1.6 of the mean, and is at 0.4 of it twelve hours later."""

    def around(hour: float) -> float:
        middle = hour * 3600
        return (arrivals.count(middle + 1800) - arrivals.count(middle - 1800)) / 3600 / RATE

    assert [around(hour) for hour in (6, 12, 18, 30)] == pytest.approx([1.6, 1, 0.4, 1.6], abs=0.02)


def test_seconds_differ(arrivals: Arrivals) -> None:
    """The busiest second of ten minutes has 2.5 times the mean one's hits, the calmest half."""
    counts = [b - a for a, b in pairwise(arrivals.count(second) for second in range(601))]
    assert max(counts) > 2.5 * fmean(counts)
    assert 0 < min(counts) < fmean(counts) / 2


def test_ten_minutes_differ(arrivals: Arrivals) -> None:
    """Traffic does not repeat itself every ten minutes."""
    spells = [
        [b - a for a, b in pairwise(arrivals.count(start + second) for second in range(61))]
        for start in range(0, 6_000, 600)
    ]
    assert len({tuple(spell) for spell in spells}) == len(spells)
    busiest = {spell.index(max(spell)) for spell in spells}
    assert len(busiest) > 3


def test_hits_of_a_second_are_not_evenly_spaced(arrivals: Arrivals) -> None:
    """The gaps between hits vary as much as chance makes them, within a factor of 1.3."""
    gaps = [b - a for a, b in pairwise(arrivals.times(range(20_000)))]
    spread = (fmean(gap * gap for gap in gaps) - fmean(gaps) ** 2) ** 0.5
    assert 0.8 < spread / fmean(gaps) < 1.6


@given(number=st.integers(0, 10**9), rate=RATES)
def test_count_and_time_agree(number: int, rate: float) -> None:
    """A hit is in the log from its own time on, and not before."""
    arrivals = Arrivals(3, rate)
    (time,) = arrivals.times(range(number, number + 1))
    blur = 1e-9 * max(1.0, time)
    assert arrivals.count(time - blur) <= number < arrivals.count(time + blur)


@given(
    first=st.integers(0, 10**9),
    many=st.integers(0, 400),
    step=st.integers(1, 8),
    rate=RATES,
)
def test_times_ascend_whichever_hits_they_are_of(
    first: int, many: int, step: int, rate: float
) -> None:
    """Times of every n-th hit are those of all hits, every n-th; and they ascend."""
    arrivals = Arrivals(3, rate)
    whole = arrivals.times(range(first, first + many * step))
    assert arrivals.times(range(first, first + many * step, step)) == whole[::step]
    assert whole == sorted(whole)


@given(moments=st.lists(st.floats(0, 10**6), min_size=2, max_size=9))
def test_the_log_never_shrinks(arrivals: Arrivals, moments: list[float]) -> None:
    """Later moments never hold fewer hits."""
    counts = [arrivals.count(moment) for moment in sorted(moments)]
    assert counts == sorted(counts)


def test_other_seeds_arrive_otherwise(arrivals: Arrivals) -> None:
    """Times depend on the seed, and on nothing else."""
    assert Arrivals(3, RATE).times(range(99)) == arrivals.times(range(99))
    assert Arrivals(4, RATE).times(range(99)) != arrivals.times(range(99))
