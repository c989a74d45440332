import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livestream_nb.errors import InvalidOption
from livestream_nb.hits.dedupe import Dedupe
from livestream_nb.hits.known import SCHEMA, Known
from livestream_nb.hits.repeats import Spell

A, B, C = Spell(1, 100.0), Spell(1, 200.0), Spell(2, 300.0)
SPELLS = (A, B, C)
IDS = {"hitIdHigh": pl.UInt64, "hitIdLow": pl.UInt64}


def hits(*pairs: tuple[int | None, int | None]) -> pl.DataFrame:
    return pl.DataFrame(list(pairs), schema=IDS, orient="row").with_row_index("row")


def test_new_hits_pass_as_they_are() -> None:
    """A frame of hits not seen before comes back unchanged."""
    frame = hits((1, 1), (1, 2), (2, 1))
    fresh, dropped, _ = Dedupe().fresh(frame, A)
    assert fresh is frame
    assert dropped == 0


def test_seen_hits_are_dropped_in_order() -> None:
    """Hits seen in an earlier frame are dropped; the others keep their order."""
    dedupe = Dedupe()
    dedupe.fresh(hits((1, 1), (1, 2)), A)
    fresh, dropped, _ = dedupe.fresh(hits((3, 3), (1, 2), (2, 2), (1, 1)), A)
    assert fresh["row"].to_list() == [0, 2]
    assert dropped == 2


def test_a_hit_twice_in_one_frame_is_kept_once() -> None:
    """Of a hit that is twice in one frame the first is kept."""
    fresh, dropped, _ = Dedupe().fresh(hits((1, 1), (1, 1), (2, 2), (1, 1)), A)
    assert fresh["row"].to_list() == [0, 2]
    assert dropped == 2


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((1, 2), (2, 1)),
        ((0, 2**64 - 1), (2**64 - 1, 0)),
        ((2**63, 2**63), (2**63, 2**63 + 1)),
        ((0, 1), (1, 0)),
        ((2**64 - 1, 2**64 - 1), (2**64 - 2, 2**64 - 1)),
    ],
)
def test_ids_are_compared_exactly(one: tuple[int, int], other: tuple[int, int]) -> None:
    """High and low are a pair: sums, swaps and rounding do not make two hits one."""
    assert Dedupe().fresh(hits(one, other), A)[1] == 0
    assert Dedupe().fresh(hits(one, other, one), A)[1] == 1


def test_hits_without_id_pass_and_are_counted() -> None:
    """Hits with a null in either half pass every time, and are counted."""
    dedupe = Dedupe()
    for _ in range(2):
        fresh, *_ = dedupe.fresh(hits((None, None), (1, None), (None, 1), (1, 1)), A)
        assert fresh["row"].to_list()[:3] == [0, 1, 2]
    assert dedupe.without_id == 6
    assert fresh.height == 3


@pytest.mark.parametrize("half", [(None, 1), (1, None)])
def test_half_an_id_is_none(half: tuple[int | None, int | None]) -> None:
    """One null half is enough to pass, beside hits whose ids are whole."""
    dedupe = Dedupe()
    dedupe.fresh(hits((1, 1)), A)
    fresh, dropped, _ = dedupe.fresh(hits(half, (1, 1), half), A)
    assert (fresh["row"].to_list(), dropped, dedupe.without_id) == ([0, 2], 1, 2)


@pytest.mark.parametrize("window", [1, 2, 7, 30])
def test_the_oldest_hit_of_the_window_is_known(window: int) -> None:
    """However many hits came, the one that is `window` hits back is still dropped."""
    for before in range(2 * window):
        dedupe = Dedupe(window)
        for low in range(before + window):
            dedupe.fresh(hits((0, low)), A)
        assert dedupe.fresh(hits((0, before)), A)[1] == 1


def test_an_empty_frame_is_fine() -> None:
    """A frame without hits comes back as it is."""
    assert Dedupe().fresh(hits(), A)[1] == 0


frames_of = st.tuples(st.lists(st.integers(0, 30), max_size=8), st.sampled_from([A, B, C]))


