"""The simulator over real sockets, read by the standard library's client."""

import gc
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from livestream_nb.embedded import Simulator
from livestream_nb.errors import InvalidOption, PortInUse, RecordingError
from tests.plain import PATH, Client, events_of, ids_of, port_of, until

DAY = Path(__file__).parents[2] / "shared/traffic/zwitchdev-2015-07-13.ndjson.gz"


@pytest.fixture
def sim() -> Iterator[Simulator]:
    with Simulator(speed=60.0) as sim:
        yield sim


def test_hits_arrive(sim: Simulator, clients: Callable[..., Client]) -> None:
    """A plain client reads gzip JSON records from the first one in the log on, in order."""
    client = clients(sim)
    client.read_hits(100)
    assert client.answer.headers["Content-Encoding"] == "gzip"
    assert client.answer.headers["Transfer-Encoding"] == "chunked"
    assert client.ids == ids_of(sim.truth())[: len(client.ids)]


def test_empty_records_occur(clients: Callable[..., Client]) -> None:
    """Now and then there is a bare line ending between two records."""
    with Simulator(rate=5_000.0) as sim:
        client = clients(sim)
        client.read_hits(2_000)
        assert b"\r\n\r\n" in client.raw


@pytest.mark.parametrize(
    ("request_", "status", "words"),
    [
        ({"Authorization": "Bearer wrong"}, 401, "not authorized"),
        ({"Authorization": ""}, 401, "not authorized"),
        ({"Authorization": "Basic YTpi"}, 401, "not authorized"),
        ({"Accept_Encoding": "identity"}, 406, "gzip"),
        ({"Accept_Encoding": "gzip;q=0, br"}, 406, "gzip"),
        ({"path": "/api/1/stream/other"}, 404, "no stream at /api/1/stream/other"),
        ({"method": "POST"}, 405, "GET"),
        ({"path": f"{PATH}?maxConnections=9"}, 400, "maxConnections=9 is invalid"),
        ({"path": f"{PATH}?maxConnections=0"}, 400, "maxConnections=0 is invalid"),
        ({"path": f"{PATH}?maxConnections=two"}, 400, "maxConnections=two is invalid"),
        ({"path": f"{PATH}?maxConnections="}, 400, "maxConnections= is invalid"),
        ({"path": f"{PATH}?reset=yesterday"}, 400, "reset=yesterday is invalid"),
    ],
)
def test_refusals(
    sim: Simulator,
    clients: Callable[..., Client],
    request_: dict[str, str],
    status: int,
    words: str,
) -> None:
    """Each refusal has its status, its reason in the body and in the log, and takes no slot."""
    client = clients(sim, **request_)
    assert client.status == status
    body = client.answer.read().decode()
    if status == 401:
        assert body == "not authorized"
        assert client.answer.headers["Content-Type"] == "text/plain"
    else:
        assert set(json.loads(body)) == {"error", "error_description"}
        assert words in json.loads(body)["error_description"]
    assert sim.log.select("event", "status").rows() == [("refused", status)]
    assert clients(sim).status == 200


def test_only_bearer_tokens(sim: Simulator, clients: Callable[..., Client]) -> None:
    """The right token under another scheme is refused; the scheme's case does not matter."""
    assert clients(sim, Authorization=f"Token {sim.token}").status == 401
    assert clients(sim, Authorization=f"bearer {sim.token}").status == 200


@pytest.mark.parametrize("accepted", ["gzip", "deflate, gzip;q=0.5", "br, GZIP ; q=1.0"])
def test_gzip_in_any_company(sim: Simulator, clients: Callable[..., Client], accepted: str) -> None:
    """gzip among other encodings, with or without a weight, is enough."""
    assert clients(sim, Accept_Encoding=accepted).status == 200


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (f"GET {PATH} HTTP/1.0\r\n\r\n", b"505"),
        ("GET //[ HTTP/1.1\r\nHost: x\r\n\r\n", b"404"),
        ("what is this\r\n\r\n", b"400"),
        ("GET / HTTP/1.1\r\nHost: x\r\nX: " + "y" * 100_000 + "\r\n\r\n", b"400"),
    ],
)
def test_other_protocols(sim: Simulator, sent: str, status: bytes) -> None:
    """HTTP/1.0, odd targets and what is not HTTP at all are answered, and the server goes on."""
    with socket.create_connection(("127.0.0.1", port_of(sim)), timeout=10) as client:
        client.sendall(sent.encode())
        assert client.recv(1_000).startswith(b"HTTP/1.1 " + status)
    assert sim.log["status"].to_list() == [int(status)]


