"""reader.py against the simulator, on real sockets."""

import asyncio
import gc
import threading
import time

import polars as pl
import pytest

import livestream_nb
from livestream_nb import Clock, Reader, ServerToServer, Simulator
from livestream_nb.errors import (
    InvalidOption,
    MissingCredentials,
    StreamBusy,
    StreamFailed,
    UnknownColumn,
    WaitTimeout,
)
from tests.plain import until

SOON = 20.0
ALWAYS = {
    "hitIdHigh": pl.UInt64,
    "hitIdLow": pl.UInt64,
    "visIdHigh": pl.UInt64,
    "visIdLow": pl.UInt64,
    "timeGMT": pl.Datetime("us", "UTC"),
    "receivedTimeGMT": pl.Datetime("us", "UTC"),
    "arrived": pl.Datetime("us", "UTC"),
    "connection": pl.UInt8,
}


@pytest.fixture
def simulator():
    with Simulator(speed=60) as simulator:
        yield simulator


def test_survives_a_drop(simulator: Simulator) -> None:
    """Over a drop, a ghost and a 409: every hit once, and no wait below the floor."""
    with simulator.reader() as reader:
        reader.wait(hits=500, timeout=SOON)
        simulator.drop(ghost=80)
        reader.wait(state="cooldown", timeout=SOON).wait(state="streaming", timeout=SOON)
        simulator.go_quiet()
        truth = simulator.truth()
        reader.wait(hits=truth.height, timeout=SOON)
    ids = ["hitIdHigh", "hitIdLow"]
    hits = reader.hits()
    assert hits.select(ids).sort(ids).equals(truth.select(ids).sort(ids))
    assert reader.status.duplicates > 0
    timeline = reader.timeline()
    assert timeline["reason"].to_list()[2:6] == ["dropped", "waited", "refused", "waited"]
    after_drop, after_409 = timeline.filter(pl.col("state") == "cooldown")["seconds"]
    assert after_drop >= 60
    assert after_409 >= 90
    assert reader.gaps()["verdict"].to_list() == ["covered"]
    assert reader.throughput()["hits"].sum() == hits.height


def test_hits_frame(simulator: Simulator) -> None:
    """Frames carry the columns that are always there, typed, and those that were asked for."""
    with simulator.reader(columns=["default", "evar1", "event1"]) as reader:
        reader.wait(hits=100, timeout=SOON)
    frame = reader.hits()
    assert {name: frame.schema[name] for name in ALWAYS} == ALWAYS
    assert frame.schema["evar1"] == pl.String
    assert frame.schema["event1"] == pl.Float64
    assert "ip" not in frame.columns
    assert reader.hits(columns=["pageName"]).columns == ["pageName"]
    assert reader.hits(last="1h").height == frame.height


def test_last_counts_back_from_now(simulator: Simulator) -> None:
    """hits(last=) leaves out what arrived before."""
    with simulator.reader() as reader:
        reader.wait(hits=2000, timeout=SOON)
        recent = reader.hits(last="10s")
        assert 0 < recent.height < reader.hits().height


def test_buffer_is_bounded(simulator: Simulator) -> None:
    """Only so many rows are kept; what had to go is counted, and throughput still knows it."""
    with simulator.reader(keep=100) as reader:
        reader.wait(hits=500, timeout=SOON)
    status = reader.status
    assert reader.hits().height == status.rows == 100
    assert status.evicted == status.hits - 100
    assert reader.throughput()["hits"].sum() == status.hits


def test_context_manager_and_idempotence(simulator: Simulator) -> None:
    """start and stop may be called again and again; a second start opens no second connection."""
    reader = simulator.reader()
    reader.stop()
    with reader.start() as same:
        assert same is reader
        reader.start().wait(hits=1, timeout=SOON)
        assert reader.status.connects == 1
    reader.stop()
    assert reader.status.state == "stopped"


def test_nothing_runs_after_stop(simulator: Simulator) -> None:
    """A stopped reader leaves no thread behind."""
    before = set(threading.enumerate())
    with simulator.reader() as reader:
        reader.wait(hits=1, timeout=SOON)
    for thread in set(threading.enumerate()) - before:
        thread.join(SOON)  # the workers end by themselves, a moment later
    assert set(threading.enumerate()) <= before


