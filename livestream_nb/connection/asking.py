"""Asking for the stream: a token, one request, and the hops it is redirected by.

Redirects are followed by hand, each checked before the token is sent to it. Every connect starts
from the stream's own URL. A ``reset`` goes with the first connect only: it is spent once the
stream was opened with it, or a request with it was lost on the way to its answer.
"""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from livestream_nb.clock import Clock
from livestream_nb.connection.access import Access
from livestream_nb.connection.transport import Answer, Broken, Transport
from livestream_nb.protocol.request import StreamRequest, headers, next_hop
from livestream_nb.protocol.status import OK, REDIRECTS, Cause, Refusal, read_refusal

if TYPE_CHECKING:
    from livestream_nb.connection.secret import Secret

SHOWING = "(its words hold the token, or a part of it, and are not shown)"


class Asking:
    """Asks for one stream, on behalf of all its slots."""

    def __init__(
        self, request: StreamRequest, access: Access, transport: Transport, clock: Clock
    ) -> None:
        self.request = request
        self._access = access
        self._transport = transport
        self._clock = clock
        self._tokens: dict[int, Secret] = {}
        self._reset_spent = False

    async def answer(
        self, slot: int, stack: AsyncExitStack, sending: Callable[[], Awaitable[None]]
    ) -> Answer:
        """Request the stream for a slot; ``stack`` keeps the answer open.

        ``sending`` is awaited just before the request is sent, when there is a token. Raises
        `TokenUnavailable`, `TokenDenied`, `UntrustedRedirect` or `Broken`.
        """
        self._tokens[slot] = await self._access.token()
        await sending()
        visited = [self.request.url(first=not self._reset_spent)]
        while True:
            answer = await self._get(visited[-1], slot, stack)
            if answer.status not in REDIRECTS:
                self._reset_spent |= answer.status == OK
                return answer
            visited.append(next_hop(self.request, visited, answer.headers.get("location")))
            await stack.aclose()

    async def refusal(self, slot: int, answer: Answer) -> Refusal:
        """Understand an answer other than the stream; a token that it repeats is not shown."""
        body, now = await answer.body(), self._clock.utc()
        refusal = read_refusal(answer.status, body, answer.headers, now=now)
        return replace(refusal, detail=self.discreet(slot, refusal.detail))

    def discreet(self, slot: int, words: str) -> str:
        """What the service said, or that it holds the token that was sent for this slot."""
        token = self._tokens.get(slot)
        return SHOWING if token is not None and token.shows_in(words) else words

    def reject(self, slot: int) -> None:
        """The token that was sent for this slot, if any was, is not accepted: get another."""
        if slot in self._tokens:
            self._access.reject(self._tokens[slot])

    async def _get(self, url: str, slot: int, stack: AsyncExitStack) -> Answer:
        token, client_id = self._tokens[slot], self._access.client_id
        opening = self._transport.get(url, headers(token.reveal(), client_id))
        try:
            return await stack.enter_async_context(opening)
        except Broken as broken:
            self._reset_spent |= broken.cause is Cause.DROPPED
            raise