def test_client_that_says_nothing_is_not_noted(sim: Simulator) -> None:
    """A client that hangs up before it has asked for anything leaves no trace."""
    for said in (b"", b"GET /api"):
        with socket.create_connection(("127.0.0.1", port_of(sim)), timeout=10) as client:
            client.sendall(said)
            client.shutdown(socket.SHUT_WR)
            assert client.recv(1_000) == b""
    assert sim.log.is_empty()


def test_second_client_is_refused(sim: Simulator, clients: Callable[..., Client]) -> None:
    """While one client reads, another one gets 409, which says why."""
    first, second = clients(sim), clients(sim)
    assert second.status == 409
    assert "maxConnections" in json.loads(second.answer.read())["error_description"]
    first.read_hits(10)


def test_drop_ghost_and_resume(sim: Simulator, clients: Callable[..., Client]) -> None:
    """After a drop: 409, 200 once the ghost has expired, some repeats, and no hole."""
    first = clients(sim)
    first.read_hits(500)
    assert sim.drop() == 1
    first.read_to_end()
    assert first.complete
    assert clients(sim).status == 409
    until(lambda: "freed" in events_of(sim))
    second = clients(sim)
    assert second.status == 200
    second.read_hits(len(first.hits) + 500)
    assert events_of(sim) == ["connected", "dropped", "restarted", "refused", "freed", "connected"]
    truth = ids_of(sim.truth())
    start = truth.index(second.ids[0])
    assert start < len(first.ids)
    assert first.ids == truth[: len(first.ids)]
    assert second.ids == truth[start : start + len(second.ids)]


def test_truth_counts_deliveries(sim: Simulator, clients: Callable[..., Client]) -> None:
    """`delivered` tells how many times each hit was written, and so which were repeated."""
    received: list[tuple[int, int]] = []
    for _ in range(2):
        client = clients(sim)
        client.read_hits(300)
        sim.drop(ghost=0.0)
        client.read_to_end()
        received += client.ids
    truth = sim.truth()
    assert truth["delivered"].sum() == len(received)
    assert all(
        received.count(hit) == times
        for hit, times in zip(ids_of(truth), truth["delivered"], strict=True)
    )


def test_frames_are_typed(sim: Simulator, clients: Callable[..., Client]) -> None:
    """The log and the truth have fixed columns, before anything has happened and after."""
    moment = pl.Datetime("us", "UTC")
    ids = ("hitIdHigh", "hitIdLow", "visIdHigh", "visIdLow")
    for hits in (0, 1):
        if hits:
            clients(sim).read_hits(hits)
        assert sim.log.schema == {
            "number": pl.UInt32,
            "time": moment,
            "event": pl.String,
            "stream": pl.String,
            "connection": pl.UInt32,
            "slot": pl.UInt8,
            "status": pl.Int16,
            "detail": pl.String,
        }
        assert sim.truth().schema == dict.fromkeys(ids, pl.UInt64) | {
            "timeGMT": moment,
            "logged": moment,
            "partition": pl.UInt8,
            "connections": pl.List(pl.UInt32),
            "delivered": pl.UInt32,
        }
        assert sim.log.height >= hits


def test_times_are_service_time(sim: Simulator, clients: Callable[..., Client]) -> None:
    """The log, the truth and the records all keep the time of the simulator's clock."""
    client = clients(sim)
    client.read_hits(200)
    now = sim.clock.utc()
    connected = sim.log["time"].dt.timestamp("us")[0] / 1e6
    logged = sim.truth()["logged"].dt.timestamp("us") / 1e6
    assert sim.clock.origin <= connected <= logged[0] <= logged[199] <= now
    assert all(connected - 41 < hit["receivedTimeGMT"] < now - 19 for hit in client.hits)


