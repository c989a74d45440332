"""No secret shows anywhere: made-up ones that can be recognised, and every fault that is known.

What is searched: all logs (the root logger at DEBUG, so httpx and httpcore as well), everything
that a reader shows or raises, copies and pickles, state files, and an executed notebook.
"""

import base64
import copy
import json
import logging
import pickle
import secrets
import socket
import ssl
import traceback
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import quote_plus

import nbformat
import pytest
import trustme
from nbclient import NotebookClient

import livestream_nb
from livestream_nb import BearerToken, Clock, Reader, ServerToServer, Simulator
from livestream_nb.connection.access import Access
from livestream_nb.connection.network import Network
from livestream_nb.connection.transport import Transport
from livestream_nb.dashboard import static
from livestream_nb.dashboard.snapshot import look
from livestream_nb.errors import LivestreamError, StreamFailed
from livestream_nb.protocol.request import HOST
from livestream_nb.simulator.faults import Faults
from livestream_nb.worker import Worker
from tests.plain import until
from tests.proxy import ConnectProxy
from tests.scripted import Answer, Scripted, hits, hold, redirect, refuse

SOON = 20.0
TOKEN, SECRET, LOGIN = "kanari.token/1", "kanari-secret-1", "kanari-user:kanari-password"
WORDS = "kanari", base64.b64encode(LOGIN.encode()).decode()
PACKAGE = str(Path(livestream_nb.__file__).parent)


class Ear:
    """Listens to all logs, and looks at whatever a reader and its errors show."""

    def __init__(self, logs: pytest.LogCaptureFixture, state: Path) -> None:
        self._logs = logs
        self._state = state

    def hears(self, *subjects: object, logs: bool = True) -> list[str]:
        """Where one of the words shows, and in what line."""
        found = [(type(each).__name__, *text) for each in subjects for text in shows(each)]
        states = (path for path in self._state.rglob("*") if path.is_file())
        found += [("state", path.name, path.read_text()) for path in states]
        if logs:
            found.append(("all", "logs", self._logs.text))
        return [
            f"{kind} {name}: {line[:500]}"
            for kind, name, text in found
            for line in text.splitlines()
            if heard(line)
        ]


def heard(text: str) -> bool:
    return any(word.lower() in text.lower() for word in WORDS)


