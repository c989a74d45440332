"""A small shop and magazine: what its visitors are like, and what its pages tell Analytics.

Made once per stream from a seed, as pieces of JSON ready to be put into records. Addresses are of
the range for benchmarks (RFC 2544), names of companies and people are left out. As in Adobe's
variable reference, a stream without user agents carries the mobile device fields instead.
"""

import random
from dataclasses import dataclass

import msgspec

Json = dict[str, object]

PAGES = (  # section, name, path
    ("home", "Home", "/"),
    ("shop", "Shoes", "/shop/shoes"),
    ("shop", "Jackets & Coats", "/shop/jackets"),
    ("shop", "Rucksäcke", "/shop/rucksaecke"),
    ("shop", "Sale 🔥 last days", "/shop/sale"),
    ("shop", "Regenjacken <b>neu</b>", "/shop/regenjacken"),
    ("shop", "靴とブーツ", "/shop/ja/boots"),
    ("shop", "Обувь для гор", "/shop/ru/mountain-shoes"),
    ("shop", "أحذية", "/shop/ar/shoes"),
    ("shop", "Chaussures d’été", "/shop/fr/chaussures"),
    ("search", "Search results", "/search?q=rain+jacket"),
    ("search", "No results", "/search?q=%E5%82%98"),
    ("magazine", "How to wash a down jacket", "/magazine/wash-down"),
    ("magazine", "Ten huts worth the climb", "/magazine/ten-huts"),
    ("magazine", 'What "waterproof" means', "/magazine/waterproof"),
    ("magazine", "Packliste für drei Tage", "/magazine/packliste"),
    ("magazine", "A winter on the coast \\ a diary", "/magazine/winter-coast"),
    ("magazine", "山の天気", "/magazine/ja/weather"),
    ("help", "Returns", "/help/returns"),
    ("help", "Size guide", "/help/sizes"),
    ("help", "Delivery & costs", "/help/delivery"),
    ("account", "Sign in", "/account/sign-in"),
    ("account", "Orders", "/account/orders"),
    ("error", "Page not found", "/gone"),
    ("cart", "Cart", "/cart"),
    ("checkout", "Checkout: address", "/checkout/address"),
    ("checkout", "Checkout: payment", "/checkout/payment"),
    ("order", "Thank you", "/checkout/thank-you"),
)
PRODUCTS = (  # name, category, price in cents
    ("Trail Runner 3", "Shoes", 12900),
    ("Alpine Boot", "Shoes", 24900),
    ("Barefoot Sandal", "Shoes", 6990),
    ("Rain Shell", "Jackets", 19900),
    ("Down Parka „Nordlicht“", "Jackets", 34900),
    ("Fleece Hoodie", "Jackets", 7990),
    ("Day Pack 22 l", "Packs", 8990),
    ("Trekking Pack 60 l", "Packs", 22900),
    ("Wool Socks", "Accessories", 1990),
    ("Cap", "Accessories", 2490),
)
SOURCES = (  # referrer, search engine, campaign, weight
    ("", "", "", 30),
    ("https://www.google.com/", "Google", "", 22),
    ("https://www.bing.com/", "Microsoft Bing", "", 4),
    ("https://duckduckgo.com/", "DuckDuckGo", "", 3),
    ("https://www.google.com/", "Google", "sem:brand:shoes", 8),
    ("https://www.google.com/", "Google", "sem:generic:rain-jacket", 6),
    ("https://social.example/", "", "social:spring:video-1", 6),
    ("https://newsletter.example/click?m=204", "", "email:2026-w14:hero", 7),
    ("https://huts.example/forum/thread-8812", "", "", 4),
    ("https://partner.example/", "", "affiliate:4711:banner", 3),
)
DEVICES = (  # browser, its maker, operating system, device type, maker, name, width, height, weight
    ("Google Chrome 138.0", "Google", "Windows 11", "", "", "", 1920, 1080, 30),
    ("Microsoft Edge 138.0", "Microsoft", "Windows 11", "", "", "", 2560, 1440, 9),
    ("Safari 18.5", "Apple", "OS X 15.5", "", "", "", 1512, 982, 12),
    ("Mozilla Firefox 140.0", "Mozilla", "Linux", "", "", "", 1920, 1200, 5),
    ("Mobile Safari 18.5", "Apple", "iOS 18.5", "Mobile Phone", "Apple", "iPhone", 393, 852, 24),
    ("Google Chrome 138.0", "Google", "Android 15", "Mobile Phone", "", "Phone", 412, 915, 16),
    ("Mobile Safari 18.5", "Apple", "iOS 18.5", "Tablet", "Apple", "iPad", 820, 1180, 4),
)
PLACES = (  # city, country, region, zip, area code, language, its code, currency, weight
    ("berlin", "deu", "be", "10115", 0, "German (Germany)", "de-DE", "EUR", 14),
    ("münchen", "deu", "by", "80331", 0, "German (Germany)", "de-DE", "EUR", 10),
    ("zürich", "che", "zh", "8001", 0, "German (Switzerland)", "de-CH", "CHF", 6),
    ("wien", "aut", "9", "1010", 0, "German (Austria)", "de-AT", "EUR", 6),
    ("paris", "fra", "j", "75001", 0, "French (France)", "fr-FR", "EUR", 8),
    ("london", "gbr", "lnd", "ec1a", 0, "English (United Kingdom)", "en-GB", "GBP", 9),
    ("new york", "usa", "ny", "10001", 501, "English (United States)", "en-US", "USD", 12),
    ("seattle", "usa", "wa", "98101", 819, "English (United States)", "en-US", "USD", 6),
    ("são paulo", "bra", "sp", "01000", 0, "Portuguese (Brazil)", "pt-BR", "BRL", 4),
    ("東京", "jpn", "13", "100-0001", 0, "Japanese", "ja-JP", "JPY", 5),
    ("bengaluru", "ind", "ka", "560001", 0, "English (India)", "en-IN", "INR", 5),
    ("cairo", "egy", "c", "11511", 0, "Arabic (Egypt)", "ar-EG", "EGP", 2),
)
NETWORKS = (
    ("t-ipconnect.example", ".example"),
    ("fibre.example", ".example"),
    ("isp.test", ".test"),
)
STEPS = {  # the events of a section's pages, and how many products they are about
    "shop": (("productViews", "event4"), 1),
    "search": (("event5",), 0),
    "cart": (("carts", "cartAdditions"), 2),
    "checkout": (("checkouts",), 2),
    "order": (("purchases", "event20"), 2),
    "magazine": (("event10", "event11"), 0),
    "error": (("event90",), 0),
}