def test_client_that_leaves_becomes_a_ghost(sim: Simulator, clients: Callable[..., Client]) -> None:
    """A client that hangs up is noticed at once in the log, and after `notice` by the slot."""
    client = clients(sim)
    client.read_hits(10)
    client.close()
    until(lambda: "left" in events_of(sim))
    left = sim.clock.monotonic()
    assert clients(sim).status == 409
    until(lambda: "freed" in events_of(sim))
    until(lambda: sim.clock.monotonic() > left + 61.0)
    assert clients(sim).status == 200


def test_reset_tears_the_connection(sim: Simulator, clients: Callable[..., Client]) -> None:
    """reset() ends by TCP, and its ghost may have a notice of its own."""
    client = clients(sim)
    client.read_hits(10)
    assert sim.reset(ghost=0.0) == 1
    with pytest.raises(ConnectionResetError):
        client.read_to_end()
    assert clients(sim).status == 200
    assert events_of(sim) == ["connected", "reset", "freed", "connected"]


def test_commits_leave_time_for_the_network() -> None:
    """What was written in the last half of a real second is never taken for delivered."""
    with Simulator(speed=40.0) as sim:
        assert sim._served.stream._rules.margin == 5.0 + 40.0 / 2


def test_tokens_expire(clients: Callable[..., Client]) -> None:
    """A token is let in for its lifetime; afterwards the simulator has another one."""
    with Simulator(speed=60.0, token_lifetime=60.0) as sim:
        token = sim.token
        assert sim.token == token
        until(lambda: sim.token != token)
        assert clients(sim, Authorization=f"Bearer {token}").status == 401
        assert clients(sim).status == 200


def test_quiet_suite_refuses(clients: Callable[..., Client]) -> None:
    """Where so configured, new connections get 503 once no hit has come for a while."""
    path = f"{PATH}?maxConnections=2"
    with Simulator(speed=60.0, quiet_after=60.0) as sim:
        clients(sim, path).read_hits(10)
        sim.go_quiet()
        until(lambda: sim.clock.utc() > sim.log["time"][-1].timestamp() + 61.0)
        refused = clients(sim, path)
        assert refused.status == 503
        assert "No hits" in json.loads(refused.answer.read())["error_description"]


def test_reset_over_http(clients: Callable[..., Client]) -> None:
    """reset=largest begins with the newest hit, reset=smallest with the oldest that is kept."""
    firsts = []
    for reset in ("largest", "smallest"):
        with Simulator(speed=60.0) as sim:
            clients(sim).read_hits(10)
            sim.drop(ghost=0.0)
            until(lambda sim=sim: sim.truth().height > 2_000)
            client = clients(sim, f"{PATH}?reset={reset}")
            client.read_hits(1)
            firsts.append(ids_of(sim.truth()).index(client.ids[0]))
    assert firsts[0] > 2_000
    assert firsts[1] == 0


def test_smoothing_over_http(clients: Callable[..., Client]) -> None:
    """With smoothing the hits of a burst come evenly during the next bucket, not at once."""
    with Simulator(speed=20.0, rate=10.0) as sim:
        client = clients(sim, f"{PATH}?smoothing=1&smoothingBucketSize=60")
        sim.spike(40.0, 5.0)
        client.read_hits(1_500)
        logged = sim.truth()["logged"][1_499].timestamp()
        assert sim.clock.utc() - logged > 25.0


def test_patterns_of_chunks(clients: Callable[..., Client]) -> None:
    """Records per chunk, per gzip member and between empty ones are as asked for."""
    options = {"records_per_chunk": 1, "records_per_member": 50, "records_per_blank": None}
    with Simulator(speed=60.0, **options) as sim:
        client = clients(sim)
        until(lambda: client.complete or not client.read())
        assert len(client.records) == 50
        assert b"\r\n\r\n" not in client.raw
        chunks = [client.answer.read1(65_536) for _ in range(20)]
        assert all(0 < len(chunk) < 4_000 for chunk in chunks)


