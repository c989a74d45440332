"""simulator/face.py, and what it is made of: routes, admission, redirects, exchange"""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livestream_nb.errors import InvalidOption
from livestream_nb.simulator.http.exchange import Reply, Request
from livestream_nb.simulator.http.face import Admitted, Face
from livestream_nb.simulator.http.tokens import Tokens
from livestream_nb.simulator.journal import Journal
from livestream_nb.simulator.rules import Rules
from livestream_nb.simulator.service import Opened, Stream
from livestream_nb.simulator.share import Share

ORIGINS = ("http://127.0.0.1:8001", "http://127.0.0.1:8002")
PATH = "/api/1/stream/demo"
SCHEMA = b'{"type":"object"}'
TOKEN_PATH = "/ims/token/v3"
FORM = "application/x-www-form-urlencoded"


def logged(share: Share, time: float) -> int:
    return int(time * 10) // share.slots


class Service:
    """A face with one stream, asked at a time."""

    def __init__(self, enabled: bool = True, **rules: Any) -> None:
        self.journal = Journal()
        self.tokens = Tokens()
        self.stream = Stream(logged, rules=Rules(**rules), enabled=enabled, journal=self.journal)
        self.face = Face(self.tokens, self.journal, schema=SCHEMA, origins=ORIGINS)
        self.face.add(self.stream)

    def ask(
        self,
        target: str = PATH,
        now: float = 0.0,
        *,
        method: str = "GET",
        version: str = "1.1",
        listener: int = 0,
        body: bytes = b"",
        **headers: str | None,
    ) -> Reply | Admitted:
        sent = {"authorization": f"Bearer {self.tokens.current(now)}", "accept-encoding": "gzip"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        kept = {name: value for name, value in sent.items() if value is not None}
        return self.face.answer(Request(method, target, version, kept, body), listener, now)

    def refused(self, *args: Any, **options: Any) -> Reply:
        answer = self.ask(*args, **options)
        assert isinstance(answer, Reply), answer
        return answer

    def post(self, now: float = 0.0, **changes: str) -> Reply:
        form = {
            "client_id": self.tokens.client_id,
            "client_secret": self.tokens.client_secret,
            "grant_type": "client_credentials",
            "scope": "openid,AdobeID",
        }
        body = urlencode(form | changes).encode()
        return self.refused(TOKEN_PATH, now, method="POST", body=body, content_type=FORM)

    @property
    def noted(self) -> list[tuple[str | None, str, int | None]]:
        return [(each.stream, each.event, each.status) for each in self.journal.entries()]

    @property
    def last(self) -> str:
        return self.journal.entries()[-1].detail


@pytest.fixture
def service() -> Service:
    return Service()


def said(reply: Reply) -> str:
    """The error_description of an answer that is as a refusal must be."""
    assert header(reply, "Content-Type") == "application/json"
    fields = json.loads(reply.body)
    assert set(fields) == {"error", "error_description"}
    assert all(fields.values())
    return str(fields["error_description"])


def header(reply: Reply, name: str) -> str | None:
    return dict(reply.headers).get(name)


@pytest.mark.parametrize(
    "target",
    [
        PATH,
        "/api/2/stream/demo",
        f"{PATH}?beta=true",
        "/api/2/stream/demo?beta=true",
        f"{PATH}?beta=true&unknown=1",
        "/api/1/stream/d%65mo",
        f"http://127.0.0.1:8001{PATH}?beta=true",
    ],
)
def test_every_way_to_the_stream(service: Service, target: str) -> None:
    """All the endpoints that Adobe lists lead to the stream, in any spelling of the URL."""
    assert service.ask(target) == Admitted("demo", Opened(1, Share(0, 1), 0))


def test_streams_are_told_apart(service: Service) -> None:
    """A stream that is added later is served too, and each request opens its own."""
    service.face.add(Stream(logged, "shop", journal=service.journal))
    assert isinstance(service.ask("/api/1/stream/shop"), Admitted)
    assert isinstance(service.ask(), Admitted)
    assert service.noted == [("shop", "connected", 200), ("demo", "connected", 200)]


@pytest.mark.parametrize("headers", [{}, {"x_api_key": "any"}])
def test_any_api_key(service: Service, headers: dict[str, str]) -> None:
    """x-api-key makes no difference."""
    assert isinstance(service.ask(**headers), Admitted)


BUCKET = "smoothingBucketSize"
RESET_HELP = "reset=first is invalid: use smallest, largest, earliest or latest."
REFUSALS: list[tuple[dict[str, Any], int, str]] = [
    ({"target": f"{PATH}?maxConnections=9"}, 400, "maxConnections=9 is invalid: use 1 to 8."),
    ({"target": f"{PATH}?maxConnections=0"}, 400, "maxConnections=0 is invalid"),
    ({"target": f"{PATH}?maxConnections=-1"}, 400, "maxConnections=-1 is invalid"),
    ({"target": f"{PATH}?maxConnections=two"}, 400, "maxConnections=two is invalid"),
    ({"target": f"{PATH}?maxConnections=%D9%A2"}, 400, "maxConnections=? is invalid"),
    ({"target": f"{PATH}?maxConnections="}, 400, "maxConnections= is invalid"),
    ({"target": f"{PATH}?maxConnections={'9' * 5000}"}, 400, f"maxConnections={'9' * 60}… is"),
    ({"target": f"{PATH}?maxConnections={'9' * 60}"}, 400, f"maxConnections={'9' * 60} is inv"),
    ({"target": f"{PATH}?maxConnections=1&maxConnections=2"}, 400, "Given more than once: maxC"),
    ({"target": f"{PATH}?reset=first"}, 400, RESET_HELP),
    ({"target": f"{PATH}?reset="}, 400, "reset= is invalid"),
    ({"target": f"{PATH}?smoothing=yes"}, 400, "smoothing=yes is invalid: use 1, or 0 for none."),
    ({"target": f"{PATH}?smoothing=1&smoothingBucketSize=0"}, 400, "smoothingBucketSize=0 is"),
    (
        {"target": f"{PATH}?smoothing=1&smoothingBucketSize=7201"},
        400,
        f"{BUCKET}=7201 is invalid: use 1 to 7200.",
    ),
    ({"target": f"{PATH}?smoothing=1&smoothingBucketSize=x"}, 400, "smoothingBucketSize=x is"),
    ({"target": "/api/1/stream/other"}, 404, "There is no stream at /api/1/stream/other."),
    ({"target": "/api/2/enable/other"}, 404, "There is no stream at /api/2/enable/other."),
    ({"target": "/api/1/enable/demo"}, 404, "There is nothing at /api/1/enable/demo: use /api/1"),
    ({"target": "/api/3/stream/demo"}, 404, "There is nothing at"),
    ({"target": "/api/1/stream/"}, 404, "There is nothing at"),
    ({"target": f"{PATH}/"}, 404, "There is nothing at"),
    ({"target": "/api/2/schema"}, 404, "There is nothing at"),
    ({"target": "/"}, 404, "There is nothing at /:"),
    ({"target": "*", "method": "OPTIONS"}, 404, "There is nothing at :"),
    ({"method": "POST"}, 405, "Invalid request type POST: use GET."),
    ({"method": "HEAD"}, 405, "Invalid request type HEAD: use GET."),
    ({"target": "/api/2/enable/demo", "method": "PUT"}, 405, "Invalid request type PUT"),
    ({"target": "/api/1/schema", "method": "DELETE"}, 405, "Invalid request type DELETE"),
    ({"target": TOKEN_PATH}, 405, "Invalid request type GET: use POST."),
    ({"accept_encoding": None}, 406, "The stream is compressed only"),
    ({"accept_encoding": "identity"}, 406, "The stream is compressed only"),
    ({"accept_encoding": "br, gzip;q=0"}, 406, "The stream is compressed only"),
    ({"accept_encoding": "gzip; q=0.000"}, 406, "The stream is compressed only"),
    ({"version": "1.0"}, 505, "Only HTTP/1.1 is spoken here."),
    ({"target": "*", "method": "PRI", "version": "2.0"}, 505, "Only HTTP/1.1 is spoken here."),
]


@pytest.mark.parametrize(("request_", "status", "words"), REFUSALS)
def test_refusals(service: Service, request_: dict[str, Any], status: int, words: str) -> None:
    """Each refusal has its status, and its reason in body and log; it takes no slot."""
    reply = service.refused(**request_)
    assert reply.status == status
    assert said(reply).startswith(words)
    assert header(reply, "Retry-After") is None
    of = "demo" if "demo" in request_.get("target", PATH).partition("?")[0] else None
    known = status != 404
    assert service.noted == [(of if known else None, "refused", status)]
    assert service.last == said(reply)
    assert isinstance(service.ask(), Admitted)


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer ", "Bearer wrong", "Basic YTpi", "Token {}", "{}", "Bearer {} x"],
)
@pytest.mark.parametrize("target", [PATH, "/api/2/enable/demo"])
def test_not_authorized(service: Service, authorization: str | None, target: str) -> None:
    """Without a valid bearer token the answer is 401, in plain text, and nothing happens."""
    given_ = authorization and authorization.format(service.tokens.current(0.0))
    reply = service.refused(target, authorization=given_)
    assert (reply.status, reply.body) == (401, b"not authorized")
    assert header(reply, "Content-Type") == "text/plain"
    assert header(reply, "WWW-Authenticate") == "Bearer"
    assert service.noted == [("demo", "refused", 401)]