@dataclass(frozen=True)
class Site:
    """Pieces of records: members of a JSON object, without its braces.

    ``people`` and ``robots`` describe visitors, ``views`` page views, the popular ones often.
    """

    people: tuple[bytes, ...]
    robots: tuple[bytes, ...]
    views: tuple[bytes, ...]


def build(chance: random.Random) -> Site:
    """Make up the visitors and page views of one site."""
    people = tuple(_members(_visitor(chance, robot=False)) for _ in range(512))
    robots = tuple(_members(_visitor(chance, robot=True)) for _ in range(16))
    popularity = [1 / rank for rank in range(1, len(PAGES) + 1)]
    ranked = PAGES[:1] + tuple(chance.sample(PAGES[1:], len(PAGES) - 1))
    pages = chance.choices(ranked, popularity, k=1024)
    return Site(people, robots, tuple(_members(_view(chance, *page)) for page in pages))


def _members(piece: Json) -> bytes:
    return msgspec.json.encode(piece)[1:-1]


def _visitor(chance: random.Random, *, robot: bool) -> Json:
    browser, maker, system, kind, brand, device, width, height, _ = chance.choices(
        DEVICES, [device[-1] for device in DEVICES]
    )[0]
    city, country, region, code, area, language, abbreviation, currency, _ = chance.choices(
        PLACES, [place[-1] for place in PLACES]
    )[0]
    domain, top = chance.choice(NETWORKS)
    office = not robot and chance.random() < 0.01
    excluded = {"id": "2", "value": "yes", "description": "IP address"}
    included = {"id": "0", "value": "no", "description": "include"}
    return {
        "ip": f"198.{chance.randint(18, 19)}.{chance.randrange(256)}.{chance.randint(1, 254)}",
        "domain": domain,
        "topLevelDomain": top,
        "browser": "Crawler 2.1" if robot else browser,
        "browserType": maker,
        "browserWidth": width,
        "browserHeight": height - chance.randrange(60, 200),
        "operatingSystem": "Linux" if robot else system,
        "language": language,
        "languageAbbrev": abbreviation,
        "connectionType": "Mobile Carrier" if kind else "LAN/Wifi",
        "carrier": "",
        "mobileDeviceType": kind,
        "mobileDeviceName": device,
        "mobileManufacturer": brand,
        "mobileScreenWidth": width if kind else 0,
        "mobileScreenHeight": height if kind else 0,
        "mobileCookieSupport": bool(kind),
        "monitorWidth": width,
        "monitorHeight": height,
        "monitorColorDepth": "16 million colors",
        "geoCity": city,
        "geoCountry": country,
        "geoRegion": region,
        "geoZip": code,
        "geoDMA": area,
        "currency": currency,
        "usesPersistentCookie": 1,
        "javaEnabled": False,
        "customVisId": f"c{chance.randrange(10**9):09}" if chance.random() < 0.3 else "",
        "bot": "<Bot>" if robot else "<Not a bot>",
        "exclude": excluded if office else included,
    }


