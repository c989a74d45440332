"""connection/credentials.py, connection/sources.py, connection/sendable.py"""

import copy
import functools
import json
import pickle
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import livestream_nb
from livestream_nb.connection.credentials import BearerToken, ServerToServer, from_env
from livestream_nb.connection.secret import Secret
from livestream_nb.errors import (
    InvalidOption,
    LivestreamError,
    MissingCredentials,
    TokenDenied,
    TokenUnavailable,
)

PACKAGE = str(Path(livestream_nb.__file__).parent)
ADOBE = "https://ims-na1.adobelogin.com/ims/token/v3"
SECRET = "p8e-canary-Secret"
VARIABLES = {
    "LIVESTREAM_TOKEN": "canary-token",
    "LIVESTREAM_CLIENT_ID": "app",
    "LIVESTREAM_CLIENT_SECRET": SECRET,
    "LIVESTREAM_SCOPES": "openid,AdobeID",
}


def shown(error: BaseException | None) -> str:
    """All that a verbose traceback tells of the package's own frames, and of what led to them."""
    told = ""
    while error is not None:
        found = traceback.TracebackException.from_exception(error, capture_locals=True)
        ours = [frame for frame in found.stack if frame.filename.startswith(PACKAGE)]
        told += "".join([f"{error} {frame.name} {frame.locals}" for frame in ours])
        error = error.__cause__ or error.__context__
    return told


def error_of(make: Callable[[], object]) -> LivestreamError:
    with pytest.raises(LivestreamError) as caught:
        make()
    return caught.value


@pytest.fixture
def setenv(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Sets these variables of credentials, and no others."""

    def only(*names: str, **values: str) -> None:
        for name in VARIABLES:
            monkeypatch.delenv(name, raising=False)
        for name, value in ({name: VARIABLES[name] for name in names} | values).items():
            monkeypatch.setenv(name, value)

    return only


@pytest.fixture
def config(tmp_path: Path) -> Callable[..., Path]:
    """Writes a configuration file with these keys."""

    def write(**keys: Any) -> Path:
        path = tmp_path / "config.json"
        path.write_text(json.dumps(keys), "utf-8")
        return path

    return write


def client(**changes: Any) -> ServerToServer:
    right = {"client_id": "app", "client_secret": SECRET, "scopes": "openid"}
    return ServerToServer(**(right | changes))


def test_no_token_points_to_the_simulator() -> None:
    """Without any credentials the message says how to go on without them."""
    for nothing in (None, ""):
        with pytest.raises(MissingCredentials, match=r"Simulator\(\)"):
            BearerToken(nothing)


@pytest.mark.parametrize(
    "token", ["canary\n", "can ary", "canary\r\nX: 1", "canäry", "canary\x7f", 7, b"canary"]
)
def test_unsendable_tokens_are_refused_unseen(token: Any) -> None:
    """A token that no header can carry is refused at once, and not shown."""
    refused = error_of(lambda: BearerToken(token))
    assert isinstance(refused, InvalidOption)
    assert "ary" not in shown(refused)


def test_unsendable_client_id_is_refused() -> None:
    """A client id goes in a header, too."""
    for wrong in ("a b", "", 7):
        with pytest.raises(InvalidOption, match="client_id"):
            BearerToken("token", client_id=wrong)


def test_token_is_what_was_given() -> None:
    """A ready-made token is handed out as it is; a function is called each time."""
    tokens = iter(["one", "two"])
    credentials = BearerToken(lambda: next(tokens))
    assert BearerToken("ready").ask().reveal() == "ready"
    assert [credentials.ask().reveal(), credentials.ask().reveal()] == ["one", "two"]


@pytest.mark.parametrize("kind", [RuntimeError, SystemExit, KeyboardInterrupt])
def test_function_that_fails(kind: type[BaseException]) -> None:
    """A function that raises anything is named by its error's type alone, and worth a retry."""

    def function() -> str:
        raise kind("the secret is canary")

    failed = error_of(BearerToken(function).ask)
    assert isinstance(failed, TokenUnavailable)
    assert kind.__name__ in str(failed)
    assert "canary" not in shown(failed)
    assert failed.__context__ is None


@pytest.mark.parametrize("returned", [None, "", "can ary", b"canary", ["canary"]])
def test_function_that_returns_rubbish(returned: Any) -> None:
    """What a function returns and no header can carry is final, and not shown."""
    refused = error_of(BearerToken(lambda: returned).ask)
    assert isinstance(refused, TokenDenied)
    assert "token function returned" in str(refused)
    assert "ary" not in shown(refused).replace("SENDABLE", "")


@pytest.mark.parametrize(
    "scopes",
    [
        "openid,AdobeID",
        "openid, AdobeID",
        "openid AdobeID\n",
        ["openid", "AdobeID"],
        ("openid,AdobeID",),
    ],
)
def test_scopes_in_any_usual_form(scopes: Any) -> None:
    """Scopes come as text with commas or blanks, or as a sequence."""
    assert client(scopes=scopes).scopes == ("openid", "AdobeID")


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"client_id": ""}, "client_id is empty"),
        ({"client_id": None}, "client_id is of type NoneType"),
        ({"client_id": "a b"}, "client_id has a line break"),
        ({"client_secret": ""}, "client_secret is empty"),
        ({"client_secret": None}, "client_secret is of type NoneType"),
        ({"client_secret": "canary\n"}, "client_secret has a line break"),
        ({"client_secret": b"canary"}, "client_secret is of type bytes"),
        ({"scopes": ""}, "scopes names none"),
        ({"scopes": " , "}, "scopes names none"),
        ({"scopes": []}, "scopes names none"),
        ({"scopes": None}, "scopes names none"),
        ({"scopes": ["openid", 7]}, "scopes names none"),
        ({"scopes": "openid,é"}, "scopes names none"),
    ],
)
def test_wrong_clients_are_refused(changes: dict[str, Any], word: str) -> None:
    """What cannot be sent is refused when it is given, by name and without its value."""
    refused = error_of(lambda: client(**changes))
    assert isinstance(refused, InvalidOption)
    assert word in str(refused)
    assert "canary" not in shown(refused)


