"""How late hits come: counted by second (delays.py), asked for by interval (measures.py)."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livestream_nb import Simulator, measures
from livestream_nb.errors import InvalidOption
from livestream_nb.hits.delays import Delays
from livestream_nb.hits.fields import UTC_TIME
from tests.plain import until

T0 = 1_772_000_000
SOON = 20.0


def hits(arrived: float, delays: list[float | None]) -> pl.DataFrame:
    moment = round(arrived * 1e6)
    received = [None if delay is None else moment - round(delay * 1e6) for delay in delays]
    stamps = {"arrived": [moment] * len(delays), "receivedTimeGMT": received}
    return pl.DataFrame(stamps, schema=dict.fromkeys(stamps, pl.Int64)).cast(UTC_TIME)


def rows(added: list[tuple[float, list[float | None]]]) -> pl.DataFrame:
    delays = Delays()
    for arrived, late in added:
        delays.add(arrived, hits(arrived, late))
    return delays.rows()


@given(st.lists(st.floats(-1e5, 1e9), min_size=1, max_size=50))
def test_quantiles_are_exact_to_two_percent(late: list[float]) -> None:
    """Median, 95th percentile and longest are those of the delays, to 0.03 s or 2.1 %."""
    (found,) = measures.lag(rows([(T0, late)])).select("median", "p95", "longest").rows()
    ordered = sorted(late)
    wanted = [ordered[max(0, -(-len(late) * percent // 100) - 1)] for percent in (50, 95, 100)]
    assert found == pytest.approx(wanted, rel=0.021, abs=0.03)


def test_intervals_add_up_whatever_came_together() -> None:
    """Hits of one interval count together, in however many blocks they came."""
    found = rows([(T0 + 0.2, [30.0] * 3), (T0 + 0.9, [60.0]), (T0 + 12, [5.0])])
    lag = measures.lag(found, every="10s")
    assert lag["time"].to_list() == [moment(T0), moment(T0 + 10)]
    assert lag["hits"].to_list() == [4, 1]
    assert lag["median"].to_list() == pytest.approx([30, 5], rel=0.02)
    assert lag["longest"].to_list() == pytest.approx([60, 5], rel=0.02)
    assert dict(lag.schema) == {
        "time": UTC_TIME,
        "hits": pl.UInt64(),
        "median": pl.Float64(),
        "p95": pl.Float64(),
        "longest": pl.Float64(),
    }


def test_hits_without_a_time_of_collection_do_not_count() -> None:
    """A hit without receivedTimeGMT has no delay; a second of such hits has no row."""
    lag = measures.lag(rows([(T0, [None, 30.0]), (T0 + 1, [None])]))
    assert lag.select("time", "hits").rows() == [(moment(T0), 1)]


def test_asking_changes_nothing() -> None:
    """However often it is asked, in between too, each hit counts once, in its own second."""
    delays = Delays()
    for second in range(3):
        delays.add(T0 + second, hits(T0 + second, [30.0, 40.0]))
        delays.rows()
    assert measures.lag(delays.rows())["hits"].to_list() == [2, 2, 2]
    assert measures.lag(delays.rows())["time"].to_list() == [moment(T0 + s) for s in range(3)]


def test_what_waits_to_be_counted_is_little() -> None:
    """Blocks are counted before they are many, and before their hits are."""
    delays, waiting = Delays(), []
    for second in range(1_000):
        delays.add(T0 + second, hits(T0 + second, [30.0]))
        waiting.append(len(delays._waiting))
    assert 100 < max(waiting) < 300
    delays.add(T0 + 1_000, hits(T0 + 1_000, [30.0] * 70_000))
    assert delays._waiting == []


def test_a_day_without_hits_is_a_day() -> None:
    """Delays are forgotten after a day, also when no hit has come since."""
    delays = Delays()
    delays.add(T0, hits(T0, [30.0]))
    delays.add(T0 + 86_399, hits(T0, []))
    assert delays.rows().height == 1
    delays.add(T0 + 86_400, hits(T0, []))
    assert delays.rows().is_empty()


def test_delays_are_kept_for_a_day() -> None:
    """A day of seconds is kept, older ones are forgotten, and memory stays bounded."""
    delays = Delays()
    for second in range(0, 300_000, 20):
        delays.add(T0 + second, hits(T0 + second, [30.0]))
    times = delays.rows()["time"]
    assert times.max() == moment(T0 + 299_980)
    assert times.min() == moment(T0 + 300_000 - 86_400)
    assert delays._day.height < 4_320 + 4_096 + 512


def test_a_wrong_interval_is_refused() -> None:
    """Delays are by second, so a finer interval is refused."""
    with pytest.raises(InvalidOption, match="every="):
        measures.lag(rows([]), every="500ms")


def test_a_reader_tells_its_lag() -> None:
    """The lag of a reader is that of its hits, from receivedTimeGMT to arrived."""
    with Simulator(speed=60) as simulator, simulator.reader(keep=100) as reader:
        reader.wait(hits=2_000, timeout=SOON)
    lag = reader.lag(every="1h")
    held = reader.hits().select(late=pl.col("arrived") - pl.col("receivedTimeGMT"))["late"]
    assert lag["hits"].sum() == reader.status.hits
    assert lag["longest"].max() >= held.max().total_seconds() * 0.97
    assert 10 < lag["median"][0] < lag["p95"][0] <= lag["longest"][0]
    latest = reader.lag()["time"].max()
    until(lambda: reader.clock.utc() > latest.timestamp() + 3)
    assert reader.lag(last="1s").is_empty()


def test_an_interval_that_is_cut_is_left_out() -> None:
    """What is asked for since a moment begins with the first whole interval."""
    found = rows([(T0 + second, [30.0]) for second in range(30)])
    lag = measures.lag(found, every="10s", since=moment(T0 + 3))
    assert lag["hits"].to_list() == [10, 10]


def test_steps_fit_the_span() -> None:
    """A span has some hundred steps at most; a longer one than there are steps for, the longest."""
    assert [measures.fitting_step(span) for span in (60, 3_600, 86_400, 1e9)] == [1, 10, 300, 3_600]
    assert measures.fitting_step(60, least=18.0) == 20
    assert measures.fitting_step(600, connections=8) == 10


def test_top_values() -> None:
    """The most frequent come first, equals by value; null and empty are none, but count as hits."""
    values = pl.Series(["b", "a", "b", None, "", "a", "c", "b"])
    most = [("b", 3, 3 / 8), ("a", 2, 2 / 8), ("c", 1, 1 / 8)]
    assert measures.top(values).rows() == most
    assert measures.top(values, 2).rows() == most[:2]
    assert measures.top(pl.Series(list("dbcabd")))["value"].to_list() == ["b", "d", "a", "c"]
    lists = pl.Series([["x", "y"], [], None, ["x"]])
    assert measures.top(lists).rows() == [("x", 2, 0.5), ("y", 1, 0.25)]
    assert measures.top(pl.Series([True, True, False])).rows()[0] == ("true", 2, 2 / 3)
    assert measures.top(pl.Series([], dtype=pl.String)).is_empty()


def moment(second: float) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=second)
