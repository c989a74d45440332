"""connection/network.py, keepalive.py, transport.py: real sockets, a real proxy, private CAs."""

import asyncio
import base64
import errno
import gzip
import logging
import os
import shutil
import socket
import ssl
import subprocess
import threading
import tracemalloc
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
import trustme

from livestream_nb import Simulator
from livestream_nb.connection import keepalive, transport
from livestream_nb.connection.network import Network, Proxy
from livestream_nb.connection.secret import Secret
from livestream_nb.connection.transport import Answer, Broken, Transport
from livestream_nb.errors import InvalidOption
from livestream_nb.protocol.status import Cause
from tests.proxy import ConnectProxy, socks_proxy
from tests.scripted import HEAD, Scripted, chunk, hold, refuse, stream

T = TypeVar("T")
HOST = "livestream.adobe.net"
URL = f"https://{HOST}/api/1/stream/mine"
SENT = {"Authorization": "Bearer token-canary", "Accept-Encoding": "gzip"}
KIB64 = 64 << 10
LONG = gzip.compress(b"a" * 99_999)
OK = b"HTTP/1.1 200 OK\r\n"


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy and no certificates of the machine that the tests run on."""
    for name in os.environ:
        if name.lower().endswith("_proxy") or name.startswith("SSL_CERT"):
            monkeypatch.delenv(name)


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def trusted(ca: trustme.CA, tmp_path: Path) -> Path:
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    return tmp_path / "ca.pem"


def serving(ca: trustme.CA, *names: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(*names).configure_cert(context)
    return context


@pytest.fixture
def adobe(ca: trustme.CA) -> Iterator[Scripted]:
    """A service that can show a certificate for Livestream's host."""
    with Scripted(stream(b"packed"), tls=serving(ca, HOST)) as service:
        yield service


def run(
    use: Callable[[Transport], Awaitable[T]], proxy: str | None = None, verify: Any = True
) -> T:
    async def main() -> T:
        subject = Transport(Network.of(proxy, verify))
        try:
            return await use(subject)
        finally:
            await subject.close()

    return asyncio.run(main())


def get(url: str = URL, headers: Mapping[str, str] = SENT) -> Callable[[Transport], Any]:
    """Get a URL: the status, and the chunks up to a clean end."""

    async def use(subject: Transport) -> tuple[int, list[bytes]]:
        async with subject.get(url, headers) as answer:
            return answer.status, [data async for data in answer.chunks()]

    return use


def body(url: str, **options: bool) -> Callable[[Transport], Any]:
    async def use(subject: Transport) -> bytes:
        async with subject.get(url, SENT) as answer:
            return await answer.body(**options)

    return use


def broken(use: Callable[[Transport], Any], **options: Any) -> Broken:
    with pytest.raises(Broken) as caught:
        run(use, **options)
    return caught.value


def raw(data: bytes, then: Callable[[socket.socket, str], None] | None = None) -> Any:
    def answer(connection: socket.socket, here: str) -> None:
        connection.sendall(data)
        if then:
            then(connection, here)

    return answer


# Through a proxy


def test_explicit_proxy(adobe: Scripted, trusted: Path) -> None:
    """A stream comes through the proxy, and the proxy sees neither token nor path."""
    with ConnectProxy(adobe) as proxy:
        assert run(get(), proxy=proxy.url, verify=trusted) == (200, [b"packed"])
        assert [asked.path for asked in proxy.requests] == [f"{HOST}:443"]
        assert "authorization" not in proxy.requests[0].headers
        assert "proxy-authorization" not in proxy.requests[0].headers
    assert adobe.requests[0].headers["authorization"] == "Bearer token-canary"


def test_user_and_password_go_to_the_proxy_only(adobe: Scripted, trusted: Path) -> None:
    """A user and password in the proxy's URL are decoded and sent to it, and not to the service."""
    with ConnectProxy(adobe) as proxy:
        run(get(), proxy=f"http://me:p%40ss%2Fword@{proxy.address}/", verify=trusted)
        sent = proxy.requests[0].headers["proxy-authorization"]
    assert sent == f"Basic {base64.b64encode(b'me:p@ss/word').decode()}"
    assert "proxy-authorization" not in adobe.requests[0].headers