@pytest.mark.parametrize(
    "url",
    [
        ADOBE,
        "https://ims-na1.adobelogin.com:443/ims/token/v3",
        "https://adobelogin.com",
        "HTTPS://IMS-NA1.AdobeLogin.com/ims/token/v3",
        "http://127.0.0.1:8080/ims/token/v3",
        "http://localhost/token",
        "http://[::1]:80/token",
        "https://127.0.0.1:8443/token",
    ],
)
def test_places_that_may_know_the_secret(url: str) -> None:
    """Adobe's identity service by https, and this machine, may be asked for tokens."""
    assert client(token_url=url).token_url == url


@pytest.mark.parametrize(
    "url",
    [
        "http://ims-na1.adobelogin.com/ims/token/v3",
        "https://ims-na1.adobelogin.com:8443/ims/token/v3",
        "https://adobelogin.com.example/",
        "https://notadobelogin.com/",
        "https://livestream.adobe.net/",
        r"https://evil.example\.adobelogin.com/",
        "https://evil.example/.adobelogin.com/",
        "https://evil.example#.adobelogin.com/",
        "https://evil.example?.adobelogin.com/",
        "https://ims.adobelogin.com@evil.example/",
        "https://user:canary@ims-na1.adobelogin.com/",
        "https://ims-na1.adobelogin.com./",
        "https://ims-na1.adobelogin.com/\r\nX: canary",
        "https://ims-na1.adobelogin.com/?client_secret=canary",
        "https://\u0430dobelogin.com/",
        "https://.adobelogin.com/",
        f"https://{'a' * 64}.adobelogin.com/",
        "http://127.0.0.1:65536/",
        "http://10.0.0.1/",
        "http://2130706433/",
        "ftp://127.0.0.1/",
        "127.0.0.1:80",
        "",
        None,
    ],
)
def test_places_that_must_not_know_the_secret(url: Any) -> None:
    """Anywhere else is refused before anything is sent."""
    with pytest.raises(InvalidOption, match="token_url") as refused:
        client(token_url=url)
    assert ADOBE in str(refused.value)
    assert "user:canary" not in str(refused.value)
    assert "secret=canary" not in str(refused.value)


def test_token_in_the_environment(setenv: Callable[..., None]) -> None:
    """A token may lie in the environment, with the client id that goes with it, or without."""
    setenv("LIVESTREAM_CLIENT_ID", LIVESTREAM_TOKEN=" canary-token\n")
    found = BearerToken.from_env()
    assert (found.ask().reveal(), found.client_id) == ("canary-token", "app")
    setenv("LIVESTREAM_TOKEN", LIVESTREAM_CLIENT_ID=" ")
    assert BearerToken.from_env().client_id is None
    setenv(LIVESTREAM_TOKEN="")
    with pytest.raises(MissingCredentials, match=r"LIVESTREAM_TOKEN is not set.*Simulator"):
        BearerToken.from_env()