def test_scheme_in_any_case(service: Service) -> None:
    """The scheme's case and the spaces after it make no difference."""
    token = service.tokens.current(0.0)
    assert isinstance(service.ask(authorization=f"bEARER   {token}"), Admitted)


@pytest.mark.parametrize(
    "accepted", ["gzip", "deflate, gzip;q=0.5", "br, GZIP ; q=1.0", "gzip;q=0.001"]
)
def test_gzip_in_any_company(service: Service, accepted: str) -> None:
    """gzip among other encodings, with or without a weight, is enough."""
    assert isinstance(service.ask(accept_encoding=accepted), Admitted)


def test_refusals_of_the_stream_itself() -> None:
    """409 and 424 are given for the stream's own reasons, and noted once."""
    service = Service(enabled=False)
    assert "enable" in said(service.refused(now=0.0))
    service.refused("/api/2/enable/demo", now=0.0)
    assert isinstance(service.ask(now=900.0), Admitted)
    assert service.refused(now=901.0).status == 409
    statuses = [status for _, event, status in service.noted if event == "refused"]
    assert statuses == [424, 409]


def test_migration_says_when_to_return(service: Service) -> None:
    """Retry-After is whole seconds, rounded up."""
    service.stream.migrate(30.0, 0.0, retry_after=True)
    reply = service.refused(now=0.5)
    assert (reply.status, header(reply, "Retry-After")) == (503, "30")
    service.stream.migrate(60.0, 1.0, retry_after=False)
    assert header(service.refused(now=2.0), "Retry-After") is None


