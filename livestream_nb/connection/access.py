"""The token in use: fetched once for all slots of a stream, and renewed before it expires.

While a new one is being fetched, the old one goes on being sent, as an open stream goes on being
read: no failure of a token service ends what works.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from livestream_nb.clock import Clock
from livestream_nb.connection.credentials import BearerToken, Credentials, ServerToServer
from livestream_nb.connection.secret import Secret
from livestream_nb.connection.token_service import Granted, form, read_answer
from livestream_nb.connection.transport import Broken, Transport
from livestream_nb.errors import LivestreamError, TokenDenied, TokenUnavailable
from livestream_nb.protocol.status import Cause
from livestream_nb.worker import Worker

MARGIN = 300.0
SHARE = 0.1
LONGEST_PAUSE = 300.0

log = logging.getLogger("livestream_nb")


@dataclass(frozen=True)
class Lease:
    """A token, and until when it is good. Times are service seconds of the monotonic clock.

    Attributes
    ----------
    due : float
        From when on it is to be renewed: five minutes, or a tenth of its lifetime, before it ends.
    ends : float
        From when on Livestream accepts it no longer.
    """

    token: Secret
    due: float = float("inf")
    ends: float = float("inf")

    @classmethod
    def of(cls, granted: Granted, asked: float) -> Self:
        """The lease of a token that was asked for at a moment, and valid from no earlier."""
        ends = asked + granted.lifetime
        return cls(granted.token, ends - min(MARGIN, SHARE * granted.lifetime), ends)

    def is_due(self, now: float) -> bool:
        """Whether it is time to renew it."""
        return now >= self.due

    def has_ended(self, now: float) -> bool:
        """Whether it is not worth sending any more."""
        return now >= self.ends


def pause(failures: int) -> float:
    """How long to wait after so many failed renewals in a row: 1 s, doubling to five minutes."""
    return min(2.0 ** min(failures - 1, 64), LONGEST_PAUSE)


class Access:
    """Hands out the token of some credentials; one for all slots, on their event loop.

    Parameters
    ----------
    aside : Worker
        Where a token function is called, which may block.

    Attributes
    ----------
    client_id : str or None
        Sent to Livestream as ``x-api-key``.
    """

    def __init__(
        self, credentials: Credentials, clock: Clock, transport: Transport, aside: Worker
    ) -> None:
        self.client_id = credentials.client_id
        self._credentials = credentials
        self._clock = clock
        self._transport = transport
        self._aside = aside
        self._lease: Lease | None = None
        self._leased = asyncio.Event()
        self._turn = asyncio.Lock()

    async def token(self) -> Secret:
        """The token to send now; fetched when there is none, or it has expired.

        Raises
        ------
        TokenUnavailable
            When there is none for now: a later call may succeed.
        TokenDenied
            When there will be none with these credentials.
        """
        lease = self._lease
        if lease is None or lease.has_ended(self._clock.monotonic()):
            lease = await self._renew(Lease.has_ended)
        return lease.token

    def reject(self, token: Secret) -> None:
        """Forget a token that Livestream did not accept, unless another has replaced it since."""
        if self._lease is not None and self._lease.token == token:
            self._lease = None
            self._leased.clear()

    async def keep_fresh(self) -> None:
        """Renew the token whenever that is due, without end; a ready-made one is left alone."""
        failures = 0
        while isinstance(self._credentials, ServerToServer):
            await self._leased.wait()
            if self._lease is None:  # rejected before this task had its turn
                continue
            if (wait := self._lease.due - self._clock.monotonic()) > 0:
                failures = 0
                await self._clock.sleep(wait)
                continue
            try:
                await self._renew(Lease.is_due)
            except (TokenUnavailable, TokenDenied) as error:
                failures += 1
                self._tell(error, pause(failures))
                await self._clock.sleep(pause(failures))

    async def _renew(self, lacking: Callable[[Lease, float], bool]) -> Lease:
        async with self._turn:
            lease = self._lease
            if lease is None or lacking(lease, self._clock.monotonic()):
                lease = self._lease = await self._fetch()
                self._leased.set()
            return lease

    async def _fetch(self) -> Lease:
        if isinstance(self._credentials, BearerToken):
            return Lease(await self._aside.run(self._credentials.ask))
        asked = self._clock.monotonic()
        answer = await self._ask(self._credentials)
        if isinstance(answer, LivestreamError):
            raise answer
        return Lease.of(answer, asked)

    async def _ask(self, who: ServerToServer) -> Granted | TokenDenied | TokenUnavailable:
        sent = form(who.client_id, who.client_secret, who.scopes)
        try:
            return read_answer(*await self._transport.post(who.token_url, sent), who.client_secret)
        except Broken as broken:
            return _unanswered(broken)

    def _tell(self, error: LivestreamError, wait: float) -> None:
        left = self._lease.ends - self._clock.monotonic() if self._lease else 0.0
        old = f"is in use for {left:.0f} s more" if left > 0 else "has expired"
        log.warning(
            "The token could not be renewed. %s The old one %s; an open stream goes on. "
            "Next attempt in %.0f s.",
            error,
            old,
            wait,
        )


def _unanswered(broken: Broken) -> TokenDenied | TokenUnavailable:
    detail = broken.detail.rstrip(".")
    if broken.cause is Cause.UNTRUSTED:
        return TokenDenied(
            "The token service's certificate could not be verified, so the client's secret was "
            f"not sent: give your company's certificates as verify=. In detail: {detail}."
        )
    return TokenUnavailable(
        "The token service did not answer: check the network, the proxy and token_url. "
        f"In detail: {detail}."
    )
