"""What is asked of Livestream, and who may be given the token.

Sources: Adobe's Livestream pages (``AdobeDocs/analytics-2.0-apis``,
``src/pages/guides/endpoints/livestream/``) for URL, query and headers. Which redirects are trusted
is this package's decision: https on the default port at or below ``livestream.adobe.net``, or
loopback for a stream that is itself on loopback (the simulator).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import SplitResult, parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

from livestream_nb.checks import is_whole
from livestream_nb.errors import InvalidOption, UntrustedRedirect

HOST = "livestream.adobe.net"
RESETS = ("smallest", "largest", "earliest", "latest")
TO_END = ("largest", "latest")
MOST_CONNECTIONS = 8
LONGEST_SMOOTHING = 7200
MOST_HOPS = 5
USUAL_PORTS = {"http": 80, "https": 443}
STREAM_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True)
class StreamRequest:
    """One stream, and how it is to be read.

    Attributes
    ----------
    base : str
        The URL without its query.
    connections : int
        1 to 8, sent as ``maxConnections`` on every connection of the stream.
    reset : str or None
        Where to begin; sent with the first connect only, because it skips or repeats hits.
    smoothing : int or None
        Seconds of the smoothing bucket; 0 leaves the size to the service; None is no smoothing.
    extra : tuple of (str, str)
        Further query parameters that the URL carried, such as ``beta=true``.
    """

    base: str
    connections: int = 1
    reset: str | None = None
    smoothing: int | None = None
    extra: tuple[tuple[str, str], ...] = ()

    def url(self, *, first: bool) -> str:
        """The URL to request; ``reset`` is part of it for the first connect only."""
        query = [*self.extra, ("maxConnections", str(self.connections))]
        if self.smoothing is not None:
            query.append(("smoothing", "1"))
        if self.smoothing:
            query.append(("smoothingBucketSize", str(self.smoothing)))
        if first and self.reset:
            query.append(("reset", self.reset))
        return f"{self.base}?{urlencode(query)}"

    @property
    def name(self) -> str:
        """The stream's name: the last part of its path."""
        return self.base.rsplit("/", 1)[-1]

    @property
    def key(self) -> str:
        """Host, port unless it is the usual one, and name: what tells streams apart.

        ``/api/1`` and ``/api/2`` give the same stream (Adobe's Livestream pages).
        """
        parts = urlsplit(self.base)
        usual = parts.port in (None, USUAL_PORTS[parts.scheme])
        return f"{parts.hostname}{'' if usual else f':{parts.port}'}/{self.name}"

    @property
    def skips(self) -> bool:
        """Whether ``reset`` leaves out what came before the first connect."""
        return self.reset in TO_END

    @property
    def loopback(self) -> bool:
        """Whether the stream is served by this machine."""
        return is_loopback(urlsplit(self.base).hostname)


def stream_request(
    stream: str,
    *,
    connections: int = 1,
    reset: str | None = None,
    smoothing: int | bool | None = None,
) -> StreamRequest:
    """Check every part of a request before anything is sent.

    Raises
    ------
    InvalidOption
        Naming the wrong value and the right ones.
    """
    base, query = _stream_url(stream)
    return StreamRequest(
        base=base,
        connections=_connections(connections, query.pop("maxConnections", None)),
        reset=_reset(reset, query.pop("reset", None)),
        smoothing=_smoothing(
            smoothing, query.pop("smoothing", None), query.pop("smoothingBucketSize", None)
        ),
        extra=tuple(query.items()),
    )


def headers(token: str, client_id: str | None = None) -> dict[str, str]:
    """The headers Livestream asks for; without gzip it answers 406."""
    sent = {"Authorization": f"Bearer {token}", "Accept-Encoding": "gzip"}
    if client_id:
        sent["x-api-key"] = client_id
    return sent


