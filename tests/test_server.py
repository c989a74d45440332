"""simulator/server.py and simulator/reception.py, over real sockets"""

import contextlib
import http.client
import json
import logging
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from livestream_nb.clock import Clock
from livestream_nb.simulator import server as server_module
from livestream_nb.simulator.delivery import Delivery, Pattern
from livestream_nb.simulator.hitlog import HitLog
from livestream_nb.simulator.http.face import Face
from livestream_nb.simulator.http.tokens import Tokens
from livestream_nb.simulator.journal import Journal
from livestream_nb.simulator.server import Served, Server
from livestream_nb.simulator.service import Stream
from tests.plain import PATH, until
from tests.test_replay import replay_of

SCHEMA = b'{"type":"object"}'
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
HITS = 100


class Service:
    """A server with the streams ``demo`` and ``shop``, each a replay of 100 hits."""

    def __init__(self, recording: Path) -> None:
        self.recording = recording
        self.clock = Clock(rate=60.0)
        self.journal = Journal()
        self.tokens = Tokens()
        self.began: list[tuple[str, threading.Thread]] = []
        listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
        self.ports = [each.getsockname()[1] for each in listeners]
        origins = f"http://127.0.0.1:{self.ports[0]}", f"http://127.0.0.1:{self.ports[1]}"
        self.face = Face(self.tokens, self.journal, schema=SCHEMA, origins=origins)
        self.demo, self.shop = self.served("demo"), self.served("shop")
        self.server = Server(
            listeners,
            self.face,
            now=self.clock.utc,
            real=self.clock.real,
            began=lambda name: self.began.append((name, threading.current_thread())),
        )
        self.server.add(self.demo)
        self.server.add(self.shop)

    def served(self, name: str) -> Served:
        hits = HitLog(replay_of(self.recording, 1.0))
        return Served(Stream(hits.logged, name, journal=self.journal), hits, Pattern())

    @property
    def token(self) -> str:
        return self.server.ask(lambda: self.tokens.current(self.clock.utc()))

    @property
    def noted(self) -> list[tuple[str | None, str, int | None]]:
        entries = self.server.ask(self.journal.entries)
        return [(each.stream, each.event, each.status) for each in entries]

    def head(self, target: str = PATH, method: str = "GET", *lines: str) -> bytes:
        first = f"{method} {target} HTTP/1.1\r\nHost: x\r\n"
        return "".join([first, *(f"{line}\r\n" for line in lines), "\r\n"]).encode()

    def form(self) -> bytes:
        said = {
            "client_id": self.tokens.client_id,
            "client_secret": self.tokens.client_secret,
            "grant_type": "client_credentials",
            "scope": "openid",
        }
        return urlencode(said).encode()


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("hits") / "hits.ndjson"
    hits = ({"timeGMT": 1_000_000_000 + n, "hitIdHigh": 1, "hitIdLow": n} for n in range(HITS))
    path.write_text("\n".join(map(json.dumps, hits)))
    return path


@pytest.fixture
def service(recording: Path, caplog: pytest.LogCaptureFixture) -> Iterator[Service]:
    service = Service(recording)
    with caplog.at_level(logging.WARNING, "asyncio"):
        yield service
        service.server.stop()
    assert not [*caplog.get_records("call"), *caplog.records]


@pytest.fixture
def fetch(service: Service) -> Iterator[Callable[..., http.client.HTTPResponse]]:
    with contextlib.ExitStack() as stack:

        def fetch(
            target: str = PATH, method: str = "GET", port: int = 0, **options: Any
        ) -> http.client.HTTPResponse:
            connection = http.client.HTTPConnection("127.0.0.1", service.ports[port], timeout=10)
            stack.callback(connection.close)
            if "headers" not in options:
                authorization = f"Bearer {service.token}"
                options["headers"] = {"Authorization": authorization, "Accept-Encoding": "gzip"}
            connection.request(method, target, **options)
            return stack.enter_context(connection.getresponse())

        yield fetch


