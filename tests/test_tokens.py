"""simulator/tokens.py, simulator/oauth.py"""

from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livestream_nb.simulator.http import oauth
from livestream_nb.simulator.http.exchange import Request
from livestream_nb.simulator.http.refusals import Refused
from livestream_nb.simulator.http.tokens import Tokens

FORM = {"content-type": "application/x-www-form-urlencoded"}
SCOPE = "openid,AdobeID,read_organizations,additional_info.projectedProductContext"


def form(tokens: Tokens, **changes: str | None) -> dict[str, str]:
    """A form that is right, but for the changes; None leaves a parameter out."""
    right = {
        "client_id": tokens.client_id,
        "client_secret": tokens.client_secret,
        "grant_type": "client_credentials",
        "scope": SCOPE,
    }
    return {name: value for name, value in (right | changes).items() if value is not None}


def post(body: str, query: str = "", headers: dict[str, str] = FORM) -> Request:
    return Request("POST", f"/ims/token/v3{query}", headers=headers, body=body.encode())


def refusal(tokens: Tokens, **changes: str | None) -> Refused:
    fault = oauth.check(post(urlencode(form(tokens, **changes))), tokens)
    assert fault is not None
    return fault


def test_token_lives_as_long_as_said() -> None:
    """A token is valid from its issue until its lifetime is over."""
    tokens = Tokens(lifetime=100.0)
    token = tokens.issue(50.0)
    assert [tokens.valid(token, now) for now in (50.0, 149.9, 150.0)] == [True, True, False]


@pytest.mark.parametrize("wrong", ["", " ", "x", "é", "\ud800"])
def test_only_issued_tokens_are_valid(wrong: str) -> None:
    """Nothing but a token from here is let in: no empty one, none that is longer or shorter."""
    tokens = Tokens()
    assert not tokens.valid(wrong, 0.0)
    token = tokens.issue(0.0)
    assert tokens.valid(token, 0.0)
    assert not any(tokens.valid(each, 0.0) for each in (wrong, token[:-1], f"{token}x"))


def test_current_token_stays_until_it_expires() -> None:
    """The token that is handed out is the same one until it has expired, and then a valid one."""
    tokens = Tokens(lifetime=100.0)
    first = tokens.current(0.0)
    assert tokens.current(99.9) == first
    second = tokens.current(100.0)
    assert second != first
    assert tokens.valid(second, 100.0)


def test_expired_at_once() -> None:
    """After expire() no token that was issued is valid, and the next one is."""
    tokens = Tokens()
    issued = [tokens.current(0.0), tokens.issue(0.0)]
    tokens.expire()
    assert not any(tokens.valid(token, 0.0) for token in issued)
    assert tokens.current(0.0) not in issued
    assert tokens.valid(tokens.current(0.0), 0.0)


def test_memory_is_bounded() -> None:
    """The newest 1,000 tokens are valid and kept, and none that has expired."""
    tokens = Tokens(lifetime=1e6)
    issued = [tokens.issue(float(now)) for now in range(1_001)]
    assert [tokens.valid(token, 1e3) for token in issued[:3]] == [False, True, True]
    assert len(tokens._ends) == 1_000
    tokens.issue(2e6)
    assert len(tokens._ends) == 1


def test_everything_is_random_and_nothing_shows() -> None:
    """Two simulators share no secret, and no repr tells one."""
    first, second = Tokens(), Tokens()
    told = repr(first) + repr(post(urlencode(form(first)), query="?client_secret=x"))
    assert first.current(0.0) != second.current(0.0)
    for name in ("client_id", "client_secret"):
        assert getattr(first, name) != getattr(second, name)
        assert len(getattr(first, name)) >= 32
    assert first.client_secret not in told
    assert first.current(0.0) not in told
    assert "client_secret" not in told
    header = {"authorization": f"Bearer {first.current(0.0)}"}
    assert first.current(0.0) not in repr(Request("GET", "/", headers=header))
    assert first.current(0.0) not in repr(oauth.granted(first.current(0.0), 60.0))


@pytest.mark.parametrize(
    "scope",
    [SCOPE, "openid", "openid, AdobeID", "openid AdobeID", f"{SCOPE},additional_info.job_function"],
)
def test_right_form(scope: str) -> None:
    """The right client with known scopes, separated in any usual way, gets a token."""
    tokens = Tokens()
    assert oauth.check(post(urlencode(form(tokens, scope=scope))), tokens) is None


