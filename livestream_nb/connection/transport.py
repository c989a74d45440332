"""The only module that speaks httpx: one GET, read as raw bytes, its failures named by cause.

Redirects are followed elsewhere and by hand, because httpx drops ``Authorization`` on the way to
another host; bytes are left packed, because its decoder stops after the first gzip member. There
is no read timeout once the stream is open: quiet is not an error.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager

import httpx

from livestream_nb.protocol.status import Cause

CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 60.0
LONGEST_BODY = 64 << 10


class Broken(Exception):
    """A request that did not get its answer, or an answer that broke off."""

    def __init__(self, cause: Cause, detail: str) -> None:
        super().__init__(detail)
        self.cause = cause
        self.detail = detail


class Answer:
    """A response whose body has not been read yet."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self.status = response.status_code
        self.headers: Mapping[str, str] = response.headers

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body's raw bytes as they arrive, until the stream ends; `Broken` if it breaks."""
        with _causes(Cause.DROPPED):
            async for chunk in self._response.aiter_raw():
                yield chunk

    async def body(self) -> bytes:
        """The first 64 KiB of a refusal's body; what broke off is left out."""
        taken = bytearray()
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                async for chunk in self._response.aiter_bytes():
                    taken += chunk
                    if len(taken) >= LONGEST_BODY:
                        break
        except (httpx.HTTPError, TimeoutError):
            pass
        return bytes(taken[:LONGEST_BODY])


class Transport:
    """Connections to one service; `proxied` honours the usual proxy variables."""

    def __init__(self, *, proxied: bool) -> None:
        self._client = httpx.AsyncClient(
            http1=True,
            http2=False,
            follow_redirects=False,
            trust_env=proxied,
            timeout=httpx.Timeout(CONNECT_SECONDS, read=None, pool=None),
        )

    @asynccontextmanager
    async def get(self, url: str, headers: Mapping[str, str]) -> AsyncIterator[Answer]:
        """Send one request and wait for the head of its answer; `Broken` when there is none."""
        request = self._client.build_request("GET", url, headers=headers)
        with _causes(Cause.DROPPED):
            async with asyncio.timeout(ANSWER_SECONDS):
                response = await self._client.send(request, stream=True)
        try:
            yield Answer(response)
        finally:
            await response.aclose()

    async def close(self) -> None:
        """Close every connection."""
        await self._client.aclose()


@contextmanager
def _causes(otherwise: Cause) -> Iterator[None]:
    try:
        yield
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError) as error:
        cause = Cause.UNTRUSTED if _certificate(error) else Cause.UNREACHABLE
        raise Broken(cause, _words(error)) from None
    except (httpx.TransportError, httpx.DecodingError, TimeoutError) as error:
        raise Broken(otherwise, _words(error)) from None


def _certificate(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _words(error: BaseException) -> str:
    return str(error) or type(error).__name__
