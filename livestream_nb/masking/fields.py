"""Which keys of a record are masked, and in what way.

A key counts by its name, wherever it is in the record. Adobe writes the same field in several ways
(``customVisId`` in a stream, ``cust_visid`` and ``post_cust_visid`` in a data feed, ``purchaseID``
in XDM), so neither case nor underscores nor "post" make a difference. The names are those of
``variable-reference.md`` (``AdobeDocs/analytics-2.0-apis``, ``livestream``), of Adobe's reference
of data feed columns, and of XDM.
"""

from collections.abc import Callable
from typing import Any, Literal

from livestream_nb.hits.fields import COLUMNS

Kind = Literal["ip", "visitor", "order", "half", "degrees", "zip", "url", "domain", "top"]

FIELDS: dict[Kind, tuple[str, ...]] = {
    "ip": ("ip", "ip2", "ipv6", "ipAddress", "clientIp", "xForwardedFor"),
    "visitor": ("customVisId", "custVisId", "visitorId", "visId", "mcVisId", "mcid", "ecid"),
    "order": ("purchaseId", "transactionId", "orderId"),
    "half": ("visIdHigh", "visIdLow", "mcVisIdHigh", "mcVisIdLow"),
    "degrees": ("lat", "lon", "geoLatitude", "geoLongitude", "latitude", "longitude"),
    "zip": ("zip", "geoZip", "zipCode", "postalCode"),
    "url": (
        *("pageURL", "referrer", "linkURL", "pageEventVar1", "visitStartPageURL"),
        *("visitReferrer", "firstHitPageURL", "firstHitReferrer"),
    ),
    # Where a network has no name, Adobe has the visitor's address, and its end as top level.
    "domain": ("domain",),
    "top": ("topLevelDomain",),
}
"""The keys of each kind, spelled as a stream spells its keys."""

HASHED: tuple[Kind, ...] = ("ip", "visitor", "order")
CLOSED = frozenset((*HASHED, "half", "degrees", "zip"))
"""Kinds of which nothing stays that could be the value of another field."""

HIT = frozenset(("hitIdHigh", "hitIdLow", "timeGMT", "receivedTimeGMT"))
"""Keys of numbers that tell a hit and no person, whatever else is the same number."""

_INSIDE = (
    *("delim", "values", "id", "description", "count", "exponent", "unique", "category", "name"),
    *("campaignId", "recipeId", "trafficType", "actionId", "actionName"),
)
_MARKS = str.maketrans("", "", "_-")
_BY_NAME = {name.lower(): kind for kind, names in FIELDS.items() for name in names}
_ENDS = (("High", "Low"), ("high", "low"), ("HIGH", "LOW"))


class _Kinds(dict[str, Kind | None]):
    """The kinds of known keys; of others it is found out, and not kept: they may tell a person."""

    def __missing__(self, key: str) -> Kind | None:
        return _kind(key)


def _kind(key: str) -> Kind | None:
    name = key.translate(_MARKS).lower()
    return _BY_NAME.get(name) or _BY_NAME.get(name.removeprefix("post"))


KINDS = _Kinds(
    (key, _kind(key))
    for column in COLUMNS.values()
    for path in (*column.paths, _INSIDE)
    for key in path
)
"""How the values of a key are masked, of any; None: as those of most.

It contains those that hits are known to have: as keys they tell no person.
"""

PLAIN = frozenset(key for key, kind in KINDS.items() if kind is None)
"""Those of them that are of no kind."""


def pair(key: str) -> tuple[str, str]:
    """The keys of the high and the low half that a key of one half belongs to.

    Returns
    -------
    tuple of (str, str)
        Of a key that is neither, itself and nothing.
    """
    for high, low in _ENDS:
        stem = key.removesuffix(high).removesuffix(low)
        if stem != key:
            return stem + high, stem + low
    return key, ""


def rename(node: dict[str, Any], name: Callable[[str], str]) -> None:
    """Rename the keys of an object in place: those that no hit is known to have, and of no kind."""
    members = [
        (key if key in KINDS or KINDS[key] else name(key), value) for key, value in node.items()
    ]
    node.clear()
    node.update(members)


def as_text(value: str | float) -> str:
    """A text, or a number as msgspec writes it."""
    if isinstance(value, float):
        return repr(value).replace("e+", "e").replace("e-0", "e-")
    return str(value)
