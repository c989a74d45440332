"""What a client must say to be given a token: OAuth 2.0 client credentials, as Adobe asks for them.

Sources: RFC 6749, sections 4.4, 5.1 and 5.2; Adobe's reference of OAuth Server-to-Server
credentials (``developer.adobe.com/developer-console``) for the parameters, which may also come in
the query, and for scopes that commas separate. A client says who it is in these parameters only:
Adobe documents no HTTP Basic. The scopes are those that Analytics clients ask for.
"""

import re
from urllib.parse import parse_qsl

from livestream_nb.simulator.http.exchange import Headers, Reply, Request, json_reply, repeats
from livestream_nb.simulator.http.refusals import Refused, refused, shown
from livestream_nb.simulator.http.tokens import Tokens

LONGEST_BODY = 64 << 10
FORM = "application/x-www-form-urlencoded"
GRANT = "client_credentials"
NEEDED = ("client_id", "client_secret", "grant_type")
SCOPES = frozenset(
    {
        "openid",
        "AdobeID",
        "read_organizations",
        "additional_info.projectedProductContext",
        "additional_info.job_function",
    }
)
NOT_STORED: Headers = (("Cache-Control", "no-store"), ("Pragma", "no-cache"))

TOO_LONG = refused(413, f"The body is longer than {LONGEST_BODY:,} bytes.")
NO_FORM = Refused(400, "invalid_request", f"The body must be a form: send Content-Type: {FORM}.")


def check(request: Request, tokens: Tokens) -> Refused | None:
    """Say why a request gets no token, if so."""
    if len(request.body) > LONGEST_BODY:
        return TOO_LONG
    if request.body and _media_type(request) != FORM:
        return NO_FORM
    given = request.query + parse_qsl(request.body.decode("utf-8", "replace"))
    if twice := repeats(given):
        return _invalid_request(f"Given more than once: {shown(', '.join(twice))}.")
    return _check(dict(given), tokens)


def granted(token: str, lifetime: float) -> Reply:
    """Hand out a token."""
    fields = {"access_token": token, "token_type": "bearer", "expires_in": int(lifetime)}
    return json_reply(200, fields, NOT_STORED)


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _check(said: dict[str, str], tokens: Tokens) -> Refused | None:
    if missing := [name for name in NEEDED if not said.get(name)]:
        return _invalid_request(f"Missing: {', '.join(missing)}.")
    return (
        _known(said["client_id"], said["client_secret"], tokens)
        or _supported(said["grant_type"])
        or _in_scope(said.get("scope", ""))
    )


def _invalid_request(description: str) -> Refused:
    return Refused(400, "invalid_request", description)


def _known(client_id: str, client_secret: str, tokens: Tokens) -> Refused | None:
    if not tokens.is_client(client_id):
        return Refused(401, "invalid_client", "The client_id is unknown.")
    if not tokens.is_secret(client_secret):
        return Refused(401, "invalid_client", "The client_secret is wrong.")
    return None


def _supported(grant: str) -> Refused | None:
    if grant == GRANT:
        return None
    wrong = f"grant_type={shown(grant)} is not supported: use {GRANT}."
    return Refused(400, "unsupported_grant_type", wrong)


def _in_scope(scope: str) -> Refused | None:
    asked = {name for name in re.split(r"[,\s]+", scope) if name}
    right = f"use {', '.join(sorted(SCOPES))}, or some of them, separated by commas."
    if not asked:
        return Refused(400, "invalid_scope", f"No scope is given: {right}")
    if unknown := sorted(asked - SCOPES):
        return Refused(400, "invalid_scope", f"Unknown scope {shown(unknown[0])}: {right}")
    return None
