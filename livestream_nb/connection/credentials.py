"""What proves to Livestream that someone may read a stream. A secret shows itself nowhere."""

from collections.abc import Callable

from livestream_nb.errors import InvalidOption, MissingCredentials, TokenUnavailable

MISSING = (
    "No credentials: give token= (a string, or a function that returns one) to read from Adobe's "
    "Livestream. To try everything without any, use the simulator: "
    "livestream_nb.Simulator().reader().start()."
)


class BearerToken:
    """A ready-made access token.

    Parameters
    ----------
    token : str or callable
        The token, or a function without arguments that returns one. The function is called for
        the first connect and whenever the token was not accepted, on the reader's thread.
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
        self, token: str | Callable[[], str] | None, *, client_id: str | None = None
    ) -> None:
        if token is None or token == "":
            raise MissingCredentials(MISSING)
        if not callable(token):
            _check(token, "token")
        if client_id is not None:
            _check(client_id, "client_id")
        self.client_id = client_id
        self._source = token
        self._token: str | None = None

    def token(self) -> str:
        """The token to send now.

        Raises
        ------
        TokenUnavailable
            When the function that was to return it raises.
        InvalidOption
            When it returns something that cannot be sent.
        """
        if self._token is None:
            self._token = _check(self._ask(), "token")
        return self._token

    def renew(self) -> None:
        """Forget the token that was not accepted, so that a function is asked again."""
        self._token = None

    def _ask(self) -> object:
        if not callable(self._source):
            return self._source
        try:
            return self._source()
        except Exception as error:  # noqa: BLE001  # someone else's function may raise anything
            raise TokenUnavailable(
                f"The token function raised {type(error).__name__}, so there is no token to send: "
                "call it by itself to see why."
            ) from None

    def __repr__(self) -> str:
        return "BearerToken(…)"

    def __reduce__(self) -> str:
        raise TypeError("A BearerToken is not stored or sent elsewhere: make a new one there.")


def _check(value: object, name: str) -> str:
    right = "give it as one line of ASCII without blanks, as the service handed it out"
    if not isinstance(value, str):
        raise InvalidOption(f"{name} is of type {type(value).__name__}: {right}.")
    if not value:
        raise MissingCredentials(MISSING)
    if not all("!" <= character <= "~" for character in value):
        raise InvalidOption(
            f"{name} has a line break, a blank or a character that no header can carry "
            f"(its value is not shown): {right}."
        )
    return value
