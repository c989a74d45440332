from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livestream_nb.errors import InvalidOption, UnknownColumn
from livestream_nb.hits.buffer import Batch, Buffer, Totals
from livestream_nb.hits.columns import resolve
from livestream_nb.hits.decode import Decoder
from livestream_nb.hits.keep import Keep
from livestream_nb.hits.records import Rejected
from livestream_nb.hits.repeats import KEPT_REPEATS, Spell

SCHEMA = Decoder(resolve(["pageName"])).schema
T0 = 1_776_081_600.0
ROW = 4 * 8 + 3 * 8 + 1 + 16 + len("page 999") + 1
"""Bytes of a row of `batch`: ids, times, the connection, a text with its view, bits for nulls."""


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def batch(first: int, rows: int, arrived: float = T0, connection: int = 0, **more: Any) -> Batch:
    frame = pl.DataFrame(
        {
            "hitIdLow": range(first, first + rows),
            "pageName": [f"page {n}" for n in range(first, first + rows)],
            "arrived": [moment(arrived)] * rows,
            "connection": [connection] * rows,
        }
    )
    whole = frame.select(
        frame[name].cast(dtype)
        if name in frame.columns
        else pl.Series(name, [None] * rows, dtype=dtype)
        for name, dtype in SCHEMA.items()
    )
    return Batch(whole, connection, arrived, **more)


def ids(frame: pl.DataFrame) -> list[int]:
    return frame["hitIdLow"].to_list()


def test_an_empty_buffer_answers() -> None:
    """Before anything came, every frame is there, typed and empty, and every count is 0."""
    buffer = Buffer(SCHEMA)
    assert buffer.hits().schema == SCHEMA
    assert buffer.totals() == Totals()
    frames = (buffer.hits(), buffer.seconds(), buffer.quarantine(), buffer.repeats())
    assert [frame.height for frame in frames] == [0] * 4


@settings(deadline=None)
@given(st.integers(1, 60), st.lists(st.integers(0, 40), max_size=40))
def test_at_most_keep_rows_and_always_the_newest(keep: int, sizes: list[int]) -> None:
    """After every append the buffer holds exactly the newest `keep` rows; evictions are counted."""
    buffer, came = Buffer(SCHEMA, keep), 0
    for size in sizes:
        buffer.append(batch(came, size))
        came += size
        totals = buffer.totals()
        assert ids(buffer.hits()) == list(range(max(0, came - keep), came))
        assert (totals.rows, totals.evicted) == (min(keep, came), max(0, came - keep))
        assert totals.hits == came


def test_what_is_handed_out_is_the_askers_own() -> None:
    """Changing a frame that was handed out in place does not change what the buffer holds."""
    buffer = Buffer(SCHEMA)
    buffer.append(batch(0, 2))
    frame = buffer.hits()
    frame[0, "pageName"] = "changed"
    frame.insert_column(0, pl.Series("more", [1, 2]))
    frame.drop_in_place("hitIdLow")
    assert buffer.hits()["pageName"].to_list() == ["page 0", "page 1"]
    assert buffer.hits().schema == SCHEMA


def test_since_and_columns_narrow_the_answer() -> None:
    """`since` is a moment of arrival, included; `columns` are the wanted ones, in that order."""
    buffer = Buffer(SCHEMA)
    for second in range(4):
        buffer.append(batch(second, 1, T0 + second))
    assert ids(buffer.hits(since=T0 + 2)) == [2, 3]
    assert ids(buffer.hits(since=T0 + 2.000001)) == [3]
    assert ids(buffer.hits(since=-1e300)) == [0, 1, 2, 3]
    assert buffer.hits(since=1e300).height == 0
    frame = buffer.hits(T0 + 3, columns=["pageName", "hitIdLow", "pageName"])
    assert frame.to_dict(as_series=False) == {"pageName": ["page 3"], "hitIdLow": [3]}
    assert buffer.hits(columns="pageName").columns == ["pageName"]


@pytest.mark.parametrize(
    ("wrong", "advice"),
    [("pagename", "the nearest is 'pageName'"), ("ip", "name it in the Reader's columns")],
)
def test_a_column_that_is_not_held_is_refused(wrong: str, advice: str) -> None:
    """A column that the buffer does not hold is refused, with what to do."""
    with pytest.raises(UnknownColumn, match=advice):
        Buffer(SCHEMA).hits(columns=["hitIdLow", wrong])