@pytest.fixture(autouse=True)
def ear(caplog: pytest.LogCaptureFixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ear:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("LIVESTREAM_NB_STATE", str(tmp_path / "state"))
    return Ear(caplog, tmp_path / "state")


def shows(subject: object) -> Iterator[tuple[str, str]]:
    """All that something shows of itself, and of what it is made of."""
    yield "repr", repr(subject)
    yield "str", str(subject)
    yield "format", f"{subject}"
    yield "parts", repr(getattr(subject, "__dict__", ""))
    yield "copy", tried(copy.copy, subject)
    yield "pickle", tried(pickle.dumps, subject)
    if isinstance(subject, BaseException):
        yield "traceback", "".join(traceback.format_exception(subject))
        yield "locals", locals_of(subject)
    if isinstance(subject, Reader):
        session = subject._session
        for name in ("status", "timeline", "gaps", "quarantine"):
            part = getattr(subject, name)
            yield name, repr(part() if callable(part) else part)
        yield "sentences", str(subject.timeline().rows())
        yield "plan", repr(session.plan) + repr(vars(session.plan)) + repr(session.plan.options())
        yield "session", repr(vars(session)) + repr([vars(slot) for slot in session._slots])
        yield "table", static.html(look(subject), "")


def tried(act: Callable[[object], object], subject: object) -> str:
    try:
        return repr(act(subject))
    except (TypeError, AttributeError, pickle.PicklingError) as error:
        return f"{error} {error.__context__!r}"


def locals_of(error: BaseException) -> str:
    """The variables of every frame of the package's own, of an error and those that led to it.

    The callers' own frames are excused: there lies what they themselves hold.
    """
    lines = []
    while error is not None:
        lines += [repr(value) for frame in frames(error.__traceback__) for value in frame]
        error = error.__cause__ or error.__context__
    return "\n".join(lines)


def frames(trace: TracebackType | None) -> Iterator[list[object]]:
    while trace is not None:
        if trace.tb_frame.f_code.co_filename.startswith(PACKAGE):
            values = trace.tb_frame.f_locals.items()
            yield [value for name, value in values if name != "self"]
        trace = trace.tb_next


def reader(service: Scripted, **options: Any) -> Reader:
    return Reader(service.url, **{"token": TOKEN, "clock": Clock(600), "seed": 1} | options)


def client(service: str) -> ServerToServer:
    return ServerToServer("an-id", SECRET, "openid", token_url=service)


def failed(subject: Reader) -> StreamFailed:
    with pytest.raises(StreamFailed) as caught:
        subject.wait(state="stopped", timeout=SOON)
    return caught.value


# Every fault of the simulator


def test_every_verb(ear: Ear, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is done to the service: neither tokens nor the client's secret show."""
    numbers = count()
    monkeypatch.setattr(secrets, "token_urlsafe", lambda _: f"kanari-{next(numbers)}")
    verbs = {name for name in vars(Faults) if not name.startswith("_")}
    verbs -= {"migrate", "refuse", "redirect", "fail_tokens", "expire_tokens"}
    seen: list[object] = []
    with Simulator(speed=300, rate=5) as sim:
        who = ServerToServer(sim.client_id, sim.client_secret, "openid", token_url=sim.token_url)
        subject = Reader(sim.stream_url, credentials=who, clock=sim.clock, seed=1).start()

        def streaming() -> None:
            subject.wait(state="streaming", timeout=SOON)
            until(lambda: len(sim._served.open_deliveries()) == 1)

        for verb in sorted(verbs):
            streaming()
            getattr(sim, verb)()
            seen.append(subject.status)
        for status in (429, 500, 502, 503, 504):
            streaming()
            sim.refuse(status, seconds=80)
            sim.drop()
            subject.wait(state="cooldown", timeout=SOON)
        streaming()
        sim.migrate(80)
        sim.cut()
        subject.wait(state="cooldown", timeout=SOON)
        streaming()
        sim.fail_tokens(80)
        sim.expire_tokens()
        sim.reset()
        subject.wait(state="cooldown", timeout=SOON)
        for to in ("loop", "foreign", "downgraded"):
            streaming()
            sim.redirect(to)
            sim.drop()
            seen.append(failed(subject))
            sim.redirect(None)
            subject.stop()
            subject.start()
        streaming()
        subject.stop()
        assert (
            subject.timeline()["reason"].is_in(["tokenless", "corrupt", "misdirected"]).sum() >= 3
        )
        assert heard(sim.token)
        assert heard(sim.client_secret)
        assert ear.hears(subject, who, subject._session.plan.network, *seen) == []


# What a service says


def echo(status: int, say: Callable[[str], bytes | str]) -> Answer:
    """Refuse, and say what was sent in `Authorization`, as many a service does."""

    def answer(connection: socket.socket, here: str) -> None:
        said = say(f"Bearer {TOKEN}")
        body = said if isinstance(said, bytes) else said.encode()
        refuse(status, body)(connection, here)

    return answer


def escaped(text: str) -> str:
    return "".join(f"\\u{ord(character):04x}" for character in text)


SAYINGS = {
    "plain": lambda sent: f"{sent} is not welcome",
    "JSON": lambda sent: json.dumps({"error": sent, "error_description": f"no {sent}"}),
    "JSON of JSON": lambda sent: json.dumps({"error": {"was": [sent]}}),
    "JSON, slashes escaped": lambda sent: json.dumps({"error": sent}).replace("/", "\\/"),
    "JSON, all escaped": lambda sent: f'{{"error":"{escaped(sent)}"}}',
    "quoted": lambda sent: f"/x?token={quote_plus(sent)}",
    "long": lambda sent: "x" * 190 + sent + "x" * 99_999,
    "UTF-16": lambda sent: sent.encode("utf-16"),
}


@pytest.mark.parametrize(
    "saying",
    SAYINGS,
)
@pytest.mark.parametrize("status", [401, 403, 409])
def test_refusals_that_repeat_the_token(status: int, saying: str, ear: Ear) -> None:
    """A refusal that repeats the token is told without it, however it was written."""
    with Scripted(echo(status, SAYINGS[saying])) as service, reader(service) as subject:
        errors = [] if status == 409 else [failed(subject)]
        until(lambda: subject.status.http_status == status)
        assert ear.hears(subject, *errors) == []


HEADS = {
    "status line": b"HTTP/1.1 403 %s\r\nContent-Length: 0\r\n\r\n",
    "header": b"HTTP/1.1 403 No\r\nWWW-Authenticate: %s\r\nContent-Length: 0\r\n\r\n",
    "wait": b"HTTP/1.1 503 No\r\nRetry-After: %s\r\nContent-Length: 0\r\n\r\n",
    "encoding": b"HTTP/1.1 403 No\r\nContent-Encoding: %s\r\nContent-Length: 1\r\n\r\nx",
    "foreign redirect": b"HTTP/1.1 302 No\r\nLocation: https://example.com/?%s\r\n\r\n",
    "redirect to a user": b"HTTP/1.1 302 No\r\nLocation: https://me:%s@livestream.adobe.net/\r\n\r\n",
    "redirect": b"HTTP/1.1 302 No\r\nLocation: /api/1/stream/x?%s\r\n\r\n",
    "no HTTP": b"%s is not HTTP\r\n\r\n",
    "no header": b"HTTP/1.1 403 No\r\n%s\r\n\r\n",
    "no chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%s\r\n",
}


def head(kind: str) -> Answer:
    return lambda connection, _: connection.sendall(HEADS[kind] % quote_plus(TOKEN).encode())


@pytest.mark.parametrize("kind", HEADS)
def test_heads_that_repeat_the_token(kind: str, ear: Ear) -> None:
    """Nor does it show when it comes back in the head of an answer, or as what is none."""
    with Scripted(head(kind)) as service, reader(service) as subject:
        until(lambda: subject.timeline().height > 1)
        assert ear.hears(subject, logs=False) == []


@pytest.mark.parametrize("kind", HEADS)
def test_logs_of_heads_that_repeat_the_token(kind: str, ear: Ear) -> None:
    """Nor in any log, those of the HTTP libraries included."""
    with Scripted(head(kind)) as service, reader(service) as subject:
        until(lambda: subject.timeline().height > 1)
        assert ear.hears() == []


# Tokens


def asked(status: int, body: str, **headers: str) -> Answer:
    """The answer of a token service; it stays until the client goes, who sends a form."""

    def answer(connection: socket.socket, here: str) -> None:
        refuse(status, body.encode(), **headers)(connection, here)
        hold(connection, here)

    return answer


@pytest.mark.parametrize("status", [200, 400, 401, 429, 500, 503])
@pytest.mark.parametrize(
    "body",
    [
        f"client_secret={SECRET}",
        json.dumps({"error": SECRET, "error_description": f"{SECRET} is wrong"}),
        json.dumps({"error": "invalid_client", "error_description": f"no: {SECRET[:10]}…"}),
        json.dumps({"access_token": f"{SECRET} {SECRET}", "expires_in": SECRET}),
    ],
)
def test_token_service_that_repeats_the_secret(status: int, body: str, ear: Ear) -> None:
    """A token service that repeats the client's secret, or a part of it, is told without it."""
    with Scripted(hold) as service, Scripted(asked(status, body)) as tokens:
        who = client(tokens.url)
        with reader(service, token=None, credentials=who) as subject:
            until(lambda: subject.status.state in ("failed", "cooldown"))
            errors = [failed(subject)] if subject.status.state == "failed" else []
            assert ear.hears(subject, who, *errors) == []
        assert service.requests == []


@pytest.mark.parametrize("logs", [False, True])
def test_token_service_that_redirects_with_the_secret(logs: bool, ear: Ear) -> None:
    """A token service's redirect is not followed, and where it led is not told."""
    elsewhere = asked(307, "", Location=f"https://example.com/?{SECRET}")
    with Scripted(hold) as service, Scripted(elsewhere) as tokens:
        with reader(service, token=None, credentials=client(tokens.url)) as subject:
            assert ear.hears(failed(subject), subject, logs=logs) == []
        assert len(tokens.requests) == 1


class Vault(Exception):
    """An error that knows too much."""


def raising(error: BaseException) -> Callable[[], str]:
    def token() -> str:
        held = TOKEN
        raise error from ValueError(held)

    return token


@pytest.mark.parametrize("error", [Vault(TOKEN), KeyError(TOKEN), SystemExit(TOKEN)], ids=type)
def test_token_function_that_tells(error: BaseException, ear: Ear) -> None:
    """A token function that raises with the token in its words: only the error's type is told."""
    with Scripted(hold) as service, reader(service, token=raising(error)) as subject:
        until(lambda: subject.status.cause == "tokenless")
        assert type(error).__name__ in subject.status.reason
        assert ear.hears(subject) == []


@pytest.mark.parametrize("token", [f"{TOKEN}\n", f"{TOKEN} x", TOKEN.encode(), [TOKEN]])
def test_token_function_that_returns_what_is_none(token: object, ear: Ear) -> None:
    """A token that cannot be sent is refused without being shown."""
    with Scripted(hold) as service, reader(service, token=lambda: token) as subject:
        assert ear.hears(failed(subject), subject) == []


# On the way


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


def serving(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return context


def trusting(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


def adobe(proxy: ConnectProxy, authority: trustme.CA, **options: Any) -> Reader:
    """A reader of Adobe's service, which a local one behind a local proxy stands in for."""
    given = {"token": TOKEN, "clock": Clock(600), "verify": trusting(authority)} | options
    return Reader("shop", proxy=f"http://{LOGIN}@{proxy.address}", **given)


FOREIGN = {
    "https://example.com/x": False,
    f"http://{HOST}/x": False,
    f"https://{HOST}:8443/x": False,
    f"https://me@{HOST}/x": False,
    f"https://{HOST}.example.com/x": False,
    f"https://evil{HOST}/x": False,
    "//example.com/x": False,
    "http://127.0.0.1/x": False,
    f"https://va7.{HOST}/x": True,
    "/x": True,
}


@pytest.mark.parametrize("location", FOREIGN)
def test_who_is_given_the_token(location: str, ear: Ear, authority: trustme.CA) -> None:
    """A redirect target other than Adobe's own is not even asked; Adobe's own gets the token."""
    names = (HOST, f"va7.{HOST}", f"{HOST}.example.com", f"evil{HOST}", "example.com")
    answers = redirect(location), hits(1, end="hold")
    service = Scripted(*answers, tls=serving(authority, *names))
    with service, ConnectProxy(service) as proxy, adobe(proxy, authority) as subject:
        if FOREIGN[location]:
            subject.wait(hits=1, timeout=SOON)
            assert service.requests[1].headers["authorization"] == f"Bearer {TOKEN}"
        else:
            error = failed(subject)
            assert (error.cause, ear.hears(error)) == ("misdirected", [])
            assert len(service.requests) == len(proxy.requests) == 1
        assert ear.hears(subject) == []


def test_certificate_of_unknown_origin(ear: Ear, authority: trustme.CA) -> None:
    """A service that cannot be verified is told nothing, and nothing is told about it."""
    service = Scripted(hold, tls=serving(trustme.CA(), HOST))
    with service, ConnectProxy(service) as proxy, adobe(proxy, authority) as subject:
        error = failed(subject)
        assert error.cause == "untrusted"
        assert ear.hears(subject, error, subject._session.plan.network) == []
        assert service.requests == []


@pytest.mark.parametrize("logs", [False, True])
@pytest.mark.parametrize(
    "answer", ["", "HTTP/1.1 407 {}\r\n\r\n", "HTTP/1.1 403 {}\r\n\r\n", "{}\r\n\r\n"]
)
def test_proxy_that_refuses(
    answer: str, logs: bool, ear: Ear, authority: trustme.CA, request: pytest.FixtureRequest
) -> None:
    """A proxy's user and password do not show, even if it repeats them as it refuses."""
    proxy = ConnectProxy(answer=answer.format(WORDS[1]).encode())
    with proxy, adobe(proxy, authority) as subject:
        until(lambda: subject.status.cause == "unreachable")
        assert "proxy-authorization" in proxy.requests[0].headers
        assert ear.hears(subject, subject._session.plan.network, logs=logs) == []


# What is raised, shown and stored


def wrong(**options: Any) -> Callable[[], object]:
    return lambda: Reader(**{"stream": "shop", "token": TOKEN} | options)


WRONG = {
    "stream": wrong(stream="no stream"),
    "keep": wrong(keep=-1),
    "tz": wrong(tz="nowhere"),
    "columns": wrong(columns="nothing"),
    "clock": wrong(clock=1),
    "verify": wrong(verify=False),
    "policy": wrong(policy=None),
    "seed and a proxy": wrong(proxy=f"http://{LOGIN}@127.0.0.1:1", connections=9),
    "scopes": lambda: ServerToServer("an-id", SECRET, ""),
    "token_url": lambda: ServerToServer("an-id", SECRET, "openid", token_url="http://x.net/"),
    "client_id of the token": lambda: BearerToken(TOKEN, client_id="an id"),
}


def refused(make: Callable[[], object]) -> LivestreamError:
    with pytest.raises(LivestreamError) as caught:
        make()
    return caught.value


@pytest.mark.parametrize(
    "option",
    WRONG,
)
def test_error_about_something_else(option: str, ear: Ear) -> None:
    """A wrong option beside a secret: not even the variables of the frames show the secret."""
    assert ear.hears(refused(WRONG[option])) == []


def test_verbose_traceback_of_a_refused_reader() -> None:
    """The variables of a reader that was refused can be shown, the reader among them."""
    error = refused(wrong(keep=-1))
    told = traceback.TracebackException.from_exception(error, capture_locals=True)
    ours = [frame for frame in told.stack if frame.filename.startswith(PACKAGE)]
    assert not heard(str([frame.locals for frame in ours]))


REFUSED = {
    "token": wrong(token=f"{TOKEN} x"),
    "token twice": wrong(credentials=BearerToken(TOKEN)),
    "credentials": wrong(token=None, credentials=TOKEN),
    "user of the stream": wrong(stream=f"https://{SECRET}@{HOST}/api/1/stream/shop"),
    "proxy with a path": wrong(proxy=f"http://{LOGIN}@127.0.0.1:1/path"),
    "proxy of a kind": wrong(proxy=f"ftp://{LOGIN}@127.0.0.1:1"),
    "SOCKS": wrong(proxy=f"socks5://{LOGIN}@127.0.0.1:1"),
    "port": wrong(proxy=f"http://{LOGIN}@127.0.0.1:99999"),
    "client_secret": lambda: ServerToServer("an-id", f"{SECRET} x", "openid"),
    "client_id": lambda: ServerToServer(f"{SECRET} x", SECRET, "openid"),
    "user of the token service": lambda: client(f"https://{SECRET}@ims-na1.adobelogin.com/"),
}


@pytest.mark.parametrize("option", REFUSED)
def test_error_about_the_secret_itself(option: str) -> None:
    """A secret that is refused itself is not in the message, nor in an ordinary traceback.

    The variables are excused here: what was refused is what the caller wrote in the call, and the
    caller's own frame shows it anyway.
    """
    error = refused(REFUSED[option])
    assert not heard(str(error))
    assert not heard("".join(traceback.format_exception(error)))


@pytest.mark.parametrize(
    "text",
    [
        "no JSON: {}",
        '{{"client_id": "an-id", "client_secret": "{} {}", "scopes": "a"}}',
        '{{"client_id": "an-id", "client_secret": "{}"}}',
        '{{"client_id": "an-id", "tech_id": "{}", "secret": "{}"}}',
        '["{}"]',
    ],
)
def test_error_about_a_file(text: str, ear: Ear, tmp_path: Path) -> None:
    """A file of credentials that is wrong is named, and nothing of it is shown."""
    path = tmp_path / "client.json"
    path.write_text(text.format(*[SECRET] * 3))
    assert ear.hears(refused(lambda: ServerToServer.from_file(path))) == []


def test_error_about_the_environment(ear: Ear, monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables that are wrong, or there by half, are named, and nothing of them is shown."""
    monkeypatch.setenv("LIVESTREAM_CLIENT_SECRET", SECRET)
    monkeypatch.setenv("LIVESTREAM_SCOPES", "openid")
    half = refused(lambda: Reader("shop"))
    monkeypatch.setenv("LIVESTREAM_TOKEN", f"{TOKEN} x")
    assert ear.hears(half, refused(lambda: Reader("shop"))) == []


def test_what_holds_a_secret(ear: Ear) -> None:
    """Whatever holds a secret shows none: printed, copied, stored, or taken apart."""
    credentials = BearerToken(TOKEN), BearerToken(lambda: TOKEN), client("https://127.0.0.1/")
    network = Network.of(f"http://{LOGIN}@127.0.0.1:1")
    worker = Worker("test")
    holders = [Access(each, Clock(), Transport(network), worker) for each in credentials]
    worker.close()
    subjects = [
        Reader("shop", credentials=each, proxy=f"http://{LOGIN}@h:1") for each in credentials
    ]
    assert ear.hears(*credentials, network, network.proxy, *holders, *subjects) == []
    assert not heard(tried(copy.deepcopy, credentials) + tried(copy.deepcopy, network))


# A notebook

CELLS = [
    """
    %xmode Verbose
    import logging, os
    logging.basicConfig(level=logging.DEBUG)
    import livestream_nb as ls
    clock = ls.Clock(float(os.environ["RATE"]))
    reader = ls.Reader(os.environ["URL"], clock=clock, keep=-1)
    """,
    "reader = ls.Reader(os.environ['URL'], clock=clock).start().wait(hits=5, timeout=20)\nreader",
    "reader.wait(state='cooldown', timeout=20)\nreader.status",
    "print(reader, reader._session.plan, vars(reader._session.plan))\nreader.timeline()",
    "reader.wait(state='stopped', timeout=20)",
    "reader.stop()\nreader",
]


def test_executed_notebook(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A notebook with verbose errors, debug logs and widget state holds no secret when saved."""
    numbers = count()
    monkeypatch.setattr(secrets, "token_urlsafe", lambda _: f"kanari-{next(numbers)}")
    with Simulator(speed=60, rate=20) as sim:
        monkeypatch.setenv("LIVESTREAM_TOKEN", sim.token)
        monkeypatch.setenv("URL", sim.stream_url)
        monkeypatch.setenv("RATE", str(sim.clock.rate))
        monkeypatch.setenv("HTTPS_PROXY", f"http://{LOGIN}@127.0.0.1:1")
        monkeypatch.setenv("VOILA_KERNEL_ID", "so that widgets are made here, too")
        notebook = nbformat.v4.new_notebook()
        notebook.cells = [
            nbformat.v4.new_code_cell("\n".join(map(str.strip, cell.splitlines())))
            for cell in CELLS
        ]
        faults = {1: sim.drop, 3: lambda: sim.redirect("foreign")}
        path = {"metadata": {"path": str(tmp_path)}}
        kernel = NotebookClient(notebook, timeout=60, allow_errors=True, resources=path)
        with kernel.setup_kernel():
            for place, cell in enumerate(notebook.cells):
                kernel.execute_cell(cell, place)
                faults.get(place, lambda: None)()
            kernel.set_widgets_metadata()
        assert sim.token == "kanari-1"
    saved = nbformat.writes(notebook)
    for part in ("InvalidOption", "StreamFailed", "httpcore", "image/png", "widget-state"):
        assert part in saved
    assert not heard(saved)
