"""How the service is reached: through which proxy, and whose certificates are trusted.

This machine itself is never reached through a proxy. Otherwise the proxy that was asked for is
used, or the one that the environment names (``HTTPS_PROXY``, ``ALL_PROXY``, ``NO_PROXY``; on macOS
and Windows the system's settings, too). There is no unverified mode: whoever answers is given a
token.
"""

import re
import ssl
from dataclasses import dataclass
from importlib.util import find_spec
from ipaddress import IPv6Address
from pathlib import Path
from typing import Literal, Self
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from livestream_nb.connection.secret import Secret
from livestream_nb.errors import InvalidOption
from livestream_nb.protocol.request import is_loopback

SOCKS = ("socks5", "socks5h")
SCHEMES = ("http", "https", *SOCKS)
PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}
HOST_NAME = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")
HASHED_NAME = re.compile(r"[0-9a-f]{8}\.[0-9]+")
EXAMPLE = "give its URL, as in http://host:port or http://user:password@host:port"

Verify = Literal[True] | Path | ssl.SSLContext


@dataclass(frozen=True)
class Proxy:
    """One proxy.

    Attributes
    ----------
    scheme : str
        How the proxy itself is spoken to: http, https, socks5 or socks5h.
    address : str
        Its host and port, as in ``proxy.example.com:3128``: all that messages tell of it.
    login : (Secret, Secret) or None
        User and password, decoded.
    """

    scheme: str
    address: str
    login: tuple[Secret, Secret] | None = None

    @classmethod
    def of(cls, url: object, name: str) -> Self:
        """Read a proxy's URL; ``name`` says where it was given.

        Raises
        ------
        InvalidOption
            When it is no proxy's URL. The URL is not shown, because it may hold a password.
        """
        if not isinstance(url, str):
            raise InvalidOption(f"{name} is of type {type(url).__name__}: {EXAMPLE}.")
        try:
            return cls._of(urlsplit(url), name)
        except InvalidOption:
            raise
        except ValueError:
            raise InvalidOption(f"{name} is no URL: {EXAMPLE}.") from None

    @classmethod
    def _of(cls, parts: SplitResult, name: str) -> Self:
        _check_scheme(parts, name)
        port = PORTS[parts.scheme] if parts.port is None else parts.port
        if parts.path not in ("", "/") or parts.query or parts.fragment or not _host(parts):
            right = "an unusual character in the user or password is written as in %2F for /"
            raise InvalidOption(f"{name} is not a scheme, a host and a port: {EXAMPLE}; {right}.")
        if port == 0:
            raise InvalidOption(f"{name} has the port 0: {EXAMPLE}.")
        login = _login(parts)
        if login and parts.scheme in SOCKS:
            raise InvalidOption(
                f"{name} is a SOCKS proxy with a user and password, which livestream_nb cannot "
                "keep out of debug logs: give an http:// proxy, or one that asks for none."
            )
        return cls(parts.scheme, f"{_host(parts)}:{port}", login)

    @property
    def url(self) -> str:
        """Scheme and address, without user and password."""
        return f"{self.scheme}://{self.address}"


@dataclass(frozen=True)
class Network:
    """How the service is reached; compares by value.

    Attributes
    ----------
    proxy : Proxy or None
        The proxy that was asked for; None leaves the choice to the environment.
    verify : True, Path or ssl.SSLContext
        True trusts the usual authorities, or those of ``SSL_CERT_FILE`` or ``SSL_CERT_DIR``; a path
        to a file or directory of certificates trusts those instead.
    """

    proxy: Proxy | None = None
    verify: Verify = True

    @classmethod
    def of(
        cls, proxy: str | None = None, verify: bool | str | Path | ssl.SSLContext = True
    ) -> Self:
        """Check how a user wants the service to be reached.

        Raises
        ------
        InvalidOption
            When the proxy is no URL of a kind that can be used, the certificates cannot be loaded,
            or servers would go unverified.
        """
        return cls(None if proxy is None else Proxy.of(proxy, "proxy="), _verified(verify))

    def proxy_for(self, url: str) -> Proxy | None:
        """The proxy on the way to a URL, or None; may ask the system, and so take a moment.

        Raises
        ------
        InvalidOption
            When the environment names a proxy that cannot be used.
        """
        parts = urlsplit(url)
        if is_loopback(parts.hostname):
            return None
        return self.proxy or _from_environment(parts)

    def context(self) -> ssl.SSLContext | None:
        """Whom to trust; None is the usual authorities. Raises OSError if a file has gone."""
        if isinstance(self.verify, Path):
            return certificates(self.verify)
        return None if self.verify is True else self.verify