def test_seconds_add_up_by_connection() -> None:
    """Counters add up what came in each second, for each connection."""
    buffer = Buffer(SCHEMA, keep=1)
    buffer.append(batch(0, 2, T0 + 0.1, size=10, duplicates=1))
    buffer.append(batch(2, 3, T0 + 0.9, size=20, rejected=(Rejected(b"x", "y"),)))
    buffer.append(batch(5, 1, T0 + 0.95, connection=1, size=5))
    buffer.append(batch(6, 0, T0 + 7, size=1))
    assert buffer.seconds().rows() == [
        (moment(T0), 0, 5, 30, 1, 1),
        (moment(T0), 1, 1, 5, 0, 0),
        (moment(T0 + 7), 0, 0, 1, 0, 0),
    ]
    assert buffer.seconds(since=T0 + 0.5).rows() == [(moment(T0 + 7), 0, 0, 1, 0, 0)]
    assert dict(buffer.seconds().schema) == {
        "time": pl.Datetime("us", "UTC"),
        "connection": pl.UInt8(),
        "hits": pl.UInt64(),
        "bytes": pl.UInt64(),
        "duplicates": pl.UInt64(),
        "quarantined": pl.UInt64(),
    }


def test_counters_are_kept_for_a_day_whatever_is_evicted() -> None:
    """The counters hold the last 86,400 seconds exactly, also of rows long evicted."""
    buffer = Buffer(SCHEMA, keep=1)
    nothing = batch(0, 0).frame
    for second in range(96_000):
        buffer.append(Batch(nothing, second % 2, T0 + second, size=second))
    seconds = buffer.seconds()
    expected = range(96_000 - 86_400, 96_000)
    assert seconds["bytes"].to_list() == list(expected)
    assert seconds["connection"].to_list() == [second % 2 for second in expected]
    held = buffer._counters._day.height + len(buffer._counters._open)
    assert held < 86_400 + 5_000


def test_a_latecomer_is_added_to_its_second() -> None:
    """A count for a second long past is added to that second's row."""
    buffer = Buffer(SCHEMA)
    nothing = batch(0, 0).frame
    for second in [*range(2_000), 3, 3]:
        buffer.append(Batch(nothing, 0, T0 + second, size=1))
    seconds = buffer.seconds()
    assert seconds.height == 2_000
    assert seconds["bytes"].to_list()[:5] == [1, 1, 1, 3, 1]


def test_quarantine_keeps_the_newest_and_counts_all() -> None:
    """The newest 1,000 rejected records are kept as text and bytes; the totals count all."""
    buffer = Buffer(SCHEMA)
    for n in range(1_200):
        rejected = (Rejected(b"caf\xe9 %d" % n, "not UTF-8"), Rejected(b"{", "cut"))
        buffer.append(batch(0, 0, T0 + n, connection=2, rejected=rejected))
    frame = buffer.quarantine()
    assert buffer.totals().quarantined == 2_400
    assert frame.height == 1_000
    assert frame.row(0) == (moment(T0 + 700), 2, "not UTF-8", "caf\\xe9 700", b"caf\xe9 700")
    assert frame.row(-1) == (moment(T0 + 1_199), 2, "cut", "{", b"{")


def test_a_long_record_is_kept_in_part() -> None:
    """Of a long rejected record the first 64 KiB are kept."""
    buffer = Buffer(SCHEMA)
    buffer.append(batch(0, 0, rejected=(Rejected(b"a" * 5_000_000, "too long"),)))
    [text], [raw] = buffer.quarantine().select("text", "raw").get_columns()
    assert len(text) == len(raw) == 65_536