def speak(service: Service, said: bytes, port: int = 0) -> bytes:
    """Send bytes, say no more, and read everything that is answered."""
    with socket.create_connection(("127.0.0.1", service.ports[port]), timeout=10) as client:
        with contextlib.suppress(OSError):  # it may have heard enough
            client.sendall(said)
            client.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: client.recv(65_536), b""))


def first_hits(response: http.client.HTTPResponse, count: int) -> list[int]:
    unpacked, lines = zlib.decompressobj(31), b""
    while lines.count(b"\n") < count:
        lines += unpacked.decompress(response.read1(65_536))
    return [json.loads(line)["hitIdLow"] for line in lines.splitlines()[:count]]


Fetch = Callable[..., http.client.HTTPResponse]


def test_stream_is_read(service: Service, fetch: Fetch) -> None:
    """An admitted client reads the stream's hits, which begin to enter with its connection."""
    response = fetch()
    assert (response.status, response.headers["Connection"]) == (200, "close")
    assert first_hits(response, HITS) == list(range(HITS))
    assert service.noted[0] == ("demo", "connected", 200)


@pytest.mark.parametrize(
    ("target", "method", "headers", "status"),
    [
        ("/api/1/stream/other", "GET", {}, 404),
        (PATH, "POST", {}, 405),
        (PATH, "GET", {}, 401),
        (PATH, "GET", {"Accept-Encoding": "br"}, 406),
    ],
)
def test_refusals_on_the_wire(
    service: Service, fetch: Fetch, target: str, method: str, headers: dict[str, str], status: int
) -> None:
    """Refusals are whole answers, after which the connection is closed."""
    if status == 406:
        headers = headers | {"Authorization": f"Bearer {service.token}"}
    response = fetch(target, method, headers=headers)
    assert (response.status, response.headers["Connection"]) == (status, "close")
    body = response.read()
    assert len(body) == int(response.headers["Content-Length"]) > 0
    assert (body == b"not authorized") == (status == 401)
    assert [(event, answered) for _, event, answered in service.noted] == [("refused", status)]


def test_schema(fetch: Fetch) -> None:
    """The schema is fetched by anybody."""
    response = fetch("/api/1/schema", headers={})
    assert (response.status, response.read()) == (200, SCHEMA)


def test_head_has_no_body(service: Service) -> None:
    """After the head of an answer to HEAD nothing follows."""
    answer = speak(service, service.head(PATH, "HEAD"))
    assert answer.startswith(b"HTTP/1.1 405 ")
    assert answer.endswith(b"\r\n\r\n")


def test_posted_form(service: Service, fetch: Fetch) -> None:
    """A form that is posted with its length gets a token, and the token opens the stream."""
    response = fetch("/ims/token/v3", "POST", body=service.form(), headers=FORM)
    token = json.loads(response.read())["access_token"]
    sent = {"Authorization": f"Bearer {token}", "Accept-Encoding": "gzip"}
    assert fetch(headers=sent).status == 200


def test_form_in_chunks(service: Service, fetch: Fetch) -> None:
    """A form may come in chunks, as small as a byte."""
    body = (bytes([byte]) for byte in service.form())
    chunked = FORM | {"Transfer-Encoding": "chunked"}
    posted = {"body": body, "headers": chunked, "encode_chunked": True}
    assert fetch("/ims/token/v3", "POST", **posted).status == 200


