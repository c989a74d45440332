"""The table of columns that a hit can become: name, place in the record, dtype and meaning.

A column is one value per hit, or a list of several. Names and documented types come from Adobe's
Livestream pages in ``AdobeDocs/analytics-2.0-apis``, folder
``src/pages/guides/endpoints/livestream``: ``variable-reference.md`` and ``example-output.md``;
where a type is said to vary, from ``release-notes.md`` (13 April 2026). Fields that only the older
``metrics_dimensions.md`` of ``AdobeDocs/analytics-1.4-apis`` or records seen in the open name can
be asked for by name, but are no part of the set ``"documented"``. Numbered columns (``evar1``,
``prop1``, ``event1``, ``mvvar1``, ...) are made when they are asked for.
"""

from collections.abc import Iterator
from typing import NamedTuple

import polars as pl

from livestream_nb.hits import nested

UTC_TIME = pl.Datetime("us", "UTC")


class Column(NamedTuple):
    """One column of a frame of hits.

    Attributes
    ----------
    name : str
        The column's name: Adobe's own field name.
    path : tuple of str
        The keys that lead to the value in the record.
    dtype : polars.DataType
        What the column holds.
    kind : str
        How the value is read: ``text``, ``id``, ``integer``, ``number``, ``flag``, ``formats``,
        ``excluded``, ``time`` or ``event``; several values per hit as one of ``nested.DTYPES``.
    unit : str
        The unit of a number, or nothing.
    meaning : str
        What the value says, in a few words.
    also : tuple of str
        Where some streams have the value instead; empty when there is no such place.
    """

    name: str
    path: tuple[str, ...]
    dtype: pl.DataType
    kind: str
    unit: str
    meaning: str
    also: tuple[str, ...] = ()

    @property
    def paths(self) -> tuple[tuple[str, ...], ...]:
        """Every place where the value may be, the column's own first."""
        return (self.path, self.also) if self.also else (self.path,)

    def find(self, record: dict[str, object]) -> object:
        """The JSON value that a record has for this column; None when it has none."""
        found = (dig(record, path) for path in self.paths)
        return next((value for value in found if value is not None), None)


def dig(record: dict[str, object], path: tuple[str, ...]) -> object:
    """Follow keys into a record.

    Returns
    -------
    object
        The JSON value at the end of the path, or None when there is none.
    """
    value: object = record
    for key in path:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


_DTYPES: dict[str, pl.DataType] = {
    "text": pl.String(),
    "id": pl.UInt64(),
    "integer": pl.Int32(),
    "number": pl.Float64(),
    "flag": pl.Boolean(),
    "formats": pl.String(),
    "excluded": pl.Boolean(),
    "time": UTC_TIME,
    "event": pl.Float64(),
    **nested.DTYPES,
}


def _column(
    name: str,
    kind: str,
    meaning: str,
    unit: str = "",
    path: tuple[str, ...] = (),
    also: tuple[str, ...] = (),
) -> Column:
    return Column(name, path or (name,), _DTYPES[kind], kind, unit, meaning, also)


ALWAYS: tuple[Column, ...] = (
    _column("hitIdHigh", "id", "first half of the hit's identity"),
    _column("hitIdLow", "id", "second half of the hit's identity"),
    _column("visIdHigh", "id", "first half of the visitor's identity"),
    _column("visIdLow", "id", "second half of the visitor's identity"),
    _column("timeGMT", "time", "when the hit happened", "Unix seconds"),
    _column("receivedTimeGMT", "time", "when collection received the hit", "Unix seconds"),
)

DOCUMENTED: tuple[Column, ...] = (
    _column("bot", "text", "whether a bot rule matched: <Bot> or <Not a bot>"),
    _column("browser", "text", "browser and its version"),
    _column("browserHeight", "integer", "height of the browser's window", "px"),
    _column("browserType", "text", "maker of the browser"),
    _column("browserWidth", "integer", "width of the browser's window", "px"),
    _column("campaign", "text", "tracking code", path=("evars", "evars", "campaign")),
    _column("carrier", "text", "mobile network operator"),
    _column("connectionType", "text", "kind of internet access"),
    _column("currency", "text", "ISO code of the hit's currency"),
    _column("customVisId", "text", "visitor id that the site set itself"),
    _column("domain", "text", "domain of the visitor's provider"),
    _column("excluded", "excluded", "left out of Adobe's reports", path=("exclude", "value")),
    _column("geoCity", "text", "city of the IP address"),
    _column("geoCountry", "text", "country of the IP address, three letters"),
    _column("geoDMA", "integer", "number of the US media market; 0 elsewhere"),
    _column("geoRegion", "text", "region or state of the IP address"),
    _column("geoZip", "text", "postal code of the IP address"),
    _column("hitSource", "integer", "number of the way by which the hit came in"),
    _column("ip", "text", "IP address of the visitor"),
    _column("isErrorPage", "flag", "the page said that it is an error page"),
    _column("javaEnabled", "flag", "Java is switched on in the browser"),
    _column("language", "text", "language of the browser"),
    _column("languageAbbrev", "text", "code of the browser's language"),
    _column("lat", "number", "latitude of the IP address", "degrees", also=("geoLatitude",)),
    _column("lon", "number", "longitude of the IP address", "degrees", also=("geoLongitude",)),
    _column("mcVisIdHigh", "id", "first half of the Experience Cloud id"),
    _column("mcVisIdLow", "id", "second half of the Experience Cloud id"),
    _column("mobileAudioSupport", "formats", "audio formats of the device, or true or false"),
    _column("mobileColorDepth", "integer", "colours of the device's screen"),
    _column("mobileCookieSupport", "flag", "the device takes cookies"),
    _column("mobileDeviceName", "text", "model of the mobile device"),
    _column("mobileDeviceType", "text", "kind of mobile device"),
    _column("mobileManufacturer", "text", "maker of the mobile device"),
    _column("mobileScreenHeight", "integer", "height of the device's screen", "px"),
    _column("mobileScreenWidth", "integer", "width of the device's screen", "px"),
    _column("mobileVideoSupport", "formats", "video formats of the device, or true or false"),
    _column("monitorColorDepth", "text", "colours of the monitor, in words"),
    _column("monitorHeight", "integer", "height of the monitor", "px"),
    _column("monitorWidth", "integer", "width of the monitor", "px"),
    _column("operatingSystem", "text", "operating system and its version"),
    _column("pageName", "text", "name of the page"),
    _column("pageURL", "text", "address of the page"),
    _column("purchaseId", "text", "id of the purchase"),
    _column("referrer", "text", "address of the page before"),
    _column("reportSuite", "text", "report suite that the hit was sent to"),
    _column("searchEngine", "text", "search engine that the visitor came from"),
    _column("service", "text", "kind of hit; no longer used"),
    _column("site_section", "text", "section of the site", path=("props", "site_section")),
    _column("topLevelDomain", "text", "top-level domain of the visitor's provider"),
    _column("transactionId", "text", "id that later data can be joined on"),
    _column("truncated", "flag", "the hit arrived cut short"),
    _column("userAgent", "text", "user agent; empty unless the stream is set up for it"),
    _column("usesPersistentCookie", "integer", "cookies are kept: 1 yes, 2 no, 0 unknown"),
    _column("visIdType", "integer", "number of the way in which the visitor was told apart"),
    _column("zip", "text", "postal code that the site set"),
)

