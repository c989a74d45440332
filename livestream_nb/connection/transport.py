"""The only module that speaks httpx: one request, read as raw bytes, its failures named by cause.

Redirects are followed elsewhere and by hand, because httpx drops ``Authorization`` on the way to
another host; bytes are left packed, because its decoder stops after the first gzip member and
unpacks without bound. There is no read timeout once the stream is open: quiet is not an error. A
dead peer is found by TCP keepalive instead.
"""

import asyncio
import errno
import re
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, nullcontext, suppress
from typing import Any
from urllib.parse import urlsplit

import httpx

from livestream_nb.connection.body import take_beginning
from livestream_nb.connection.discretion import be_discreet
from livestream_nb.connection.keepalive import keep_alive
from livestream_nb.connection.network import SOCKS, Network, Proxy
from livestream_nb.connection.secret import Secret
from livestream_nb.errors import CorruptStream, InvalidOption
from livestream_nb.protocol.request import is_loopback
from livestream_nb.protocol.status import Cause

CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 60.0
NOTHING_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError)
BROKE_OFF = (httpx.TransportError, TimeoutError, CorruptStream)
GIVEN_UP = {errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN}
QUOTED = re.compile(r""":? (?:b["']|bytearray\()""")


class Broken(Exception):
    """A request that did not get its answer, or an answer that broke off.

    ``silent`` when the peer may have been gone for a while: keepalive, or the network, gave it up.
    """

    def __init__(self, cause: Cause, detail: str, *, silent: bool = False) -> None:
        super().__init__(detail)
        self.cause = cause
        self.detail = detail
        self.silent = silent


class Answer:
    """A response whose body has not been read yet."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self.status = response.status_code
        self.headers: Mapping[str, str] = response.headers

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body's raw bytes as they arrive, until the stream ends; `Broken` if it breaks."""
        with _causes(_Way()):
            async for chunk in self._response.aiter_raw():
                yield chunk

    async def body(self, *, whole: bool = False) -> bytes:
        """The first 64 KiB, unpacked; if it breaks off: what came, or `Broken` for a whole one."""
        taken, coding = bytearray(), self.headers.get("content-encoding", "identity")
        with nullcontext() if whole else suppress(Broken), _causes(_Way()):
            async with asyncio.timeout(CONNECT_SECONDS):
                await take_beginning(self._response.aiter_raw(), coding, taken)
        return bytes(taken)


class Transport:
    """Connections to a service, each used once: a pooled one may have died unnoticed."""

    def __init__(self, network: Network | None = None) -> None:
        self._network = network or Network()
        self._clients: dict[tuple[bool, Proxy | None], httpx.AsyncClient] = {}
        self._choosing = asyncio.Lock()

    @asynccontextmanager
    async def get(self, url: str, headers: Mapping[str, str]) -> AsyncIterator[Answer]:
        """Send one request and wait for the head of its answer; `Broken` when there is none."""
        client, way = await self._client(url)
        request = client.build_request("GET", url, headers=headers)
        async with _answer(client, request, way) as answer:
            yield answer

    async def post(self, url: str, form: Mapping[str, str | Secret]) -> tuple[int, bytes]:
        """Send a form; return the answer's status and the first 64 KiB of its body.

        A redirect is not followed: its status is returned.

        Raises
        ------
        Broken
            When there is no answer, or it broke off.
        """
        client, way = await self._client(url)
        request = client.build_request(
            "POST",
            url,
            data={k: v.reveal() if isinstance(v, Secret) else v for k, v in form.items()},
            headers={"Accept": "application/json", "Accept-Encoding": "identity"},
        )
        async with _answer(client, request, way) as answer:
            return answer.status, await answer.body(whole=True)

    async def close(self) -> None:
        """Close every connection."""
        for client in self._clients.values():
            await client.aclose()

    async def _client(self, url: str) -> "tuple[httpx.AsyncClient, _Way]":
        """The client for a URL; loading certificates and asking for proxies may take a while."""
        parts = urlsplit(url)
        plain = parts.scheme == "http" and is_loopback(parts.hostname)
        async with self._choosing:
            proxy = None if plain else await asyncio.to_thread(self._proxy_for, url)
            if (plain, proxy) not in self._clients:
                trust = None if plain else await asyncio.to_thread(self._trust)
                nobody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                self._clients[plain, proxy] = _client(trust or nobody, proxy)
            return self._clients[plain, proxy], _Way(proxy)

    def _proxy_for(self, url: str) -> Proxy | None:
        try:
            return self._network.proxy_for(url)
        except InvalidOption as error:
            raise Broken(Cause.UNREACHABLE, str(error)) from None

    def _trust(self) -> ssl.SSLContext:
        try:
            return self._network.context() or httpx.create_ssl_context()
        except OSError as error:
            what = f"the certificates to trust could not be loaded ({type(error).__name__})"
            detail = f"{what}: check verify=, SSL_CERT_FILE and SSL_CERT_DIR"
            raise Broken(Cause.UNTRUSTED, detail) from None


