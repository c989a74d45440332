"""Who comes, and from where: the visits of a site, counted so that each kind has its share.

Shares are of hits, not of visits: bots walk long paths, and would otherwise be too many.
"""

import random
from collections.abc import Iterator, Sequence

from livestream_nb.simulator.site.catalogue import NOWHERE, PUSHES, SOURCES, Source
from livestream_nb.simulator.site.places import MARKETS
from livestream_nb.simulator.site.views import Visit
from livestream_nb.simulator.site.visits import Page, browse, crawl

SHARES = {"robot": 0.02, "office": 0.015, "late app": 0.01, "app": 0.05, "member": 0.18}
"""How much of all hits is by these; the rest is by people who come once, by browser."""

EXPERIMENTS = ("13234", "13301", "", "", "", "")
SHORTEST_DELAY, LONGEST_DELAY = 180, 3_300
"""Seconds after which an app that was offline sends its hits."""

Planned = tuple[Visit, list[Page]]


def plan(chance: random.Random, hits: int) -> list[Planned]:
    """Plan visits of so many page views in all, in no particular order."""
    visits = [
        visit
        for who, share in SHARES.items()
        for visit in _enough(chance, who, round(share * hits))
    ]
    rest = hits - sum(len(pages) for _, pages in visits)
    visits += _enough(chance, "stranger", rest)
    chance.shuffle(visits)
    return visits


def _enough(chance: random.Random, who: str, hits: int) -> Iterator[Planned]:
    while hits > 0:
        visit, pages = _visit(chance, who)
        yield visit, pages[:hits]
        hits -= len(pages)


def _visit(chance: random.Random, who: str) -> Planned:
    if who == "robot":
        return Visit("robot", MARKETS[0], NOWHERE), crawl(chance, chance.randint(20, 40))
    if who == "office":
        return _browsed(chance, Visit("office", MARKETS[1], NOWHERE))
    (market,) = chance.choices(MARKETS, [market.weight for market in MARKETS])
    if who in ("app", "late app"):
        late = chance.randint(SHORTEST_DELAY, LONGEST_DELAY) if who == "late app" else 0
        return _browsed(chance, Visit("app", market, _source(chance, PUSHES), late=late))
    experiment = chance.choice(EXPERIMENTS)
    source = _source(chance, SOURCES)
    return _browsed(chance, Visit("browser", market, source, who == "member", 0, experiment))


def _browsed(chance: random.Random, visit: Visit) -> Planned:
    return visit, browse(chance, visit.market.pages, visit.source.landing)


def _source(chance: random.Random, sources: Sequence[Source]) -> Source:
    return chance.choices(sources, [source.weight for source in sources])[0]