def test_proxy_of_the_environment(
    adobe: Scripted, trusted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without proxy=, HTTPS_PROXY is used, with its user and password."""
    with ConnectProxy(adobe) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:word@{proxy.address}")
        assert run(get(), verify=str(trusted))[0] == 200
        assert "proxy-authorization" in proxy.requests[0].headers


@pytest.mark.parametrize("tls", [False, True])
def test_loopback_is_never_proxied(
    tls: bool, ca: trustme.CA, trusted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machine itself is reached directly, whatever proxy is asked for."""
    with ConnectProxy(answer=b"") as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        context = serving(ca, "127.0.0.1") if tls else None
        with Scripted(stream(b"packed"), tls=context) as service:
            assert run(get(service.url), proxy=proxy.url, verify=trusted)[0] == 200
        assert proxy.requests == []


def test_proxy_that_speaks_tls(ca: trustme.CA, adobe: Scripted, trusted: Path) -> None:
    """An https:// proxy is verified with the same certificates, and tunnels as others do."""
    with ConnectProxy(adobe, tls=serving(ca, "127.0.0.1")) as proxy:
        assert run(get(), proxy=proxy.url, verify=trusted) == (200, [b"packed"])


def test_proxy_that_cannot_be_verified(adobe: Scripted, trusted: Path) -> None:
    """A proxy with a certificate of unknown origin is given nothing: a final failure."""
    with ConnectProxy(adobe, tls=serving(trustme.CA(), "127.0.0.1")) as proxy:
        fault = broken(get(), proxy=proxy.url, verify=trusted)
        assert fault.cause is Cause.UNTRUSTED
        assert proxy.address in fault.detail
        assert proxy.requests == []


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.1 407 hunter2\r\n\r\n", "it asks for a user and password"),
        (b"HTTP/1.1 403 hunter2\r\n\r\n", "it answered 403"),
        (b"", "Server disconnected"),
        (b"hunter2 is not HTTP\r\n\r\n", "illegal status line"),
        (b"HTTP/1.1 200 OK\r\n\r\n", "the connection was closed"),
    ],
)
def test_proxy_that_fails(answer: bytes, words: str) -> None:
    """However a proxy fails: the service was not reached, and the proxy is named, not its user."""
    with ConnectProxy(answer=answer) as proxy:
        fault = broken(get(), proxy=f"http://me-canary:hunter2@{proxy.address}")
    assert fault.cause is Cause.UNREACHABLE
    assert fault.detail.startswith(f"through the proxy {proxy.address}: ")
    assert words in fault.detail
    assert not [word for word in ("hunter2", "me-canary") if word in fault.detail]


def test_proxy_that_is_not_there() -> None:
    """An unreachable proxy is named in the words about it."""
    with ConnectProxy() as proxy:
        pass
    fault = broken(get(), proxy=proxy.url)
    assert (fault.cause, proxy.address in fault.detail) == (Cause.UNREACHABLE, True)


def test_silent_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """While a proxy keeps silent, nothing has reached the service."""
    monkeypatch.setattr(transport, "ANSWER_SECONDS", 0.2)
    with ConnectProxy(silent=True) as proxy:
        fault = broken(get(), proxy=proxy.url)
    assert fault.cause is Cause.UNREACHABLE
    assert fault.detail == f"through the proxy {proxy.address}: no answer came in time"