class _Way:
    """The way of one request: through which proxy, and whether the proxy is still being asked."""

    def __init__(self, proxy: Proxy | None = None) -> None:
        self.proxy = proxy
        self.asking = bool(proxy and proxy.scheme in SOCKS)
        self._opened: Any = None

    async def watch(self, event: str, info: Mapping[str, Any]) -> None:
        """Follow httpcore's progress: nothing has reached the service while a tunnel is made."""
        if event == "http11.send_request_headers.started":
            self.asking = info["request"].method == b"CONNECT"
        elif event == "socks.connect_tcp.complete":
            self._opened = info["return_value"]

    async def close(self) -> None:
        """Close what httpcore leaves open when a SOCKS proxy fails."""
        if self._opened:
            await self._opened.aclose()


def _client(trust: ssl.SSLContext, proxy: Proxy | None) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        verify=trust,
        proxy=_through(proxy, trust) if proxy else None,
        follow_redirects=False,
        trust_env=False,
        timeout=httpx.Timeout(CONNECT_SECONDS, read=None, pool=None),
        limits=httpx.Limits(max_keepalive_connections=0),
    )


def _through(proxy: Proxy, trust: ssl.SSLContext) -> httpx.Proxy:
    return httpx.Proxy(
        proxy.url,
        ssl_context=trust if proxy.scheme == "https" else None,
        auth=proxy.login and (proxy.login[0].reveal(), proxy.login[1].reveal()),
    )


@asynccontextmanager
async def _answer(
    client: httpx.AsyncClient, request: httpx.Request, way: _Way
) -> AsyncIterator[Answer]:
    be_discreet()
    request.extensions["trace"] = way.watch
    async with AsyncExitStack() as stack:
        stack.push_async_callback(way.close)
        with _causes(way):
            async with asyncio.timeout(ANSWER_SECONDS):
                response = await client.send(request, stream=True)
        stack.push_async_callback(response.aclose)
        keep_alive(response.extensions["network_stream"].get_extra_info("socket"))
        yield Answer(response)


@contextmanager
def _causes(way: _Way) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        cause = _cause(error, way)
        if cause is None:
            raise
        silent = any(getattr(each, "errno", None) in GIVEN_UP for each in _chain(error))
        raise Broken(cause, _detail(error, way, cause), silent=silent) from None


def _cause(error: Exception, way: _Way) -> Cause | None:
    if any(isinstance(each, ssl.SSLCertVerificationError) for each in _chain(error)):
        return Cause.UNTRUSTED
    if way.asking or isinstance(error, NOTHING_SENT):
        return Cause.UNREACHABLE
    return Cause.DROPPED if isinstance(error, BROKE_OFF) else None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error, and those that it came from."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _detail(error: Exception, way: _Way, cause: Cause) -> str:
    words = _words(error)
    if way.proxy and cause is not Cause.DROPPED:
        words = f"through the proxy {way.proxy.address}: {words}"
    if cause is Cause.UNTRUSTED:
        words += "; certificates of a company's own are named in verify="
    return words


def _words(error: Exception) -> str:
    """What went wrong, without what was sent or received: h11 quotes the lines it objects to."""
    if isinstance(error, TimeoutError):
        return "no answer came in time"
    if isinstance(error, httpx.ConnectTimeout):
        return f"no connection within {CONNECT_SECONDS:g} s"
    if isinstance(error, httpx.ProxyError):
        return _refused(str(error))
    if isinstance(error, httpx.ProtocolError):
        return QUOTED.split(str(error))[0]
    return str(error) or "the connection was closed"


def _refused(said: str) -> str:
    """Why a proxy refused; of an HTTP proxy's words only the status, as it may echo a password."""
    status = said.split(" ")[0]
    if status == "407":
        return "it asks for a user and password, or refused those in http://user:password@host:port"
    return f"it answered {status}" if status.isdecimal() else f"it refused ({said})"
