import gc
import weakref

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livestream_nb.hits.rolling import Part, Rolling, stretch
from livestream_nb.hits.texts import Scale, shared

NUMBERS = {"n": pl.Int64()}
PAGES = {"n": pl.Int64(), "page": pl.String()}
LONG = "https://www.example.com/a/page/with/a/long/name/%d"


def numbers(first: int, rows: int) -> pl.DataFrame:
    return pl.DataFrame({"n": range(first, first + rows)})


def pages(first: int, rows: int, distinct: int = 7) -> pl.DataFrame:
    texts = [LONG % (n % distinct) if n % 5 else None for n in range(first, first + rows)]
    return numbers(first, rows).with_columns(pl.Series("page", texts, dtype=pl.String))


def arrivals(moments: list[int]) -> pl.DataFrame:
    return pl.DataFrame({"arrived": moments}).with_columns(
        pl.col("arrived").cast(pl.Datetime("us", "UTC"))
    )


def bytes_of(column: pl.Series) -> int:
    """The bytes that a column's texts refer to, each once."""
    arrow = column.to_arrow(compat_level=pl.CompatLevel.newest())
    return sum({buffer.address: buffer.size for buffer in arrow.buffers()[2:]}.values())


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 70), st.integers(0, 60)), max_size=60))
def test_grows_at_the_end_and_shrinks_at_the_front(turns: list[tuple[int, int]]) -> None:
    """Whatever is appended and dropped, the rows between are there, in order, and add up."""
    rolling, came, held = Rolling(PAGES, largest=300), 0, []
    for more, fewer in turns:
        rolling.append(pages(came, more))
        held += range(came, came + more)
        came += more
        rolling.drop(fewer)
        del held[:fewer]
        assert rolling.height == len(held)
        assert rolling.size == sum(part.size for part in rolling.parts())
    assert rolling.frame().equals(pl.concat([pages(0, came)[came - len(held) :]]))


@pytest.mark.parametrize("rows", [1, 7, 140, 2_900])
def test_parts_stay_few(rows: int) -> None:
    """However small the appended frames, they are joined into few parts, none too large."""
    rolling = Rolling(NUMBERS, largest=3_000)
    for n in range(0, 20_000, rows):
        rolling.append(numbers(n, rows))
    heights = [part.frame.height for part in rolling.parts()]
    assert len(heights) < 64
    assert max(heights) <= 3_000
    assert rolling.frame()["n"].to_list()[:20_000] == list(range(20_000))


def test_heavy_parts_are_not_joined() -> None:
    """No join makes a part of more bytes than allowed."""
    rolling = Rolling(NUMBERS, largest=100_000, heaviest=1_000)
    for n in range(0, 1_000, 10):
        rolling.append(numbers(n, 10))
    sizes = [part.size for part in rolling.parts()]
    assert 500 < max(sizes) <= 1_000
    assert rolling.size == sum(sizes) == 8_000


def test_heavy_rows_count_as_heavy() -> None:
    """Of bytes to be given up, light rows give few; no more rows go than have to."""
    rolling = Rolling(PAGES, largest=1_000)
    for text in ("", "x" * 1_000):
        page = pl.Series("page", [text] * 10)
        rolling.append(numbers(0, 10).with_columns(page))
    light, heavy = rolling.parts()
    rolling.drop_bytes(light.size + 1_000)
    assert rolling.height == 9
    assert rolling.size <= heavy.size - 1_000


def test_rows_given_up_are_let_go() -> None:
    """Parts whose rows were all dropped are not held on to."""
    rolling = Rolling(NUMBERS, largest=100)
    for n in range(0, 1_000, 10):
        rolling.append(numbers(n, 10))
    oldest = weakref.ref(rolling.parts()[0].frame)
    rolling.drop(995)
    gc.collect()
    assert oldest() is None
    assert rolling.height == rolling.frame().height == 5
    assert len(rolling.parts()) == 1
    rolling.drop(50)
    assert (rolling.height, rolling.size, rolling.frame().height, rolling.parts()) == (0, 0, 0, ())


def test_equal_texts_share_their_bytes() -> None:
    """Of thousands of rows each distinct text is stored a few times, not once per row."""
    rolling = Rolling(PAGES, largest=65_536)
    for n in range(0, 140 * 256, 140):
        rolling.append(pages(n, 140))
    [part] = rolling.parts()
    assert part.frame.equals(pages(0, 140 * 256))
    assert bytes_of(part.frame["page"]) < 1_000
    assert part.size == part.frame.height * (8 + 16) + 7 * len(LONG % 0)
    assert bytes_of(pl.concat([pages(0, 140)] * 256)["page"]) > 5_000


