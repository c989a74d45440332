"""The answers that are not 200: a row each of the service's table of status codes.

Each carries a JSON body of ``error`` and ``error_description``, except 401: that is plain text.
"""

import json
from dataclasses import dataclass


@dataclass(frozen=True)
class Refused:
    """An answer other than 200, with the two fields of its body."""

    status: int
    error: str
    description: str


UNAUTHORIZED = Refused(401, "Unauthorized", "not authorized")
METHOD = Refused(405, "Method Not Allowed", "Invalid request type: use GET.")
ENCODING = Refused(
    406, "Not Acceptable", "The stream is compressed only: send Accept-Encoding: gzip."
)
HTTP_VERSION = Refused(505, "HTTP Version Not Supported", "Use HTTP/1.1.")
MALFORMED = Refused(400, "Bad Request", "The request is not HTTP.")
UNSERVED_COUNT = Refused(
    400, "Bad Request", "This simulator serves one connection as yet: use maxConnections=1."
)
TOO_MANY = Refused(409, "Conflict", "The number of open connections exceeds maxConnections=1.")


def invalid_count(given: str) -> Refused:
    """Answer 400 to a ``maxConnections`` that no stream allows."""
    return Refused(400, "Bad Request", f"maxConnections={given[:20]} is invalid: use 1 to 8.")


def unknown_path(path: str) -> Refused:
    """Answer 404 to a path where nothing is served."""
    return Refused(404, "Not Found", f"There is no stream at {path[:200]}.")


def response(refused: Refused) -> bytes:
    """Write a refusal as a whole HTTP response."""
    fields = {"error": refused.error, "error_description": refused.description}
    if refused is UNAUTHORIZED:
        kind, body = "text/plain", refused.description.encode()
    else:
        kind, body = "application/json", json.dumps(fields).encode()
    head = (
        f"HTTP/1.1 {refused.status} {refused.error}\r\nContent-Type: {kind}\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body
