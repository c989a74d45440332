"""The answers that are not 200: a row each of the service's table of status codes.

Sources: Adobe's Livestream troubleshooting page (``AdobeDocs/analytics-2.0-apis``) for the status
codes; 403, 429, 500, 502 and 504 occur, and are not documented further. The words are ours, except
``not authorized``.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from http import HTTPStatus

from livestream_nb.checks import is_whole
from livestream_nb.errors import InvalidOption

SHOWN = 60


@dataclass(frozen=True)
class Refused:
    """An answer other than 200.

    Attributes
    ----------
    status : int
        The HTTP status.
    error, description : str
        The fields ``error`` and ``error_description`` of the answer's body.
    retry_after : float or None
        Service seconds that the client is asked to wait.
    """

    status: int
    error: str
    description: str
    retry_after: float | None = None


def refused(status: int, description: str, retry_after: float | None = None) -> Refused:
    """Make a refusal whose ``error`` is what HTTP calls the status."""
    return Refused(status, HTTPStatus(status).phrase, description, retry_after)


def shown(text: str) -> str:
    """Make a piece of what a client sent fit to be shown: short, and printable ASCII only."""
    piece = "".join(c if c.isascii() and c.isprintable() else "?" for c in text[:SHOWN])
    return piece if len(text) <= SHOWN else f"{piece}…"


UNAUTHORIZED = refused(401, "not authorized")
ENCODING = refused(406, "The stream is compressed only: send Accept-Encoding: gzip.")
HTTP_VERSION = refused(505, "Only HTTP/1.1 is spoken here.")
MALFORMED = refused(400, "The request is not HTTP/1.1, or its head is too long.")

ON_DEMAND = {
    403: "The token has no right to read this stream: its service account is not linked to it.",
    429: "Too many requests: wait before the next one.",
    500: "The endpoint failed while answering.",
    502: "The load balancer got no sensible answer from the endpoint behind it.",
    503: "The service is unavailable for the time being: retry later.",
    504: "The load balancer got no answer in time from the endpoint behind it.",
}
"""Refusals that nothing in a request brings about: the service is told to give them."""


def wrong_method(method: str, right: str) -> Refused:
    """Answer 405 to a method that does not apply to a path."""
    return refused(405, f"Invalid request type {shown(method)}: use {right}.")


def invalid(name: str, given: str, right: str) -> Refused:
    """Answer 400 to a query parameter with a value that is not possible."""
    return refused(400, f"{name}={shown(given)} is invalid: use {right}.")


def given_twice(names: Iterable[str]) -> Refused:
    """Answer 400 to query parameters that were given more than once."""
    return refused(400, f"Given more than once: {shown(', '.join(names))}.")


def unknown_stream(path: str) -> Refused:
    """Answer 404 to the path of a stream that does not exist."""
    return refused(404, f"There is no stream at {shown(path)}.")


def unknown_path(path: str) -> Refused:
    """Answer 404 to a path where nothing is."""
    return refused(404, f"There is nothing at {shown(path)}: use /api/1/stream/<stream name>.")


def check_status(status: object, right: Collection[int]) -> None:
    """Refuse a status that the service cannot be told to answer."""
    if not (is_whole(status, 300, 599) and status in right):
        raise InvalidOption.value("status", status, f"give one of {', '.join(map(str, right))}")