def test_silence_behind_the_proxy(
    ca: trustme.CA, trusted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once the request is sent through the tunnel, an answer that never comes may hold a slot."""
    monkeypatch.setattr(transport, "ANSWER_SECONDS", 0.5)
    with Scripted(hold, tls=serving(ca, HOST)) as service, ConnectProxy(service) as proxy:
        fault = broken(get(), proxy=proxy.url, verify=trusted)
        assert len(service.requests) == 1
    assert (fault.cause, fault.detail) == (Cause.DROPPED, "no answer came in time")


def test_password_is_in_no_log(
    adobe: Scripted, trusted: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Not even the debug logs of the HTTP libraries tell the proxy's user and password."""
    caplog.set_level(logging.DEBUG)
    with ConnectProxy(adobe) as proxy:
        run(get(), proxy=f"http://me-canary:hunter2@{proxy.address}", verify=trusted)
    assert "CONNECT" in caplog.text
    encoded = base64.b64encode(b"me-canary:hunter2").decode()
    assert not [word for word in ("hunter2", "me-canary", encoded) if word in caplog.text]


# Which proxy


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, None),
        ({"HTTPS_PROXY": "http://p:1"}, "http://p:1"),
        ({"https_proxy": "http://p:1", "HTTPS_PROXY": "http://q:1"}, "http://p:1"),
        ({"ALL_PROXY": "http://a:1"}, "http://a:1"),
        ({"ALL_PROXY": "http://a:1", "HTTPS_PROXY": "http://p:1"}, "http://p:1"),
        ({"HTTPS_PROXY": "p:3128"}, "http://p:3128"),
        ({"HTTPS_PROXY": "https://p"}, "https://p:443"),
        ({"HTTPS_PROXY": "http://[::1]"}, "http://[::1]:80"),
        ({"HTTP_PROXY": "http://p:1"}, None),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "*"}, None),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "example.com, adobe.net"}, None),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "be.net"}, "http://p:1"),
    ],
)
def test_environment(
    environment: dict[str, str], expected: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The usual variables name the proxy of a URL, and NO_PROXY those who need none."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    chosen = Network().proxy_for(URL)
    assert (chosen and chosen.url) == expected


def test_explicit_proxy_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy that was asked for is used whatever the environment says."""
    monkeypatch.setenv("HTTPS_PROXY", "http://other:1")
    monkeypatch.setenv("NO_PROXY", "*")
    assert Network.of("http://p:1").proxy_for(URL) == Proxy("http", "p:1")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.9.9:80", "[::1]:80"])
def test_loopback_needs_none(host: str) -> None:
    """No spelling of this machine is proxied."""
    assert Network.of("http://p:1").proxy_for(f"https://{host}/x") is None


def test_environment_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong proxy of the environment is named by its variable, and ends as unreachable."""
    monkeypatch.setenv("ALL_PROXY", "ftp://me:hunter2@p:1")
    fault = broken(get())
    assert fault.cause is Cause.UNREACHABLE
    assert fault.detail.startswith("The environment's ALL_PROXY has the scheme 'ftp'")
    assert "hunter2" not in fault.detail


@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
def test_socks_without_its_package(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A SOCKS proxy, also one of the environment, says which package it needs."""
    monkeypatch.setattr("livestream_nb.connection.network.find_spec", lambda name: None)
    with pytest.raises(InvalidOption, match="pip install socksio"):
        Network.of(f"{scheme}://p:1080")
    monkeypatch.setenv("ALL_PROXY", f"{scheme}://p:1080")
    with pytest.raises(InvalidOption, match=r"environment's ALL_PROXY .*pip install socksio"):
        Network().proxy_for(URL)
    assert Network().proxy_for("http://127.0.0.1/") is None


def test_socks_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the package a SOCKS proxy is fine, unless a password would show in debug logs."""
    monkeypatch.setattr("livestream_nb.connection.network.find_spec", lambda name: object())
    assert Network.of("socks5://p").proxy == Proxy("socks5", "p:1080")
    with pytest.raises(InvalidOption, match="debug logs") as caught:
        Network.of("socks5://me:hunter2@p")
    assert "hunter2" not in str(caught.value)


SOCKS_READY = b"\5\0"
SOCKS_DONE = b"\5\0\0\1\x7f\0\0\1\0\1"


def test_socks(adobe: Scripted, trusted: Path) -> None:
    """A stream comes through a SOCKS proxy, and its socket is probed, too."""
    pytest.importorskip("socksio", reason="an extra of httpx")

    async def use(subject: Transport) -> list[int]:
        async with subject.get(URL, SENT) as answer:
            return options_of(answer)

    url = socks_proxy(adobe, SOCKS_READY, SOCKS_DONE)
    assert run(use, proxy=url, verify=trusted)[0] == 1
    assert adobe.requests[0].headers["authorization"] == "Bearer token-canary"


@pytest.mark.parametrize(
    "answers", [(b"",), (b"\5\xff",), (b"HTTP/1.1 400 No",), (SOCKS_READY, b"\5\5\0\1")]
)
def test_socks_proxy_that_fails(answers: tuple[bytes, ...], adobe: Scripted) -> None:
    """However a SOCKS proxy fails: the service was not reached, and the proxy is named."""
    pytest.importorskip("socksio", reason="an extra of httpx")
    url = socks_proxy(adobe, *answers)
    fault = broken(get(), proxy=url)
    assert fault.cause is Cause.UNREACHABLE
    assert url.removeprefix("socks5h://") in fault.detail
    assert adobe.requests == []


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (b"http://p", "of type bytes"),
        ("", "no scheme or no host"),
        ("p:3128", "no scheme or no host"),
        ("hunter2:hunter2@p:3128", "no scheme or no host"),
        ("http://", "no scheme or no host"),
        ("//p:1", "no scheme or no host"),
        ("ftp://hunter2@p:1", "the scheme 'ftp', not one of http, https, socks5, socks5h"),
        ("http://:80", "not a scheme, a host and a port"),
        ("http://p q:80", "not a scheme, a host and a port"),
        ("http://p:80/hunter2", "not a scheme, a host and a port"),
        ("http://p:80?hunter2", "not a scheme, a host and a port"),
        ("http://me:12#hunter2@p", "not a scheme, a host and a port"),
        ("http://me:hunter2#@p:80", "is no URL"),
        ("http://p:hunter2", "is no URL"),
        ("http://p:65536", "is no URL"),
        ("http://p:0", "the port 0"),
        ("http://[hunter2", "is no URL"),
        ("http://[::hunter2]:80", "is no URL"),
    ],
)
def test_wrong_proxies(url: Any, words: str) -> None:
    """What is no proxy's URL is refused early and explained without being shown."""
    with pytest.raises(InvalidOption) as caught:
        Network.of(url)
    told = str(caught.value)
    assert told.startswith("proxy= ")
    assert words in told
    assert "http://user:password@host:port" in told
    assert "hunter2" not in told


