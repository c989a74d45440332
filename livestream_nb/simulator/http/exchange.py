"""A request and its answer, as values: what crosses between the sockets and the service's face."""

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import parse_qsl

from livestream_nb.simulator.http.refusals import UNAUTHORIZED, Refused

Headers = tuple[tuple[str, str], ...]
JSON = "application/json"


@dataclass(frozen=True)
class Request:
    """One HTTP request.

    Attributes
    ----------
    method, target, version : str
        As on its first line; ``version`` without ``HTTP/``.
    headers : mapping of str to str
        By lower-case name; several of one name are joined by commas.
    body : bytes
        Empty for most.
    """

    method: str
    target: str = field(repr=False)
    version: str = "1.1"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)

    @property
    def local(self) -> str:
        """Path and query, also of a target that is a whole URL."""
        if self.target.startswith("/"):
            return self.target
        _, _, rest = self.target.partition("://")
        _, slash, path = rest.partition("/")
        return slash + path

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.local.partition("?")[0]

    @property
    def query(self) -> list[tuple[str, str]]:
        """The query's parameters, in the order given."""
        return parse_qsl(self.local.partition("?")[2], keep_blank_values=True)


@dataclass(frozen=True)
class Reply:
    """A whole answer; its length and ``Connection: close`` are added when it is written."""

    status: int
    headers: Headers
    body: bytes = field(repr=False)

    def encode(self, method: str = "GET") -> bytes:
        """Write it as HTTP/1.1; an answer to HEAD has no body."""
        head = [
            f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}",
            *(f"{name}: {value}" for name, value in self.headers),
            f"Content-Length: {len(self.body)}",
            "Connection: close",
        ]
        written = "\r\n".join([*head, "", ""]).encode("ascii")
        return written if method == "HEAD" else written + self.body


def repeats(parameters: Iterable[tuple[str, str]]) -> list[str]:
    """The names that are given more than once."""
    counts = Counter(name for name, _ in parameters)
    return sorted(name for name, times in counts.items() if times > 1)


def json_reply(status: int, fields: Mapping[str, object], headers: Headers = ()) -> Reply:
    """Answer with a JSON object."""
    return Reply(status, (("Content-Type", JSON), *headers), json.dumps(fields).encode())


def refusal_reply(refused: Refused, headers: Headers = ()) -> Reply:
    """Answer with ``error`` and ``error_description``; 401 of a stream is plain text."""
    if refused is UNAUTHORIZED:
        asked = (("Content-Type", "text/plain"), ("WWW-Authenticate", "Bearer"))
        return Reply(401, (*asked, *headers), refused.description.encode())
    fields = {"error": refused.error, "error_description": refused.description}
    return json_reply(refused.status, fields, (*_retry_after(refused), *headers))


def _retry_after(refused: Refused) -> Iterable[tuple[str, str]]:
    if refused.retry_after is not None:
        yield "Retry-After", str(max(0, math.ceil(refused.retry_after)))
