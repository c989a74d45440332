"""The visits of a site, one after another: page views that every lane of traffic plays.

It is made once per stream from a seed, and holds all of a hit but its ids, its times and who
exactly the visitor is.
"""

import random
from functools import lru_cache
from typing import NamedTuple

import msgspec

from livestream_nb.simulator.site import people
from livestream_nb.simulator.site.audience import plan
from livestream_nb.simulator.site.places import MARKETS
from livestream_nb.simulator.site.sparse import EVARS, PROPS, Sparse
from livestream_nb.simulator.site.views import ORDER_ID, Visit, page_evars, page_members, page_props
from livestream_nb.simulator.site.visits import Page

LENGTH = 4_096
"""How many page views a script has."""

REGULARS = 2
"""How many visitors of each group keep coming back to a lane."""

FIRST_NEWCOMER, NEWCOMERS = 1_000, 2**40
"""Those who come once are numbered from here on; a lane never has so many visits."""

SHORTEST, LONGEST = 2_000, 4_000
"""Between what bytes a record's size may be set."""

TYPICAL, SPREAD = 2_400, 600
LEAST, MOST = 1_750, 3_900
"""Sizes that are not set: mean, standard deviation and limits of a normal distribution."""

HEAD = 300
"""About how many bytes a record has before the pieces about its visitor and its page."""

EVARS_PART = 0.72
"""How much of what fills a record up is evars; the rest is props."""

STRANGER = (
    b'{"reportSuite":"examplecomprod","timeGMT":%d,"receivedTimeGMT":%d,'
    b'"hitIdHigh":%d,"hitIdLow":%d,"visIdHigh":%d,"visIdLow":%d,"visIdType":5,'
    b'"mcVisIdHigh":%d,"mcVisIdLow":%d,%b,%b}'
)
MEMBER = (
    b'{"reportSuite":"examplecomprod","timeGMT":%d,"receivedTimeGMT":%d,'
    b'"hitIdHigh":%d,"hitIdLow":%d,"visIdHigh":%d,"visIdLow":%d,"visIdType":0,'
    b'"customVisId":"%016x%016x",%b,%b}'
)


class Scene(NamedTuple):
    """One page view of the script.

    Attributes
    ----------
    record : bytes
        How a record of it is written: both times, both ids of the hit, those of the visitor
        twice, what is known of the visitor, and ``body``.
    people : tuple of bytes
        What may be known of the visitor.
    first, among : int
        The visitor is one of so many from a first one on.
    visit : int
        Which visit of the script it is part of.
    late : int
        How many seconds after the hit it was sent, at the least.
    ordered : bool
        Whether the body waits for the id of an order.
    body : bytes
        What the page view says, without the braces.
    """

    record: bytes
    people: people.Pool
    first: int
    among: int
    visit: int
    late: int
    ordered: bool
    body: bytes


class Script(NamedTuple):
    """Page views, visit by visit, and how many visits they are."""

    scenes: tuple[Scene, ...]
    visits: int


@lru_cache(maxsize=2)
def write(seed: int, record_size: int | None) -> Script:
    """Make up the visits of one site, or remember them: that takes a tenth of a second.

    Parameters
    ----------
    seed : int
        What they are drawn from.
    record_size : int, optional
        Bytes of a record, on average; when omitted about 2,500, and of all sizes.
    """
    chance = random.Random(f"{seed} script")
    groups = _groups(chance)
    writer = Writer(chance, record_size)
    visits = plan(chance, LENGTH)
    scenes: list[Scene] = []
    for number, (visit, pages) in enumerate(visits):
        group = groups[visit.kind, visit.market.name]
        for before, page in zip((None, *pages), pages, strict=False):
            body = writer.body(visit, page, before, group.room)
            scenes.append(_scene(visit, group, number, body))
    return Script(tuple(scenes), len(visits))


class Group(NamedTuple):
    """Visitors of one kind and market.

    ``first`` is the number of the first of their regulars, ``room`` how many bytes a record has
    before its page view's, on average.
    """

    people: people.Pool
    first: int
    room: float


def _groups(chance: random.Random) -> dict[tuple[str, str], Group]:
    pools = {("robot", "us"): people.robots(chance), ("office", "de"): people.in_the_office(chance)}
    for market in MARKETS:
        pools["browser", market.name] = people.browsing(chance, market)
        pools["app", market.name] = people.with_the_app(chance, market)
    return {
        key: Group(pool, place * REGULARS, HEAD + sum(map(len, pool)) / len(pool))
        for place, (key, pool) in enumerate(pools.items())
    }


def _scene(visit: Visit, group: Group, number: int, body: bytes) -> Scene:
    regular = visit.returning or visit.kind in ("robot", "office")
    return Scene(
        record=MEMBER if visit.returning else STRANGER,
        people=group.people,
        first=group.first if regular else FIRST_NEWCOMER,
        among=REGULARS if regular else NEWCOMERS,
        visit=number,
        late=visit.late,
        ordered=ORDER_ID in body,
        body=body,
    )


class Writer:
    """Writes what page views say, as long as records are to be."""

    def __init__(self, chance: random.Random, record_size: int | None) -> None:
        self._chance = chance
        self._record_size = record_size
        self._evars = Sparse(chance, "evar", EVARS)
        self._props = Sparse(chance, "prop", PROPS)

    def body(self, visit: Visit, page: Page, before: Page | None, room: float) -> bytes:
        """What a page view says, without the braces; ``room`` bytes go before it."""
        view = _members(page_members(self._chance, visit, page, before))
        evars, props = _members(page_evars(visit, page, before)), _members(page_props(visit, page))
        rest = self._length() - room - sum(map(len, (view, evars, props)))
        if not props:
            return b'%b,"evars":{"evars":{%b%b}}' % (view, evars, self._evars.some(rest))
        evars += self._evars.some(rest * EVARS_PART)
        props += self._props.some(rest * (1 - EVARS_PART))
        return b'%b,"evars":{"evars":{%b}},"props":{%b}' % (view, evars, props)

    def _length(self) -> float:
        if self._record_size:
            return self._record_size * self._chance.uniform(0.95, 1.05)
        return min(max(LEAST, self._chance.gauss(TYPICAL, SPREAD)), MOST)


def _members(value: object) -> bytes:
    return msgspec.json.encode(value)[1:-1]
