"""What proves to Livestream that someone may read a stream. A secret shows itself nowhere.

What was given lies in a `Secret` before anything can go wrong with it: a verbose traceback of the
error then shows that there was one, and no more.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, Self

from livestream_nb.connection import sources
from livestream_nb.connection.secret import Secret
from livestream_nb.connection.sendable import SENDABLE, check_sendable, fault, hidden
from livestream_nb.connection.token_service import TOKEN_SERVICE, check_service
from livestream_nb.errors import InvalidOption, MissingCredentials, TokenDenied, TokenUnavailable

MISSING = (
    "No credentials: to read from Adobe's Livestream give token= (a string, or a function that "
    "returns one) or credentials=, or set LIVESTREAM_TOKEN. To try everything without any, use the "
    "simulator: livestream_nb.Simulator().reader().start()."
)


class BearerToken:
    """A ready-made access token.

    Parameters
    ----------
    token : str or callable
        The token, or a function without arguments that returns one. The function is called for
        the first connect and whenever the token was not accepted, on a thread of the reader's.
    client_id : str, optional
        Sent as ``x-api-key``, which Adobe's Livestream asks for (the client id of the project in
        Adobe's developer console).

    Raises
    ------
    MissingCredentials
        When the token is missing or empty.
    InvalidOption
        When it cannot be sent in a header: line breaks, blanks, or anything that is not ASCII.
    """

    def __init__(
        self, token: str | Secret | Callable[[], str] | None, *, client_id: str | None = None
    ) -> None:
        self._source = _source(token)
        del token
        if not callable(self._source):
            check_sendable("token", self._source)
        if client_id is not None:
            check_sendable("client_id", Secret(client_id))
        self.client_id = client_id

    @classmethod
    def from_env(cls) -> Self:
        """The token in ``LIVESTREAM_TOKEN``, and the client id in ``LIVESTREAM_CLIENT_ID`` if set.

        Raises
        ------
        MissingCredentials
            When ``LIVESTREAM_TOKEN`` is not set, or blank.
        InvalidOption
            When either cannot be sent in a header.
        """
        given = sources.variables()
        if sources.TOKEN not in given:
            raise MissingCredentials(f"{sources.TOKEN} is not set in the environment. {MISSING}")
        app = given.get(sources.CLIENT_ID)
        return cls(given[sources.TOKEN], client_id=app.reveal() if app else None)

    def ask(self) -> Secret:
        """The token; a function is called for it, which may block.

        Raises
        ------
        TokenUnavailable
            When the function raises: a later call may succeed.
        TokenDenied
            When it returns what cannot be sent.
        """
        token = _call(self._source) if callable(self._source) else self._source
        if isinstance(token, TokenUnavailable):
            raise token
        if wrong := fault(token):
            raise TokenDenied(f"The token that the token function returned {wrong}: {SENDABLE}.")
        return token

    def __repr__(self) -> str:
        return "BearerToken(…)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("A BearerToken is not stored or sent elsewhere: make a new one there.")


@dataclass(frozen=True, init=False, repr=False)
class ServerToServer:
    """A client that asks Adobe's identity service for its tokens: OAuth Server-to-Server.

    The parameters are those of the credential in Adobe's developer console.

    Parameters
    ----------
    client_id : str
        Also sent to Livestream, as ``x-api-key``.
    client_secret : str
        Sent to the token service only.
    scopes : str or sequence of str
        A string may separate them by commas or blanks.
    token_url : str
        Where tokens are asked for: https at or below ``adobelogin.com``, or on this machine.

    Raises
    ------
    InvalidOption
        When one of them is missing or cannot be sent, or the secret must not go to that place.
    """

    client_id: str
    client_secret: Secret
    scopes: tuple[str, ...]
    token_url: str

    def __init__(
        self,
        client_id: str,
        client_secret: str | Secret,
        scopes: str | Sequence[str],
        *,
        token_url: str = TOKEN_SERVICE,
    ) -> None:
        client_secret = hidden(client_secret)
        check_sendable("client_id", Secret(client_id))
        check_sendable("client_secret", client_secret)
        check_service(token_url)
        object.__setattr__(self, "client_id", client_id)
        object.__setattr__(self, "client_secret", client_secret)
        object.__setattr__(self, "scopes", _scopes(scopes))
        object.__setattr__(self, "token_url", token_url)

    @classmethod
    def from_env(cls) -> Self:
        """From ``LIVESTREAM_CLIENT_ID``, ``LIVESTREAM_CLIENT_SECRET`` and ``LIVESTREAM_SCOPES``.

        Raises
        ------
        InvalidOption
            When one of them is not set, or blank, or cannot be sent.
        """
        return cls._of(sources.client_variables())

    @classmethod
    def from_file(cls, path: str | Path) -> Self:
        """From a JSON file: ``client_id``, ``client_secret``, ``scopes``, perhaps ``token_url``.

        A configuration file of aanalytics2 will do as well.

        Raises
        ------
        InvalidOption
            When the file cannot be read or is no JSON object, a key is missing, or a value cannot
            be sent; the message names the file and the key.
        """
        found = sources.client_file(path)
        try:
            return cls._of(found)
        except InvalidOption as error:
            raise InvalidOption(f"In the credentials file {str(path)!r}: {error}") from None

    @classmethod
    def _of(cls, found: sources.Found) -> Self:
        url = found.get("token_url")
        return cls(
            found["client_id"].reveal(),
            found["client_secret"],
            found["scopes"].reveal(),
            token_url=url.reveal() if url else TOKEN_SERVICE,
        )

    def __repr__(self) -> str:
        # of what is there: a traceback may show one that was refused halfway
        told = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"ServerToServer({told})"


Credentials = BearerToken | ServerToServer


def from_env() -> Credentials | None:
    """The credentials in the environment: a token, else a client; None when there is neither.

    Raises
    ------
    InvalidOption
        When a client is given by half, naming the variables that are missing, or when a value
        cannot be sent.
    """
    given = sources.variables()
    if not given:
        return None
    return BearerToken.from_env() if sources.TOKEN in given else ServerToServer.from_env()


def _source(token: str | Secret | Callable[[], str] | None) -> Secret | Callable[[], str]:
    if token is None or token == "":
        raise MissingCredentials(MISSING)
    # what a function remembers, as a partial does, shows in its repr
    return (lambda: token()) if callable(token) else hidden(token)


def _call(function: Callable[[], str]) -> Secret | TokenUnavailable:
    # returned, not raised here: else the error would lead to the function's own, and its words
    try:
        return Secret(function())
    except BaseException as error:  # noqa: BLE001  # it may raise anything, even SystemExit
        return TokenUnavailable(
            f"The token function raised {type(error).__name__}, so there is no token to send: "
            "call it by itself to see why."
        )


def _scopes(scopes: object) -> tuple[str, ...]:
    named = [scopes] if isinstance(scopes, str) else scopes
    if isinstance(named, Sequence) and all(isinstance(name, str) for name in named):
        found = tuple(filter(None, re.split(r"[,\s]+", ",".join(named))))
        if found and not any(map(fault, map(Secret, found))):
            return found
    raise InvalidOption(
        "scopes names none, or what is no scope (not shown): give them as Adobe's developer "
        'console shows them, as in "openid,AdobeID,read_organizations".'
    )