def _view(chance: random.Random, section: str, name: str, path: str) -> Json:
    referrer, engine, campaign, _ = chance.choices(SOURCES, [source[-1] for source in SOURCES])[0]
    if chance.random() < 0.6 or section in {"cart", "checkout", "order"}:
        inside = "https://www.example.com" + chance.choice(PAGES)[2]
        referrer, engine, campaign = inside, "", ""
    events, products = STEPS.get(section, ((), 0))
    order = f"O-{chance.randrange(10**8):08}" if section == "order" else ""
    return {
        "pageName": f"{section}: {name}",
        "pageURL": f"https://www.example.com{path}",
        "referrer": referrer,
        "searchEngine": engine,
        "isErrorPage": section == "error",
        "evars": {"evars": _evars(chance, section, name, campaign)},
        "props": _props(chance, section, name, path),
        "events": {event: _count(1) for event in ("instances", *events)},
        "products": [_product(chance, section) for _ in range(products)],
        "mvvars": {"1": {"m": {"values": [f"section:{section}", f"page:{name}"], "delim": 44}}},
        "hierarchies": {"site": {"delim": 58, "values": f"example:{section}:{name}"}},
        "purchaseId": order,
        "transactionId": order,
        "hitSource": 1,
        "service": "ss",
        "truncated": False,
    }


def _evars(chance: random.Random, section: str, name: str, campaign: str) -> dict[str, str]:
    evars = {"campaign": campaign} if campaign else {}
    evars |= {"evar1": chance.choice(("logged-out", "logged-out", "logged-in")), "evar2": section}
    evars |= {"evar3": f"layout-{chance.choice('abc')}", "evar4": name}
    for number in sorted(chance.sample(range(5, 251), chance.randint(4, 18))):
        evars[f"evar{number}"] = f"variant {chance.randrange(40)} of {section}:{number}"
    return evars


def _props(chance: random.Random, section: str, name: str, path: str) -> dict[str, str]:
    props = {"prop1": f"{name} | example.com", "prop2": section, "prop3": path}
    for number in sorted(chance.sample(range(4, 76), chance.randint(3, 12))):
        props[f"prop{number}"] = f"{section} {chance.choice('abcdefgh') * 8} {number}"
    return props


def _product(chance: random.Random, section: str) -> Json:
    name, category, price = chance.choice(PRODUCTS)
    units = chance.randint(1, 3) if section == "order" else 0
    return {
        "category": category,
        "name": name,
        "units": units,
        "revenue": units * price / 100,
        "evars": {"evar31": "in stock" if chance.random() < 0.9 else "on order"},
        "events": {"event61": _count(price, exponent=2)},
    }


def _count(count: int, *, exponent: int = 0) -> list[Json]:
    return [{"count": count, "exponent": exponent, "unique": ""}]
