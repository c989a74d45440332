"""Where requests for a stream are sent when the service redirects: kindly, or as an attack would.

Source: Adobe's Livestream pages (``AdobeDocs/analytics-2.0-apis``) call redirects normal.
"""

from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from livestream_nb.errors import InvalidOption
from livestream_nb.protocol.request import HOST
from livestream_nb.protocol.status import REDIRECTS
from livestream_nb.simulator.http.refusals import check_status

FOREIGN = "https://livestream.example"
DOWNGRADED = f"http://{HOST}"
WORDS = ("second", "loop", "foreign", "downgraded")
KEPT = "!#$%&'()*+,/:;=?@[]~"  # what may stand in a URL besides letters, digits and -._


@dataclass(frozen=True)
class Redirect:
    """A redirect as it was asked for; ``origins`` are the base URLs of the two listeners."""

    to: str
    status: int
    origins: tuple[str, str]

    def location(self, listener: int, local: str) -> str | None:
        """Where the path and query that a listener was asked for are to be found, if elsewhere."""
        bases = self._bases.get(self.to)
        if bases is None:
            return self.to if listener == 0 else None
        base = bases[listener]
        return None if base is None else base + quote(local, safe=KEPT)

    @property
    def _bases(self) -> dict[str, tuple[str, str | None]]:
        first, second = self.origins
        return {
            "second": (second, None),
            "loop": (second, first),
            "foreign": (FOREIGN, None),
            "downgraded": (DOWNGRADED, None),
        }


def check_redirect(to: object, status: object) -> None:
    """Refuse a target that no redirect can have, and a status that is none of a redirect."""
    if not (isinstance(to, str) and (to in WORDS or _is_url(to))):
        right = f"give one of {', '.join(WORDS)}, a full URL, or None for no redirect any more"
        raise InvalidOption.value("to", to, right)
    check_status(status, sorted(REDIRECTS))


def origin(location: str) -> str:
    """A URL's scheme, host and port; nothing that might be a secret."""
    parts = urlsplit(location)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    written = text.isascii() and text.isprintable() and " " not in text
    return written and parts.scheme in ("http", "https") and bool(parts.hostname)