def next_hop(request: StreamRequest, visited: Sequence[str], location: str | None) -> str:
    """Where a redirect leads, once it is known that the token may go there.

    Raises
    ------
    UntrustedRedirect
        For a foreign host, plain http, a port or user of its own, a loop, or more than five hops.
    """
    if not location:
        raise UntrustedRedirect("Livestream redirected without saying where to; nothing was sent.")
    target = urljoin(visited[-1], location)
    parts = urlsplit(target)
    where = f"{parts.scheme}://{parts.hostname or ''}"
    if not _trusted(parts, loopback=request.loopback):
        raise UntrustedRedirect(
            f"Livestream redirected to {where}, which is not {HOST} over https: "
            "the token was not sent there. A proxy on the way may be the cause."
        )
    if target in visited:
        raise UntrustedRedirect(
            f"Livestream redirected in a loop at {where}; the token stays here."
        )
    if len(visited) > MOST_HOPS:
        raise UntrustedRedirect(f"More than {MOST_HOPS} redirects in a row, the last to {where}.")
    return target


def is_loopback(host: str | None) -> bool:
    """Whether a host name or address is this machine's own."""
    if host is None:
        return False
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _trusted(parts: SplitResult, *, loopback: bool) -> bool:
    host = parts.hostname or ""
    if parts.username is not None or parts.password is not None:
        return False
    if loopback and is_loopback(host):
        return parts.scheme in ("http", "https")
    ours = host == HOST or host.endswith(f".{HOST}")
    return ours and parts.scheme == "https" and _port(parts) in (None, 443)


def _port(parts: SplitResult) -> int | None:
    try:
        return parts.port
    except ValueError:
        return -1


def _stream_url(stream: object) -> tuple[str, dict[str, str]]:
    right = (
        f"give a stream name of letters, digits, '.', '_' and '-', or its full URL, "
        f"as in https://{HOST}/api/1/stream/my-stream"
    )
    if not isinstance(stream, str):
        raise InvalidOption.value("stream", stream, right)
    if STREAM_NAME.fullmatch(stream):
        return f"https://{HOST}/api/1/stream/{stream}", {}
    parts = urlsplit(stream) if "://" in stream else SplitResult("", "", "", "", "")
    if "@" in parts.netloc:
        raise InvalidOption(f"The stream's URL names a user: {right}; the token goes in token=.")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidOption.value("stream", stream, right)
    if not STREAM_NAME.fullmatch(parts.path.rsplit("/", 1)[-1]) or _port(parts) == -1:
        raise InvalidOption.value("stream", stream, right)
    if not _trusted(parts, loopback=True):
        raise InvalidOption.value(
            "stream", stream, f"the token goes only to {HOST} over https, or to this machine"
        )
    return urlunsplit((*parts[:3], "", "")), dict(parse_qsl(parts.query, keep_blank_values=True))


def _connections(connections: object, in_url: str | None) -> int:
    right = f"give a whole number from 1 to {MOST_CONNECTIONS}"
    if not is_whole(connections, 1, MOST_CONNECTIONS):
        raise InvalidOption.value("connections", connections, right)
    if in_url is not None and in_url != str(connections):
        raise InvalidOption(
            f"The URL says maxConnections={in_url!r}, but connections={connections}: "
            f"{right} as connections=, and leave it out of the URL."
        )
    return int(connections)


def _reset(reset: object, in_url: str | None) -> str | None:
    chosen = in_url if reset is None else reset
    if chosen is None or (isinstance(chosen, str) and chosen in RESETS):
        return chosen
    raise InvalidOption.value("reset", chosen, f"give one of {', '.join(RESETS)}, or None")


def _smoothing(smoothing: object, in_url: str | None, bucket: str | None) -> int | None:
    if smoothing is None and in_url == "1":
        smoothing = int(bucket) if bucket and bucket.isdecimal() else bucket is None or bucket
    if smoothing is None or smoothing is False:
        return None
    if smoothing is True:
        return 0
    if is_whole(smoothing, 1, LONGEST_SMOOTHING):
        return int(smoothing)
    right = f"give True, or the bucket's seconds from 1 to {LONGEST_SMOOTHING}"
    raise InvalidOption.value("smoothing", smoothing, right)
