"""Where visitors are and what they hold in their hands: tables of data.

Cities, codes of countries, regions and market areas, languages and currencies fit together.
Networks are made up, and addresses are of the range for benchmarks (RFC 2544).
"""

from typing import NamedTuple


class Place(NamedTuple):
    """A city, as geolocation by IP address tells it."""

    city: str
    country: str
    region: str
    zip: str
    dma: int
    lat: str
    lon: str


class Market(NamedTuple):
    """A part of the world that the shop serves: one currency, one language of its pages.

    ``rate`` is how much of the currency one euro is; ``locales`` are what browsers are set to.
    """

    name: str
    weight: int
    pages: str
    currency: str
    rate: float
    locales: tuple[tuple[str, str], ...]
    places: tuple[Place, ...]


class Device(NamedTuple):
    """What someone browses with; ``kind``, ``maker`` and ``name`` are empty for a desktop."""

    browser: str
    browser_type: str
    system: str
    kind: str
    maker: str
    name: str
    width: int
    height: int
    weight: int


US_ENGLISH = ("English (United States)", "en-US")
GERMAN = ("German (Germany)", "de-DE")

MARKETS = (
    Market(
        *("us", 24, "en", "USD", 1.12),
        (US_ENGLISH, US_ENGLISH, US_ENGLISH, ("Spanish (United States)", "es-US")),
        (
            Place("new york", "usa", "ny", "10001", 501, "40.71", "-74.01"),
            Place("chicago", "usa", "il", "60601", 602, "41.88", "-87.63"),
            Place("austin", "usa", "tx", "78701", 635, "30.27", "-97.74"),
            Place("denver", "usa", "co", "80202", 751, "39.74", "-104.99"),
            Place("seattle", "usa", "wa", "98101", 819, "47.61", "-122.33"),
        ),
    ),
    Market(
        *("de", 23, "de", "EUR", 1.0),
        (GERMAN, GERMAN, GERMAN, ("English (United Kingdom)", "en-GB")),
        (
            Place("berlin", "deu", "be", "10115", 0, "52.52", "13.40"),
            Place("münchen", "deu", "by", "80331", 0, "48.14", "11.58"),
            Place("hamburg", "deu", "hh", "20095", 0, "53.55", "9.99"),
            Place("köln", "deu", "nw", "50667", 0, "50.94", "6.96"),
            Place("wien", "aut", "9", "1010", 0, "48.21", "16.37"),
        ),
    ),
    Market(
        *("uk", 14, "en", "GBP", 0.87),
        (("English (United Kingdom)", "en-GB"),),
        (
            Place("london", "gbr", "lnd", "ec1a", 0, "51.51", "-0.13"),
            Place("manchester", "gbr", "man", "m1", 0, "53.48", "-2.24"),
            Place("edinburgh", "gbr", "edh", "eh1", 0, "55.95", "-3.19"),
        ),
    ),
    Market(
        *("fr", 10, "fr", "EUR", 1.0),
        (("French (France)", "fr-FR"),),
        (
            Place("paris", "fra", "j", "75001", 0, "48.86", "2.35"),
            Place("lyon", "fra", "v", "69001", 0, "45.76", "4.84"),
        ),
    ),
    Market(
        *("jp", 8, "ja", "JPY", 165.0),
        (("Japanese", "ja-JP"),),
        (
            Place("東京", "jpn", "13", "100-0001", 0, "35.68", "139.69"),
            Place("大阪", "jpn", "27", "530-0001", 0, "34.69", "135.50"),
        ),
    ),
    Market(
        *("ch", 7, "de", "CHF", 0.94),
        (("German (Switzerland)", "de-CH"), ("French (Switzerland)", "fr-CH")),
        (
            Place("zürich", "che", "zh", "8001", 0, "47.37", "8.54"),
            Place("bern", "che", "be", "3011", 0, "46.95", "7.45"),
        ),
    ),
    Market(
        *("in", 5, "en", "INR", 97.0),
        (("English (India)", "en-IN"), ("Hindi", "hi-IN")),
        (
            Place("bengaluru", "ind", "ka", "560001", 0, "12.97", "77.59"),
            Place("mumbai", "ind", "mh", "400001", 0, "19.08", "72.88"),
        ),
    ),
    Market(
        *("br", 4, "pt", "BRL", 6.2),
        (("Portuguese (Brazil)", "pt-BR"),),
        (
            Place("são paulo", "bra", "sp", "01000-000", 0, "-23.55", "-46.63"),
            Place("rio de janeiro", "bra", "rj", "20000-000", 0, "-22.91", "-43.17"),
        ),
    ),
    Market(
        *("rs", 3, "sr", "RSD", 117.0),
        (("Serbian (Cyrillic)", "sr-RS"),),
        (Place("beograd", "srb", "00", "11000", 0, "44.79", "20.45"),),
    ),
    Market(
        *("eg", 2, "ar", "EGP", 55.0),
        (("Arabic (Egypt)", "ar-EG"),),
        (Place("cairo", "egy", "c", "11511", 0, "30.04", "31.24"),),
    ),
)

DESKTOPS = (
    Device("Google Chrome 138.0", "Google", "Windows 11", "", "", "", 1920, 1080, 30),
    Device("Microsoft Edge 138.0", "Microsoft", "Windows 11", "", "", "", 2560, 1440, 9),
    Device("Safari 18.5", "Apple", "OS X 15.5", "", "", "", 1512, 982, 11),
    Device("Mozilla Firefox 140.0", "Mozilla", "Linux", "", "", "", 1920, 1200, 4),
)
PHONES = (
    Device(
        "Mobile Safari 18.5", "Apple", "iOS 18.5", "Mobile Phone", "Apple", "iPhone", 393, 852, 24
    ),
    Device(
        "Google Chrome 138.0", "Google", "Android 15", "Mobile Phone", "", "Android", 412, 915, 17
    ),
    Device("Mobile Safari 18.5", "Apple", "iOS 18.5", "Tablet", "Apple", "iPad", 820, 1180, 5),
)
CRAWLER = Device("Crawler 2.1", "Other", "Linux", "", "", "", 1024, 768, 1)

NETWORKS = (
    ("dsl.provider.example", ".example"),
    ("fibre.example", ".example"),
    ("cable.test", ".test"),
    ("campus.test", ".test"),
)
CARRIERS = ("Mobile One", "Tele Two Hills", "Alpcell")
OFFICE = ("office.shop.example", ".example")
CLOUD = ("hosting.test", ".test")
