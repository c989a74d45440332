"""connection/ and session.py: a Reader against scripted services, on real sockets.

Clocks run 600 times as fast as real time, so that the default policy's 60 seconds last a tenth of
a second.
"""

import gzip
import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack

import polars as pl
import pytest
import trustme

from livestream_nb import Clock, Reader, ReconnectPolicy
from livestream_nb.errors import InvalidOption, StreamFailed
from livestream_nb.hits.intake import Intake
from livestream_nb.policy import Connect, Failed, Opened, Wait
from tests.scripted import (
    Scripted,
    hits,
    hold,
    lines,
    record,
    redirect,
    refuse,
    stream,
)

FAST = 600.0
SOON = 10.0


def reader(service: Scripted, **options) -> Reader:
    return Reader(service.url, **{"token": "canary", "clock": Clock(FAST), "seed": 1} | options)


def states(subject: Reader) -> list[tuple[str, str, int | None]]:
    return subject.timeline().select("state", "reason", "status").rows()


def eventually(condition: Callable[[], bool]) -> None:
    for _ in range(1000):
        if condition():
            return
        threading.Event().wait(0.01)
    raise AssertionError("It did not come true.")


def waits(subject: Reader) -> list[float]:
    """Service seconds between the end of each request and the beginning of the next."""
    rows = subject.timeline().rows(named=True)
    return [row["seconds"] for row in rows if row["state"] == "cooldown" and row["ended"]]


@pytest.mark.parametrize("end", ["clean", "cut", "reset"])
def test_lost_connection(end: str) -> None:
    """However a stream ends: the cooldown, then a new request; what came before is kept."""
    with Scripted(hits(1, 2, end=end), hits(2, 3, end="hold")) as service:
        with reader(service) as subject:
            subject.wait(hits=3, state="streaming", timeout=SOON)
            assert states(subject) == [
                ("connecting", "asked", None),
                ("streaming", "opened", 200),
                ("cooldown", "dropped", None),
                ("connecting", "waited", None),
                ("streaming", "opened", 200),
            ]
            assert 60 <= waits(subject)[0] <= 80
        assert subject.hits()["hitIdLow"].to_list() == [1, 2, 3]
        assert subject.status.duplicates == 1
        assert subject.gaps()["verdict"].to_list() == ["covered"]


def test_damaged_gzip() -> None:
    """Damaged gzip ends the connection, after what could be unpacked was kept."""
    whole = gzip.compress(lines(record(1)))
    damaged = stream(whole, b"no gzip at all")
    with Scripted(damaged, hits(2, end="hold")) as service, reader(service) as subject:
        subject.wait(hits=2, timeout=SOON)
        assert ("cooldown", "corrupt", None) in states(subject)


def test_second_member_and_sliced_bytes() -> None:
    """A second gzip member, and chunks of one byte, are read like any other stream."""
    packed = gzip.compress(lines(record(1), b"", record(2))) + gzip.compress(lines(record(3)))
    parts = [packed[i : i + 1] for i in range(len(packed))]
    with Scripted(stream(*parts, end="hold")) as service, reader(service) as subject:
        subject.wait(hits=3, timeout=SOON)
        assert subject.status.quarantined == 0


def test_cut_record_is_quarantined() -> None:
    """Half a record at the end of a connection is not lost silently."""
    packed = gzip.compress(lines(record(1)) + b'{"hitIdHigh":7,"hitId')
    with Scripted(stream(packed), hits(2, end="hold")) as service, reader(service) as subject:
        subject.wait(hits=2, timeout=SOON)
        assert subject.quarantine()["text"].to_list() == ['{"hitIdHigh":7,"hitId']
        assert subject.status.quarantined == 1


def test_digesting_that_falls_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """When digesting is slow, reading pauses at a bounded backlog and says so; nothing is lost."""
    go_on, take = threading.Event(), Intake.take

    def slow(*given, **named):
        go_on.wait(SOON)
        return take(*given, **named)

    monkeypatch.setattr(Intake, "take", slow)
    many = [record(n, pageName="x" * 100_000) for n in range(300)]
    packed = gzip.compress(lines(*many))
    with Scripted(stream(packed, end="hold")) as service, reader(service) as subject:
        eventually(lambda: subject.status.behind)
        assert subject._session._slots[0].reading._records.ready < 8 << 20
        go_on.set()
        subject.wait(hits=300, timeout=SOON)
        assert not subject.status.behind