def certificates(path: Path) -> ssl.SSLContext:
    """A context that trusts the certificates of a PEM file, or of a directory, and no others."""
    if path.is_dir():
        return ssl.create_default_context(capath=path)
    return ssl.create_default_context(cafile=path)


def _from_environment(parts: SplitResult) -> Proxy | None:
    proxies = getproxies()
    url = proxies.get(parts.scheme) or proxies.get("all")
    if not url or proxy_bypass(parts.netloc):
        return None
    variable = f"{parts.scheme if proxies.get(parts.scheme) else 'all'}_proxy".upper()
    return Proxy.of(url if "://" in url else f"http://{url}", f"The environment's {variable}")


def _check_scheme(parts: SplitResult, name: str) -> None:
    if not parts.scheme or not parts.netloc:
        raise InvalidOption(f"{name} has no scheme or no host: {EXAMPLE}.")
    if parts.scheme not in SCHEMES:
        raise InvalidOption(
            f"{name} has the scheme {parts.scheme!r}, not one of {', '.join(SCHEMES)}: {EXAMPLE}."
        )
    if parts.scheme in SOCKS and find_spec("socksio") is None:
        raise InvalidOption(
            f"{name} is a SOCKS proxy, which needs the package socksio: install it "
            "(pip install socksio), or give an http:// proxy."
        )


def _host(parts: SplitResult) -> str:
    host = parts.hostname or ""
    if ":" in host:
        return f"[{IPv6Address(host)}]"
    return host if HOST_NAME.fullmatch(host) else ""


def _login(parts: SplitResult) -> tuple[Secret, Secret] | None:
    if not parts.username and not parts.password:
        return None
    return Secret(unquote(parts.username or "")), Secret(unquote(parts.password or ""))


def _verified(verify: object) -> Verify:
    right = "give True, the path of a CA certificate file or directory, or an ssl.SSLContext"
    if verify is True:
        return True
    if isinstance(verify, ssl.SSLContext):
        if verify.verify_mode is ssl.CERT_NONE or not verify.check_hostname:
            raise InvalidOption(
                "verify= is an SSLContext that does not check certificates or host names, but "
                "there is no unverified mode, because the token is at stake: "
                "use ssl.create_default_context(), with cafile= for certificates of your own."
            )
        return verify
    if isinstance(verify, str | Path) and str(verify):
        return _authorities(Path(verify).expanduser().absolute())
    unverified = "there is no unverified mode, because the token is at stake; "
    raise InvalidOption.value("verify", verify, unverified * (verify is False) + right)


def _authorities(path: Path) -> Path:
    try:
        if path.is_dir():
            known = any(HASHED_NAME.fullmatch(entry.name) for entry in path.iterdir())
        else:
            known = bool(certificates(path).get_ca_certs())
    except OSError as error:
        why = error.strerror or getattr(error, "reason", None) or type(error).__name__
        raise InvalidOption(
            f"verify={str(path)!r} is not possible ({why}): give a PEM file of CA certificates, "
            "or a directory of them that `openssl rehash` has prepared."
        ) from None
    if not known:
        raise InvalidOption(
            f"verify={str(path)!r} holds no CA certificate under a name that OpenSSL looks for: "
            "give a PEM file, or run `openssl rehash` on the directory."
        )
    return path
