"""Where credentials may lie ready: environment variables, and a JSON file.

Sources: the keys of the file are our own, or those of aanalytics2's configuration (``client_id``,
``secret``, ``scopes``; ``api_key`` in older ones). That ``tech_id`` and ``pathToKey`` belong to JWT
credentials: the same. That Adobe has replaced these: Adobe's developer console.

Every value is a `Secret` from the moment it is read, whether it is one or not.
"""

import json
import os
from pathlib import Path

from livestream_nb.connection.secret import Secret
from livestream_nb.errors import InvalidOption

TOKEN = "LIVESTREAM_TOKEN"  # noqa: S105  # the variable's name
CLIENT_ID = "LIVESTREAM_CLIENT_ID"
CLIENT = {
    "client_id": CLIENT_ID,
    "client_secret": "LIVESTREAM_CLIENT_SECRET",
    "scopes": "LIVESTREAM_SCOPES",
}

KEYS = {
    "client_id": ("client_id", "api_key"),
    "client_secret": ("client_secret", "secret"),
    "scopes": ("scopes",),
}
JWT = {"tech_id", "pathToKey", "private_key"}

Found = dict[str, Secret]


def variables() -> Found:
    """The variables of credentials that are set and not blank, by name."""
    names = (TOKEN, *CLIENT.values())
    return {name: Secret(os.environ[name].strip()) for name in names if _is_set(name)}


def client_variables() -> Found:
    """Id, secret and scopes of a client, as `ServerToServer` calls them.

    Raises
    ------
    InvalidOption
        Naming the variables that are missing.
    """
    given = variables()
    if missing := [name for name in CLIENT.values() if name not in given]:
        raise InvalidOption(
            f"Not set in the environment: {', '.join(missing)}. A client needs "
            f"{', '.join(CLIENT.values())}; a ready-made token goes in {TOKEN}."
        )
    return {key: given[name] for key, name in CLIENT.items()}


def client_file(path: str | Path) -> Found:
    """Id, secret, scopes and perhaps the token service of a client, as `ServerToServer` calls them.

    Raises
    ------
    InvalidOption
        Naming the file, and the keys that are missing.
    """
    config = _load(path)
    if isinstance(config, str):
        raise InvalidOption(f"The credentials file {str(path)!r} {config}.")
    found = {key: _first(config, names) for key, names in KEYS.items()}
    if missing := [" or ".join(KEYS[key]) for key in KEYS if found[key] is None]:
        raise InvalidOption(
            f"The credentials file {str(path)!r} has no {', no '.join(missing)}: {_remedy(config)}."
        )
    found["token_url"] = config.get("token_url")
    return {key: value for key, value in found.items() if value is not None}


def _is_set(name: str) -> bool:
    return bool(os.environ.get(name, "").strip())


def _load(path: str | Path) -> Found | str:
    """What the file holds, or what is wrong with it: raised elsewhere, where no text of it is."""
    try:
        text = Path(path).expanduser().read_text("utf-8-sig")
    except (OSError, RuntimeError, TypeError) as error:  # a home unknown, what is no path
        return f"cannot be read ({type(error).__name__}): check the path and its permissions"
    except ValueError:
        return "is not text in UTF-8: save it as such"
    try:
        config = json.loads(text, object_pairs_hook=_hide)
    except (ValueError, RecursionError):
        return "is not valid JSON: check quotes, commas and braces"
    return config if isinstance(config, dict) else "is not a JSON object: put {…} around its keys"


def _hide(pairs: list[tuple[str, str]]) -> Found:
    return {key: Secret(value) for key, value in pairs}


def _first(config: Found, names: tuple[str, ...]) -> Secret | None:
    return next((config[name] for name in names if name in config), None)


def _remedy(config: Found) -> str:
    if "scopes" not in config and not JWT.isdisjoint(config):
        return (
            "it is of the JWT kind, which Adobe has replaced by OAuth Server-to-Server. Add that "
            "kind of credential to your project in Adobe's developer console, and put its "
            "client id, client secret and scopes into the file"
        )
    return "copy it from your project in Adobe's developer console (OAuth Server-to-Server)"
