"""What the shop and its magazine hold, and where their visitors come from: tables of data.

Names are in seven languages and five scripts, some with HTML, quotes, emoji or bidi marks, and
some longer than Analytics keeps. The first of each row is the most popular.
"""

from typing import NamedTuple


class Product(NamedTuple):
    """Something to buy; ``price`` in euros, ``category`` one of :data:`CATEGORIES`."""

    name: str
    category: str
    price: float


class Source(NamedTuple):
    """Where a visit comes from, and the kind of page at which it begins."""

    weight: int
    referrer: str
    engine: str
    campaign: str
    landing: str


CATEGORIES = ("shoes", "jackets", "packs", "sale", "accessories", "tents")

CATEGORY_NAMES = {
    "en": ("Shoes", "Jackets & Coats", "Packs", "Sale 🔥 last days", "Socks, caps, …", "Tents"),
    "de": (
        "Schuhe", "Regenjacken <b>neu</b>", "Rucksäcke", "Ausverkauf – nur noch heute ⏰",
        "Zubehör", "Zelte",
    ),
    "fr": ("Chaussures d’été", "Vestes", "Sacs à dos", "Soldes −30 %", "Accessoires", "Tentes"),
    "pt": ("Calçados", "Jaquetas", "Mochilas", "Promoção", "Acessórios", "Barracas"),
    "ja": ("靴とブーツ", "レインジャケット", "バックパック", "セール", "小物", "テント"),
    "ar": (
        "أحذية", "سترات", "حقائب الظهر", "\u2067تخفيضات 50%\u2069", "إكسسوارات", "خيام",
    ),
    "sr": ("Обућа за планине", "Јакне", "Ранчеви", "Распродаја", "Опрема", "Шатори"),
}  # fmt: skip

ARTICLES = {
    "en": (
        ("wash-down", "How to wash a down jacket"),
        ("ten-huts", "Ten huts worth the climb"),
        ("waterproof", 'What "waterproof" means'),
        ("winter-coast", "A winter on the coast \\ a diary"),
        ("one-bag", "One bag, one week & no regrets"),
        (
            "everything",
            (
                "Everything that we carried over the pass, what we needed of it, what we sent "
                "home from the first village, and what we bought again two valleys later "
                "because the weather, as everybody had told us it would, changed within the "
                "hour and stayed that way until we were back at the station with wet feet and "
                "no dry sock between us"
            ),
        ),
    ),
    "de": (
        ("packliste", "Packliste für drei Tage"),
        ("huetten", "Hütten über 2000 m"),
        ("naehte", "Nähte prüfen & dichten"),
    ),
    "fr": (("laver", "Laver une doudoune"), ("refuges", "Dix refuges où l’on dort bien")),
    "pt": (("serra", "Três dias na serra"),),
    "ja": (("weather", "山の天気"), ("huts", "山小屋ガイド⛰️")),
    "ar": (("desert", "ليلة في الصحراء"),),
    "sr": (("planine", "Планине у јесен"),),
}

HELP = (("returns", "Returns"), ("delivery", "Delivery & costs"), ("sizes", "Size guide"))

PRODUCTS = (
    Product("Trail Runner 3", "shoes", 129.0),
    Product("Rain Shell", "jackets", 199.0),
    Product("Day Pack 22 l", "packs", 89.9),
    Product("Wool Socks", "accessories", 19.9),
    Product("Alpine Boot", "shoes", 249.0),
    Product("Fleece Hoodie", "jackets", 79.9),
    Product("Cap „Gipfel“", "accessories", 24.9),
    Product("Trekking Pack 60 l", "packs", 229.0),
    Product("Down Parka Nordlicht", "jackets", 349.0),
    Product("Barefoot Sandal", "shoes", 69.9),
    Product("Tent for Two", "tents", 399.0),
    Product('Belt 1½"', "accessories", 29.9),
    Product("Wind Vest <light>", "jackets", 59.9),
    Product("Approach Shoe", "shoes", 149.0),
    Product("Dry Bag 13 l", "packs", 22.5),
    Product("Gift Card 🎁", "sale", 50.0),
    Product("Last Season’s Boot", "sale", 119.0),
    Product("Tarp", "tents", 99.0),
    Product("Gaiters", "accessories", 44.9),
    Product("One-Person Tent", "tents", 279.0),
    Product("Sample Jacket", "sale", 99.5),
)

TERMS = ("rain jacket", "wool socks", "boots", "tent 2 persons", "rucksack", "gift", "size 46")
VAIN_TERMS = ("傘", "canoe", "<script>alert(1)</script>", "zelt fuer hund")

SITE = "https://www.shop.example"
SEARCH = "https://search.example/"

SOURCES = (
    Source(26, "", "", "", "home"),
    Source(9, SEARCH, "Google", "", "home"),
    Source(9, SEARCH, "Google", "", "article"),
    Source(8, SEARCH, "Google", "", "category"),
    Source(6, SEARCH, "Google", "", "product"),
    Source(4, "https://web.search.example/", "Microsoft Bing", "", "category"),
    Source(3, "https://quiet.search.example/", "DuckDuckGo", "", "article"),
    Source(7, SEARCH, "Google", "sem:brand:shop", "home"),
    Source(5, SEARCH, "Google", "sem:generic:rain-jacket", "category"),
    Source(3, SEARCH, "Google", "sem:generic:boots", "product"),
    Source(4, "https://social.example/", "", "social:spring:video-1", "category"),
    Source(3, "https://social.example/", "", "social:spring:carousel-β", "product"),
    Source(5, "https://mail.example/click?m=204", "", "email:2026-w14:hero", "category"),
    Source(2, "https://mail.example/click?m=205", "", "email:2026-w15:articles", "article"),
    Source(2, "https://partner.example/", "", "affiliate:4711:banner", "product"),
    Source(3, "https://huts.example/forum/thread-8812", "", "", "article"),
    Source(1, "https://old-links.example/list.html", "", "", "error"),
)
PUSHES = (Source(5, "", "", "", "home"), Source(2, "", "", "push:weekend", "category"))
NOWHERE = Source(1, "", "", "", "home")
