"""The table of columns that a hit can become: name, place in the record, dtype and meaning.

Every column is one value per hit. Names and documented types come from Adobe's Livestream pages in
``AdobeDocs/analytics-2.0-apis``, folder ``src/pages/guides/endpoints/livestream``:
``variable-reference.md`` and ``example-output.md``; where a type is said to vary, from
``release-notes.md`` (13 April 2026). Fields that only the older ``metrics_dimensions.md`` of
``AdobeDocs/analytics-1.4-apis`` or records seen in the open name can be asked for by name, but are
no part of the set ``"documented"``. Numbered columns (``evar1``, ``prop1``, ``event1``, ...) are
made when they are asked for.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

UTC_TIME = pl.Datetime("us", "UTC")


@dataclass(frozen=True)
class Column:
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
        ``excluded``, ``time`` or ``event``.
    unit : str
        The unit of a number, or nothing.
    meaning : str
        What the value says, in a few words.
    """

    name: str
    path: tuple[str, ...]
    dtype: pl.DataType
    kind: str
    unit: str
    meaning: str


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
}


def _column(
    name: str, kind: str, meaning: str, unit: str = "", path: tuple[str, ...] = ()
) -> Column:
    return Column(name, path or (name,), _DTYPES[kind], kind, unit, meaning)


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
    _column("lat", "number", "latitude of the IP address", "degrees"),
    _column("lon", "number", "longitude of the IP address", "degrees"),
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
    _column("geoLatitude", "number", "latitude, in the spelling of some streams", "degrees"),
    _column("geoLongitude", "number", "longitude, in the spelling of some streams", "degrees"),
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

FAMILIES: dict[str, tuple[int, tuple[str, ...], str, str]] = {
    "evar": (250, ("evars", "evars"), "text", "conversion variable"),
    "prop": (75, ("props",), "text", "traffic variable"),
    "event": (1000, ("events",), "event", "custom event"),
}

# Lists and objects, each more than one value per hit.
NESTED = frozenset(
    {
        "evars",
        "props",
        "events",
        "products",
        "hierarchies",
        "mvvars",
        "mvvar1",
        "mvvar2",
        "mvvar3",
        "exclude",
        "tnt",
        "tntAction",
        "mcAudiences",
    }
)


def _numbered() -> Iterator[Column]:
    for family, (last, path, kind, meaning) in FAMILIES.items():
        for number in range(1, last + 1):
            name = f"{family}{number}"
            yield _column(name, kind, f"{meaning} {number}", path=(*path, name))


SINGLE: tuple[Column, ...] = (
    *ALWAYS,
    *DOCUMENTED,
    *_BY_NAME_ONLY,
    *(_column(n, "event", m, path=("events", n)) for n, m in _NAMED_EVENTS.items()),
)
"""The columns of one value per hit that are not one of a numbered family."""

COLUMNS: dict[str, Column] = {column.name: column for column in (*SINGLE, *_numbered())}
"""Every column by its name."""

HIT_FIELDS = frozenset(column.path[0] for column in COLUMNS.values()) | NESTED
"""The keys by which an object is known to be a hit."""