def test_status_and_repr(simulator: Simulator) -> None:
    """status and repr say how it stands, and never the token."""
    reader = simulator.reader()
    assert reader.status.state == "stopped"
    assert reader.status.since is None
    with reader:
        reader.wait(hits=10, timeout=SOON)
        status = reader.status
        assert (status.state, status.connects, status.next_attempt) == ("streaming", 1, None)
        assert status.silent_for is not None
        assert repr(reader).startswith("<Reader demo: streaming, ")
        simulator.drop()
        reader.wait(state="cooldown", timeout=SOON)
        waiting = reader.status
        assert waiting.next_attempt > waiting.since
        assert "about 60 s" in waiting.reason
    shown = f"{reader!r} {reader} {status} {waiting} {vars(reader)} {reader.timeline()}"
    assert simulator.token not in shown


def test_wait(simulator: Simulator) -> None:
    """wait() ends when the goal is reached, when time is over, and when nothing can come."""
    reader = simulator.reader()
    with pytest.raises(WaitTimeout, match=r"call start\(\) first"):
        reader.wait(hits=1)
    with reader:
        assert reader.wait(state="streaming", timeout=SOON) is reader
        with pytest.raises(WaitTimeout, match=r"0\.01 s: .* hits so far, streaming"):
            reader.wait(hits=10**9, timeout=0.01)
        with pytest.raises(InvalidOption, match="Nothing to wait for"):
            reader.wait()
        with pytest.raises(InvalidOption, match="state='idle'.*streaming"):
            reader.wait(state="idle")


def test_until(simulator: Simulator) -> None:
    """until() awaits the same, and leaves the loop free."""

    async def story() -> None:
        with simulator.reader() as reader:
            assert await reader.until(hits=10, timeout=SOON) is reader
            with pytest.raises(WaitTimeout):
                await reader.until(hits=10**9, timeout=0.01)

    asyncio.run(story())


def test_wrong_token(simulator: Simulator) -> None:
    """A token that the service does not accept stops the reader and says what to do."""
    with simulator.reader(token="wrong") as reader:
        with pytest.raises(StreamFailed, match="Get a fresh token") as failed:
            reader.wait(hits=1, timeout=SOON)
        assert (failed.value.cause, failed.value.status) == ("unauthorized", 401)


def test_tokens_are_renewed_while_the_stream_is_read() -> None:
    """A client's token is renewed before it expires, by itself; the open stream goes on."""
    with Simulator(speed=120, token_lifetime=60) as simulator:
        client = ServerToServer(
            simulator.client_id, simulator.client_secret, "openid", token_url=simulator.token_url
        )
        with Reader(simulator.stream_url, credentials=client, clock=simulator.clock) as reader:
            until(lambda: simulator.log["event"].to_list().count("issued") >= 3, patience=SOON)
            assert reader.status.connects == 1
            assert reader.status.state == "streaming"


def test_running_the_cell_again(simulator: Simulator) -> None:
    """A second reader with the same options takes over the open connection and the hits."""
    first = simulator.reader().start().wait(hits=50, timeout=SOON)
    second = simulator.reader().start()
    assert first.status.state == "stopped"
    assert "newer reader" in first.status.reason
    first.stop()
    second.wait(hits=first.status.hits + 50, state="streaming", timeout=SOON)
    assert second.status.connects == 1
    assert second.hits().height >= 100
    second.stop()
    assert simulator.log.filter(pl.col("event") == "connected").height == 1


def test_other_options_are_refused(simulator: Simulator) -> None:
    """A second reader with other options is refused, and the first is named."""
    with simulator.reader() as first:
        first.wait(hits=1, timeout=SOON)
        with pytest.raises(StreamBusy, match=r"<Reader demo: .*keep.*stop\(\) that one first"):
            simulator.reader(keep=10).start()
        assert first.wait(hits=first.status.hits + 10, timeout=SOON)


