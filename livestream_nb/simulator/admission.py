"""What a request must be like before the stream is asked: a pure check.

``reset`` and ``smoothing`` are accepted without effect.
"""

from dataclasses import dataclass
from secrets import compare_digest
from urllib.parse import parse_qs

import h11

from livestream_nb.simulator.refusals import (
    ENCODING,
    HTTP_VERSION,
    METHOD,
    UNAUTHORIZED,
    Refused,
    invalid_count,
    unknown_path,
)


@dataclass(frozen=True)
class Asked:
    """What a request that passed every check asks for."""

    max_connections: int


def check(request: h11.Request, *, path: str, token: str) -> Asked | Refused:
    """Find the first reason to refuse a request, or what it asks for."""
    asked_path, _, query = request.target.decode("ascii", "replace").partition("?")
    headers = {bytes(name): bytes(value) for name, value in request.headers}
    if request.http_version != b"1.1":
        return HTTP_VERSION
    if asked_path != path:
        return unknown_path(asked_path)
    if request.method != b"GET":
        return METHOD
    if not _authorized(headers.get(b"authorization", b""), token):
        return UNAUTHORIZED
    if not _accepts_gzip(headers.get(b"accept-encoding", b"")):
        return ENCODING
    return _asked(parse_qs(query, keep_blank_values=True))


def _authorized(given: bytes, token: str) -> bool:
    scheme, _, credentials = given.partition(b" ")
    return scheme.lower() == b"bearer" and compare_digest(credentials.strip(), token.encode())


def _accepts_gzip(accepted: bytes) -> bool:
    for coding in accepted.lower().split(b","):
        name, _, quality = coding.partition(b";")
        if name.strip() == b"gzip":
            return quality.replace(b" ", b"").rstrip(b"0") not in {b"q=", b"q=0."}
    return False


def _asked(query: dict[str, list[str]]) -> Asked | Refused:
    given = query.get("maxConnections", ["1"])[-1]
    if not (given.isascii() and given.isdigit() and len(given) < 5):
        return invalid_count(given)
    return Asked(int(given))
