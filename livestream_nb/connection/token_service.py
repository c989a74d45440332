"""Adobe's identity service: who may be told a client's secret, what is sent, what comes back.

Sources: Adobe's reference of OAuth Server-to-Server credentials (``developer.adobe.com``, developer
console) for the place, the form, the comma between scopes and the usual lifetime; RFC 6749,
sections 4.4, 5.1 and 5.2, for the answers. Where the secret may go, and which answers are worth
another try, is this package's decision.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from livestream_nb.connection.secret import Secret
from livestream_nb.connection.sendable import fault
from livestream_nb.errors import InvalidOption, TokenDenied, TokenUnavailable
from livestream_nb.protocol.request import is_loopback
from livestream_nb.protocol.status import OK, REDIRECTS

TOKEN_SERVICE = "https://ims-na1.adobelogin.com/ims/token/v3"  # noqa: S105  # a place, no token
HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*adobelogin\.com")
URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9.-]+|\[[0-9a-f:]+\])(?::(?P<port>\d{1,5}))?"
    r"(?:/[a-z0-9/._~-]*)?",
    re.IGNORECASE | re.ASCII,
)
LIFETIME = 86_399.0
LONGEST_LIFETIME = 1e9
LONGEST_WORDS = 200
HIGHEST_PORT = 65_535
PASSING = frozenset({408, 425, 429})

CHECK = "check client_id, client_secret, scopes and token_url against Adobe's developer console"


@dataclass(frozen=True)
class Granted:
    """A token, and for how many seconds it is valid."""

    token: Secret
    lifetime: float


def check_service(url: object) -> None:
    """Refuse a place that must not be told a client's secret."""
    right = f"the client's secret goes only to {TOKEN_SERVICE}, or to this machine"
    if isinstance(url, str) and not {"@", "?", "#"}.isdisjoint(url):
        raise InvalidOption(f"token_url has a user, a query or a fragment (not shown): {right}.")
    parts = URL.fullmatch(url) if isinstance(url, str) else None
    if parts is None or not _trusted(parts["scheme"].lower(), parts["host"].lower(), parts["port"]):
        raise InvalidOption.value("token_url", url, right)


def form(client_id: str, client_secret: Secret, scopes: Sequence[str]) -> dict[str, str | Secret]:
    """What a client says to be given a token."""
    return {
        "client_id": client_id,
        "client_secret": client_secret,
        "grant_type": "client_credentials",
        "scope": ",".join(scopes),
    }


def read_answer(
    status: int, body: bytes, client_secret: Secret
) -> Granted | TokenDenied | TokenUnavailable:
    """Understand an answer. Errors are returned, and raised where no body is at hand to show.

    A token without a usable lifetime is taken to live as long as Adobe's usually do.
    """
    said = _json(body)
    if status == OK:
        token = Secret(said.get("access_token", ""))
        if fault(token):
            return TokenDenied(
                f"The token service answered without a token that can be sent: {CHECK}."
            )
        return Granted(token, _lifetime(said.get("expires_in")))
    return _refusal(status, _words(said, client_secret))


def _lifetime(seconds: Any) -> float:
    if type(seconds) in (int, float) and 0 < seconds < LONGEST_LIFETIME:
        return float(seconds)
    return LIFETIME


def _refusal(status: int, words: str) -> TokenDenied | TokenUnavailable:
    if status in REDIRECTS:
        return TokenDenied(
            f"The token service answered {status}, a redirect: the client's secret was not sent "
            "there. A proxy on the way, or a wrong token_url, may be the cause."
        )
    if status in PASSING or status >= 500:
        return TokenUnavailable(
            f"The token service has no token for now: it answered {status}{words}."
        )
    return TokenDenied(f"The token service gives no token: it answered {status}{words}: {CHECK}.")


def _json(body: bytes) -> Mapping[str, Any]:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _words(said: Mapping[str, Any], client_secret: Secret) -> str:
    parts = [said.get("error"), said.get("error_description")]
    told = ": ".join(part for part in parts if isinstance(part, str) and part)
    line = "".join(c if c.isprintable() else " " for c in told).strip()
    if not line:
        return ""
    if client_secret.shows_in(told):
        return " (its words hold the client's secret, or a part of it, and are not shown)"
    return f' ("{line[:LONGEST_WORDS].rstrip(".")}")'


def _trusted(scheme: str, host: str, port: str | None) -> bool:
    if is_loopback(host.strip("[]")):
        return int(port or 0) <= HIGHEST_PORT
    return scheme == "https" and port in (None, "443") and bool(HOST.fullmatch(host))