def test_repeats_are_kept_by_second() -> None:
    """Of a second, the last moment is kept at which a spell's hits came again."""
    buffer = Buffer(SCHEMA)
    one, two = Spell(1, T0 - 500.123456), Spell(2, T0 - 400)
    for arrived, repeated in [(0.25, {one}), (0.75, {one, two}), (0.5, {one}), (7.5, {one})]:
        buffer.append(batch(0, 0, T0 + arrived, repeated=frozenset(repeated)))
    opened = moment(T0 - 501) + timedelta(microseconds=876_544)
    assert sorted(buffer.repeats().rows()) == [
        (1, opened, moment(T0 + 0.75)),
        (1, opened, moment(T0 + 7.5)),
        (2, moment(T0 - 400), moment(T0 + 0.75)),
    ]
    assert dict(buffer.repeats().schema) == {
        "connection": pl.UInt8(),
        "opened": pl.Datetime("us", "UTC"),
        "time": pl.Datetime("us", "UTC"),
    }


def test_repeats_are_bounded() -> None:
    """However long hits come again, the newest 10,000 seconds of it are kept."""
    buffer, spells = Buffer(SCHEMA), frozenset({Spell(1, T0)})
    for second in range(KEPT_REPEATS + 5):
        buffer.append(batch(0, 0, T0 + second, repeated=spells))
    times = buffer.repeats()["time"]
    assert times.len() == KEPT_REPEATS == 10_000
    assert times.to_list()[0] == moment(T0 + 5)


def test_totals_add_up() -> None:
    """Totals count everything that came, also what is no longer held."""
    buffer = Buffer(SCHEMA, keep=4)
    buffer.append(batch(0, 3, size=30, duplicates=2, unreadable={"lat": 1}, without_id=1))
    buffer.append(batch(3, 3, size=40, unreadable={"lat": 2, "zip": 1}, without_id=2))
    buffer.append(batch(6, 0, rejected=(Rejected(b"", ""),)))
    assert buffer.totals() == Totals(
        hits=6,
        bytes=70,
        duplicates=2,
        quarantined=1,
        evicted=2,
        rows=4,
        without_id=3,
        unreadable={"lat": 3, "zip": 1},
    )


def test_readers_always_see_whole_batches() -> None:
    """While one thread appends, others see rows and counts that fit together."""
    buffer = Buffer(SCHEMA, keep=500)

    def ask(_: int) -> None:
        for _ in range(40):
            found = ids(buffer.hits())
            assert found == list(range(found[0], found[0] + len(found))) if found else True
            assert (found[-1] + 1) % 7 == 0 if found else True
            totals = buffer.totals()
            assert totals.hits * 2 == totals.bytes
            assert totals.rows + totals.evicted == totals.hits

    with ThreadPoolExecutor(3) as pool:
        asked = [pool.submit(ask, n) for n in range(3)]
        for n in range(300):
            buffer.append(batch(7 * n, 7, T0 + n / 100, size=14))
        for one in asked:
            one.result()


class CountedLock:
    def __init__(self) -> None:
        self.entered = 0

    def __enter__(self) -> None:
        self.entered += 1

    def __exit__(self, *_: object) -> None:
        pass


def test_every_call_is_one_critical_section() -> None:
    """Appending and asking each take the one lock, once."""
    buffer = Buffer(SCHEMA, Keep(age="1h"))
    calls = [lambda: buffer.append(batch(0, 1)), buffer.hits, buffer.seconds]
    calls += [lambda: buffer.expire(T0), lambda: buffer.after(0, 1)]
    for call in [*calls, buffer.quarantine, buffer.repeats, buffer.totals]:
        buffer._lock = lock = CountedLock()
        call()
        assert lock.entered == 1


@pytest.mark.parametrize("keep", [0, -5, 2.5, True, None, "all"])
def test_a_wrong_keep_is_refused(keep: object) -> None:
    """A number of rows that is none is refused with the value."""
    with pytest.raises(InvalidOption, match="keep="):
        Buffer(SCHEMA, keep)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 30), st.floats(0, 400)), max_size=60))
def test_nothing_older_than_asked_for(appends: list[tuple[int, float]]) -> None:
    """After `expire` the first row is young enough; nothing younger has gone before it."""
    buffer, now, came = Buffer(SCHEMA, Keep(rows=None, age="10m")), T0, []
    for size, later in appends:
        now += later
        buffer.append(batch(len(came), size, now))
        came += [now] * size
        assert buffer.hits().height >= sum(at >= now - 600 for at in came)
    buffer.expire(now + 60)
    expected = [n for n, at in enumerate(came) if round(at * 1e6) >= (now - 540) * 1e6]
    assert ids(buffer.hits()) == expected
    assert buffer.totals().evicted == len(came) - len(expected)


