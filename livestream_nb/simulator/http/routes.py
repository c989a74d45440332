"""What is at which path, and what a request's first line must be like.

Sources: Adobe's Livestream pages (``AdobeDocs/analytics-2.0-apis``,
``src/pages/guides/endpoints/livestream/``) and its reference of OAuth Server-to-Server credentials.
"""

import re
from typing import NamedTuple
from urllib.parse import unquote

from livestream_nb.simulator.http.exchange import Request
from livestream_nb.simulator.http.refusals import (
    HTTP_VERSION,
    Refused,
    unknown_path,
    unknown_stream,
    wrong_method,
)

PATHS = {
    "stream": re.compile(r"/api/[12]/stream/([^/]+)"),
    "enable": re.compile(r"/api/2/enable/([^/]+)"),
    "schema": re.compile(r"/api/1/schema()"),
    "token": re.compile(r"/ims/token/v3()"),
}


class Route(NamedTuple):
    """What a path leads to: its kind, a key of PATHS, or empty; and the name of a stream there."""

    kind: str = ""
    stream: str = ""

    @property
    def method(self) -> str:
        """The only method that applies."""
        return "POST" if self.kind == "token" else "GET"


def find(path: str) -> Route:
    """Where a path leads; a stream there need not exist."""
    plain = unquote(path)
    for kind, pattern in PATHS.items():
        if found := pattern.fullmatch(plain):
            return Route(kind, found[1])
    return Route()


def misdirected(request: Request, route: Route, *, known: bool) -> Refused | None:
    """Say what is wrong with a request's first line, whose stream may be ``known``."""
    if request.version != "1.1":
        return HTTP_VERSION
    if not route.kind:
        return unknown_path(request.path)
    if route.stream and not known:
        return unknown_stream(request.path)
    if request.method != route.method:
        return wrong_method(request.method, route.method)
    return None