@given(st.integers(1, 12), st.lists(frames_of, max_size=12))
def test_the_window_is_at_least_what_was_asked_for(
    window: int, frames: list[tuple[list[int], Spell]]
) -> None:
    """A hit among the last `window` ones is always dropped, and a new one never; none lingers."""
    dedupe, before = Dedupe(window), []
    for frame, spell in frames:
        fresh, dropped, _ = dedupe.fresh(hits(*((7, low) for low in frame)), spell)
        kept = set(fresh["row"].to_list())
        assert dropped == len(frame) - len(kept)
        for row, low in enumerate(frame):
            if low in before[-window:]:
                assert row not in kept
            if low not in before:
                assert row in kept
            before.append(low)
    dedupe.fresh(hits(*((8, low) for low in range(window))), A)
    assert held(dedupe) == window


@given(st.lists(frames_of, max_size=12))
def test_every_hit_belongs_to_the_youngest_that_brought_it(
    frames: list[tuple[list[int], Spell]],
) -> None:
    """The earlier spells that are named are those that had brought a frame's hits before."""
    dedupe, owners = Dedupe(), {}
    for frame, spell in frames:
        earlier = set()
        for low in frame:
            before = owners.get(low, spell)
            earlier |= {before} if before.opened < spell.opened else set()
            owners[low] = max(before, spell, key=lambda one: one.opened)
        assert dedupe.fresh(hits(*((7, low) for low in frame)), spell).repeated == earlier


def held(dedupe: Dedupe) -> int:
    """How many ids are held, wherever they are."""
    once = sum(map(len, dedupe._brought.values()))
    return max(once, dedupe._delivered, once + len(dedupe._more))


def test_memory_is_bounded() -> None:
    """No more than a frame over the window is remembered, and the oldest is forgotten."""
    dedupe = Dedupe(window=1_000)
    for start in range(0, 20_000, 50):
        dedupe.fresh(hits(*((0, low) for low in range(start, start + 50))), A)
        assert held(dedupe) <= 1_050
    assert dedupe.fresh(hits((0, 18_949)), A).dropped == 0
    assert dedupe.fresh(hits((0, 19_050)), A).dropped == 1


@pytest.mark.parametrize("spells", [[A], [A, B], [B, A], [A, B, C]])
def test_memory_is_bounded_when_hits_repeat(spells: list[Spell]) -> None:
    """Hits that come again and again, on one connection or on several, do not make it grow."""
    dedupe = Dedupe(window=100)
    for low in range(1_000):
        dedupe.fresh(
            hits((0, low + 3), (0, low + 3), (0, low), (0, 5_000)), spells[low % len(spells)]
        )
        assert held(dedupe) <= 204
    for low in range(2_000, 2_100):
        dedupe.fresh(hits((0, low)), A)
    assert held(dedupe) == 100


def test_frames_without_ids_leave_nothing() -> None:
    """Frames that are empty, or whose hits have no ids, leave nothing behind."""
    dedupe = Dedupe()
    for _ in range(10):
        dedupe.fresh(hits(), A)
        dedupe.fresh(hits((None, 1)), B)
    assert not dedupe._deliveries
    assert not dedupe._brought


def test_a_repeat_names_the_earlier_spell() -> None:
    """When hits come again on a later spell, of any connection, those that had them are named."""
    dedupe = Dedupe()
    dedupe.fresh(hits((1, 1), (1, 2)), A)
    assert dedupe.fresh(hits((2, 1)), B).repeated == frozenset()
    assert dedupe.fresh(hits((1, 1), (9, 9)), C).repeated == {A}
    assert dedupe.fresh(hits((1, 2), (2, 1), (None, 1)), C).repeated == {A, B}


def test_a_spell_that_repeats_itself_names_none() -> None:
    """Hits that a spell brings twice, in one frame or in two, say nothing about any other."""
    dedupe = Dedupe()
    assert dedupe.fresh(hits((1, 1), (1, 1)), B)[1:] == (1, frozenset())
    assert dedupe.fresh(hits((1, 1), (2, 2)), B)[1:] == (1, frozenset())


def test_a_later_spell_proves_nothing_of_an_earlier_one() -> None:
    """A hit that comes again on the older of two open connections names none, and stays."""
    dedupe = Dedupe()
    dedupe.fresh(hits((1, 1)), B)
    assert dedupe.fresh(hits((1, 1)), A)[1:] == (1, frozenset())
    assert dedupe.fresh(hits((1, 1)), C).repeated == {B}


