"""protocol/status.py"""

import pytest

from livestream_nb.protocol.status import CAUSES, MEANING, Cause, Refusal, explain, read_refusal


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


@pytest.mark.parametrize(("text", "seconds"), [("120", 120.0), (" 5 ", 5.0), ("soon", None)])
def test_retry_after(text: str, seconds: float | None) -> None:
    """Retry-After in seconds is understood, other text is none."""
    assert read_refusal(503, b"", text).retry_after == seconds


def test_every_cause_has_words() -> None:
    """Every cause has a sentence, and every status of the table a cause."""
    assert set(MEANING) == set(Cause)
    assert set(CAUSES) == {400, 401, 403, 404, 405, 406, 409, 424, 429, 500, 502, 503, 504, 505}


def test_explain() -> None:
    """The sentence names the status, what it means and what the service said."""
    assert explain(Cause.REFUSED, 409, "too many") == (
        f'409: {MEANING[Cause.REFUSED]} Livestream said: "too many"'
    )
    assert explain(Cause.DROPPED) == MEANING[Cause.DROPPED]
    assert explain(Cause.DROPPED, None, "reset") == f"{MEANING[Cause.DROPPED]} In detail: reset."