def test_client_in_the_environment(setenv: Callable[..., None]) -> None:
    """A client may lie in the environment, with all of its three variables."""
    names = ["LIVESTREAM_CLIENT_ID", "LIVESTREAM_CLIENT_SECRET", "LIVESTREAM_SCOPES"]
    setenv(*names)
    assert ServerToServer.from_env() == client(scopes="openid,AdobeID")
    for missing in names:
        setenv(*[name for name in names if name != missing])
        refused = error_of(ServerToServer.from_env)
        assert str(refused).startswith(f"Not set in the environment: {missing}. ")
        assert "canary" not in shown(refused)


def test_choice_in_the_environment(setenv: Callable[..., None]) -> None:
    """A token comes before a client, nothing is no error, and a half client is one."""
    setenv(*VARIABLES)
    assert isinstance(from_env(), BearerToken)
    setenv(*[name for name in VARIABLES if name != "LIVESTREAM_TOKEN"])
    assert isinstance(from_env(), ServerToServer)
    setenv()
    assert from_env() is None
    setenv("LIVESTREAM_CLIENT_ID")
    refused = error_of(from_env)
    assert "LIVESTREAM_CLIENT_SECRET, LIVESTREAM_SCOPES. A client needs" in str(refused)
    assert "LIVESTREAM_TOKEN" in str(refused)


def test_unsendable_token_in_the_environment(setenv: Callable[..., None]) -> None:
    """A wrong variable is refused, and neither it nor another is shown."""
    setenv(*VARIABLES, LIVESTREAM_TOKEN="can ary")
    refused = error_of(from_env)
    assert isinstance(refused, InvalidOption)
    assert "ary" not in shown(refused).replace("LIVESTREAM", "")


@pytest.mark.parametrize(
    "keys",
    [
        {"client_id": "app", "client_secret": SECRET, "scopes": ["openid", "AdobeID"]},
        {"client_id": "app", "client_secret": SECRET, "scopes": "openid,AdobeID"},
        {"org_id": "x", "client_id": "app", "secret": SECRET, "scopes": "openid, AdobeID"},
        {"org_id": "x", "api_key": "app", "secret": SECRET, "scopes": "openid,AdobeID"},
    ],
)
def test_client_in_a_file(config: Callable[..., Path], keys: dict[str, Any]) -> None:
    """Our own keys are understood, and those of aanalytics2."""
    assert ServerToServer.from_file(config(**keys)) == client(scopes="openid,AdobeID")


def test_file_names_the_token_service(config: Callable[..., Path]) -> None:
    """A file may name another place to ask, which is checked as ever."""
    keys = {"client_id": "app", "client_secret": SECRET, "scopes": "openid"}
    here = "http://127.0.0.1:9/token"
    assert ServerToServer.from_file(config(**keys, token_url=here)).token_url == here
    refused = error_of(
        lambda: ServerToServer.from_file(str(config(**keys, token_url="http://x.example")))
    )
    assert "config.json" in str(refused)
    assert "token_url" in str(refused)
    assert "canary" not in shown(refused)


def test_file_of_a_windows_editor(config: Callable[..., Path]) -> None:
    """A byte order mark before the JSON does no harm."""
    path = config(client_id="app", client_secret=SECRET, scopes="openid")
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert ServerToServer.from_file(path) == client()