def test_parameters_may_come_in_the_query() -> None:
    """As Adobe allows, all parameters or some of them stand in the query."""
    tokens = Tokens()
    said = form(tokens)
    secret = {"client_secret": said.pop("client_secret")}
    assert oauth.check(post("", f"?{urlencode(said | secret)}", headers={}), tokens) is None
    assert oauth.check(post(urlencode(secret), f"?{urlencode(said)}"), tokens) is None


@pytest.mark.parametrize(
    "kind", ["application/x-www-form-urlencoded ; charset=UTF-8", FORM["content-type"].upper()]
)
def test_media_type_in_any_spelling(kind: str) -> None:
    """A form is one in any case and with any parameter of its media type."""
    tokens = Tokens()
    assert (
        oauth.check(post(urlencode(form(tokens)), headers={"content-type": kind}), tokens) is None
    )


@pytest.mark.parametrize(
    ("changes", "status", "error", "words"),
    [
        ({"client_id": None}, 400, "invalid_request", "Missing: client_id."),
        ({"client_secret": None}, 400, "invalid_request", "Missing: client_secret."),
        ({"client_secret": ""}, 400, "invalid_request", "Missing: client_secret."),
        ({"grant_type": None}, 400, "invalid_request", "Missing: grant_type."),
        ({"client_id": "x"}, 401, "invalid_client", "The client_id is unknown."),
        ({"client_id": "é"}, 401, "invalid_client", "The client_id is unknown."),
        ({"client_secret": "x"}, 401, "invalid_client", "The client_secret is wrong."),
        (
            {"grant_type": "password"},
            400,
            "unsupported_grant_type",
            "grant_type=password is not supported: use client_credentials.",
        ),
        ({"scope": None}, 400, "invalid_scope", "No scope is given: use AdobeID, "),
        ({"scope": ", "}, 400, "invalid_scope", "No scope is given: use AdobeID, "),
        ({"scope": "openid,all"}, 400, "invalid_scope", "Unknown scope all: use AdobeID, "),
    ],
)
def test_wrong_forms(changes: dict[str, str | None], status: int, error: str, words: str) -> None:
    """Each fault has the error that OAuth 2 gives it, and says what is wrong and what right."""
    fault = refusal(Tokens(), **changes)
    assert (fault.status, fault.error) == (status, error)
    assert fault.description.startswith(words)


def test_what_is_no_form() -> None:
    """A body of another kind is no request, though it might be read as a form."""
    tokens = Tokens()
    for headers in ({}, {"content-type": "application/json"}):
        fault = oauth.check(post(urlencode(form(tokens)), headers=headers), tokens)
        assert fault is not None
        assert (fault.status, fault.error) == (400, "invalid_request")
        assert "Content-Type: application/x-www-form-urlencoded" in fault.description


def test_repeated_parameter() -> None:
    """A parameter that is given twice is refused, also once in the query and once in the body."""
    tokens = Tokens()
    body = urlencode(form(tokens))
    for request in (post(f"{body}&scope=openid"), post(body, "?scope=openid")):
        fault = oauth.check(request, tokens)
        assert fault is not None
        assert (fault.error, fault.description) == (
            "invalid_request",
            "Given more than once: scope.",
        )


def test_longest_body() -> None:
    """A body of 64 KiB is read, and one byte more is too long."""
    tokens = Tokens()
    body = urlencode(form(tokens)) + "&x="
    body += "y" * (65_536 - len(body))
    assert oauth.check(post(body), tokens) is None
    fault = oauth.check(post(body + "y"), tokens)
    assert fault is not None
    assert (fault.status, fault.description) == (413, "The body is longer than 65,536 bytes.")


def test_no_fault_tells_the_secret() -> None:
    """Neither the right secret nor the wrong one that was sent is in an answer."""
    tokens = Tokens()
    for changes in ({"client_secret": "hunter2"}, {"client_id": "x"}, {"grant_type": "x"}):
        told = repr(refusal(tokens, **changes))
        assert "hunter2" not in told
        assert tokens.client_secret not in told


@given(st.binary(max_size=300), st.text(max_size=50))
def test_any_form_is_judged(body: bytes, query: str) -> None:
    """Whatever is posted is refused for a reason; nothing of it breaks the check."""
    fault = oauth.check(
        Request("POST", f"/ims/token/v3?{query}", headers=FORM, body=body), Tokens()
    )
    assert fault is not None
    assert fault.description.isprintable()
