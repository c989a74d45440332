"""connection/credentials.py"""

import copy
import pickle

import pytest

from livestream_nb.connection.credentials import BearerToken
from livestream_nb.errors import InvalidOption, MissingCredentials, TokenUnavailable


def test_no_token_points_to_the_simulator() -> None:
    """Without any credentials the message says how to go on without them."""
    for nothing in (None, ""):
        with pytest.raises(MissingCredentials, match=r"Simulator\(\)"):
            BearerToken(nothing)


@pytest.mark.parametrize("token", ["canary\n", "can ary", "canary\r\nX: 1", "canäry", 7, b"canary"])
def test_unsendable_tokens_are_refused_unseen(token) -> None:
    """A token that no header can carry is refused at once, and not shown."""
    with pytest.raises(InvalidOption) as refused:
        BearerToken(token)
    assert "ary" not in str(refused.value)


def test_function_is_asked_again_after_renew() -> None:
    """A function is called once, and again when its token was not accepted."""
    tokens = iter(["one", "two"])
    credentials = BearerToken(lambda: next(tokens))
    assert [credentials.token(), credentials.token()] == ["one", "one"]
    credentials.renew()
    assert credentials.token() == "two"


def test_function_that_fails() -> None:
    """A function that raises is named by its error's type alone."""

    def canary() -> str:
        raise RuntimeError("the secret is canary")

    with pytest.raises(TokenUnavailable, match="RuntimeError") as failed:
        BearerToken(canary).token()
    assert "canary" not in str(failed.value)
    assert failed.value.__suppress_context__


def test_function_that_returns_rubbish() -> None:
    """What a function returns is checked like a token that was given."""
    with pytest.raises(InvalidOption, match="NoneType"):
        BearerToken(lambda: None).token()


def test_secret_is_not_shown_or_stored() -> None:
    """repr, str, pickle and copy give nothing away."""
    credentials = BearerToken("canary", client_id="app")
    assert "canary" not in f"{credentials!r} {credentials} {vars(BearerToken)}"
    for store in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="make a new one"):
            store(credentials)
