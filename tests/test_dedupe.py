import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livestream_nb.errors import InvalidOption
from livestream_nb.hits.dedupe import Dedupe

IDS = {"hitIdHigh": pl.UInt64, "hitIdLow": pl.UInt64}


def hits(*pairs: tuple[int | None, int | None]) -> pl.DataFrame:
    return pl.DataFrame(list(pairs), schema=IDS, orient="row").with_row_index("row")


def test_new_hits_pass_as_they_are() -> None:
    """A frame of hits not seen before comes back unchanged."""
    frame = hits((1, 1), (1, 2), (2, 1))
    fresh, dropped = Dedupe().fresh(frame)
    assert fresh is frame
    assert dropped == 0


def test_seen_hits_are_dropped_in_order() -> None:
    """Hits seen in an earlier frame are dropped; the others keep their order."""
    dedupe = Dedupe()
    dedupe.fresh(hits((1, 1), (1, 2)))
    fresh, dropped = dedupe.fresh(hits((3, 3), (1, 2), (2, 2), (1, 1)))
    assert fresh["row"].to_list() == [0, 2]
    assert dropped == 2


def test_a_hit_twice_in_one_frame_is_kept_once() -> None:
    """Of a hit that is twice in one frame the first is kept."""
    fresh, dropped = Dedupe().fresh(hits((1, 1), (1, 1), (2, 2), (1, 1)))
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
    assert Dedupe().fresh(hits(one, other))[1] == 0
    assert Dedupe().fresh(hits(one, other, one))[1] == 1


def test_hits_without_id_pass_and_are_counted() -> None:
    """Hits with a null in either half pass every time, and are counted."""
    dedupe = Dedupe()
    for _ in range(2):
        fresh, _ = dedupe.fresh(hits((None, None), (1, None), (None, 1), (1, 1)))
        assert fresh["row"].to_list()[:3] == [0, 1, 2]
    assert dedupe.without_id == 6
    assert fresh.height == 3


@pytest.mark.parametrize("half", [(None, 1), (1, None)])
def test_half_an_id_is_none(half: tuple[int | None, int | None]) -> None:
    """One null half is enough to pass, beside hits whose ids are whole."""
    dedupe = Dedupe()
    dedupe.fresh(hits((1, 1)))
    fresh, dropped = dedupe.fresh(hits(half, (1, 1), half))
    assert (fresh["row"].to_list(), dropped, dedupe.without_id) == ([0, 2], 1, 2)


@pytest.mark.parametrize("window", [1, 2, 7, 30])
def test_the_oldest_hit_of_the_window_is_known(window: int) -> None:
    """However many hits came, the one that is `window` hits back is still dropped."""
    for before in range(2 * window):
        dedupe = Dedupe(window)
        for low in range(before + window):
            dedupe.fresh(hits((0, low)))
        assert dedupe.fresh(hits((0, before)))[1] == 1


def test_an_empty_frame_is_fine() -> None:
    """A frame without hits comes back as it is."""
    assert Dedupe().fresh(hits())[1] == 0


@given(
    st.integers(1, 12),
    st.lists(st.lists(st.integers(0, 30), max_size=8), max_size=12),
)
def test_the_window_is_at_least_what_was_asked_for(window: int, frames: list[list[int]]) -> None:
    """A hit among the last `window` ones is always dropped, and a new one never."""
    dedupe, before = Dedupe(window), []
    for frame in frames:
        fresh, dropped = dedupe.fresh(hits(*((7, low) for low in frame)))
        kept = set(fresh["row"].to_list())
        assert dropped == len(frame) - len(kept)
        for row, low in enumerate(frame):
            if low in before[-window:]:
                assert row not in kept
            if low not in before:
                assert row in kept
            before.append(low)


def test_memory_is_bounded() -> None:
    """No more than a quarter over the window is remembered, and the oldest is forgotten."""
    dedupe = Dedupe(window=1_000)
    for start in range(0, 20_000, 50):
        dedupe.fresh(hits(*((0, low) for low in range(start, start + 50))))
    known = len(dedupe._newest) + sum(map(len, dedupe._older))
    assert 1_000 <= known <= 1_250
    assert dedupe.fresh(hits((0, 0)))[1] == 0
    assert dedupe.fresh(hits((0, 19_000)))[1] == 1


@pytest.mark.parametrize("window", [0, -1, 1.5, True, None, "all"])
def test_a_wrong_window_is_refused(window: object) -> None:
    """A window that is no number of hits is refused with the value."""
    with pytest.raises(InvalidOption, match="window="):
        Dedupe(window)