def test_networks_compare_by_value_and_tell_no_secret(trusted: Path) -> None:
    """Two readers' networks are equal when their options are, and a repr tells no password."""
    one, two = (Network.of("http://me:hunter2@p:1", str(trusted)) for _ in range(2))
    assert one == two
    assert hash(one) == hash(two)
    assert one != Network.of("http://me:other@p:1", trusted)
    assert one != Network.of("http://me:hunter2@p:1")
    assert "http" in repr(one)
    assert not [word for word in ("hunter2", "'me'") if word in repr(one)]


# Whom to trust


def test_context_of_ones_own(ca: trustme.CA, adobe: Scripted) -> None:
    """An SSLContext decides by itself whom to trust."""
    context = ssl.create_default_context()
    ca.configure_trust(context)
    with ConnectProxy(adobe) as proxy:
        assert run(get(), proxy=proxy.url, verify=context)[0] == 200


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl names the certificate")
def test_directory_of_certificates(ca: trustme.CA, adobe: Scripted, tmp_path: Path) -> None:
    """A directory that `openssl rehash` has prepared is trusted."""
    asked = ["openssl", "x509", "-hash", "-noout", "-in", str(pem(ca, tmp_path / "ca.pem"))]
    name = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    directory = tmp_path / "certificates"
    directory.mkdir()
    with pytest.raises(InvalidOption, match="openssl rehash"):
        Network.of(verify=directory)
    pem(ca, directory / f"{name}.0")
    with ConnectProxy(adobe) as proxy:
        assert run(get(), proxy=proxy.url, verify=directory)[0] == 200


def pem(ca: trustme.CA, path: Path) -> Path:
    ca.cert_pem.write_to_path(str(path))
    return path


@pytest.mark.parametrize("verify", [True, "other"])
def test_authority_that_is_not_trusted(verify: Any, adobe: Scripted, tmp_path: Path) -> None:
    """A certificate of another authority is a final failure, and the token stays here."""
    if verify == "other":
        verify = pem(trustme.CA(), tmp_path / "other.pem")
    with ConnectProxy(adobe) as proxy:
        fault = broken(get(), proxy=proxy.url, verify=verify)
    assert fault.cause is Cause.UNTRUSTED
    assert proxy.address in fault.detail
    assert "certificate verify failed" in fault.detail
    assert "verify=" in fault.detail
    assert adobe.requests == []