@pytest.mark.parametrize(
    ("query", "slots"),
    [("", 1), ("maxConnections=1", 1), ("maxConnections=02", 2), ("maxConnections=8", 8)],
)
def test_max_connections(service: Service, query: str, slots: int) -> None:
    """maxConnections is handed to the stream; missing it is 1."""
    for slot in range(slots):
        assert service.ask(f"{PATH}?{query}") == Admitted(
            "demo", Opened(slot + 1, Share(slot, slots), 0)
        )
    assert service.refused(f"{PATH}?{query}").status == 409


@pytest.mark.parametrize("word", ["smallest", "earliest", "largest", "latest"])
def test_reset(service: Service, word: str) -> None:
    """Each of the four words reaches the stream: the oldest hits that are kept, or the newest."""
    service.ask(now=0.0)
    service.stream.close(1, 1.0, "left")
    answer = service.ask(f"{PATH}?reset={word}", now=1_000.0)
    assert isinstance(answer, Admitted)
    assert answer.opened.offset == (7_000 if word in ("smallest", "earliest") else 10_000)


@pytest.mark.parametrize(
    ("query", "due"),
    [
        ("", 9_990),
        ("smoothing=0", 9_990),
        ("smoothing=0&smoothingBucketSize=x", 9_990),
        ("smoothingBucketSize=7200", 9_990),
        ("smoothing=1", 9_990 - 2_700),
        ("smoothing=1&smoothingBucketSize=100", 9_990 - 1_000),
        ("smoothing=1&smoothingBucketSize=1", 9_990 - 10),
    ],
)
def test_smoothing(service: Service, query: str, due: int) -> None:
    """Smoothing reaches the stream, with 270 s unless said otherwise; a bucket alone does not."""
    service.ask(f"{PATH}?{query}", now=0.0)
    assert service.stream.due(1, 999.0) == pytest.approx(due, abs=0.5)