def test_old_rows_go_without_being_asked_for() -> None:
    """Appends alone let go of rows past their age, though up to a part of them stays a while."""
    buffer = Buffer(SCHEMA, Keep(rows=None, age=60))
    for n in range(2_000):
        buffer.append(batch(n, 1, T0 + n))
    assert 60 < buffer.totals().rows < 60 + 256
    buffer.expire(T0 + 5_000)
    assert buffer.totals().rows == 0


def test_a_young_row_is_not_let_go_for_its_place() -> None:
    """What arrived out of order goes with the rows before it, not before its time."""
    buffer = Buffer(SCHEMA, Keep(age=60))
    for n, at in enumerate([100, 10, 90, 130]):
        buffer.append(batch(n, 1, T0 + at))
    buffer.expire(T0 + 155)
    assert ids(buffer.hits()) == [0, 1, 2, 3]
    buffer.expire(T0 + 165)
    assert ids(buffer.hits()) == [3]


def test_without_an_age_nothing_expires() -> None:
    """Rows that are limited by their number only stay, however late it is."""
    buffer = Buffer(SCHEMA, 10)
    buffer.append(batch(0, 3))
    buffer.expire(T0 + 1e9)
    assert buffer.totals().rows == 3


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 30_000), st.lists(st.integers(0, 90), max_size=40))
def test_never_more_bytes_than_allowed(limit: int, sizes: list[int]) -> None:
    """After every append the rows have at most so many bytes, and no more went than had to."""
    buffer, came = Buffer(SCHEMA, Keep(bytes=limit)), 0
    for size in sizes:
        buffer.append(batch(came, size))
        came += size
        rows = buffer.totals().rows
        assert ids(buffer.hits()) == list(range(came - rows, came))
        assert buffer._rows.size <= limit
        assert rows == came or buffer._rows.size > limit - 2 * ROW


def test_all_limits_hold_together() -> None:
    """Of several limits the one that is met first counts."""
    appended = [batch(10 * n, 10, T0 + n) for n in range(100)]
    held = []
    for keep in (Keep(rows=50, age=10), Keep(rows=500, age=1, bytes=10**9), Keep(bytes=ROW * 20)):
        buffer = Buffer(SCHEMA, keep)
        for one in appended:
            buffer.append(one)
        buffer.expire(T0 + 99)
        held.append(buffer.totals().rows)
    assert held == [50, 20, 20]


def test_going_through_all_rows() -> None:
    """`after` gives the rows from a number on, the next number, and how many had gone."""
    buffer = Buffer(SCHEMA, 25)
    assert [part if isinstance(part, int) else part.height for part in buffer.after(0, 9)] == [
        0
    ] * 3
    for n in range(0, 40, 4):
        buffer.append(batch(n, 4))
    for row, limit, first, last, missed in [
        (0, 10, 15, 25, 15),
        (15, 10, 15, 25, 0),
        (16, 1, 16, 17, 0),
        (38, 10, 38, 40, 0),
        (40, 10, 40, 40, 0),
    ]:
        frame, after, gone = buffer.after(row, limit)
        assert (ids(frame), after, gone) == (list(range(first, last)), last, missed)
        assert frame.schema == SCHEMA
        assert frame.n_chunks() == 1


@settings(deadline=None)
@given(st.integers(1, 50), st.lists(st.tuples(st.integers(0, 30), st.integers(0, 12)), max_size=40))
def test_every_row_comes_once_or_is_counted(keep: int, turns: list[tuple[int, int]]) -> None:
    """Going through all rows, whoever asks at whatever pace gets or misses each one once."""
    buffer, came, place, missed, got = Buffer(SCHEMA, keep), 0, 0, 0, []
    for size, limit in [*turns, (0, 10_000)]:
        buffer.append(batch(came, size))
        came += size
        frame, place, gone = buffer.after(place, limit)
        got += ids(frame)
        missed += gone
    assert len(got) + missed == came
    assert got == sorted(set(got))
