"""What happened, what it means, and what comes next: in sentences for a person. Pure.

Sources: Adobe's Livestream troubleshooting page (``AdobeDocs/analytics-2.0-apis``) for the status
codes, support article KA-16598 for what 409 and 503 mean after a dropped connection.
"""

from dataclasses import dataclass

from livestream_nb.clock import duration
from livestream_nb.protocol.status import Cause, Refusal

SEVERAL = 3
LATELY = 300.0

MEANING = {
    Cause.ASKED: "Connecting, as asked.",
    Cause.OPENED: "Connected, and reading.",
    Cause.SKIPPED: "Connected, and reading from now on: reset= leaves out what came meanwhile.",
    Cause.WAITED: "The cooldown is over: connecting again.",
    Cause.RENEWED: "Trying once more with a fresh token.",
    Cause.DROPPED: "The connection was lost, and Livestream needs about 60 s to notice that.",
    Cause.CORRUPT: (
        "The stream's gzip was damaged, so the connection was given up. Livestream needs about "
        "60 s to notice that."
    ),
    Cause.REFUSED: "All slots are taken.",
    Cause.UNAVAILABLE: "The stream is not available for now.",
    Cause.FAILING: "Livestream itself is failing.",
    Cause.THROTTLED: "Livestream asks for fewer requests.",
    Cause.UNREACHABLE: "Livestream cannot be reached: check the network, the proxy and the host.",
    Cause.UNAUTHORIZED: (
        "The token was not accepted: it may have expired, or belong to another service account."
    ),
    Cause.FORBIDDEN: "The token is valid, but has no right to read this stream.",
    Cause.INVALID: "A parameter of the request is wrong.",
    Cause.MISSING: (
        "There is no such stream: the name is wrong, or nobody has read it for 90 days and it was "
        "disabled."
    ),
    Cause.DISABLED: "The stream is not enabled for the current API.",
    Cause.UNSUPPORTED: "The request was changed on its way, most likely by a proxy.",
    Cause.UNTRUSTED: "The server's certificate could not be verified, so nothing was sent.",
    Cause.MISDIRECTED: "A redirect led to a place that must not be given the token.",
    Cause.UNEXPECTED: "That is an answer which Livestream is not known to give.",
    Cause.TOKENLESS: "There is no token for now, so nothing was asked of Livestream.",
    Cause.DENIED: "There is no token to send, and asking again would not bring one.",
    Cause.QUEUED: "Waiting for its turn: connects of one stream are sent 5 s apart.",
    Cause.SILENT: "Nothing has come for {}, not even an empty record. The connection stays open.",
    Cause.SUSPENDED: (
        "The clock jumped by {}: this machine slept, or its time was set. The connection is "
        "doubtful, and given up if nothing comes within two minutes."
    ),
    Cause.HEARD: "Records come again.",
    Cause.CLOSED: (
        "The policy's time for a connection is over, so it was closed. Livestream needs about 60 s "
        "to notice that."
    ),
    Cause.KILLED: "The process that recorded ended without a word: this is its last sign of life.",
}

REMEDY = {
    Cause.REFUSED: (
        "A ghost would be gone by now: look for another notebook, a service, a colleague, perhaps "
        "with another number of connections. Stop that one and this reader, then start() again."
    ),
    Cause.UNAUTHORIZED: (
        "Get a fresh token, of the service account that the stream belongs to, and start() again."
    ),
    Cause.FORBIDDEN: "Ask your administrator for access of the service account to Livestream.",
    Cause.INVALID: "Check connections=, smoothing=, reset= and what the stream's URL carries.",
    Cause.MISSING: "Check the name, or ask your administrator to have the stream enabled again.",
    Cause.DISABLED: (
        "Have your administrator enable it by GET /api/2/enable/<stream name>, which takes effect "
        "after 15 minutes; a reader never does that by itself."
    ),
    Cause.UNSUPPORTED: "Try without the proxy, or ask those who run it.",
    Cause.UNTRUSTED: (
        "Behind a company's proxy, give its certificate authority with verify=, as a file of PEM "
        "certificates. There is no unverified mode."
    ),
    Cause.MISDIRECTED: "If a proxy on the way may be the cause, ask those who run it.",
    Cause.DENIED: (
        "Check where it comes from: a function, or client id, client secret and scopes. Then "
        "start() again."
    ),
}

START_AGAIN = "start() tries again."
ANOTHER = (
    "No connection of yours was lost lately, so another consumer most likely reads this stream."
)
THREE_CAUSES = (
    "It is being moved to another endpoint, or its report suite has no hits, or it was connected "
    "to too often. If this goes on, a fresh start with reset= may help, at the price of a gap."
)
COOLING = "This stream was read a moment ago, and Livestream needs about 60 s to notice the end."
HASTY = "The policy asks to connect sooner than 60 s after the last request for this slot."
HELD = "Another connection of this reader was refused, so this one waits until that is settled."
IDLE_POLICY = "The policy had no answer to this, so the connection is given up."


@dataclass(frozen=True)
class Past:
    """What came before: this cause so many ``times`` in a row, one's own loss ``lost`` s ago."""

    times: int = 1
    lost: float | None = None


def explain(refusal: Refusal, past: Past) -> str:
    """Say what happened, and what it means."""
    said = _said(refusal)
    if refusal.status is None:
        return f"{MEANING[refusal.cause]}{said}"
    row = f", {past.times} times in a row" if past.times >= SEVERAL else ""
    return f"{refusal.status}{row}: {_meaning(refusal.cause, past)}{said}"


def gave_up(explained: str, cause: Cause) -> str:
    """Say that the connection stopped for good, and what to do."""
    return f"{explained} {REMEDY.get(cause, START_AGAIN)}"


def with_wait(sentence: str, seconds: float | None) -> str:
    """Add when the next attempt comes, where one does."""
    return sentence if seconds is None else f"{sentence} Next attempt in {duration(seconds)}."


def _meaning(cause: Cause, past: Past) -> str:
    if cause is Cause.REFUSED:
        return f"{_lower(MEANING[cause])} {_whose(past.lost)}"
    if cause is Cause.UNAVAILABLE and past.times >= SEVERAL:
        return f"{_lower(MEANING[cause])} {THREE_CAUSES}"
    return _lower(MEANING[cause])


def _whose(lost: float | None) -> str:
    if lost is None or lost > LATELY:
        return ANOTHER
    return (
        f"Your own connection was lost {duration(lost)} ago, and Livestream needs about 60 s to "
        "notice."
    )


def _said(refusal: Refusal) -> str:
    detail = refusal.detail.rstrip(".")
    if not detail:
        return ""
    return f" In detail: {detail}." if refusal.status is None else f' Livestream said: "{detail}".'


def _lower(sentence: str) -> str:
    known = sentence.startswith("Livestream")
    return sentence if known else sentence[0].lower() + sentence[1:]