def test_wrong_method_names_the_right_one(service: Service) -> None:
    """405 carries Allow."""
    assert header(service.refused(method="POST"), "Allow") == "GET"
    assert header(service.refused(TOKEN_PATH), "Allow") == "POST"
    for other in ({"target": f"{PATH}?reset=x"}, {"target": "/"}, {"version": "1.0"}):
        assert header(service.refused(**other), "Allow") is None


def test_schema(service: Service) -> None:
    """The schema is for anybody, whatever they accept."""
    reply = service.refused("/api/1/schema", authorization=None, accept_encoding=None)
    assert (reply.status, reply.body) == (200, SCHEMA)
    assert header(reply, "Content-Type") == "application/schema+json"
    assert service.noted == []


def test_enabling() -> None:
    """Enabling needs no gzip, says when it takes effect, and does so once."""
    service = Service(enabled=False)
    for now, when in ((0.0, "in 15 minutes"), (61.0, "in 14 minutes"), (900.0, "now")):
        reply = service.refused("/api/2/enable/demo", now, accept_encoding=None)
        assert reply.status == 200
        assert json.loads(reply.body) == {
            "message": f"Updated response payloads of stream demo are available {when}."
        }
    assert service.noted == [("demo", "enabled", None)]


def test_enabled_stream_stays_so(service: Service) -> None:
    """Enabling a stream that is enabled leaves it as it is."""
    assert b"available now" in service.refused("/api/2/enable/demo").body
    assert isinstance(service.ask(), Admitted)


def test_token_is_issued_and_let_in(service: Service) -> None:
    """The token service's token opens the stream; the log says so, and tells no secret."""
    reply = service.post()
    fields = json.loads(reply.body)
    assert reply.status == 200
    assert (header(reply, "Cache-Control"), header(reply, "Pragma")) == ("no-store", "no-cache")
    assert set(fields) == {"access_token", "token_type", "expires_in"}
    assert (fields["token_type"], fields["expires_in"]) == ("bearer", 86_399)
    answer = service.ask(now=86_398.0, authorization=f"Bearer {fields['access_token']}")
    assert isinstance(answer, Admitted)
    assert service.noted[0] == (None, "issued", 200)
    assert fields["access_token"] not in repr(service.journal.entries())
    late = service.ask(now=86_399.0, authorization=f"Bearer {fields['access_token']}")
    assert isinstance(late, Reply)
    assert late.status == 401


def test_token_refused(service: Service) -> None:
    """Whoever has the wrong secret is told in OAuth's words, and the answer is not stored."""
    reply = service.post(client_secret="x")
    assert (reply.status, json.loads(reply.body)["error"]) == (401, "invalid_client")
    assert header(reply, "Cache-Control") == "no-store"
    assert header(reply, "Retry-After") is None
    assert service.noted == [(None, "refused", 401)]


def test_expired_tokens(service: Service) -> None:
    """After expire_tokens() an old token gets 401, and a new one is let in."""
    token = service.tokens.current(0.0)
    service.face.expire_tokens(0.0)
    assert service.refused(authorization=f"Bearer {token}").status == 401
    assert isinstance(service.ask(), Admitted)
    assert service.noted[:2] == [(None, "expired", None), ("demo", "refused", 401)]


@pytest.mark.parametrize("status", [500, 503])
def test_failing_token_service(service: Service, status: int) -> None:
    """For so long the token service fails, whoever asks; streams go on."""
    service.face.fail_tokens(60.0, 100.0, status)
    for now, answered in ((100.0, status), (159.9, status), (160.0, 200)):
        assert service.post(now).status == answered
    assert said(service.post(120.0, client_id="x")) == "The token service has failed."
    assert isinstance(service.ask(now=120.0), Admitted)
    assert service.noted[0] == (None, "failing", None)
    assert "500" in service.journal.entries()[0].detail or status == 503


