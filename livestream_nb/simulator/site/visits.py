"""Visits: ordered paths through the shop and its magazine, drawn from a table of what comes next.

Most visitors look and leave. A cart needs a product that was looked at, a checkout a cart, and an
order both steps of the checkout: about one visit in thirty gets that far.
"""

import random
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple, TypeVar
from urllib.parse import quote_plus

from livestream_nb.simulator.site.catalogue import (
    ARTICLES,
    CATEGORIES,
    CATEGORY_NAMES,
    HELP,
    PRODUCTS,
    TERMS,
    VAIN_TERMS,
    Product,
)

LONGEST = 24
EXIT = "exit"
NEXT = {
    "home": {"category": 46, "article": 14, "search": 12, "account": 2, EXIT: 26},
    "category": {"product": 52, "category": 15, "search": 5, "home": 4, EXIT: 24},
    "product": {"product": 20, "category": 24, "cart": 14, "search": 5, "help": 3, EXIT: 34},
    "search": {"product": 58, "category": 8, "search": 8, "nothing": 6, EXIT: 20},
    "nothing": {"search": 35, "category": 25, EXIT: 40},
    "article": {"article": 30, "category": 14, "product": 6, "home": 8, EXIT: 42},
    "help": {"category": 25, "account": 15, "home": 10, EXIT: 50},
    "account": {"category": 40, "help": 20, EXIT: 40},
    "cart": {"address": 45, "category": 20, "product": 10, "help": 3, EXIT: 22},
    "address": {"payment": 72, "cart": 8, EXIT: 20},
    "payment": {"order": 76, "error": 3, EXIT: 21},
    "order": {"article": 8, "account": 12, EXIT: 80},
    "error": {"home": 35, "search": 15, EXIT: 50},
}
STEPS = {kind: (tuple(after), tuple(accumulate(after.values()))) for kind, after in NEXT.items()}
FIXED = {
    "home": ("Home", "/"),
    "account": ("Orders & addresses", "/account"),
    "cart": ("Cart", "/cart"),
    "address": ("Checkout: address", "/checkout/address"),
    "payment": ("Checkout: payment", "/checkout/payment"),
    "order": ("Thank you", "/checkout/thank-you"),
    "error": ("Page not found", "/gone"),
    "failed": ("Payment did not go through", "/checkout/failed"),
}
CHECKOUT = ("address", "payment", "order")
CRAWLED = ("category", "product", "product", "product", "article", "help")
SHELVES = {"": PRODUCTS} | {
    category: tuple(product for product in PRODUCTS if product.category == category)
    for category in CATEGORIES
}
ZIPF = tuple(accumulate(1 / rank for rank in range(1, len(PRODUCTS) + 1)))

Choice = TypeVar("Choice")


class Line(NamedTuple):
    """So many of a product; none where it is only looked at."""

    product: Product
    units: int = 0


class Page(NamedTuple):
    """One page view of a visit.

    ``kind`` is a key of :data:`NEXT`; ``lines`` are the products that the page is about, ``term``
    what was searched for, and ``cart`` the events of the cart, if it changed or was looked at.
    """

    kind: str
    name: str
    path: str
    lines: tuple[Line, ...] = ()
    term: str = ""
    cart: tuple[str, ...] = ()


def browse(chance: random.Random, language: str, landing: str) -> list[Page]:
    """One visit of somebody who reads one language, from a landing page of this kind on."""
    walk = Walk(chance, language)
    pages = [walk.to(landing)]
    while len(pages) < LONGEST and (kind := walk.drawn_to()) != EXIT:
        pages.append(walk.to(kind))
    return pages


def crawl(chance: random.Random, length: int) -> list[Page]:
    """One visit of a robot: many pages, and no carts."""
    walk = Walk(chance, "en")
    return [walk.to("home"), *(walk.to(chance.choice(CRAWLED)) for _ in range(length - 1))]


class Walk:
    """Someone on the way through the pages: where they are, and what is in their cart."""

    def __init__(self, chance: random.Random, language: str) -> None:
        self._chance = chance
        self._language = language
        self._at = ""
        self._category = ""
        self._product = PRODUCTS[0]
        self._cart: dict[Product, int] = {}
        self._choosing = {
            "category": self._choose_category,
            "product": self._choose_product,
            "search": self._search,
            "nothing": self._search,
            "article": self._choose_article,
            "help": self._choose_help,
        }

    def drawn_to(self) -> str:
        """The kind of page that comes next, or :data:`EXIT`."""
        kinds, weights = STEPS[self._at]
        return self._chance.choices(kinds, cum_weights=weights)[0]

    def to(self, kind: str) -> Page:
        """Go to a page of this kind."""
        came_from, self._at = self._at, kind
        if kind in self._choosing:
            page = self._choosing[kind]()
        elif kind == "cart":
            page = self._open_cart(came_from)
        else:
            page = self._fixed("failed" if (came_from, kind) == ("payment", "error") else kind)
        if self._language == "en":
            return page
        return page._replace(path=f"/{self._language}{page.path}")

    def _fixed(self, name: str) -> Page:
        lines = self._lines() if name in CHECKOUT else ()
        if name == "order":
            self._cart = {}
        return Page(self._at, *FIXED[name], lines)

    def _open_cart(self, came_from: str) -> Page:
        events: tuple[str, ...] = ("cartViews",)
        if came_from == "product":
            events = ("cartAdditions",) if self._cart else ("carts", "cartAdditions")
            self._cart[self._product] = self._chance.choices((1, 2, 3), (80, 15, 5))[0]
        elif len(self._cart) > 1:
            events = ("cartViews", "cartRemovals")
            self._cart.popitem()
        return Page("cart", *FIXED["cart"], self._lines(), cart=events)

    def _lines(self) -> tuple[Line, ...]:
        return tuple(Line(product, units) for product, units in self._cart.items())

    def _choose_category(self) -> Page:
        place = self._popular(range(len(CATEGORIES)))
        self._category = CATEGORIES[place]
        name = CATEGORY_NAMES[self._language][place]
        return Page("category", name, f"/shop/{self._category}")

    def _choose_product(self) -> Page:
        self._product = self._popular(SHELVES[self._category])
        name, category, _ = self._product
        path = f"/shop/{category}/{quote_plus(name.lower())}"
        return Page("product", name, path, (Line(self._product),))

    def _search(self) -> Page:
        found = self._at == "search"
        term = self._popular(TERMS if found else VAIN_TERMS)
        self._category = ""
        name = "Search results" if found else "No results"
        return Page(self._at, name, f"/search?q={quote_plus(term)}", term=term)

    def _choose_article(self) -> Page:
        slug, title = self._popular(ARTICLES[self._language])
        return Page("article", title, f"/magazine/{slug}")

    def _choose_help(self) -> Page:
        slug, title = self._popular(HELP)
        return Page("help", title, f"/help/{slug}")

    def _popular(self, ranked: Sequence[Choice]) -> Choice:
        return self._chance.choices(ranked, cum_weights=ZIPF[: len(ranked)])[0]