def test_several_slots(simulator: Simulator) -> None:
    """Three connections share the visitors; one that is lost comes back to its own share."""
    with simulator.reader(connections=3) as reader:
        until(lambda: len(set(reader.hits()["connection"])) == 3)
        simulator.drop(connection=2)
        until(lambda: reader.timeline().filter(state="streaming").height == 4)
        simulator.go_quiet()
        truth = simulator.truth()
        reader.wait(hits=truth.height, timeout=SOON)
        hits = reader.hits()
    assert hits.n_unique(["hitIdHigh", "hitIdLow"]) == hits.height == truth.height
    by_visitor = hits.group_by("visIdHigh", "visIdLow").agg(pl.col("connection").n_unique())
    assert by_visitor["connection"].unique().to_list() == [1]
    served = simulator.truth().filter(partition=1)["connections"].explode().unique()
    assert set(served) == {2, 4}


def test_hostile_data() -> None:
    """Whatever the scenario throws at it, the reader gets every hit, and shows what was none."""
    with Simulator(speed=120, scenario="hostile-data") as simulator, simulator.reader() as reader:
        until(lambda: "corrupted" in simulator.log["event"].to_list(), patience=SOON)
        reader.wait(state="cooldown", timeout=SOON).wait(state="streaming", timeout=SOON)
        simulator.go_quiet()
        truth = simulator.truth()
        reader.wait(hits=truth.height, timeout=SOON)
        assert reader.hits()["hitIdLow"].n_unique() == truth.height
        assert reader.status.quarantined >= 7
        assert reader.timeline()["reason"].to_list()[2] == "corrupt"


def test_simulator_lives_as_long_as_its_reader() -> None:
    """A simulator that only its reader refers to goes on serving, and ends with it."""
    before = set(threading.enumerate())
    reader = Simulator(speed=60).reader()
    (server,) = set(threading.enumerate()) - before
    with reader:
        reader.wait(hits=500, timeout=SOON)
    assert server.is_alive()
    del reader
    gc.collect()
    server.join(SOON)
    assert not server.is_alive()


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({}, MissingCredentials, r"Simulator\(\)"),
        ({"token": "a\nb"}, InvalidOption, "line break"),
        ({"token": "t", "connections": 9}, InvalidOption, "connections=9.*1 to 8"),
        ({"token": "t", "columns": ["pagename"]}, UnknownColumn, "pagename.*pageName"),
        ({"token": "t", "keep": 0}, InvalidOption, "keep=0"),
        ({"token": "t", "tz": "Mars"}, InvalidOption, "tz='Mars'"),
        ({"token": "t", "policy": 60}, InvalidOption, "policy=60"),
        ({"token": "t", "credentials": livestream_nb.BearerToken("t")}, InvalidOption, "Both"),
        ({"credentials": "canary"}, InvalidOption, "of type str: give a BearerToken"),
        ({"token": "t", "clock": 5}, InvalidOption, "clock=5.*give a Clock"),
        ({"token": "t", "conections": 2}, TypeError, "conections"),
    ],
)
def test_wrong_options(given, error, words) -> None:
    """A wrong option is refused before anything is sent."""
    with pytest.raises(error, match=words):
        Reader("demo", **given)


def test_clock_rate() -> None:
    """A clock of no or negative rate is refused."""
    for rate in (0, -1, float("nan"), "fast", True):
        with pytest.raises(InvalidOption, match="rate="):
            Clock(rate)
    with pytest.raises(InvalidOption, match="origin='now'"):
        Clock(2, origin="now")


def test_two_clocks_agree() -> None:
    """Two clocks with the same rate and origin show the same service time."""
    origin = time.time() - 1000
    first, second = Clock(100, origin=origin), Clock(100, origin=origin)
    assert first == second
    assert abs(first.utc() - second.utc()) < 100
    assert abs(first.utc() - (origin + 100 * 1000)) < 1000
    assert Clock().utc() == pytest.approx(time.time(), abs=10)


def test_public_names() -> None:
    """The package offers these names and no others."""
    assert livestream_nb.__all__ == [
        "BearerToken",
        "Clock",
        "Keep",
        "Lab",
        "LivestreamError",
        "Reader",
        "ReconnectPolicy",
        "Recording",
        "ServerToServer",
        "Simulator",
        "__version__",
        "read_hits",
    ]
    assert all(hasattr(livestream_nb, name) for name in livestream_nb.__all__)