def test_a_repeated_hit_passes_to_the_later_spell() -> None:
    """A hit belongs to the latest spell that brought it, also when that one brought nothing new."""
    dedupe = Dedupe()
    dedupe.fresh(hits((1, 1), (1, 2)), A)
    assert dedupe.fresh(hits((1, 2)), B).repeated == {A}
    assert dedupe.fresh(hits((1, 2)), C).repeated == {B}


@pytest.mark.parametrize("window", [0, -1, 1.5, True, None, "all"])
def test_a_wrong_window_is_refused(window: object) -> None:
    """A window that is no number of hits is refused with the value."""
    with pytest.raises(InvalidOption, match="dedupe="):
        Dedupe(window)


def known(*rows: tuple[int | None, int | None, Spell]) -> Known:
    """Hits that were recorded before, and by whom."""
    placed = [(high, low, SPELLS.index(spell)) for high, low, spell in rows]
    return Known(pl.DataFrame(placed, schema=SCHEMA, orient="row"), SPELLS)


def owners(recorded: Known, *pairs: tuple[int | None, int | None]) -> dict[int, Spell]:
    frame = hits(*pairs)
    return recorded.owners(frame["hitIdHigh"], frame["hitIdLow"])


def test_recorded_hits_are_found_exactly() -> None:
    """Of hits with one low half each is told by its high half, and so to the last bit."""
    last = 2**64 - 1
    recorded = known((1, 7, A), (2, 7, B), (last, 7, C), (last, last, A), (0, 0, B), (5, 3, C))
    assert len(recorded) == 6
    assert owners(recorded, (last, 7), (3, 7), (2, 7), (7, 2), (1, 8), (1, 6)) == {
        last << 64 | 7: C,
        2 << 64 | 7: B,
    }
    assert owners(recorded, (0, 0), (last, last), (last, last - 1), (last - 1, last)) == {
        0: B,
        last << 64 | last: A,
    }


def test_half_an_id_is_recorded_by_nobody() -> None:
    """A null, on either side and in either half, is equal to nothing."""
    recorded = known((None, 7, A), (7, None, A), (None, None, A), (0, 7, B))
    assert len(recorded) == 1
    assert owners(recorded, (None, 7), (7, None), (None, None), (0, 7)) == {7: B}
    for nothing in (known(), known((None, None, A))):
        assert owners(nothing, (None, None), (0, 0), (None, 7)) == {}
    assert owners(recorded) == {}


def test_recorded_hits_are_dropped() -> None:
    """Hits that were recorded before are dropped, for good; those beside them keep their order."""
    dedupe = Dedupe(window=1)
    dedupe.know(known((1, 1, A), (1, 2, A)))
    for _ in range(3):
        frame, dropped, repeated = dedupe.fresh(hits((1, 2), (None, 1), (2, 2), (1, 1)), B)
        assert (frame["row"].to_list(), dropped) == ([1, 2], 2)
        assert repeated in ({A}, frozenset())
        dedupe.fresh(hits((9, 1), (9, 2)), B)
    assert dedupe.without_id == 3


def test_a_recorded_hit_stays_with_the_later_spell() -> None:
    """A recorded hit that an older spell brings again belongs to the later one, as a seen one."""
    dedupe = Dedupe()
    dedupe.know(known((1, 1, B)))
    assert dedupe.fresh(hits((1, 1)), A)[1:] == (1, frozenset())
    assert dedupe.fresh(hits((1, 1)), C).repeated == {B}


ids = st.tuples(st.sampled_from([None, 0, 1, 2**64 - 1]), st.sampled_from([None, 0, 1, 5, 2**63]))
some = st.lists(ids, max_size=8)


@given(
    st.dictionaries(ids, st.sampled_from(SPELLS), max_size=8),
    st.lists(st.tuples(some, st.sampled_from(SPELLS)), max_size=6),
)
def test_recorded_hits_are_like_seen_ones(
    before: dict[tuple[int | None, int | None], Spell],
    frames: list[tuple[list[tuple[int | None, int | None]], Spell]],
) -> None:
    """To have recorded hits is to have seen them: the same are new, the same spells are named."""
    knowing, seeing = Dedupe(), Dedupe()
    knowing.know(known(*((*pair, spell) for pair, spell in before.items())))
    for pair, spell in before.items():
        seeing.fresh(hits(pair), spell)
    for pairs, spell in frames:
        one, other = (dedupe.fresh(hits(*pairs), spell) for dedupe in (knowing, seeing))
        assert one.frame.equals(other.frame)
        assert one[1:] == other[1:]