def test_certificate_of_another_host(ca: trustme.CA, trusted: Path) -> None:
    """A trusted certificate for another host is not Livestream's."""
    with Scripted(hold, tls=serving(ca, "example.com")) as service, ConnectProxy(service) as proxy:
        assert broken(get(), proxy=proxy.url, verify=trusted).cause is Cause.UNTRUSTED
        assert service.requests == []


def test_certificates_of_the_environment(
    adobe: Scripted, trusted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SSL_CERT_FILE is honoured, and one that is not there is named."""
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    with ConnectProxy(adobe) as proxy:
        assert run(get(), proxy=proxy.url)[0] == 200
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted / "nowhere"))
        fault = broken(get(), proxy=proxy.url)
    assert (fault.cause, "SSL_CERT_FILE" in fault.detail) == (Cause.UNTRUSTED, True)


def unverified(mode: ssl.VerifyMode) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = mode
    return context


@pytest.mark.parametrize(
    ("verify", "words"),
    [
        (False, "there is no unverified mode"),
        (unverified(ssl.CERT_NONE), "there is no unverified mode"),
        (unverified(ssl.CERT_REQUIRED), "there is no unverified mode"),
        (None, "give True, the path"),
        (1, "give True, the path"),
        ("", "give True, the path"),
        ("/nowhere/ca.pem", "No such file"),
        (__file__, "PEM file"),
        (os.devnull, "PEM file"),
    ],
)
def test_wrong_verify(verify: Any, words: str) -> None:
    """What would leave servers unverified, or holds no certificates, is refused early."""
    with pytest.raises(InvalidOption, match=r"verify=") as caught:
        Network.of(verify=verify)
    assert words in str(caught.value)


def test_certificates_are_loaded_aside_and_only_when_needed(
    adobe: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Authorities are loaded once, off the event loop, and for the simulator not at all."""
    threads: list[threading.Thread] = []
    make = httpx.create_ssl_context

    def create() -> ssl.SSLContext:
        threads.append(threading.current_thread())
        return make()

    async def use(subject: Transport) -> None:
        with Scripted(refuse(409)) as near:
            await get(near.url)(subject)
        assert threads == []
        for _ in range(2):
            with pytest.raises(Broken):
                await get()(subject)

    monkeypatch.setattr(httpx, "create_ssl_context", create)
    with ConnectProxy(adobe) as proxy:
        run(use, proxy=proxy.url)
    assert len(threads) == 1
    assert threads[0] is not threading.main_thread()


# Keepalive


def options_of(answer: Answer) -> list[int]:
    connection = answer._response.extensions["network_stream"].get_extra_info("socket")
    names = [socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT]
    on = connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    return [on, *(connection.getsockopt(socket.IPPROTO_TCP, name) for name in names)]


@pytest.mark.skipif(not hasattr(socket, "TCP_KEEPIDLE"), reason="other names on this system")
@pytest.mark.parametrize("way", ["direct", "proxy", "tls proxy"])
def test_keepalive(way: str, ca: trustme.CA, adobe: Scripted, trusted: Path) -> None:
    """Every stream's socket is probed after 60 s idle, 4 times 15 s apart; a proxy's, too."""

    async def use(subject: Transport) -> list[int]:
        async with subject.get(URL if proxied else near.url, SENT) as answer:
            return options_of(answer)

    proxied = way != "direct"
    tls = serving(ca, "127.0.0.1") if way == "tls proxy" else None
    with ConnectProxy(adobe, tls=tls) as proxy, Scripted(stream(b"x", end="hold")) as near:
        assert run(use, proxy=proxy.url, verify=trusted) == [1, 60, 15, 4]


def test_keepalive_by_other_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a system knows an option by another name, or not at all, the others are set."""
    for name in ("TCP_KEEPIDLE", "TCP_KEEPINTVL"):
        monkeypatch.delattr(socket, name)
    monkeypatch.setattr(socket, "TCP_KEEPALIVE", 4, raising=False)
    with socket.socket() as connection:
        keepalive.keep_alive(connection)
        assert connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert connection.getsockopt(socket.IPPROTO_TCP, 4) == 60
        assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT) == 4


def test_keepalive_that_the_system_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    """An option that the system refuses to set is no failure, and the rest is set."""
    monkeypatch.setattr(socket, "TCP_KEEPIDLE", 9999, raising=False)
    with socket.socket() as connection:
        keepalive.keep_alive(connection)
        assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT) == 4


# Limits


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (refuse(409, b"plain"), b"plain"),
        (refuse(409, gzip.compress(b"packed"), Content_Encoding="gzip"), b"packed"),
        (refuse(409, gzip.compress(b"packed"), Content_Encoding=" X-GZip "), b"packed"),
        (refuse(409, gzip.compress(b"a") * 2, Content_Encoding="gzip"), b"aa"),
        (refuse(409, b"no gzip", Content_Encoding="gzip"), b""),
        (refuse(409, b"\x1f\x1f", Content_Encoding="br"), b""),
        (refuse(409, b"a" * KIB64), b"a" * KIB64),
        (refuse(409, b"a" * (KIB64 + 1)), b"a" * KIB64),
        (refuse(409, LONG, Content_Encoding="gzip"), b"a" * KIB64),
        (raw(b"HTTP/1.1 409 So\r\nContent-Length: 99\r\n\r\nbroke off"), b"broke off"),
    ],
)
def test_body_of_a_refusal(answer: Any, expected: bytes) -> None:
    """A refusal's body is unpacked, and ends at 64 KiB or where it broke off."""
    with Scripted(answer) as service:
        assert run(body(service.url)) == expected


def test_raw_bytes_are_limited() -> None:
    """Of endless bytes that unpack to nothing, no more is taken than sockets hold."""
    nothing = chunk(gzip.compress(b"") * 1000)
    sent = 0

    def flood(connection: socket.socket, _: str) -> None:
        nonlocal sent
        connection.sendall(HEAD)
        while True:
            connection.sendall(nothing)
            sent += len(nothing)

    with Scripted(flood) as service:
        assert run(body(service.url, whole=True)) == b""
    assert sent < 32_000_000


def test_bomb_of_a_refusal() -> None:
    """A refusal's body that unpacks to 60 MB and more takes no more memory than a few MB."""
    bomb = gzip.compress(bytes(60_000_000))
    assert len(bomb) < KIB64
    with Scripted(refuse(503, bomb, Content_Encoding="gzip")) as service:
        tracemalloc.start()
        taken = run(body(service.url))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert taken == bytes(KIB64)
    assert peak < 16_000_000


def test_trickling_body(monkeypatch: pytest.MonkeyPatch) -> None:
    """A refusal's body that never ends is read for some seconds; what came is kept."""
    monkeypatch.setattr(transport, "CONNECT_SECONDS", 0.2)
    trickle = raw(b"HTTP/1.1 409 So\r\nContent-Length: 99\r\n\r\nsome", hold)
    with Scripted(trickle) as service:
        assert run(body(service.url)) == b"some"


@pytest.mark.parametrize(
    "flood",
    [
        b"x" * 300_000,
        OK + b"X: " + b"x" * 300_000,
        OK + b"X: x\r\n" * 50_000,
        HEAD + b"1" + b"0" * 300_000,
        HEAD + b"1;" + b"x" * 300_000,
        HEAD + b"0\r\n" + b"X: x\r\n" * 50_000,
    ],
    ids=["status line", "header", "headers", "chunk size", "chunk extension", "trailers"],
)
def test_floods(flood: bytes) -> None:
    """Lines and headers without end break the request off, and are not quoted."""
    with Scripted(raw(flood, hold)) as service:
        fault = broken(get(service.url))
    assert fault.cause is Cause.DROPPED
    assert len(fault.detail) < 100


def test_nothing_that_was_sent_is_quoted() -> None:
    """A token that no header can carry is not sent, and not shown either."""
    with Scripted(hold) as service:
        fault = broken(get(service.url, {"Authorization": "token-canary\n"}))
        assert service.requests == []
    assert fault.detail == "Illegal header value"


def test_nothing_listens() -> None:
    """A refused connection is an unreachable service, without a word about proxies."""
    with Scripted(hold) as service:
        pass
    fault = broken(get(service.url))
    assert fault.cause is Cause.UNREACHABLE
    assert "through the proxy" not in fault.detail


def test_connections_are_used_once() -> None:
    """Each request has a connection of its own: a pooled one may have died unnoticed."""
    keep = raw(b"HTTP/1.1 409 So\r\nContent-Length: 2\r\n\r\nno", hold)

    async def use(subject: Transport) -> list[tuple[int, list[bytes]]]:
        return [await get(service.url)(subject) for _ in range(3)]

    with Scripted(keep) as service:
        assert run(use) == [(409, [b"no"])] * 3
        assert len(service.requests) == 3


# Forms


def reply(status: int, data: bytes = b"", **headers: str) -> Any:
    """Answer, and stay until the client goes: closing on an unread form would reset."""

    def answer(connection: socket.socket, here: str) -> None:
        refuse(status, data, **headers)(connection, here)
        hold(connection, here)

    return answer


def post(url: str, form: Mapping[str, str | Secret]) -> Callable[[Transport], Any]:
    return lambda subject: subject.post(url, form)


@pytest.mark.parametrize(("secret", "status"), [(None, 200), ("wrong &=%", 401)])
def test_form(secret: str | None, status: int) -> None:
    """A token service reads the form, secrets included, and its status and body come back."""
    with Simulator() as sim:
        form = {
            "client_id": sim.client_id,
            "client_secret": Secret(secret or sim.client_secret),
            "grant_type": "client_credentials",
            "scope": "openid,AdobeID",
        }
        answered, said = run(post(sim.token_url, form))
        assert answered == status
        assert (b"access_token" in said) == (status == 200)


def test_redirected_form() -> None:
    """A redirect is the answer: the form goes nowhere else."""
    with Scripted(hold) as other, Scripted(reply(307, Location=other.url)) as service:
        assert run(post(service.url, {"client_secret": Secret("x")})) == (307, b"")
        assert other.requests == []


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (reply(200, gzip.compress(b"{}"), Content_Encoding="gzip"), (200, b"{}")),
        (reply(200, b"a" * 99_999), (200, b"a" * KIB64)),
        (reply(200, LONG + b"and what is no gzip", Content_Encoding="gzip"), (200, b"a" * KIB64)),
    ],
)
def test_answer_to_a_form(answer: Any, expected: tuple[int, bytes]) -> None:
    """The answer's body is unpacked, and at most 64 KiB long."""
    with Scripted(answer) as service:
        assert run(post(service.url, {})) == expected