def test_odd_values_are_counted() -> None:
    """A value that cannot be read is null and counted; a hit without an id is kept and counted."""
    odd, nameless = record(1, geoDMA="far"), {"pageName": "x", "timeGMT": 1}
    with Scripted(stream(gzip.compress(lines(odd, nameless)), end="hold")) as service:
        with reader(service, columns="geoDMA") as subject:
            subject.wait(hits=2, timeout=SOON)
        assert (subject.status.unreadable, subject.status.without_id) == (1, 1)


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        (409, "refused"),
        (429, "throttled"),
        (500, "failing"),
        (502, "failing"),
        (503, "unavailable"),
        (504, "failing"),
    ],
)
def test_refusals_that_heal(status: int, cause: str) -> None:
    """What may heal brings the cooldown, and then another request."""
    body = b'{"error":"so","error_description":"said the service"}'
    with Scripted(refuse(status, body), hits(1, end="hold")) as service:
        with reader(service) as subject:
            subject.wait(hits=1, timeout=SOON)
            assert states(subject)[1] == ("cooldown", cause, status)
            assert 60 <= waits(subject)[0] <= 80
        sentence = subject.timeline()["sentence"][1]
        assert sentence.startswith(f"{status}: ")
        assert 'Livestream said: "said the service"' in sentence


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        (400, "invalid"),
        (403, "forbidden"),
        (404, "missing"),
        (405, "unsupported"),
        (406, "unsupported"),
        (418, "unexpected"),
        (424, "disabled"),
        (505, "unsupported"),
    ],
)
def test_refusals_that_do_not_heal(status: int, cause: str) -> None:
    """What cannot heal stops the reader with an error that says why; nothing more is sent."""
    with Scripted(refuse(status, b"because")) as service, reader(service) as subject:
        with pytest.raises(StreamFailed, match=f"^{status}: .*because") as failed:
            subject.wait(hits=1, timeout=SOON)
        assert (failed.value.cause, failed.value.status) == (cause, status)
        assert subject.status.state == "failed"
        assert len(service.requests) == 1


def test_patience_ends() -> None:
    """The tenth 409 in a row stops the reader."""
    with Scripted(refuse(409)) as service:
        with reader(service, clock=Clock(6000)) as subject, pytest.raises(StreamFailed):
            subject.wait(hits=1, timeout=SOON)
        assert len(service.requests) == 10


def test_token_is_renewed_once() -> None:
    """After a 401 a token function is asked again, and the request repeated at once."""
    tokens = iter(["old", "new"])
    with Scripted(refuse(401, b"not authorized"), hits(1, end="hold")) as service:
        with reader(service, token=lambda: next(tokens)) as subject:
            subject.wait(hits=1, timeout=SOON)
        assert [r.headers["authorization"] for r in service.requests] == [
            "Bearer old",
            "Bearer new",
        ]
        assert waits(subject) == []


def test_second_401_stops() -> None:
    """A second 401 in a row is final."""
    with Scripted(refuse(401, b"not authorized")) as service, reader(service) as subject:
        with pytest.raises(StreamFailed, match="not authorized"):
            subject.wait(hits=1, timeout=SOON)
        assert len(service.requests) == 2


def test_token_function_that_fails() -> None:
    """A token function that raises stops the reader with words, not with a crash."""

    def token() -> str:
        raise ValueError("canary")

    with Scripted(hold) as service, reader(service, token=token) as subject:
        with pytest.raises(StreamFailed, match="ValueError") as failed:
            subject.wait(hits=1, timeout=SOON)
        assert "canary" not in str(failed.value)
        assert service.requests == []