_BY_NAME_ONLY: tuple[Column, ...] = (
    _column(
        "geoLatitude", "number", "as lat, in the spelling of some streams", "degrees", also=("lat",)
    ),
    _column(
        "geoLongitude",
        "number",
        "as lon, in the spelling of some streams",
        "degrees",
        also=("lon",),
    ),
    _column("homePage", "integer", "the page is the browser's home page; before 2020"),
    _column("javascriptVersion", "text", "version of JavaScript; before 2020"),
    _column("linkURL", "text", "address of the link that was followed"),
    _column("plugins", "text", "plug-ins of the browser; before 2020"),
    _column("state", "text", "state that the site set; before 2020"),
)

_NAMED_EVENTS = {
    "cartAdditions": "additions to a cart",
    "cartRemovals": "removals from a cart",
    "cartViews": "views of a cart",
    "carts": "carts opened",
    "checkouts": "checkouts begun",
    "instances": "times a variable was set",
    "orders": "orders",
    "productViews": "views of a product",
    "purchases": "purchases",
    "revenue": "revenue of the hit, in its currency",
    "units": "units ordered",
}

DEFAULT = (
    "reportSuite",
    "pageName",
    "pageURL",
    "referrer",
    "campaign",
    "geoCountry",
    "geoRegion",
    "geoCity",
    "browser",
    "operatingSystem",
    "mobileDeviceType",
    "searchEngine",
    "bot",
    "excluded",
)


class Family(NamedTuple):
    """Numbered columns: how many, where their values lie (``{}`` is the number), what they are."""

    last: int
    path: tuple[str, ...]
    kind: str
    meaning: str


FAMILIES = {
    "evar": Family(250, ("evars", "evars", "evar{}"), "text", "conversion variable"),
    "prop": Family(75, ("props", "prop{}"), "text", "traffic variable"),
    "event": Family(1000, ("events", "event{}"), "event", "custom event"),
    "mvvar": Family(3, ("mvvars", "{}", "m"), "texts", "list variable"),
}

NESTED: tuple[Column, ...] = (
    _column("evars", "pairs", "conversion variables, by name", path=("evars", "evars")),
    _column("props", "pairs", "traffic variables, by name"),
    _column("events", "totals", "events, by name, each with its value"),
    _column("products", "products", "products, with variables and events of their own"),
    _column("hierarchies", "hierarchies", "hierarchy variables, by name, with their levels"),
    _column("mcAudiences", "texts", "segments of Audience Manager"),
    _column("tnt", "activities", "activities of Adobe Target"),
    _column("tntAction", "activities", "actions of Adobe Target"),
)
"""The columns of several values per hit that are not one of a numbered family."""


def _numbered() -> Iterator[Column]:
    for name, (last, path, kind, meaning) in FAMILIES.items():
        for number in range(1, last + 1):
            place = tuple([key.replace("{}", str(number)) for key in path])
            meant = f"{meaning} {number}"
            yield Column(f"{name}{number}", place, _DTYPES[kind], kind, "", meant)


SINGLE: tuple[Column, ...] = (
    *ALWAYS,
    *DOCUMENTED,
    *_BY_NAME_ONLY,
    *(_column(n, "event", m, path=("events", n)) for n, m in _NAMED_EVENTS.items()),
)
"""The columns of one value per hit that are not one of a numbered family."""

COLUMNS: dict[str, Column] = {column.name: column for column in (*SINGLE, *NESTED, *_numbered())}
"""Every column by its name."""

HIT_FIELDS = frozenset(column.path[0] for column in COLUMNS.values())
"""The keys by which an object is known to be a hit."""
