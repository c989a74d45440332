"""What the pages of a small shop and magazine tell Analytics: members of records.

Values follow Adobe's release notes of Livestream for 13 April 2026
(``AdobeDocs/analytics-2.0-apis``, ``livestream``): an event inside ``products`` is also one of the
hit's, an event of 0 is left out, ``delim`` of a list variable is a comma, values are cut at 255
bytes, revenue has two decimals; hits of bots and excluded ones have no referrer and no search
engine, and excluded ones no props.
"""

import random
from dataclasses import dataclass
from typing import Literal

from livestream_nb.simulator.site.catalogue import PRODUCTS, SITE, Source
from livestream_nb.simulator.site.places import Market
from livestream_nb.simulator.site.visits import Line, Page

Json = dict[str, object]
Kind = Literal["browser", "app", "office", "robot"]

ORDER_ID = b"{order-id}"
"""Stands for an order's id until the hit is made."""

LONGEST_NAME = 100
LONGEST_VALUE = 255
COMMA, COLON = 44, 58
WITHOUT_CENTS = ("JPY", "RSD", "INR")
SECTIONS = {
    "category": "shop",
    "product": "shop",
    "nothing": "search",
    "article": "magazine",
    "address": "checkout",
    "payment": "checkout",
}
EVENTS = {
    "product": ("productViews", "event4"),
    "search": ("event5",),
    "nothing": ("event5", "event6"),
    "article": ("event10",),
    "address": ("checkouts", "event15"),
    "payment": ("event16",),
    "order": ("purchases", "orders"),
    "error": ("event90",),
}
COLOURS = ("moss", "slate", "rust", "night blue")
SORTING = ("price", "newest", "rating", "colour:moss", "size:42", "in stock")


@dataclass(frozen=True)
class Visit:
    """Whose page views they are, and where the visit came from.

    ``late`` is how many seconds after the hits they are sent; ``experiment`` names an activity
    of Target that the visit is part of.
    """

    kind: Kind
    market: Market
    source: Source
    returning: bool = False
    late: int = 0
    experiment: str = ""


def page_members(chance: random.Random, visit: Visit, page: Page, before: Page | None) -> Json:
    """What a page view sets, evars and props aside; ``before`` is the page that led to it."""
    order = ORDER_ID.decode()
    parts = page.path.split("?")[0].strip("/").replace("/", ":")
    return {
        "pageName": _page_name(page),
        "pageURL": "" if visit.kind == "app" else SITE + page.path,
        **_origin(visit, before),
        "isErrorPage": page.kind == "error",
        "hitSource": 2 if visit.kind == "app" else 1,
        "service": "ss",
        "truncated": False,
        **({"purchaseId": order, "transactionId": order} if page.kind == "order" else {}),
        "hierarchies": {"site": {"delim": COLON, "values": f"shop.example:{parts}"}},
        "mvvars": _list_variables(chance, page),
        "products": [_product(chance, visit.market, page, line) for line in page.lines],
        "events": _events(chance, visit.market, page),
        **({} if before or not visit.experiment else _activity(visit.experiment)),
    }


def page_evars(visit: Visit, page: Page, before: Page | None) -> dict[str, str]:
    """The conversion variables that a page view always sets; the campaign on the first one."""
    evars = {"campaign": visit.source.campaign} if visit.source.campaign and not before else {}
    evars |= {
        "evar1": "logged-in" if visit.returning else "logged-out",
        "evar2": section_of(page),
        "evar3": page.kind,
        "evar4": _cut(page.name, LONGEST_VALUE),
        "evar6": "returning" if visit.returning else "new",
        "evar7": visit.kind,
    }
    return evars | ({"evar5": page.term, "evar9": "1.0"} if page.term else {})