def test_redirect_keeps_token_and_encoding() -> None:
    """A hop carries the token and asks for gzip again; a reconnect starts from the first URL."""
    there = redirect("{here}/elsewhere?x=1")
    with Scripted(there, hits(1), there, hits(2, end="hold")) as service:
        with reader(service, reset="smallest") as subject:
            subject.wait(hits=2, timeout=SOON)
        first, hop, again, _ = service.requests
        assert hop.path == "/elsewhere?x=1"
        for request in (first, hop):
            assert request.headers["authorization"] == "Bearer canary"
            assert request.headers["accept-encoding"] == "gzip"
        assert "reset=smallest" in first.path
        assert again.path == "/api/1/stream/scripted?maxConnections=1"
        assert subject.status.connects == 2


@pytest.mark.parametrize(
    "location", ["http://192.0.2.1/x", "{here}/api/1/stream/scripted?maxConnections=1"]
)
def test_bad_redirect_stops(location: str) -> None:
    """A redirect to a foreign host, or in a loop, is fatal before the token is sent there."""
    with Scripted(redirect(location)) as service, reader(service) as subject:
        with pytest.raises(StreamFailed) as failed:
            subject.wait(hits=1, timeout=SOON)
        assert failed.value.cause == "misdirected"
        assert len(service.requests) == 1


def test_unreachable_is_retried() -> None:
    """Where nobody listens the reader goes on trying, sooner than after a loss, and says so."""
    with Scripted(hold) as service:
        url = service.url
    with Reader(url, token="t", clock=Clock(FAST), seed=1) as subject:
        deadline = time.monotonic() + SOON
        while subject.status.connects < 5 and time.monotonic() < deadline:
            subject.wait(state="cooldown", timeout=SOON)
            subject.wait(state="connecting", timeout=SOON)
        assert subject.status.connects >= 5
        assert ("cooldown", "unreachable", None) in states(subject)
        assert waits(subject)[0] <= 1.5 + FAST * 0.05


def test_certificate_that_cannot_be_verified() -> None:
    """A certificate of unknown origin stops the reader before the token is sent."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with Scripted(hold, tls=context) as service, reader(service) as subject:
        with pytest.raises(StreamFailed) as failed:
            subject.wait(hits=1, timeout=SOON)
        assert failed.value.cause == "untrusted"
        assert service.requests == []


def stop_quickly(subject: Reader) -> None:
    began = time.perf_counter()
    subject.stop()
    assert time.perf_counter() - began < 0.2
    assert subject.status.state == "stopped"


def test_stop_while_connecting() -> None:
    """stop() is quick while an answer is waited for."""
    with Scripted(hold) as service:
        subject = reader(service, clock=Clock()).start()
        while not service.requests:
            subject.wait(state="connecting", timeout=SOON)
        stop_quickly(subject)


def test_stop_while_streaming_and_quiet() -> None:
    """stop() is quick while a quiet stream is read, and what came is kept."""
    with Scripted(hits(1, 2, end="hold")) as service:
        subject = reader(service, clock=Clock()).start().wait(hits=2, timeout=SOON)
        stop_quickly(subject)
        assert subject.hits().height == 2


def test_stop_while_cooling_down() -> None:
    """stop() is quick during the cooldown."""
    with Scripted(hits(1)) as service:
        subject = reader(service, clock=Clock()).start().wait(state="cooldown", timeout=SOON)
        stop_quickly(subject)


def test_stop_while_a_token_is_fetched() -> None:
    """stop() is quick while a token function hangs."""
    asked, release = threading.Event(), threading.Event()

    def token() -> str:
        asked.set()
        release.wait(SOON)
        return "late"

    with Scripted(hold) as service:
        subject = reader(service, token=token).start()
        assert asked.wait(SOON)
        stop_quickly(subject)
        release.set()


def test_stop_while_a_name_is_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """stop() is quick while a name server keeps silent (a stand-in: no real one may be asked)."""
    asked, release = threading.Event(), threading.Event()

    def getaddrinfo(*_, **__):
        asked.set()
        release.wait(SOON)
        raise socket.gaierror("no answer")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setenv("NO_PROXY", "*")
    subject = Reader("shop", token="t").start()
    assert asked.wait(SOON)
    stop_quickly(subject)
    release.set()


def test_stop_while_a_host_keeps_silent() -> None:
    """stop() is quick while a host does not even take the connection."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        address = full.getsockname()
        with socket.create_connection(address), ExitStack() as waiting:
            for _ in range(3):
                more = waiting.enter_context(socket.socket())
                more.setblocking(False)
                more.connect_ex(address)
            url = f"http://127.0.0.1:{address[1]}/api/1/stream/x"
            subject = Reader(url, token="t").start().wait(state="connecting", timeout=SOON)
            stop_quickly(subject)


