"""The tokens that are let in, and the client that may ask for them; new for each simulator."""

import secrets

LIFETIME = 86_399.0  # AdobeDocs, developer console: OAuth Server-to-Server credentials
MOST = 1_000


class Tokens:
    """Bearer tokens that expire. Times are service seconds.

    Parameters
    ----------
    lifetime : float
        How long a token is valid.

    Attributes
    ----------
    client_id, client_secret : str
        What a client says to be given a token; random.
    """

    def __init__(self, lifetime: float = LIFETIME) -> None:
        self.lifetime = lifetime
        self.client_id = secrets.token_hex(16)
        self.client_secret = secrets.token_urlsafe(24)
        self._ends: dict[str, float] = {}
        self._current = ""

    def current(self, now: float) -> str:
        """Hand out a valid token: the same one until it has expired."""
        if not self.valid(self._current, now):
            self._current = self.issue(now)
        return self._current

    def issue(self, now: float) -> str:
        """Make a new token. Of those that are valid, the newest 1,000 are kept."""
        self._forget(now)
        token = secrets.token_urlsafe(24)
        self._ends[token] = now + self.lifetime
        return token

    def valid(self, token: str, now: float) -> bool:
        """Whether a token was issued here and has not expired."""
        given = _bytes(token)
        return any(
            secrets.compare_digest(_bytes(each), given) and now < end
            for each, end in self._ends.items()
        )

    def expire(self) -> None:
        """Let every token that was issued so far be valid no longer."""
        self._ends.clear()

    def is_client(self, client_id: str) -> bool:
        """Whether this is the client that may ask for tokens."""
        return secrets.compare_digest(_bytes(client_id), _bytes(self.client_id))

    def is_secret(self, client_secret: str) -> bool:
        """Whether this is that client's secret."""
        return secrets.compare_digest(_bytes(client_secret), _bytes(self.client_secret))

    def _forget(self, now: float) -> None:
        lasting = [each for each, end in self._ends.items() if now < end][1 - MOST :]
        self._ends = {each: self._ends[each] for each in lasting}


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
