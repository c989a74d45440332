"""connection/timeline.py and measures.py"""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from livestream_nb.checks import seconds_in
from livestream_nb.connection.timeline import SCHEMA, Phase, Timeline, Transition
from livestream_nb.errors import InvalidOption
from livestream_nb.measures import throughput
from livestream_nb.protocol.status import Cause

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
C, S, W, X = Phase.CONNECTING, Phase.STREAMING, Phase.COOLDOWN, Phase.STOPPED


def at(seconds: float) -> datetime:
    return EPOCH + timedelta(seconds=seconds)


def timeline(*steps: tuple[Phase, float], connection: int = 1, now: float = 1000) -> pl.DataFrame:
    journal = Timeline()
    for phase, second in steps:
        journal.record(
            Transition(connection, phase, at(second).timestamp(), Cause.OPENED, "Because.", 200, 1)
        )
    return journal.frame(at(now).timestamp())


def counters(*rows: tuple[float, int, int]) -> pl.DataFrame:
    """(second, hits, duplicates) of connection 1."""
    schema = {
        "time": pl.Datetime("us", "UTC"),
        "connection": pl.UInt8,
        **dict.fromkeys(("hits", "bytes", "duplicates", "quarantined"), pl.UInt64),
    }
    return pl.DataFrame([(at(s), 1, n, n * 100, d, 0) for s, n, d in rows], schema, orient="row")


def test_timeline_frame() -> None:
    """A state lasts until the next of its connection; the last one is open and counts to now."""
    frame = timeline((C, 0), (S, 1.5), now=4)
    assert frame.schema == SCHEMA
    assert frame["state"].to_list() == ["connecting", "streaming"]
    assert frame["started"].to_list() == [at(0), at(1.5)]
    assert frame["ended"].to_list() == [at(1.5), None]
    assert frame["seconds"].to_list() == [1.5, 2.5]


def test_timeline_keeps_connections_apart() -> None:
    """One connection's states do not end another's."""
    journal = Timeline()
    for connection, phase, second in [(1, C, 0), (2, C, 1), (1, S, 2), (2, S, 5)]:
        journal.record(Transition(connection, phase, float(second), Cause.ASKED, ""))
    assert journal.frame(6.0)["seconds"].to_list() == [2.0, 4.0, 4.0, 1.0]


def test_empty_frames_have_their_columns() -> None:
    """Before anything has happened every frame is empty, and typed."""
    empty = Timeline().frame(0.0)
    assert empty.schema == SCHEMA
    assert throughput(counters(), empty, now=at(0)).height == 0


def test_quiet_is_zero_and_away_is_no_row() -> None:
    """A second that was connected without hits counts 0; one without connection has no row."""
    states = timeline((C, 0), (S, 1.2), (W, 3.5), (C, 6), (S, 6.5), now=8)
    frame = throughput(counters((1, 5, 0), (3, 2, 1)), states, now=at(8))
    assert_frame_equal(
        frame.select("time", "hits", "duplicates"),
        pl.DataFrame(
            [(at(1), 5, 0), (at(2), 0, 0), (at(3), 2, 1), (at(6), 0, 0), (at(7), 0, 0),
             (at(8), 0, 0)],
            {"time": pl.Datetime("us", "UTC"), "hits": pl.UInt64, "duplicates": pl.UInt64},
            orient="row",
        ),
    )  # fmt: skip


def test_a_stalled_connection_is_open() -> None:
    """While a connection is stalled it is open, and what does not come counts 0."""
    states = timeline((S, 0), (Phase.STALLED, 2), (W, 4), now=9)
    frame = throughput(counters((0, 5, 0)), states, now=at(9))
    assert frame["hits"].to_list() == [5, 0, 0, 0, 0]


def test_throughput_sums_to_what_came() -> None:
    """A wider interval sums, and nothing that was counted falls out."""
    seconds = counters((1, 5, 0), (2, 6, 0), (61, 7, 0), (300, 1, 0))
    frame = throughput(seconds, timeline((S, 0), (W, 100)), every="1m", now=at(300))
    assert frame["hits"].to_list() == [11, 7, 1]
    assert frame["time"].to_list() == [at(0), at(60), at(300)]


def test_throughput_since() -> None:
    """Only intervals that begin at the given moment or later are counted, the first one whole."""
    states = timeline((S, 0), now=10)
    seconds = counters((1, 5, 0), (7, 1, 0), (8, 2, 0))
    for since in (at(7.5), at(8)):
        frame = throughput(seconds, states, since=since, now=at(10))
        assert frame["time"].to_list() == [at(8), at(9), at(10)]
        assert frame["hits"].to_list() == [2, 0, 0]


@pytest.mark.parametrize(("text", "seconds"), [("30s", 30), ("5m", 300), ("1.5h", 5400)])
def test_durations(text: str, seconds: float) -> None:
    """Seconds, minutes and hours are read; so is a timedelta."""
    assert seconds_in("last", text) == seconds
    assert seconds_in("last", timedelta(seconds=seconds)) == seconds


@pytest.mark.parametrize("value", ["5", "0s", "-1s", "1mo", "", 5, None, timedelta(0)])
def test_wrong_durations(value) -> None:
    """Anything else is refused, and named."""
    with pytest.raises(InvalidOption, match="last=.*give a duration"):
        seconds_in("last", value)


def test_interval_of_whole_seconds() -> None:
    """Counters are per second, so a finer interval is refused."""
    with pytest.raises(InvalidOption, match="whole seconds"):
        throughput(counters(), timeline((S, 0)), every="0.5s", now=at(1))
