"""Which answer a request gets: the service as a client sees it, without sockets and clock.

Checked in this order: HTTP version, path, method, then for a stream redirects, token, what the
service was told to answer, encoding, parameters, and at last the stream itself. So a redirect is
given as a load balancer gives it, to anybody. Any ``x-api-key`` is accepted, and none, too.

Sources: Adobe's Livestream pages (``AdobeDocs/analytics-2.0-apis``,
``src/pages/guides/endpoints/livestream/``); which refusal comes first is our decision.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

from livestream_nb.checks import check_seconds
from livestream_nb.simulator.http import admission, oauth
from livestream_nb.simulator.http.exchange import Headers, Reply, Request, json_reply, refusal_reply
from livestream_nb.simulator.http.redirects import WORDS, Redirect, check_redirect, origin
from livestream_nb.simulator.http.refusals import (
    MALFORMED,
    ON_DEMAND,
    UNAUTHORIZED,
    Refused,
    check_status,
    refused,
)
from livestream_nb.simulator.http.routes import find, misdirected
from livestream_nb.simulator.http.tokens import Tokens
from livestream_nb.simulator.journal import Journal
from livestream_nb.simulator.service import Asked, Opened, Stream

TOKEN_FAILURES = (500, 503)


@dataclass(frozen=True)
class Admitted:
    """The stream is to be delivered to this client."""

    stream: str
    opened: Opened


class Spell(NamedTuple):
    """A refusal that is given until some time, whatever is asked."""

    until: float
    refused: Refused


class Face:
    """Answers requests, and may be told to turn them away. All times are service seconds.

    Parameters
    ----------
    tokens : Tokens
        The tokens that are let in.
    journal : Journal
        Where it notes what is about no stream.
    schema : bytes
        The JSON schema of a hit.
    origins : tuple of str
        The base URLs of the first and the second listener.
    """

    def __init__(
        self, tokens: Tokens, journal: Journal, *, schema: bytes, origins: tuple[str, str]
    ) -> None:
        self._tokens = tokens
        self._journal = journal
        self._schema = schema
        self._origins = origins
        self._streams: dict[str, Stream] = {}
        self._redirect: Redirect | None = None
        self._refusing: Spell | None = None
        self._failing: Spell | None = None

    def add(self, stream: Stream) -> None:
        """Serve a stream, from now on, by its name."""
        self._streams[stream.name] = stream

    def answer(self, request: Request, listener: int, now: float) -> Reply | Admitted:
        """Answer a request that came to the first (0) or second (1) listener."""
        route = find(request.path)
        stream = self._streams.get(route.stream)
        if fault := misdirected(request, route, known=stream is not None):
            allowed = (("Allow", route.method),) if fault.status == 405 else ()
            return self._refuse(fault, stream, now, allowed)
        if route.kind == "token":
            return self._issue(request, now)
        if stream is None:
            return Reply(200, (("Content-Type", "application/schema+json"),), self._schema)
        if route.kind == "enable":
            return self._enable(stream, request, now)
        return self._admit(stream, request, listener, now)

    def malformed(self, now: float) -> Reply:
        """Answer what is no request."""
        return self._refuse(MALFORMED, None, now)

    def redirect(self, to: str | None, now: float, status: int = 302) -> None:
        """Redirect requests for a stream from now on.

        Parameters
        ----------
        to : str or None
            ``"second"``: to the second listener. ``"loop"``: from there back again. ``"foreign"``:
            to another host. ``"downgraded"``: to Adobe's host, by plain http. A full URL: there.
            None: no redirect any more. All but the full URL keep path and query.
        now : float
            Service time.
        status : int
            301, 302, 303, 307 or 308.

        Raises
        ------
        InvalidOption
            When target or status is none of these.
        """
        if to is not None:
            check_redirect(to, status)
        self._redirect = None if to is None else Redirect(to, status, self._origins)
        where = to if to is None or to in WORDS else origin(to)
        said = "no longer" if where is None else f"requests for a stream, to: {where}"
        self._journal.note(now, "redirecting", said)

    def refuse(
        self, status: int, seconds: float, now: float, retry_after: float | None = None
    ) -> None:
        """Answer requests for a stream that bring a valid token with a status, for so long.

        Raises
        ------
        InvalidOption
            When the status is none of 403, 429, 500, 502, 503 and 504, or a duration is none.
        """
        check_status(status, ON_DEMAND)
        check_seconds("seconds", seconds)
        if retry_after is not None:
            check_seconds("retry_after", retry_after)
        self._refusing = Spell(now + seconds, refused(status, ON_DEMAND[status], retry_after))
        detail = f"streams are answered with {status} for {seconds:g} s"
        self._journal.note(now, "failing", detail)

    def fail_tokens(self, seconds: float, now: float, status: int = 503) -> None:
        """Let the token service answer 500 or 503, for so long.

        Raises
        ------
        InvalidOption
            When the status is neither, or the duration is none.
        """
        check_status(status, TOKEN_FAILURES)
        check_seconds("seconds", seconds)
        self._failing = Spell(now + seconds, refused(status, "The token service has failed."))
        detail = f"the token service answers {status} for {seconds:g} s"
        self._journal.note(now, "failing", detail)

    def expire_tokens(self, now: float) -> None:
        """Let every token that was issued so far be valid no longer."""
        self._tokens.expire()
        self._journal.note(now, "expired", "no token that was issued so far is valid any more")

    def _admit(
        self, stream: Stream, request: Request, listener: int, now: float
    ) -> Reply | Admitted:
        if self._redirect and (location := self._redirect.location(listener, request.local)):
            return self._send_on(stream, location, self._redirect.status, now)
        asked = self._check(request, now)
        if isinstance(asked, Refused):
            return self._refuse(asked, stream, now)
        answer = stream.connect(asked, now)
        if isinstance(answer, Refused):
            return refusal_reply(answer)
        return Admitted(stream.name, answer)

    def _check(self, request: Request, now: float) -> Asked | Refused:
        return (
            self._unauthorized(request, now)
            or _in_force(self._refusing, now)
            or admission.check(request)
        )

    def _unauthorized(self, request: Request, now: float) -> Refused | None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        let_in = scheme.lower() == "bearer" and self._tokens.valid(token.strip(), now)
        return None if let_in else UNAUTHORIZED

    def _send_on(self, stream: Stream, location: str, status: int, now: float) -> Reply:
        moved = refused(status, f"The stream is at another endpoint: {origin(location)}.")
        stream.note("redirecting", f"to {origin(location)}", now, status=status)
        return refusal_reply(moved, (("Location", location),))

    def _enable(self, stream: Stream, request: Request, now: float) -> Reply:
        if fault := self._unauthorized(request, now):
            return self._refuse(fault, stream, now)
        minutes = math.ceil(max(0.0, stream.enable(now) - now) / 60)
        when = f"in {minutes} minutes" if minutes else "now"
        said = f"Updated response payloads of stream {stream.name} are available {when}."
        return json_reply(200, {"message": said})

    def _issue(self, request: Request, now: float) -> Reply:
        if fault := _in_force(self._failing, now) or oauth.check(request, self._tokens):
            return self._refuse(fault, None, now, oauth.NOT_STORED)
        lifetime = self._tokens.lifetime
        self._journal.note(now, "issued", f"a token for {lifetime:g} s", status=200)
        return oauth.granted(self._tokens.issue(now), lifetime)

    def _refuse(
        self, fault: Refused, stream: Stream | None, now: float, headers: Headers = ()
    ) -> Reply:
        if stream is None:
            self._journal.note(now, "refused", fault.description, status=fault.status)
        else:
            stream.refuse(fault, now)
        return refusal_reply(fault, headers)


def _in_force(spell: Spell | None, now: float) -> Refused | None:
    return spell.refused if spell is not None and now < spell.until else None