def test_shared_texts_stay_shared() -> None:
    """Joining parts whose texts are shared stores no text anew."""
    rolling = Rolling(PAGES, largest=200_000)
    for n in range(0, 5_000 * 16 * 2, 5_000):
        rolling.append(pages(n, 5_000))
    first, second = rolling.parts()
    assert (first.shared, second.shared) == (True, True)
    both = pl.concat([first.frame, second.frame], rechunk=True)
    assert bytes_of(both["page"]) < 2_000


@pytest.mark.parametrize(
    "texts",
    [[], [None, None], ["", ""], ["short", None], [LONG, None, "", LONG, "\0", "\U0001f600" * 9]],
)
def test_sharing_changes_no_value(texts: list[str | None]) -> None:
    """Nulls, empty, short and odd texts come out of sharing as they went in, in their columns."""
    data = {"n": range(len(texts)), "a": texts, "b": texts[::-1]}
    frame = pl.DataFrame(data, schema={"n": pl.Int64, "a": pl.String, "b": pl.String})
    assert shared(frame)[0].equals(frame)
    assert shared(frame)[0].schema == frame.schema


def test_sizes_count_every_text() -> None:
    """A frame's bytes are its values by their types; of a text its own and 16, nested too."""
    inner = pl.List(pl.Struct({"key": pl.String(), "value": pl.Float64()}))
    schema = {"n": pl.Int64(), "page": pl.String(), "events": inner}
    events = [[{"key": "abc", "value": 1.0}] * 2, [{"key": "de", "value": None}]]
    frame = pl.DataFrame({"n": [1, 2], "page": ["x" * 20, "y"], "events": events}, schema=schema)
    size = Scale(schema).size(frame)
    texts, values, lists = (20 + 1 + 3 + 3 + 2) + 5 * 16, 2 * 8 + 3 * 8, 2 * 8
    assert texts + values <= size <= texts + values + lists + 8


@given(
    st.lists(st.lists(st.integers(0, 20), min_size=1, max_size=6), max_size=6), st.floats(-1, 21)
)
def test_since_a_moment(moments: list[list[int]], since: float) -> None:
    """Of each part the rows that arrived then or later, whatever their order."""
    found = []
    for part in moments:
        frame = arrivals(part)
        one = Part(frame, 0, min(part), max(part), 8 * len(part))
        found += one.since(since)["arrived"].to_physical().to_list()
    assert found == [moment for part in moments for moment in part if moment >= since]


def test_a_tail_is_not_copied() -> None:
    """The rows of a part that arrived in order are cut off, not gathered."""
    frame = arrivals(list(range(1_000)))
    recent = Part(frame, 0, 0, 999, 8_000).since(400)
    whole, tail = (each["arrived"].to_arrow() for each in (frame, recent))
    assert tail.buffers()[1].address == whole.buffers()[1].address
    assert (tail.offset, len(tail)) == (400, 600)


@settings(deadline=None)
@given(st.lists(st.integers(1, 5), max_size=8), st.integers(0, 30), st.integers(0, 30))
def test_a_stretch_of_rows(sizes: list[int], begin: int, rows: int) -> None:
    """A stretch begins and ends where asked, over parts, and touches no others."""
    rolling, came = Rolling(NUMBERS, largest=1), 0
    for size in sizes:
        rolling.append(numbers(came, size))
        came += size
    frames = stretch(rolling.parts(), begin, rows)
    assert [n for frame in frames for n in frame["n"]] == list(range(came))[begin : begin + rows]
    assert all(frame.height for frame in frames)


def test_rows_before_a_moment_go() -> None:
    """Rows go up to the first that is young enough; in whole parts only, unless exactly."""
    rolling = Rolling({"arrived": pl.Datetime("us", "UTC")}, largest=40)
    for moment in range(0, 330, 10):
        rolling.append(arrivals([moment]), moment)
    assert [part.frame.height for part in rolling.parts()] == [16, 16, 1]
    rolling.drop_before(155, exactly=False)
    assert rolling.height == 17
    rolling.drop_before(195, exactly=False)
    assert rolling.height == 17
    rolling.drop_before(195)
    assert rolling.frame()["arrived"].to_physical().to_list() == list(range(200, 330, 10))