def test_expect_continue(service: Service) -> None:
    """A client that asks first is told to go on, once, and then answered."""
    form = service.form()
    lines = [f"Content-Length: {len(form)}", "Expect: 100-continue"]
    lines += [f"{name}: {value}" for name, value in FORM.items()]
    with socket.create_connection(("127.0.0.1", service.ports[0]), timeout=10) as client:
        client.sendall(service.head("/ims/token/v3", "POST", *lines))
        assert client.recv(1_000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(form[:5])
        client.sendall(form[5:])
        assert client.recv(1_000).startswith(b"HTTP/1.1 200 OK\r\n")


def test_long_body(service: Service) -> None:
    """A body that is too long is answered before all of it has come, and the answer arrives."""
    head = service.head("/ims/token/v3", "POST", "Content-Length: 10000000")
    with socket.create_connection(("127.0.0.1", service.ports[0]), timeout=10) as client:
        client.sendall(head + b"x" * 300_000)
        client.shutdown(socket.SHUT_WR)
        until(lambda: service.noted and not service.server.ask(lambda: service.server._tasks))
        assert client.recv(1_000).startswith(b"HTTP/1.1 413 ")
    assert service.noted == [(None, "refused", 413)]


def test_longest_body(service: Service) -> None:
    """A body of 64 KiB is read to its end."""
    form = service.form() + b"&x="
    form += b"y" * (65_536 - len(form))
    lines = [f"Content-Length: {len(form)}", f"Content-Type: {FORM['Content-Type']}"]
    said = service.head("/ims/token/v3", "POST", *lines) + form
    assert speak(service, said).startswith(b"HTTP/1.1 200 ")


def test_body_that_nobody_wants(service: Service) -> None:
    """A body of a request that needs none is taken and ignored."""
    said = service.head("/api/1/schema", "GET", "Content-Length: 5") + b"hello"
    assert speak(service, said).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (f"GET {PATH} HTTP/1.0\r\n\r\n".encode(), 505),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
        (b"what is this\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 100_000 + b"\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"GET //[ HTTP/1.1\r\nHost: x\r\n\r\n", 404),
    ],
)
def test_other_protocols(service: Service, fetch: Fetch, said: bytes, status: int) -> None:
    """Other versions, odd targets and what is not HTTP at all are answered; the server goes on."""
    assert speak(service, said).startswith(f"HTTP/1.1 {status} ".encode())
    assert [answered for _, _, answered in service.noted] == [status]
    assert fetch().status == 200