@pytest.mark.parametrize("status", [403, 429, 500, 502, 503, 504])
def test_refused_on_demand(service: Service, status: int) -> None:
    """For so long every stream answers as told, each status for a reason of its own."""
    service.face.refuse(status, 60.0, 100.0)
    for now, answered in ((100.0, status), (159.9, status)):
        reply = service.refused(now=now)
        assert (reply.status, header(reply, "Retry-After")) == (answered, None)
    assert isinstance(service.ask(now=160.0), Admitted)
    assert service.noted[:2] == [(None, "failing", None), ("demo", "refused", status)]
    assert str(status) in service.journal.entries()[0].detail
    others = [Service() for _ in range(5)]
    for other, another in zip(others, {403, 429, 500, 502, 503, 504} - {status}, strict=True):
        other.face.refuse(another, 1.0, 0.0)
        assert other.refused().body != service.refused(now=159.95).body


def test_refusing_comes_after_the_token_and_before_the_rest(service: Service) -> None:
    """Told to refuse, the service still asks for a token first; parameters it does not look at."""
    service.face.refuse(429, 60.0, 0.0, retry_after=90.2)
    assert service.refused(authorization=None).status == 401
    reply = service.refused(f"{PATH}?maxConnections=9", accept_encoding=None)
    assert (reply.status, header(reply, "Retry-After")) == (429, "91")
    assert service.refused("/api/2/enable/demo").status == 200
    service.face.refuse(503, 60.0, 0.0, retry_after=0.0)
    assert header(service.refused(), "Retry-After") == "0"
    service.face.refuse(500, 0.0, 1.0)
    assert isinstance(service.ask(now=1.0), Admitted)


QUERY = "?maxConnections=2&reset=latest"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    ("to", "location"),
    [
        ("second", f"{ORIGINS[1]}{PATH}{QUERY}"),
        ("loop", f"{ORIGINS[1]}{PATH}{QUERY}"),
        ("foreign", f"https://livestream.example{PATH}{QUERY}"),
        ("downgraded", f"http://livestream.adobe.net{PATH}{QUERY}"),
        ("https://u:p@evil.example:444/x?y=z", "https://u:p@evil.example:444/x?y=z"),
    ],
)
def test_redirects(service: Service, to: str, location: str, status: int) -> None:
    """A stream's requests are redirected, with a token or without; the log says to which host."""
    service.face.redirect(to, 0.0, status)
    for options in ({}, {"authorization": None, "accept_encoding": None}):
        reply = service.refused(f"{PATH}{QUERY}", **options)
        assert (reply.status, header(reply, "Location")) == (status, location)
        assert "another endpoint" in said(reply)
    assert service.noted[1:] == [("demo", "redirecting", status)] * 2
    parts = urlsplit(location)
    assert service.last == f"to {parts.scheme}://{parts.netloc.removeprefix('u:p@')}"
    assert "u:p" not in repr(service.journal.entries())
    assert "z" not in service.last


@pytest.mark.parametrize(
    ("to", "again"),
    [("second", False), ("loop", True), ("foreign", False), ("downgraded", False)],
)
def test_second_listener(service: Service, to: str, again: bool) -> None:
    """The second listener serves the stream, unless the redirects are to go in circles."""
    service.face.redirect(to, 0.0)
    answer = service.ask(f"{PATH}?beta=true", listener=1)
    if again:
        assert isinstance(answer, Reply)
        assert header(answer, "Location") == f"{ORIGINS[0]}{PATH}?beta=true"
    else:
        assert isinstance(answer, Admitted)


def test_a_full_url_is_for_the_first_listener(service: Service) -> None:
    """Wherever a full URL points to, the second listener serves."""
    service.face.redirect("http://127.0.0.1:9/x", 0.0)
    assert service.refused(listener=0).status == 302
    assert isinstance(service.ask(listener=1), Admitted)


def test_redirects_end(service: Service) -> None:
    """None ends them; the log knows of beginning and end, and of a URL only the host."""
    service.face.redirect("second", 0.0)
    service.face.redirect("https://u:p@x.example/y?z", 0.5)
    service.face.redirect(None, 1.0)
    assert isinstance(service.ask(now=1.0), Admitted)
    assert service.noted[:3] == [(None, "redirecting", None)] * 3
    assert [each.detail for each in service.journal.entries()[:3]] == [
        "requests for a stream, to: second",
        "requests for a stream, to: https://x.example",
        "no longer",
    ]


