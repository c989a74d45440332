"""Visitors, as prepared pieces of records: place, language, device and network fit together.

As in Adobe's variable reference (``AdobeDocs/analytics-2.0-apis``, ``livestream``), a stream whose
user agents are empty carries the mobile device fields. Excluded are the hits from the shop's own
office, by reason 4 of ``exclude_hit`` in Adobe's reference of data feed columns.
"""

import random
from collections.abc import Iterable, Sequence

import msgspec

from livestream_nb.simulator.site.places import (
    CARRIERS,
    CLOUD,
    CRAWLER,
    DESKTOPS,
    MARKETS,
    NETWORKS,
    OFFICE,
    PHONES,
    Device,
    Market,
)

POOL = 256
"""How many pieces every pool holds; where visitors are few, some are the same."""

Json = dict[str, object]
Pool = tuple[bytes, ...]

INCLUDED = {"id": "0", "value": "no", "description": "include"}
EXCLUDED = {"id": "4", "value": "yes", "description": "IP address"}


def browsing(chance: random.Random, market: Market) -> Pool:
    """Those of one market who come by browser."""
    return _pool(
        _visitor(chance, market, DESKTOPS + PHONES, NETWORKS) for _ in range(_count(market))
    )


def with_the_app(chance: random.Random, market: Market) -> Pool:
    """Those of one market who use the shop's app."""
    return _pool(
        _visitor(chance, market, PHONES, NETWORKS) | {"browser": "", "browserType": ""}
        for _ in range(_count(market) // 4)
    )


def in_the_office(chance: random.Random) -> Pool:
    """The shop's own people."""
    return _pool(
        _visitor(chance, MARKETS[1], DESKTOPS, (OFFICE,))
        | {"ip": f"198.18.0.{address}", "exclude": EXCLUDED}
        for address in range(1, 17)
    )


def robots(chance: random.Random) -> Pool:
    """Crawlers that run scripts, and so are seen at all."""
    return _pool(
        _visitor(chance, MARKETS[0], (CRAWLER,), (CLOUD,)) | {"bot": "<Bot>"} for _ in range(16)
    )


def _count(market: Market) -> int:
    return next(count for count, least in ((256, 20), (128, 10), (64, 0)) if market.weight > least)


def _pool(visitors: Iterable[Json]) -> Pool:
    pieces = tuple(msgspec.json.encode(visitor)[1:-1] for visitor in visitors)
    return pieces * (POOL // len(pieces))


def _visitor(
    chance: random.Random,
    market: Market,
    devices: Sequence[Device],
    networks: Sequence[tuple[str, str]],
) -> Json:
    (device,) = chance.choices(devices, [device.weight for device in devices])
    place = chance.choice(market.places)
    language, locale = chance.choice(market.locales)
    domain, top = chance.choice(networks)
    by_phone = bool(device.kind) and chance.random() < 0.6
    return {
        "bot": "<Not a bot>",
        "exclude": INCLUDED,
        "ip": f"198.{chance.choice((18, 19))}.{_octet(chance)}.{_octet(chance)}",
        "domain": domain,
        "topLevelDomain": top,
        "browser": device.browser,
        "browserType": device.browser_type,
        "browserWidth": device.width,
        "browserHeight": device.height - chance.randrange(60, 200),
        "operatingSystem": device.system,
        "language": language,
        "languageAbbrev": locale,
        "currency": market.currency,
        "connectionType": "Mobile Carrier" if by_phone else "LAN/Wifi",
        "carrier": chance.choice(CARRIERS) if by_phone else "",
        "usesPersistentCookie": chance.choices((1, 2, 0), (96, 3, 1))[0],
        "javaEnabled": False,
        "userAgent": "",
        "monitorWidth": device.width,
        "monitorHeight": device.height,
        "monitorColorDepth": "16 million colors",
        "geoCity": place.city,
        "geoCountry": place.country,
        "geoRegion": place.region,
        "geoZip": place.zip,
        "geoDMA": place.dma,
        "lat": place.lat,
        "lon": place.lon,
    } | (_mobile(device) | _known(chance, place.zip))


def _octet(chance: random.Random) -> int:
    return 1 + int(chance.random() * 254)


def _mobile(device: Device) -> Json:
    if not device.kind:
        return {"mobileDeviceType": "", "mobileCookieSupport": False}
    return {
        "mobileDeviceType": device.kind,
        "mobileDeviceName": device.name,
        "mobileManufacturer": device.maker,
        "mobileScreenWidth": device.width,
        "mobileScreenHeight": device.height,
        "mobileColorDepth": 16_777_216,
        "mobileCookieSupport": True,
        "mobileAudioSupport": "MP3,AAC",
        "mobileVideoSupport": "MP4,H.264",
    }


def _known(chance: random.Random, zip_code: str) -> Json:
    known: Json = {}
    if chance.random() < 0.25:
        known["zip"] = zip_code
    if chance.random() < 0.3:
        segments = sorted(chance.sample(range(1_203_900, 1_203_960), chance.randint(1, 4)))
        known["mcAudiences"] = {"values": [str(segment) for segment in segments], "delim": 44}
    return known
