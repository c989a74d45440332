"""connection/ and session.py: a Reader against scripted services, on real sockets.

Clocks run 600 times as fast as real time, so that the default policy's 60 seconds last a tenth of
a second.
"""

import gzip
import logging
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from secrets import token_hex

import polars as pl
import pytest
import trustme

from livestream_nb import Clock, Reader, ReconnectPolicy
from livestream_nb.connection import watch
from livestream_nb.connection.reading import BACKLOG
from livestream_nb.errors import InvalidOption, StreamFailed
from livestream_nb.hits.intake import Intake
from livestream_nb.policy import Connect, Failed, GiveUp, Opened, RenewToken, Wait
from tests.plain import documented_policy
from tests.proxy import ConnectProxy
from tests.scripted import (
    HEAD,
    Answer,
    Scripted,
    chunk,
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
    many = [record(n, pageName=token_hex(50_000)) for n in range(300)]
    packed = gzip.compress(lines(*many), compresslevel=1)
    with Scripted(stream(packed, end="hold")) as service, reader(service) as subject:
        eventually(lambda: subject.status.behind)
        assert subject._session._slots[0].reading._size < 2 * BACKLOG
        assert subject.status.hits == 0
        go_on.set()
        subject.wait(hits=300, timeout=SOON)
        assert not subject.status.behind


def test_odd_values_are_counted() -> None:
    """A value that cannot be read is null and counted; a hit without an id is kept and counted."""
    odd, nameless = record(1, geoDMA="far"), {"pageName": "x", "timeGMT": 1}
    with Scripted(stream(gzip.compress(lines(odd, nameless)), end="hold")) as service:
        with reader(service, columns="geoDMA") as subject:
            subject.wait(hits=2, timeout=SOON)
        assert (subject.status.unreadable, subject.status.without_id) == ({"geoDMA": 1}, 1)


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


def test_nobody_waits_for_what_has_ended() -> None:
    """Whoever waits while the reader fails is told, also when others take their time to listen."""
    with Scripted(refuse(404)) as service:
        subject = reader(service)
        subject._session.listen(lambda: threading.Event().wait(0.05))
        with pytest.raises(StreamFailed), subject.start():
            subject.wait(hits=1, timeout=SOON)
        assert subject.status.state == "failed"


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
    """A token function that raises is asked again, sooner than after a loss; nothing is sent."""
    answers = iter([ValueError("canary"), ValueError("canary"), "good"])

    def token() -> str:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    with Scripted(hits(1, end="hold")) as service, reader(service, token=token) as subject:
        subject.wait(hits=1, timeout=SOON)
        assert [state[1] for state in states(subject)].count("tokenless") == 2
        assert "ValueError" in subject.timeline()["sentence"][1]
        assert "canary" not in str(subject.timeline().rows())
        assert len(service.requests) == subject.status.connects == 1


def test_token_function_that_never_will() -> None:
    """A function that returns what no header can carry stops the reader; nothing is sent."""
    with Scripted(hold) as service, reader(service, token=lambda: "can ary") as subject:
        with pytest.raises(StreamFailed, match="token") as failed:
            subject.wait(hits=1, timeout=SOON)
        assert failed.value.cause == "denied"
        assert "ary" not in str(failed.value)
        assert subject.status.connects == 0
        assert service.requests == []


def test_token_that_the_service_repeats() -> None:
    """Of a refusal that repeats the token the words are not shown."""
    with Scripted(refuse(403, b"Bearer canary is not welcome")) as service:
        subject = reader(service).start()
        with pytest.raises(StreamFailed, match="hold the token") as failed:
            subject.wait(hits=1, timeout=SOON)
    assert "canary" not in str(failed.value)


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


def resets(service: Scripted) -> list[bool]:
    return ["reset=largest" in request.path for request in service.requests]


def test_reset_until_it_took_effect() -> None:
    """A reset that a refusal kept from taking effect is sent again; then no more."""
    script = [refuse(503), hits(1), hits(2, end="hold")]
    with Scripted(*script) as service, reader(service, reset="largest") as subject:
        subject.wait(hits=2, timeout=SOON)
    assert resets(service) == [True, True, False]


def test_reset_that_may_have_taken_effect() -> None:
    """A reset whose answer never came is not sent again."""
    script = [lambda *_: None, hits(1, end="hold")]
    with Scripted(*script) as service, reader(service, reset="largest") as subject:
        subject.wait(hits=1, timeout=SOON)
        assert states(subject)[1] == ("cooldown", "dropped", None)
    assert resets(service) == [True, False]


def test_a_reset_is_not_told_of_reconnects() -> None:
    """After a loss the stream goes on where it was, and the timeline says so."""
    script = [hits(1), hits(2, end="hold")]
    with Scripted(*script) as service, reader(service, reset="largest") as subject:
        subject.wait(hits=2, timeout=SOON)
        assert [state[1] for state in states(subject)].count("opened") == 2


def test_one_reset_for_several_slots() -> None:
    """Of several connections the first alone carries the reset."""
    script = [hits(1, end="hold"), hits(2, end="hold")]
    with Scripted(*script) as service, reader(service, reset="largest", connections=2) as subject:
        subject.wait(hits=2, timeout=SOON)
    assert resets(service) == [True, False]


def test_a_reset_after_a_stop_is_a_gap() -> None:
    """Starting again with a reset to the end skips what came meanwhile: the gap says so."""
    script = [hits(1, end="hold"), hits(2, end="hold")]
    with Scripted(*script) as service:
        subject = reader(service, reset="largest").start().wait(hits=1, timeout=SOON)
        subject.stop()
        with subject.start():
            subject.wait(hits=2, timeout=SOON)
            assert subject.gaps()["verdict"].to_list() == ["likely lost"]
            assert states(subject)[-1] == ("streaming", "skipped", 200)
    assert resets(service) == [True, True]


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
        with subject.start():
            eventually(lambda: service.requests)
            assert "cooldown" not in subject.timeline()["state"].to_list()


def test_stop_while_a_name_is_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """stop() is quick while a name server keeps silent (a stand-in: no real one may be asked)."""
    asked, release = threading.Event(), threading.Event()

    def getaddrinfo(*_, **__):
        asked.set()
        release.wait(SOON)
        raise socket.gaierror("no answer")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setenv("NO_PROXY", "*")
    subject = Reader("looked-up", token="t").start()
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


def connecting(subject: Reader) -> pl.DataFrame:
    return subject.timeline().filter(pl.col("state") == "connecting")


def test_a_409_holds_the_other_slots_back() -> None:
    """While one slot waits after a 409, the other does not try either."""
    answers = [refuse(409), hits(1, end="hold"), hits(2, end="hold")]
    with Scripted(*answers) as service, reader(service, connections=2) as subject:
        subject.wait(hits=2, state="streaming", timeout=SOON)
        refused, first, second = connecting(subject).sort("started")["started"]
        assert (first - refused).total_seconds() >= 60
        assert (second - first).total_seconds() >= 5
        assert len(service.requests) == 3


def test_one_lost_slot_does_not_disturb_the_others() -> None:
    """A slot that fails for good is told, and the other reads on."""
    with Scripted(hits(1, end="hold"), refuse(404, b"gone")) as service:
        with reader(service, connections=2) as subject:
            subject.wait(hits=1, timeout=SOON)
            eventually(lambda: "failed" in subject.timeline()["state"].to_list())
            assert subject.status.state == "streaming"
            assert re.search(r"Connected.* Connection 2: 404: .*gone", subject.status.reason)
            subject.wait(hits=1, state="streaming", timeout=SOON)
        assert subject.status.state == "stopped"


def test_the_reason_names_its_connection() -> None:
    """Of several connections the reason is that of one that waits, and says which."""
    script = [hits(1, end="hold"), hits(2), refuse(404)]
    with Scripted(*script) as service, reader(service, connections=3, clock=Clock(60)) as subject:
        subject.wait(hits=2, timeout=SOON)
        eventually(lambda: "failed" in subject.timeline()["state"].to_list())
        eventually(lambda: subject.status.state == "cooldown")
        assert subject.status.reason.startswith("Connection 2: The connection was lost")


def test_each_slot_has_its_own_lane() -> None:
    """One of two connections is lost: the other's lane shows nothing of it."""
    with Scripted(hits(1, end="hold"), hits(2), hits(3, end="hold")) as service:
        with reader(service, connections=2) as subject:
            subject.wait(hits=3, state="streaming", timeout=SOON)
            lanes = subject.timeline().group_by("connection", maintain_order=True)
            found = {number: lane["state"].to_list() for (number,), lane in lanes}
        again = ["connecting", "streaming", "cooldown", "connecting", "streaming"]
        assert found == {1: again[:2], 2: ["cooldown", *again]}


def test_409_says_whose_ghost_it_is() -> None:
    """After a loss of one's own a 409 says how long ago that was, and when the next attempt is."""
    script = [hits(1), refuse(409), hits(2, end="hold")]
    with Scripted(*script) as service, reader(service, clock=Clock(60)) as subject:
        subject.wait(hits=1, timeout=SOON)
        eventually(lambda: subject.status.cause == "refused")
        said = subject.status.reason
        ghost = r"Your own connection was lost 1 min \d+ s ago, .* about 60 s"
        assert re.match(rf"409: all slots are taken\. {ghost}", said)
        assert re.search(r"Next attempt in (1 min )?\d+ s\.$", said)


def test_the_reason_counts_down() -> None:
    """While waiting, the reason says how long it still is."""
    with Scripted(refuse(503), hold) as service, reader(service, clock=Clock(60)) as subject:
        subject.wait(state="cooldown", timeout=SOON)
        first = subject.status.reason
        eventually(lambda: subject.status.reason != first)
        assert first.rsplit(" in ")[0] == subject.status.reason.rsplit(" in ")[0]


def test_every_state_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Each change of state is one record under livestream_nb, at the level it deserves."""
    caplog.set_level(logging.INFO, "livestream_nb")
    with Scripted(refuse(503), refuse(404)) as service:
        subject = reader(service).start()
        with pytest.raises(StreamFailed):
            subject.wait(hits=1, timeout=SOON)
    levels = [(record.levelname, record.name) for record in caplog.records]
    assert levels == [(level, "livestream_nb") for level in ("INFO", "WARNING", "INFO", "ERROR")]
    assert "connection 1: cooldown (unavailable). 503: " in caplog.messages[1]


def paused(more: threading.Event) -> Answer:
    """A stream that sends one hit, and another when it is told to."""

    def answer(connection: socket.socket, _: str) -> None:
        connection.sendall(HEAD + chunk(gzip.compress(lines(record(1)))))
        more.wait(SOON)
        connection.sendall(chunk(gzip.compress(lines(record(2)))))
        hold(connection, "")

    return answer


def test_stalled() -> None:
    """With a limit a silent stream is shown as stalled; it stays open, and streams again."""
    more = threading.Event()
    patient = ReconnectPolicy(stall_after=90)
    with Scripted(paused(more)) as service, reader(service, policy=patient) as subject:
        subject.wait(state="stalled", timeout=SOON)
        assert subject.status.reason.startswith("Nothing has come for 1 min")
        assert subject.status.silent_for >= 90
        more.set()
        subject.wait(hits=2, state="streaming", timeout=SOON)
        assert [state[:2] for state in states(subject)][1:] == [
            ("streaming", "opened"),
            ("stalled", "silent"),
            ("streaming", "heard"),
        ]
        assert subject.gaps().height == 0
        assert len(service.requests) == 1


class Jumping(Clock):
    """A clock whose wall time can be set."""

    def utc(self) -> float:
        return super().utc() + AHEAD[-1]


AHEAD = [0.0]


@pytest.fixture
def set_clock() -> Iterator[Callable[[float], None]]:
    yield AHEAD.append
    del AHEAD[1:]


def test_a_suspend_that_the_connection_survived(set_clock) -> None:
    """When the clock jumps the connection is doubtful, until bytes come again."""
    more = threading.Event()
    with Scripted(paused(more)) as service, reader(service, clock=Jumping(FAST)) as subject:
        subject.wait(hits=1, timeout=SOON)
        set_clock(3600 * FAST)
        subject.wait(state="stalled", timeout=SOON)
        assert "this machine slept, or its time was set" in subject.status.reason
        more.set()
        subject.wait(hits=2, state="streaming", timeout=SOON)
        assert len(service.requests) == 1


def test_a_suspend_that_it_did_not(set_clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """A doubtful connection by which nothing comes is given up, and the cooldown begins."""
    monkeypatch.setattr(watch, "DOUBT", 0.2)
    service = Scripted(hits(1, end="hold"), hits(2, end="hold"))
    with service, reader(service, clock=Jumping(FAST)) as subject:
        subject.wait(hits=1, timeout=SOON)
        set_clock(3600 * FAST)
        subject.wait(hits=2, state="streaming", timeout=SOON)
        assert [state[:2] for state in states(subject)][2:4] == [
            ("stalled", "suspended"),
            ("cooldown", "dropped"),
        ]
        assert 60 <= waits(subject)[0] <= 80
        (gap,) = subject.gaps().rows(named=True)
        assert gap["lost_at"] < subject.timeline()["started"][2]


def test_a_clock_that_is_set_back(set_clock) -> None:
    """Time that is set back changes nothing, and no state lasts less than no time."""
    script = [hits(1), hits(2), hits(3, end="hold")]
    with Scripted(*script) as service, reader(service, clock=Jumping(FAST)) as subject:
        subject.wait(hits=1, timeout=SOON)
        set_clock(-3600 * FAST)
        subject.wait(hits=3, state="streaming", timeout=SOON)
        assert subject.timeline()["seconds"].min() >= 0
        assert "stalled" not in subject.timeline()["state"].to_list()


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


def test_the_policy_of_the_docstring() -> None:
    """The policy that the documentation shows runs as it stands, and keeps the minute."""
    script = hits(1), refuse(503), hits(2, end="hold")
    with Scripted(*script) as service, reader(service, policy=documented_policy()) as subject:
        subject.wait(hits=2, timeout=SOON)
        assert 60 <= waits(subject)[0] <= 80
        assert 90 <= waits(subject)[1] <= 110


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


class Idle(Hasty):
    def step(self, state: int, event, now: float):
        return (state, ()) if isinstance(event, Failed) else super().step(state, event, now)


def test_a_policy_without_an_answer() -> None:
    """A slot that the policy has no action for is given up, and not shown as streaming."""
    with Scripted(hits(1)) as service, reader(service, policy=Idle()) as subject:
        with pytest.raises(StreamFailed, match="The policy had no answer"):
            subject.wait(hits=2, timeout=SOON)
        assert subject.status.cause == "dropped"


class Resigned(Hasty):
    def step(self, state: int, event, now: float):
        if isinstance(event, Failed):
            return state, (GiveUp(), Connect())
        return super().step(state, event, now)


def test_giving_up_is_the_last_action() -> None:
    """What a policy answers after GiveUp is not performed."""
    with Scripted(refuse(503)) as service:
        subject = reader(service, policy=Resigned()).start()
        with pytest.raises(StreamFailed, match=r"503: .* start\(\) tries again"):
            subject.wait(hits=1, timeout=SOON)
        subject.stop()
        assert len(service.requests) == 1


class Renewing(Hasty):
    def step(self, state: int, event, now: float):
        match event:
            case Failed():
                return state, (RenewToken(), Wait(now + 1, now + 1))
        return super().step(state, event, now)


def test_renewing_a_token_that_never_was() -> None:
    """A policy may ask for a fresh token before there was any."""
    tokens = iter([None, "good"])
    options = {"token": lambda: "" + next(tokens), "policy": Renewing()}
    with Scripted(hits(1, end="hold")) as service, reader(service, **options) as subject:
        subject.wait(hits=1, timeout=SOON)
        assert states(subject)[1][1] == "renewed"


def test_several_in_a_row_are_counted() -> None:
    """The third 503 in a row says that it is one, and an open stream starts the counts anew."""
    script = [refuse(503)] * 3 + [hits(1), refuse(503), hits(2, end="hold")]
    with Scripted(*script) as service, reader(service) as subject:
        subject.wait(hits=2, timeout=SOON)
        cooldowns = subject.timeline().filter(pl.col("state") == "cooldown")
        counted = ["times in a row" in sentence for sentence in cooldowns["sentence"]]
        assert counted == [False, False, True, False, False]
        assert connecting(subject)["attempt"].to_list() == [1, 2, 3, 4, 1, 2]


class Nonsense(Hasty):
    def step(self, state: int, event, now: float):
        return state, "connect"


def test_a_policy_that_answers_nonsense() -> None:
    """An answer that is no actions ends the reader, and the sentence quotes it."""
    with Scripted(hold) as service:
        subject = reader(service, policy=Nonsense()).start()
        with pytest.raises(StreamFailed, match="The policy answered 'connect'"):
            subject.wait(hits=1, timeout=SOON)


def test_no_policy_hurries_adobe() -> None:
    """On Adobe's host 60 s pass between two requests for a slot, whatever a policy answers.

    The host is played by a local service behind a local proxy.
    """
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("livestream.adobe.net").configure_cert(context)
    trusted = ssl.create_default_context()
    authority.configure_trust(trusted)
    service = Scripted(hits(1), hits(2, end="hold"), tls=context)
    with service, ConnectProxy(service) as proxy:
        there = {"proxy": proxy.url, "verify": trusted, "clock": Clock(FAST), "policy": Hasty()}
        with Reader("shop", token="t", **there) as subject:
            subject.wait(hits=2, timeout=SOON)
            ended = subject.timeline().filter(pl.col("state") == "streaming")["ended"][0]
            assert (connecting(subject)["started"][1] - ended).total_seconds() >= 60
            assert ("cooldown", "queued", None) in states(subject)


def test_short_cooldown_is_for_loopback() -> None:
    """A cooldown below a minute is refused for Adobe's service, and allowed for a simulator's."""
    policy = ReconnectPolicy(cooldown=5)
    with pytest.raises(InvalidOption, match="cooldown=5"):
        Reader("shop", token="t", policy=policy)
    assert Reader("http://127.0.0.1:1/api/1/stream/x", token="t", policy=policy)
