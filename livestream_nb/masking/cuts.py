"""Values cut short: coordinates, postal codes, and the addresses of pages."""

import re
from collections.abc import Callable

from livestream_nb.masking.fields import Kind

_DEGREES = re.compile(r"\s*([+-]?[0-9]{1,3})(\.[0-9])?(?(2)[0-9]*)\s*")
_KEPT = 3
_ADDRESS = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}|[\da-f:.]{0,45}:[\da-f:.]{0,45}", re.IGNORECASE)
_IS_URL = re.compile(r"\s*(?:[a-z][a-z0-9+.\-]*:)?//", re.IGNORECASE)
# A URL within a text ends where there is what no URL has.
_URL = re.compile(r'((?:\A\s*|:)//)(?:[^\s/?#]*@)?([^\s?#"<>]*)(?:[?#][^\s"<>]*)?')
_QUERY = re.compile(r"[?#]")


def degrees(value: str | float) -> str | float | None:
    """Cut a coordinate to one decimal, toward zero.

    Returns
    -------
    str, int, float or None
        Of the same type. What is no degrees would stay as exact as it is: it becomes nothing, which
        is an empty text, or None for a number.
    """
    written = f"{value:.12f}" if isinstance(value, float) else str(value)
    cut = "".join(found.groups("")) if (found := _DEGREES.fullmatch(written)) else ""
    return cut if isinstance(value, str) else type(value)(cut) if cut else None


def zip_code(value: str | float) -> str | int | None:
    """Keep the first 3 characters of a postal code, and of one of 4 or fewer only half."""
    text = value.strip() if isinstance(value, str) else str(value)
    kept = text[: _KEPT if len(text) > _KEPT + 1 else len(text) // 2]
    if isinstance(value, str):
        return kept
    return int(kept) if kept.isdigit() else None


def is_address(text: str) -> bool:
    """Whether a text, not blank, is an IP address."""
    text = text.strip()
    return (":" in text or text[-1].isdigit()) and bool(_ADDRESS.fullmatch(text))


def top_level(text: str) -> str:
    """Leave out a top-level domain that is the end of an IP address."""
    return "" if text.strip().removeprefix(".").isdigit() else text


def without_queries(text: str) -> str:
    """Take query, fragment, user and password out of a URL, or of every URL in a text."""
    if "//" not in text or not _has_mark(text):
        return text
    if _IS_URL.match(text):
        text = _QUERY.split(text, 1)[0]
    return _URL.sub(r"\1\2", text)


def without_query(url: str) -> str:
    """Take the same out of what is a URL even if it has no scheme."""
    if not _has_mark(url):
        return url
    if not _IS_URL.match(url):
        host, slash, path = _QUERY.split(url, 1)[0].partition("/")
        url = host.rpartition("@")[2] + slash + path
    return without_queries(url)


def _has_mark(url: str) -> bool:
    return "?" in url or "#" in url or "@" in url


NUMBERS: dict[Kind, Callable[[float], object]] = {"degrees": degrees, "zip": zip_code}
TEXTS: dict[Kind, Callable[[str], object]] = {
    "degrees": degrees,
    "zip": zip_code,
    "url": without_query,
    "domain": without_queries,
    "top": top_level,
}
"""How the texts of a kind are cut."""
