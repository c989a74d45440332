"""protocol/status.py"""

import pytest

from livestream_nb.protocol.status import (
    CAUSES,
    HOLDS_SLOT,
    NEVER_HEALS,
    REACHED_NOTHING,
    Cause,
    Refusal,
    read_refusal,
)


@pytest.mark.parametrize(
    ("status", "body", "cause", "detail"),
    [
        (409, b'{"error":"x","error_description":"too many"}', Cause.REFUSED, "too many"),
        (409, b'{"error_description":"maxConnections is invalid"}', Cause.INVALID,
         "maxConnections is invalid"),
        (401, b"not authorized", Cause.UNAUTHORIZED, "not authorized"),
        (503, b"", Cause.UNAVAILABLE, ""),
        (503, b'{"error":"migrating"}', Cause.UNAVAILABLE, "migrating"),
        (500, b"[1,2]", Cause.FAILING, "[1, 2]"),
        (599, b"\xff\x00\r\n", Cause.FAILING, "\ufffd"),
        (418, b"[" * 100_000, Cause.UNEXPECTED, "[" * 200),
    ],
)  # fmt: skip
def test_refusals(status: int, body: bytes, cause: Cause, detail: str) -> None:
    """A refusal's cause follows from status and body; no body is too odd to be read."""
    assert read_refusal(status, body) == Refusal(cause, status, detail)


NOW = 1_700_000_000.0
SOON = "Tue, 14 Nov 2023 22:14:50 GMT"  # 90 s after NOW


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "120"}, 120.0),
        ({"retry-after": " 5 "}, 5.0),
        ({"retry-after": SOON}, 90.0),
        ({"retry-after": SOON, "date": "Tue, 14 Nov 2023 22:14:40 GMT"}, 10.0),
        ({"retry-after": "Tue, 14 Nov 2023 22:10:00 GMT"}, 0.0),
        ({"retry-after": "Wed, 14 Nov 2999 22:10:00 GMT"}, 86_400.0),
        ({"retry-after": "9" * 400}, 86_400.0),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Tue, 99 Nov 2023 22:10:00 GMT"}, None),
        ({}, None),
    ],
)
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    """Retry-After is seconds, or a date by the service's own clock; a day at most."""
    assert read_refusal(503, b"", headers, now=NOW).retry_after == seconds


def test_the_table_is_whole() -> None:
    """Every status of the service's table has a cause, and every failure belongs to one kind."""
    assert set(CAUSES) == {400, 401, 403, 404, 405, 406, 409, 424, 429, 500, 502, 503, 504, 505}
    kinds = [HOLDS_SLOT, NEVER_HEALS, REACHED_NOTHING, {Cause.UNAUTHORIZED}]
    failures = [cause for kind in kinds for cause in kind]
    assert len(failures) == len(set(failures))
    assert set(CAUSES.values()) <= set(failures)
