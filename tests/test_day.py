"""hits/day.py: rows by the second, for a day"""

from datetime import UTC, datetime, timedelta

import polars as pl

from livestream_nb.hits.day import KEPT_SECONDS, Day
from livestream_nb.hits.fields import UTC_TIME

SCHEMA: dict[str, pl.DataType] = {"time": UTC_TIME, "hits": pl.UInt64()}
T0 = 1_772_000_000


def rows(*seconds: float) -> pl.DataFrame:
    moments = [datetime.fromtimestamp(0, UTC) + timedelta(seconds=each) for each in seconds]
    return pl.DataFrame({"time": moments, "hits": [1] * len(moments)}, schema=SCHEMA)


def day(*appended: float, end: int = T0) -> Day:
    made = Day(SCHEMA)
    for second in appended:
        made.append(rows(second))
    made.see(end)
    return made


def seconds(found: pl.DataFrame) -> list[float]:
    assert dict(found.schema) == SCHEMA
    return [moment.timestamp() for moment in found["time"]]


def test_a_day_is_all_seconds_of_it() -> None:
    """The day's first second is in it, the one before is not, nor what is within that one."""
    first = T0 - KEPT_SECONDS + 1
    made = day(first - 1, first - 0.001, first, T0)
    assert seconds(made.rows()) == [first, T0]


def test_of_one_part_only_the_day_is_told() -> None:
    """Rows that came together are told apart: an old one is no row of the day."""
    made = Day(SCHEMA)
    made.append(rows(T0, T0 - KEPT_SECONDS))
    made.see(T0)
    assert seconds(made.rows()) == [T0]


def test_since_a_moment() -> None:
    """Only rows of that moment or later are told, and none that is older than the day."""
    made = day(T0 - 2, T0 - 1, T0 - 0.5, T0)
    assert seconds(made.rows(since=T0 - 1)) == [T0 - 1, T0 - 0.5, T0]
    assert seconds(made.rows(since=T0 - 0.75)) == [T0 - 0.5, T0]
    old = day(T0 - KEPT_SECONDS, T0)
    assert seconds(old.rows(since=0)) == [T0]


def test_others_are_of_the_day_too() -> None:
    """Rows that are not appended yet stand at the end, if they are of that time."""
    made = day(T0 - 1)
    assert seconds(made.rows(rows(T0 - KEPT_SECONDS, T0), rows(T0))) == [T0 - 1, T0, T0]
    assert seconds(made.rows(rows(T0 - 3), since=T0 - 2)) == [T0 - 1]
    assert made.height == 1


def test_a_clock_that_goes_back_brings_nothing_back() -> None:
    """The day ends with the latest second that was seen."""
    made = day(T0 - KEPT_SECONDS, T0)
    made.see(T0 - 100)
    assert seconds(made.rows()) == [T0]


def test_what_is_old_is_let_go() -> None:
    """With the next rows, those before the day are held no more, as they are told no more."""
    made = day(T0, T0 + 1)
    made.see(T0 + KEPT_SECONDS)
    assert (made.height, seconds(made.rows())) == (2, [T0 + 1])
    made.append(rows(T0 + KEPT_SECONDS))
    assert made.height == 2
    made.see(T0 + KEPT_SECONDS + 1)
    made.append(rows())
    assert made.height == 1


def test_an_empty_day_has_its_columns() -> None:
    """Without rows there is a frame all the same."""
    assert seconds(Day(SCHEMA).rows()) == []