def test_file_of_the_old_kind(config: Callable[..., Path]) -> None:
    """A JWT configuration gets told what has replaced it."""
    path = config(org_id="x", client_id="app", tech_id="y", secret=SECRET, pathToKey="z")
    refused = error_of(lambda: ServerToServer.from_file(path))
    assert "has no scopes: it is of the JWT kind" in str(refused)
    assert "OAuth Server-to-Server" in str(refused)
    assert "canary" not in shown(refused)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"{", "is not valid JSON"),
        (b'{"client_secret": "canary"', "is not valid JSON"),
        (b"[" * 100_000, "is not valid JSON"),
        (b'["canary"]', "is not a JSON object"),
        (b'"canary"', "is not a JSON object"),
        (b"\xff\xfe{}canary", "is not text in UTF-8"),
        (b'{"client_secret": "canary"}', "has no client_id or api_key, no scopes: copy"),
        (b'{"client_id": "canary", "scopes": "x"}', "has no client_secret or secret: copy"),
        (b'{"client_id": "a", "secret": "canary\\n", "scopes": "x"}', "client_secret has a line"),
        (b'{"client_id": "a", "secret": ["canary"], "scopes": "x"}', "client_secret is of type"),
        (b'{"client_id": "a", "secret": "canary", "scopes": {"b": "canary"}}', "scopes names none"),
    ],
    ids=range(11),
)
def test_wrong_files(tmp_path: Path, text: bytes, words: str) -> None:
    """A file that will not do is named with what is wrong, and nothing of it is shown."""
    path = tmp_path / "wrong.json"
    path.write_bytes(text)
    refused = error_of(lambda: ServerToServer.from_file(path))
    assert isinstance(refused, InvalidOption)
    assert "wrong.json" in str(refused)
    assert words in str(refused)
    assert "canary" not in shown(refused)


def test_file_with_scopes_is_not_of_the_old_kind(config: Callable[..., Path]) -> None:
    """A configuration with scopes is of the new kind, whatever was left in it of the old one."""
    path = config(client_id="app", tech_id="y", pathToKey="z", scopes="openid")
    refused = error_of(lambda: ServerToServer.from_file(path))
    assert "has no client_secret or secret: copy it from" in str(refused)


def test_file_in_the_home_folder(
    config: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tilde leads home."""
    path = config(client_id="app", client_secret=SECRET, scopes="openid")
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(path.parent))
    assert ServerToServer.from_file("~/config.json") == client()


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    """A path that leads nowhere, to a folder, or is none, is refused with the reason."""
    for path, kind in ((tmp_path / "no.json", "FileNotFoundError"), (None, "TypeError")):
        refused = error_of(lambda path=path: ServerToServer.from_file(path))
        assert f"cannot be read ({kind})" in str(refused)
        assert str(path) in str(refused)
    assert "cannot be read" in str(error_of(lambda: ServerToServer.from_file(tmp_path)))


def test_secrets_are_not_shown() -> None:
    """repr, str, format, vars and copies give nothing away."""
    partial = functools.partial(str.strip, "canary")
    for credentials in (BearerToken("canary", client_id="app"), BearerToken(partial), client()):
        told = f"{credentials!r} {credentials} {credentials:} {vars(credentials)}"
        assert "canary" not in told
    assert "app" in repr(client())
    assert "canary" not in f"{copy.copy(client())} {copy.deepcopy(client())}"
    assert copy.deepcopy(client()) == client()


def test_secrets_are_not_stored() -> None:
    """Credentials refuse to be pickled, and a token to be copied."""
    for credentials in (BearerToken("canary"), client()):
        with pytest.raises(TypeError, match="make a new one"):
            pickle.dumps(credentials)
    for store in (copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="make a new one"):
            store(BearerToken("canary"))


def test_clients_are_equal_by_value() -> None:
    """Two clients are the same when all that they would say is."""
    assert client() == client()
    assert hash(client()) == hash(client())
    assert client() != client(client_secret="another")


def test_verbose_tracebacks_are_looked_through() -> None:
    """The check of tracebacks finds what stands in a frame of the package."""
    code = compile("def leak(secret):\n    raise KeyError", f"{PACKAGE}/leak.py", "exec")
    scope: dict[str, Any] = {}
    exec(code, scope)
    with pytest.raises(KeyError) as caught:
        scope["leak"]("canary")
    assert "canary" in shown(caught.value)


@pytest.mark.parametrize(
    ("secret", "text", "shows"),
    [
        ("kanari.token/1", "Bearer kanari.token/1 is not welcome", True),
        ("kanari.token/1", "it begins with kanari.t", True),
        ("kanari.token/1", "it begins with kanari.", False),
        ("kanari.token/1", "kanari.token%2F1", True),
        ("t", "there is no token", False),
        ("t", "token=t", True),
        ("a.b", "a-b", False),
    ],
)
def test_a_secret_in_the_words_of_others(secret: str, text: str, shows: bool) -> None:
    """A text shows a secret when it holds eight characters of it in a row, or a short one whole."""
    assert Secret(secret).shows_in(text) is shows