def test_what_is_not_redirected(service: Service) -> None:
    """Everything but a right request for a stream is answered where it was asked."""
    service.face.redirect("second", 0.0)
    assert service.refused("/api/1/schema").status == 200
    assert service.refused("/api/2/enable/demo").status == 200
    assert service.post().status == 200
    assert service.refused("/api/1/stream/other").status == 404
    assert service.refused(method="POST").status == 405
    assert service.refused(version="1.0").status == 505


@pytest.mark.parametrize(
    ("verb", "named"),
    [
        (lambda face: face.redirect("third", 0.0), "to='third'"),
        (lambda face: face.redirect("", 0.0), "to=''"),
        (lambda face: face.redirect(7, 0.0), "to=7"),
        (lambda face: face.redirect("ftp://x.example/", 0.0), "to='ftp:"),
        (lambda face: face.redirect("https:///x", 0.0), "to='https:"),
        (lambda face: face.redirect("https://[", 0.0), "to='https:"),
        (lambda face: face.redirect("https://x.example/\r\nX: y", 0.0), "to='https:"),
        (lambda face: face.redirect("https://x.example/é", 0.0), "to='https:"),
        (lambda face: face.redirect("https://x.example/ y", 0.0), "to='https:"),
        (lambda face: face.redirect("second", 0.0, 304), "status=304"),
        (lambda face: face.redirect("second", 0.0, 302.0), "status=302.0"),
        (lambda face: face.redirect("second", 0.0, [302]), "status=\\[302"),
        (lambda face: face.refuse(404, 1.0, 0.0), "status=404"),
        (lambda face: face.refuse(True, 1.0, 0.0), "status=True"),
        (lambda face: face.refuse(503, -1.0, 0.0), "seconds=-1"),
        (lambda face: face.refuse(503, float("inf"), 0.0), "seconds=inf"),
        (lambda face: face.refuse(503, 1.0, 0.0, retry_after=-1.0), "retry_after=-1"),
        (lambda face: face.fail_tokens(1.0, 0.0, 502), "status=502"),
        (lambda face: face.fail_tokens("1m", 0.0), "seconds='1m'"),
    ],
)
def test_impossible_orders(service: Service, verb: Callable[[Any], None], named: str) -> None:
    """An order that cannot be carried out is refused, naming what is wrong, and changes nothing."""
    with pytest.raises(InvalidOption, match=f"^{named}") as wrong:
        verb(service.face)
    assert "give " in str(wrong.value)
    assert isinstance(service.ask(), Admitted)
    assert service.post().status == 200
    assert [event for _, event, _ in service.noted] == ["connected", "issued"]


def test_not_http(service: Service) -> None:
    """What is no request is answered 400, and noted for no stream."""
    reply = service.face.malformed(0.0)
    assert reply.status == 400
    assert said(reply).startswith("The request is not HTTP/1.1")
    assert service.noted == [(None, "refused", 400)]


def test_written_answer(service: Service) -> None:
    """An answer is whole: its length, that the connection closes, and for HEAD no body."""
    reply = service.refused(method="POST")
    head, _, body = reply.encode("POST").partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "HTTP/1.1 405 Method Not Allowed"
    assert {f"Content-Length: {len(body)}", "Connection: close", "Allow: GET"} < set(lines)
    assert body == reply.body
    assert reply.encode("HEAD") == head + b"\r\n\r\n"


@given(st.text(max_size=80), st.sampled_from(["GET", "POST", "HEAD"]), st.booleans())
def test_any_target_is_answered(target: str, method: str, redirected: bool) -> None:
    """Whatever is asked for, there is an answer that is valid HTTP and valid in a log."""
    service = Service()
    if redirected:
        service.face.redirect("second", 0.0)
    for asked in (target, f"/{target}", f"{PATH}?{target}", f"/api/2/enable/{target}"):
        answer = service.ask(asked, method=method)
        if isinstance(answer, Reply):
            head = answer.encode(method).partition(b"\r\n\r\n")[0].decode("ascii")
            assert all(line.isprintable() for line in head.split("\r\n"))
            assert len(head) < 2_000
    assert all(entry.detail.isprintable() for entry in service.journal.entries())
