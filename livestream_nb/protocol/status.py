"""What an answer of Livestream means: status codes and refusal bodies → causes, in words.

Sources: Adobe's Livestream troubleshooting page (``AdobeDocs/analytics-2.0-apis``) for the status
codes, support article KA-16598 for what 409 and 503 mean after a dropped connection.
"""

import json
from dataclasses import dataclass
from enum import StrEnum


class Cause(StrEnum):
    """Why a state of the connection began: the ``reason`` column of the timeline."""

    ASKED = "asked"
    OPENED = "opened"
    WAITED = "waited"
    RENEWED = "renewed"
    DROPPED = "dropped"
    CORRUPT = "corrupt"
    REFUSED = "refused"
    UNAVAILABLE = "unavailable"
    FAILING = "failing"
    THROTTLED = "throttled"
    UNREACHABLE = "unreachable"
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    INVALID = "invalid"
    MISSING = "missing"
    DISABLED = "disabled"
    UNSUPPORTED = "unsupported"
    UNTRUSTED = "untrusted"
    MISDIRECTED = "misdirected"
    UNEXPECTED = "unexpected"


OK = 200
REDIRECTS = frozenset({301, 302, 303, 307, 308})

CAUSES = {
    400: Cause.INVALID,
    401: Cause.UNAUTHORIZED,
    403: Cause.FORBIDDEN,
    404: Cause.MISSING,
    405: Cause.UNSUPPORTED,
    406: Cause.UNSUPPORTED,
    409: Cause.REFUSED,
    424: Cause.DISABLED,
    429: Cause.THROTTLED,
    500: Cause.FAILING,
    502: Cause.FAILING,
    503: Cause.UNAVAILABLE,
    504: Cause.FAILING,
    505: Cause.UNSUPPORTED,
}

HOLDS_SLOT = frozenset(
    {
        Cause.DROPPED,
        Cause.CORRUPT,
        Cause.REFUSED,
        Cause.UNAVAILABLE,
        Cause.FAILING,
        Cause.THROTTLED,
    }
)
"""Causes after which the service may still count a connection of ours as open."""

MEANING = {
    Cause.ASKED: "As asked.",
    Cause.OPENED: "Connected, and reading.",
    Cause.WAITED: "The cooldown is over.",
    Cause.RENEWED: "Trying once more with a fresh token.",
    Cause.DROPPED: "The connection was lost; Livestream needs about 60 s to notice that.",
    Cause.CORRUPT: "The stream's gzip was damaged, so the connection was given up.",
    Cause.REFUSED: (
        "All slots are taken: by the ghost of a lost connection, or by another consumer "
        "of this stream."
    ),
    Cause.UNAVAILABLE: (
        "The stream is being moved, has no hits, or was connected to too often; "
        "if this goes on for long, a fresh start with reset= may help."
    ),
    Cause.FAILING: "Livestream itself is failing.",
    Cause.THROTTLED: "Livestream asks for fewer requests.",
    Cause.UNREACHABLE: "Livestream cannot be reached: check the network, the proxy and the host.",
    Cause.UNAUTHORIZED: (
        "The token was not accepted: it may have expired, or belong to another service account. "
        "Get a fresh one and start again."
    ),
    Cause.FORBIDDEN: "The token is valid, but has no right to read this stream.",
    Cause.INVALID: "A parameter of the request is wrong.",
    Cause.MISSING: (
        "No such stream: check its name; a stream that was not read for 90 days is disabled."
    ),
    Cause.DISABLED: (
        "The stream is not enabled for the current API: ask your administrator to enable it."
    ),
    Cause.UNSUPPORTED: "The request was changed on its way, most likely by a proxy.",
    Cause.UNTRUSTED: "The server's certificate could not be verified, so nothing was sent.",
    Cause.MISDIRECTED: "Livestream redirected to a place that must not be given the token.",
    Cause.UNEXPECTED: "An answer that Livestream is not known to give.",
}


@dataclass(frozen=True)
class Refusal:
    """An answer other than the stream, or none at all.

    Attributes
    ----------
    cause : Cause
        What the answer means.
    status : int or None
        The HTTP status; None when nothing was answered, or the stream broke off.
    detail : str
        What the body said, shortened to one line; empty when it said nothing readable.
    retry_after : float or None
        Seconds that the service asked to wait.
    """

    cause: Cause
    status: int | None
    detail: str
    retry_after: float | None = None


def read_refusal(status: int, body: bytes, retry_after: str | None = None) -> Refusal:
    """Understand an answer other than 200; the body need not be JSON."""
    detail = _description(body)
    cause = CAUSES.get(status, Cause.FAILING if status >= 500 else Cause.UNEXPECTED)
    if cause is Cause.REFUSED and "invalid" in detail.lower():
        cause = Cause.INVALID
    return Refusal(cause, status, detail, _seconds(retry_after))


def explain(cause: Cause, status: int | None = None, detail: str = "") -> str:
    """What happened and what it means, in a few sentences for a person."""
    if status is None:
        return f"{MEANING[cause]} In detail: {detail.rstrip('.')}." if detail else MEANING[cause]
    said = f' Livestream said: "{detail}"' if detail else ""
    return f"{status}: {MEANING[cause]}{said}"


def _description(body: bytes) -> str:
    text = body.decode("utf-8", "replace")
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        parsed = text
    if isinstance(parsed, dict):
        parsed = parsed.get("error_description") or parsed.get("error") or text
    return "".join(c if c.isprintable() else " " for c in str(parsed)).strip()[:200]


def _seconds(retry_after: str | None) -> float | None:
    text = (retry_after or "").strip()
    return float(text) if text.isdecimal() else None
