"""What an answer of Livestream means: status codes and refusal bodies → causes, in words.

Sources: Adobe's Livestream troubleshooting page (``AdobeDocs/analytics-2.0-apis``) for the status
codes, support article KA-16598 for what 409 and 503 mean after a dropped connection.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import StrEnum


class Cause(StrEnum):
    """Why a state of the connection began: the ``reason`` column of the timeline."""

    ASKED = "asked"
    OPENED = "opened"
    SKIPPED = "skipped"
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
    TOKENLESS = "tokenless"
    DENIED = "denied"
    QUEUED = "queued"
    SILENT = "silent"
    SUSPENDED = "suspended"
    HEARD = "heard"
    KILLED = "killed"
    CLOSED = "closed"


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
        Cause.CLOSED,
        Cause.CORRUPT,
        Cause.REFUSED,
        Cause.UNAVAILABLE,
        Cause.FAILING,
        Cause.THROTTLED,
    }
)
"""Causes after which the service may still count a connection of ours as open."""

REACHED_NOTHING = frozenset({Cause.UNREACHABLE, Cause.TOKENLESS})
"""Causes before Livestream was reached: no ghost can exist, so the next attempt may come soon."""

NEVER_HEALS = frozenset(
    {
        Cause.FORBIDDEN,
        Cause.INVALID,
        Cause.MISSING,
        Cause.DISABLED,
        Cause.UNSUPPORTED,
        Cause.UNTRUSTED,
        Cause.MISDIRECTED,
        Cause.UNEXPECTED,
        Cause.DENIED,
    }
)
"""Causes that no waiting heals."""

LONGEST_WISH = 86_400.0


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


def read_refusal(
    status: int, body: bytes, headers: Mapping[str, str] | None = None, *, now: float = 0.0
) -> Refusal:
    """Understand an answer other than 200; the body need not be JSON.

    ``headers`` are the answer's, by lower-case name; ``now`` (Unix seconds) is what a
    ``Retry-After`` that is a date is measured against when there is no ``Date``.
    """
    detail = _description(body)
    cause = CAUSES.get(status, Cause.FAILING if status >= 500 else Cause.UNEXPECTED)
    if cause is Cause.REFUSED and "invalid" in detail.lower():
        cause = Cause.INVALID
    return Refusal(cause, status, detail, _retry_after(headers or {}, now))


def _description(body: bytes) -> str:
    text = body.decode("utf-8", "replace")
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        parsed = text
    if isinstance(parsed, dict):
        parsed = parsed.get("error_description") or parsed.get("error") or text
    return "".join(c if c.isprintable() else " " for c in str(parsed)).strip()[:200]


def _retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds, given as such or as a date (RFC 9110, section 10.2.3); a day at the most."""
    text = headers.get("retry-after", "").strip()
    if text.isdecimal():
        return min(float(text), LONGEST_WISH)
    moment = _date(text)
    if moment is None:
        return None
    said = _date(headers.get("date", ""))
    return min(max(0.0, moment - (now if said is None else said)), LONGEST_WISH)


def _date(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