def page_props(visit: Visit, page: Page) -> dict[str, str]:
    """The traffic variables that a page view always sets."""
    if visit.kind == "office":
        return {}
    section = section_of(page)
    props = {
        "site_section": section,
        "prop1": _cut(f"{page.name} | shop.example", LONGEST_NAME),
        "prop2": section,
        "prop3": _cut(page.path, LONGEST_NAME),
        "prop4": visit.market.pages,
    }
    return props | ({"prop5": page.term} if page.term else {})


def section_of(page: Page) -> str:
    """The part of the site that a page belongs to."""
    return SECTIONS.get(page.kind, page.kind)


def _page_name(page: Page) -> str:
    return _cut(f"{section_of(page)}:{page.name}", LONGEST_NAME)


def _origin(visit: Visit, before: Page | None) -> Json:
    if visit.kind in ("robot", "office"):
        return {}
    if before is None:
        return {"referrer": visit.source.referrer, "searchEngine": visit.source.engine}
    return {"referrer": "" if visit.kind == "app" else SITE + before.path, "searchEngine": ""}


def _activity(experiment: str) -> Json:
    entry = {"campaignId": experiment, "recipeId": "1", "trafficType": "0"}
    return {
        "tnt": [entry | {"actionId": "", "actionName": ""}],
        "tntAction": [entry | {"actionId": "1", "actionName": "Experience Visit"}],
    }


def _list_variables(chance: random.Random, page: Page) -> Json:
    lists = {"1": [f"section:{section_of(page)}", f"kind:{page.kind}"]}
    if page.kind in ("product", "cart", "article") and chance.random() < 0.4:
        start = chance.randrange(len(PRODUCTS) - 3)
        lists["2"] = [product.name for product in PRODUCTS[start : start + 3]]
    if page.kind == "category" and chance.random() < 0.3:
        lists["3"] = chance.sample(SORTING, 2)
    return {number: {"m": {"values": values, "delim": COMMA}} for number, values in lists.items()}


def _product(chance: random.Random, market: Market, page: Page, line: Line) -> Json:
    ordered = page.kind == "order"
    return {
        "category": line.product.category,
        "name": line.product.name,
        "units": line.units if ordered else 0,
        "revenue": _revenue(market, line) if ordered else 0.0,
        "evars": {"evar31": chance.choice(COLOURS), "evar32": line.product.category},
        "events": {"event61": [_money(market, _price(market, line))]},
    }


def _events(chance: random.Random, market: Market, page: Page) -> Json:
    events: Json = {name: [_count(1)] for name in ("instances", *EVENTS.get(page.kind, ()))}
    events |= {name: [_count(1)] for name in page.cart}
    if page.lines:
        events["event61"] = [_money(market, sum(_price(market, line) for line in page.lines))]
    if page.kind == "home":
        events["event7"] = [_count(1)] * chance.randint(1, 3)
    elif page.kind == "search":
        events["event8"] = [_count(chance.randint(1, 60))]
    elif page.kind == "article" and (depth := chance.randrange(5)):
        events["event11"] = [_count(25 * depth)]
    elif page.kind == "order":
        events["units"] = [_count(sum(line.units for line in page.lines))]
        events["revenue"] = [_money(market, sum(_revenue(market, line) for line in page.lines))]
        events["event20"] = [_count(1, unique=ORDER_ID.decode())]
    return events


def _price(market: Market, line: Line) -> float:
    return round(line.product.price * market.rate, 0 if market.currency in WITHOUT_CENTS else 2)


def _revenue(market: Market, line: Line) -> float:
    return round(_price(market, line) * line.units, 2)


def _money(market: Market, value: float) -> Json:
    if market.currency in WITHOUT_CENTS:
        return _count(round(value))
    return _count(round(value * 100), exponent=2)


def _count(count: int, *, exponent: int = 0, unique: str = "") -> Json:
    return {"count": count, "exponent": exponent, "unique": unique}


def _cut(text: str, longest: int) -> str:
    return text.encode()[:longest].decode(errors="ignore")