def test_start_again_keeps_the_floor() -> None:
    """Stopping and starting waits what remains of the cooldown, and keeps the hits."""
    with Scripted(hits(1, end="hold"), hits(2, end="hold")) as service:
        subject = reader(service).start().wait(hits=1, timeout=SOON)
        subject.stop()
        subject.start().wait(hits=2, timeout=SOON).stop()
        rows = subject.timeline().rows(named=True)
        assert [row["state"] for row in rows][1:5] == [
            "streaming",
            "stopped",
            "cooldown",
            "connecting",
        ]
        assert 60 <= (rows[4]["started"] - rows[1]["ended"]).total_seconds() <= 100
        assert subject.status.connects == 2


def test_another_reader_keeps_the_floor() -> None:
    """A new reader of the same stream counts from the end of the old one's connection."""
    with Scripted(hits(1, end="hold")) as service:
        reader(service).start().wait(hits=1, timeout=SOON).stop()
        with reader(service) as subject:
            subject.wait(hits=1, timeout=SOON)
            assert states(subject)[0] == ("cooldown", "asked", None)


def test_two_connections() -> None:
    """Each slot has a connection and a lane of its own, asked for one after the other."""
    with Scripted(hits(1, 2, end="hold"), hits(3, end="hold")) as service:
        with reader(service, connections=2) as subject:
            subject.wait(hits=3, state="streaming", timeout=SOON)
        assert [request.path[-16:] for request in service.requests] == ["maxConnections=2"] * 2
        assert sorted(subject.hits()["connection"]) == [1, 1, 2]
        first, second = subject.timeline().filter(pl.col("state") == "connecting")["started"]
        assert (second - first).total_seconds() >= 5


class Hasty:
    """A policy of one's own: a second after anything, try again."""

    def start(self, now: float) -> int:
        return 0

    def step(self, state: int, event, now: float):
        match event:
            case Failed():
                return state + 1, (Wait(now + 1, now + 1),)
            case Opened():
                return state, ()
            case _:
                return state, (Connect(),)


def test_a_policy_of_ones_own() -> None:
    """Any object with start and step decides when to connect again."""
    with Scripted(refuse(404), refuse(503), hits(1, end="hold")) as service:
        with reader(service, policy=Hasty()) as subject:
            subject.wait(hits=1, timeout=SOON)
        assert [1 <= wait < 60 for wait in waits(subject)] == [True, True]


class Broken(Hasty):
    def step(self, state: int, event, now: float):
        raise ZeroDivisionError("canary")


def test_a_policy_that_breaks(capfd: pytest.CaptureFixture[str]) -> None:
    """A fault inside ends the reader in the state failed, says so, and prints nothing."""
    with Scripted(hold) as service, reader(service, policy=Broken()) as subject:
        with pytest.raises(StreamFailed, match="broke off .ZeroDivisionError."):
            subject.wait(hits=1, timeout=SOON)
        assert subject.status.state == "failed"
    assert capfd.readouterr() == ("", "")
    handlers = logging.getLogger("livestream_nb").handlers
    assert [type(handler) for handler in handlers] == [logging.NullHandler]


def test_short_cooldown_is_for_loopback() -> None:
    """A cooldown below a minute is refused for Adobe's service, and allowed for a simulator's."""
    policy = ReconnectPolicy(cooldown=5)
    with pytest.raises(InvalidOption, match="cooldown=5"):
        Reader("shop", token="t", policy=policy)
    assert Reader("http://127.0.0.1:1/api/1/stream/x", token="t", policy=policy)