@pytest.mark.parametrize(
    "said", [b"", b"GET /api", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n"]
)
def test_client_that_hangs_up_is_not_noted(service: Service, said: bytes) -> None:
    """A client that goes before it has said everything leaves no trace."""
    assert speak(service, said) == b""
    assert service.noted == []


@pytest.mark.parametrize(
    "said", [b"", b"GET /api", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n"]
)
def test_silent_client(service: Service, monkeypatch: pytest.MonkeyPatch, said: bytes) -> None:
    """A client that does not say what it wants is hung up on, without a word."""
    monkeypatch.setattr(server_module, "PATIENCE", 0.05)
    with socket.create_connection(("127.0.0.1", service.ports[0]), timeout=10) as client:
        client.sendall(said)
        assert client.recv(1_000) == b""
    assert service.noted == []


def test_end_of_an_answer(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that keeps its side open is told at once that nothing follows, and then left."""
    monkeypatch.setattr(server_module, "LINGER", 0.3)
    with socket.create_connection(("127.0.0.1", service.ports[0]), timeout=10) as client:
        client.sendall(service.head("/api/1/schema"))
        assert b"".join(iter(lambda: client.recv(1_000), b"")).endswith(SCHEMA)
        assert service.server.ask(lambda: len(service.server._tasks)) == 1
        until(lambda: not service.server.ask(lambda: service.server._tasks))


def test_client_that_takes_nothing(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that does not take its answer is hung up on before the end of it."""
    monkeypatch.setattr(server_module, "PATIENCE", 0.05)
    service.face._schema = b"x" * 50_000_000
    with socket.create_connection(("127.0.0.1", service.ports[0]), timeout=10) as client:
        client.sendall(service.head("/api/1/schema"))
        received = len(client.recv(1_000))
        until(lambda: not service.server.ask(lambda: service.server._tasks))
        with contextlib.suppress(ConnectionResetError):
            received += sum(map(len, iter(lambda: client.recv(65_536), b"")))
    assert received < 50_000_000


def test_nobody_waits_for_a_slow_speaker(service: Service, fetch: Fetch) -> None:
    """While one client is slow to say what it wants, others are answered."""
    with socket.create_connection(("127.0.0.1", service.ports[0]), timeout=10) as slow:
        slow.sendall(service.head()[:10])
        assert fetch().status == 200
        slow.sendall(service.head()[10:])
        assert slow.recv(1_000).startswith(b"HTTP/1.1 401 ")


def test_repeated_headers_count_together(service: Service) -> None:
    """Two tokens are none; an encoding may be named in any of several headers."""
    right = f"Authorization: Bearer {service.token}"
    lines = [right, "Accept-Encoding: br", "Accept-Encoding: gzip"]
    assert speak(service, service.head(PATH, "GET", right, *lines)).startswith(b"HTTP/1.1 401 ")
    assert speak(service, service.head(PATH, "GET", *lines)).startswith(b"HTTP/1.1 200 ")


def test_redirect_to_the_second_listener(service: Service, fetch: Fetch) -> None:
    """Whoever follows the redirect reads the same stream at the second listener."""
    service.server.ask(lambda: service.face.redirect("second", 0.0))
    response = fetch(f"{PATH}?maxConnections=1")
    location = response.headers["Location"]
    assert response.status == 302
    assert location == f"http://127.0.0.1:{service.ports[1]}{PATH}?maxConnections=1"
    second = fetch(location, port=1)
    assert second.status == 200
    assert first_hits(second, 10) == list(range(10))


def test_streams_do_not_mix(service: Service, fetch: Fetch) -> None:
    """Each stream has connections of its own, and so has one that is added later."""
    service.server.add(service.served("late"))
    for name in ("demo", "shop", "late"):
        assert first_hits(fetch(f"/api/1/stream/{name}"), 1) == [0]
    assert [each.connection for each in service.demo.open_deliveries()] == [1]
    assert fetch().status == 409


def test_nobody_is_answered_before_there_is_a_stream(recording: Path) -> None:
    """A client that comes early waits for the first stream, instead of being told 404."""
    listener = socket.create_server(("127.0.0.1", 0))
    tokens, journal = Tokens(), Journal()
    face = Face(tokens, journal, schema=SCHEMA, origins=("http://x", "http://y"))
    server = Server([listener], face, now=lambda: 0.0, real=lambda seconds: seconds)
    with socket.create_connection(listener.getsockname(), timeout=10) as client:
        client.sendall(f"GET {PATH} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        server.ask(lambda: None)
        hits = HitLog(replay_of(recording, 1.0))
        server.add(Served(Stream(hits.logged, "demo"), hits))
        assert client.recv(1_000).startswith(b"HTTP/1.1 401 ")
    server.stop()


def test_server_without_streams(recording: Path) -> None:
    """A server that never had a stream can be stopped, and does not mind one that comes late."""
    listener = socket.create_server(("127.0.0.1", 0))
    face = Face(Tokens(), Journal(), schema=SCHEMA, origins=("http://x", "http://y"))
    server = Server([listener], face, now=lambda: 0.0, real=lambda seconds: seconds)
    server.stop()
    hits = HitLog(replay_of(recording, 1.0))
    server.add(Served(Stream(hits.logged, "demo"), hits))
    assert listener.fileno() == -1


def test_open_deliveries(service: Service, fetch: Fetch) -> None:
    """Deliveries are listed by connection; one that is closed in the model is not among them."""
    clients = [fetch(f"{PATH}?maxConnections=3") for _ in range(3)]
    assert {client.status for client in clients} == {200}
    demo = service.demo
    assert [each.connection for each in service.server.ask(demo.open_deliveries)] == [1, 2, 3]

    def end() -> None:
        demo.stream.close(2, service.clock.utc(), "dropped")
        next(each for each in demo.deliveries if each.connection == 2).drop()

    service.server.ask(end)
    assert [each.connection for each in service.server.ask(demo.open_deliveries)] == [1, 3]


def test_began(service: Service, fetch: Fetch) -> None:
    """The first connection of each stream is announced, in the server's thread, and no other."""
    began: list[list[str]] = []
    for name in ("demo", "demo", "shop", "shop"):
        fetch(f"/api/1/stream/{name}?maxConnections=2")
        began.append([each for each, _ in service.began])
    assert began == [["demo"], ["demo"], ["demo", "shop"], ["demo", "shop"]]
    assert {thread.name for _, thread in service.began} == {"livestream-simulator"}


def test_later(service: Service) -> None:
    """What is to happen later happens in service time, in its order, in the server's thread."""
    happened: list[tuple[str, float, str]] = []

    def act(what: str) -> None:
        happened.append((what, service.clock.utc(), threading.current_thread().name))

    def plan() -> None:
        service.server.later(2.0, lambda: act("second"))
        service.server.later(1.0, lambda: act("first"))

    began = service.clock.utc()
    service.server.ask(plan)
    until(lambda: len(happened) == 2)
    assert [what for what, _, _ in happened] == ["first", "second"]
    assert {name for _, _, name in happened} == {"livestream-simulator"}
    assert 1.0 <= happened[0][1] - began <= happened[1][1] - began < 60.0
    assert happened[1][1] - began >= 2.0


def test_nothing_happens_after_stop(service: Service, fetch: Fetch) -> None:
    """What was to happen later does not happen once the server was told to stop."""
    happened: list[str] = []

    def stop() -> None:
        service.server.later(0.0, lambda: happened.append("before"))
        service.server.stop()
        service.server.later(0.0, lambda: happened.append("after"))

    fetch()
    service.server.ask(stop)
    service.server.stop()
    service.server.later(0.0, lambda: happened.append("after"))
    assert happened == []


def test_ask(service: Service) -> None:
    """A question is answered by the server's thread, also one that it asks itself, even late."""
    server = service.server

    def who() -> str:
        return threading.current_thread().name

    assert server.ask(who) == "livestream-simulator"
    assert server.ask(lambda: server.ask(who)) == "livestream-simulator"
    with pytest.raises(ZeroDivisionError):
        server.ask(lambda: 1 // 0)
    server.stop()
    assert server.ask(who) == "MainThread"


def test_stop(service: Service, fetch: Fetch) -> None:
    """stop() is quick, ends whatever is open on any listener, and may be called again."""
    responses = [fetch(), fetch("/api/2/stream/shop", port=1)]
    with socket.create_connection(("127.0.0.1", service.ports[0]), timeout=10) as silent:
        before = time.monotonic()
        service.server.stop()
        service.server.stop()
        assert time.monotonic() - before < 0.2
        assert silent.recv(1_000) == b""
    assert service.noted[2:] == [("demo", "stopped", None), ("shop", "stopped", None)]
    for response in responses:
        with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
            response.read()
    for port in service.ports:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=10)
    service.server.add(service.served("late"))


def test_no_hits_enter_after_stop(service: Service, fetch: Fetch) -> None:
    """Once the server has stopped, a stream's log holds what it held."""
    service.demo.hits = HitLog(replay_of(service.recording, 100_000.0))
    fetch()
    service.server.stop()
    share = service.demo.stream.ranges[0].share
    held = [service.demo.hits.logged(share, service.clock.utc() + more) for more in (0.0, 1e6)]
    assert held[0] == held[1] < HITS


def test_delivery_that_ends_is_forgotten(service: Service, fetch: Fetch) -> None:
    """A delivery is listed while it lasts."""
    fetch()
    server, demo = service.server, service.demo
    server.ask(lambda: [Delivery.reset(each) for each in demo.open_deliveries()])
    until(lambda: not demo.deliveries)


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.one_of(
        st.binary(max_size=200),
        st.binary(max_size=100).map(lambda tail: b"GET /" + tail + b" HTTP/1.1\r\nHost: x\r\n\r\n"),
        st.binary(max_size=100).map(
            lambda tail: b"POST /ims/token/v3 HTTP/1.1\r\nHost: x\r\n" + tail
        ),
    )
)
def test_any_bytes_leave_it_serving(service: Service, said: bytes) -> None:
    """Whatever is sent is answered by HTTP or not at all, and the next client is served."""
    answer = speak(service, said)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 ")
    assert speak(service, service.head("/api/1/schema")).endswith(SCHEMA)