def test_record_size(clients: Callable[..., Client]) -> None:
    """Records are as long as asked for, on average."""
    with Simulator(speed=60.0, record_size=3_700) as sim:
        client = clients(sim)
        client.read_hits(500)
        assert 3_600 < sum(map(len, client.records)) / len(client.records) < 3_800


def test_long_ghost(sim: Simulator, clients: Callable[..., Client]) -> None:
    """drop(ghost=…) makes this one ghost live as long as told."""
    clients(sim)
    sim.drop(ghost=80.0)
    until(lambda: "freed" in events_of(sim))
    dropped, freed = sim.log["time"].to_list()[-2:]
    assert (freed - dropped).total_seconds() == pytest.approx(80.0, abs=1e-5)


def test_nothing_to_end(sim: Simulator) -> None:
    """Verbs that end connections count none when none is open, and leave no ghost."""
    assert (sim.drop(), sim.reset()) == (0, 0)
    assert sim.log.is_empty()


def test_quiet_is_not_the_end(sim: Simulator, clients: Callable[..., Client]) -> None:
    """After go_quiet() the log stands still, and the connection stays open."""
    client = clients(sim)
    client.read_hits(10)
    sim.go_quiet()
    held = sim.truth().height
    until(lambda: sim.truth()["delivered"].min() == 1)
    client.read_hits(held)
    client.socket.settimeout(0.1)
    with pytest.raises(TimeoutError):
        client.read()
    assert sim.truth().height == held
    assert events_of(sim) == ["connected", "quiet"]


def test_slow_client_holds_up_nothing(clients: Callable[..., Client]) -> None:
    """What a client does not read is not made ahead of it, and stop() does not wait for it."""
    with Simulator(rate=100_000.0) as sim:
        clients(sim)
        given = [0]

        def stands_still() -> bool:
            given.append(int((sim.truth()["delivered"] > 0).sum()))
            return given[-1] == given[-2] > 0

        until(stands_still)
        assert given[-1] < sim.truth().height
        sim.drop()
        before = time.monotonic()
        sim.stop()
        assert time.monotonic() - before < 0.2


@pytest.mark.skipif(not DAY.exists(), reason="the recorded day is not beside this checkout")
def test_replay_over_http(clients: Callable[..., Client]) -> None:
    """The recorded day, squeezed into a minute of service time, arrives whole across a drop."""
    with Simulator(hits=DAY, pace=60.0, speed=120.0) as sim:
        received: set[tuple[int, int]] = set()
        first = clients(sim)
        first.read_hits(200)
        sim.drop(ghost=0.0)
        first.read_to_end()
        second = clients(sim)
        second.read_hits(592 - len(first.hits))
        while len(received := received | set(first.ids + second.ids)) < 592:
            second.read()
        assert sim.truth().height == 592
        assert {hit["timeGMT"] for hit in second.hits} >= {1436846258}


@pytest.mark.parametrize("pace", [None, "original"])
def test_replay_waits_for_the_first_client(
    tmp_path: Path, clients: Callable[..., Client], pace: Any
) -> None:
    """A replay starts with the first connect, at its own pace, and its truth with it."""
    path = tmp_path / "one.ndjson"
    path.write_text('{"timeGMT":1000000000,"hitIdHigh":1,"hitIdLow":2}')
    with Simulator(hits=path, pace=pace, speed=60.0) as sim:
        assert sim.truth().is_empty()
        clients(sim).read_hits(1)
        assert ids_of(sim.truth()) == [(1, 2)]
        assert sim.truth()["timeGMT"].dt.timestamp("ms").to_list() == [10**12]
        assert sim.truth()["partition"].to_list() == [0]