@pytest.mark.parametrize(
    "answer",
    [
        raw(OK + b"Content-Length: 9\r\n\r\n{"),
        reply(200, b"This is no gzip at all.", Content_Encoding="gzip"),
        raw(OK + b"Content-Length: 9\r\n\r\n{", hold),
        raw(b""),
    ],
    ids=["cut", "damaged", "trickling", "closed"],
)
def test_answer_to_a_form_that_breaks_off(answer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half an answer to a form is none."""
    monkeypatch.setattr(transport, "CONNECT_SECONDS", 0.5)
    with Scripted(answer) as service:
        assert broken(post(service.url, {"a": "b"})).cause is Cause.DROPPED


def test_form_through_a_proxy(ca: trustme.CA, trusted: Path) -> None:
    """A form takes the same way as a stream: proxy and certificates."""
    url = "https://ims-na1.adobelogin.com/ims/token/v3"
    tls = serving(ca, "ims-na1.adobelogin.com")
    with Scripted(reply(200, b"{}"), tls=tls) as service, ConnectProxy(service) as proxy:
        assert run(post(url, {"a": "b"}), proxy=proxy.url, verify=trusted) == (200, b"{}")
        assert proxy.requests[0].path == "ims-na1.adobelogin.com:443"
        assert service.requests[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    ("number", "silent"),
    [(errno.ETIMEDOUT, True), (errno.EHOSTUNREACH, True), (errno.ECONNRESET, False)],
)
def test_a_peer_that_was_given_up(number: int, silent: bool) -> None:
    """What keepalive or the network gave up may have been dead for a while; a reset is known.

    The error stands in for a dead peer, which loopback does not have.
    """
    error = httpx.ReadError("")
    error.__cause__ = OSError(number, "so")
    with pytest.raises(Broken) as broken, transport._causes(transport._Way()):
        raise error
    assert (broken.value.cause, broken.value.silent) == (Cause.DROPPED, silent)
