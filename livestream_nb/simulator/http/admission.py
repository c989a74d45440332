"""What a request for a stream must be like before the stream is asked: a pure check.

Source: Adobe's Livestream pages (``AdobeDocs/analytics-2.0-apis``,
``src/pages/guides/endpoints/livestream/``) for the parameters and their ranges; ``reset`` in the
spellings of all of them.
"""

from livestream_nb.protocol.request import LONGEST_SMOOTHING, MOST_CONNECTIONS, RESETS
from livestream_nb.simulator.http.exchange import Request, repeats
from livestream_nb.simulator.http.refusals import ENCODING, Refused, given_twice, invalid
from livestream_nb.simulator.service import Asked

ON, OFF = "1", "0"
BUCKET = "270"


def check(request: Request) -> Asked | Refused:
    """Find the first reason to refuse a request, or what it asks for."""
    if not _accepts_gzip(request.headers.get("accept-encoding", "")):
        return ENCODING
    if twice := repeats(request.query):
        return given_twice(twice)
    given = dict(request.query)
    return _invalid(given) or Asked(
        int(given.get("maxConnections", "1")), given.get("reset"), _smoothing(given)
    )


def _accepts_gzip(accepted: str) -> bool:
    for coding in accepted.lower().split(","):
        name, _, quality = coding.partition(";")
        if name.strip() == "gzip":
            return quality.replace(" ", "").rstrip("0") not in {"q=", "q=0."}
    return False


def _invalid(given: dict[str, str]) -> Refused | None:
    connections = given.get("maxConnections", "1")
    if not _is_whole(connections, MOST_CONNECTIONS):
        return invalid("maxConnections", connections, f"1 to {MOST_CONNECTIONS}")
    if given.get("reset", RESETS[0]) not in RESETS:
        return invalid("reset", given["reset"], f"{', '.join(RESETS[:-1])} or {RESETS[-1]}")
    switch = given.get("smoothing", OFF)
    if switch not in (ON, OFF):
        return invalid("smoothing", switch, f"{ON}, or {OFF} for none")
    bucket = given.get("smoothingBucketSize", BUCKET)
    if switch == ON and not _is_whole(bucket, LONGEST_SMOOTHING):
        return invalid("smoothingBucketSize", bucket, f"1 to {LONGEST_SMOOTHING}")
    return None


def _is_whole(text: str, most: int) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 5 and 1 <= int(text) <= most


def _smoothing(given: dict[str, str]) -> int | None:
    if given.get("smoothing", OFF) == OFF:
        return None
    return int(given.get("smoothingBucketSize", BUCKET))