def test_stop_is_quick_clean_and_final(clients: Callable[..., Client]) -> None:
    """stop() ends thread and sockets within 0.2 s, twice if asked; frames stay readable."""
    others = set(threading.enumerate())
    sim = Simulator(speed=60.0)
    client = clients(sim)
    client.read_hits(10)
    before = time.monotonic()
    sim.stop()
    sim.stop()
    assert time.monotonic() - before < 0.2
    assert set(threading.enumerate()) <= others
    with pytest.raises(ConnectionRefusedError):
        clients(sim)
    assert events_of(sim) == ["connected", "stopped"]
    assert sim.truth().height == sim.truth().height >= 10
    assert sim.drop() == 0


def test_port_is_free_again(clients: Callable[..., Client]) -> None:
    """The same port can be served on right after stop(), also when a client was connected."""
    with Simulator() as first:
        clients(first)
        port = port_of(first)
    with Simulator(port=port) as second:
        assert port_of(second) == port


def test_taken_port() -> None:
    """A port that another program listens on is refused, naming it."""
    with Simulator() as first, pytest.raises(PortInUse, match=str(port_of(first))):
        Simulator(port=port_of(first))


def test_forgotten_simulator_ends() -> None:
    """A simulator that nobody refers to any more stops serving."""
    sim = Simulator()
    port = port_of(sim)
    del sim
    gc.collect()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=10)


def test_abandoned_simulator_lets_the_interpreter_end() -> None:
    """A program that never calls stop() ends by itself, without a word, while a client reads."""
    program = """if True:
        import http.client
        from livestream_nb.embedded import Simulator
        sim = Simulator(speed=60)
        connection = http.client.HTTPConnection(sim.stream_url.split("/")[2])
        headers = {"Authorization": f"Bearer {sim.token}", "Accept-Encoding": "gzip"}
        connection.request("GET", "/api/1/stream/demo", headers=headers)
        answer = connection.getresponse()
        assert answer.status == 200
        answer.close()
        connection.close()
    """
    ended = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", program],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


def test_token_is_secret_and_new_each_time() -> None:
    """Two simulators have two tokens, and no repr shows one."""
    with Simulator() as first, Simulator() as second:
        assert first.token != second.token
        assert len(first.token) >= 32
        assert first.token not in repr(first)
        assert repr(first) == f"<Simulator {first.stream_url} serving: 0 hits, 0 open, speed 1>"
        first.stop()
        assert repr(first) == f"<Simulator {first.stream_url} stopped: 0 hits, 0 open, speed 1>"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("port", -1),
        ("port", 65_536),
        ("port", "80"),
        ("rate", 0),
        ("rate", float("nan")),
        ("rate", True),
        ("speed", -1.0),
        ("speed", float("inf")),
        ("seed", 1.5),
        ("seed", -1),
        ("notice", -1),
        ("retention", "5m"),
        ("restarts", 1),
        ("hits", 592),
        ("pace", "slow"),
        ("pace", 0),
        ("pace", 60.0),
        ("host", "localhost"),
        ("record_size", 1_999),
        ("scenario", "chaos"),
        ("scenario", ["calm"]),
        ("quiet_after", 0),
        ("token_lifetime", 0),
        ("records_per_chunk", None),
        ("records_per_member", 0),
        ("records_per_blank", 1.5),
    ],
)
def test_impossible_options(name: str, value: object) -> None:
    """A wrong option is refused before anything is served, naming itself and its value."""
    options: dict[str, Any] = {name: value}
    with pytest.raises(InvalidOption, match=f"^{name}=") as refused:
        Simulator(**options)
    assert repr(value) in str(refused.value)


def test_impossible_ghost(sim: Simulator) -> None:
    """A ghost of negative length is refused."""
    for verb in (sim.drop, sim.reset):
        with pytest.raises(InvalidOption, match="ghost=-1"):
            verb(ghost=-1)


def test_missing_recording_is_refused_before_serving(tmp_path: Path) -> None:
    """No thread is left behind by a recording that cannot be read."""
    before = set(threading.enumerate())
    with pytest.raises(RecordingError):
        Simulator(hits=tmp_path / "nowhere.ndjson")
    assert set(threading.enumerate()) <= before
