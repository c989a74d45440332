import re
from dataclasses import replace
from datetime import timedelta
from math import inf, nan

import pytest

from livestream_nb.errors import InvalidOption
from livestream_nb.hits.keep import Keep


def test_a_million_rows_unless_told() -> None:
    """By default a million rows are kept, of any age and size; so too beside other limits."""
    assert (Keep().rows, Keep().age, Keep().bytes) == (1_000_000, None, None)
    assert Keep(age="1h").rows == 1_000_000
    assert Keep(rows=None, bytes=5) == replace(Keep(bytes=5), rows=None)


@pytest.mark.parametrize(
    ("age", "seconds"),
    [("30s", 30), ("1.5m", 90), ("2h", 7_200), ("7d", 604_800), (0.5, 0.5), (60, 60),
     (timedelta(minutes=1), 60)],
)  # fmt: skip
def test_ages_are_seconds(age: object, seconds: float) -> None:
    """However an age is written, it is kept in seconds, and equal ages are equal."""
    assert Keep(age=age).age == seconds
    assert Keep(age=age) == Keep(age=seconds)


@pytest.mark.parametrize(
    ("name", "value"),
    [("rows", wrong) for wrong in (0, -1, 2.5, True, "many", 2**63)]
    + [("bytes", wrong) for wrong in (0, -1, 1e9, False, "1 GB")]
    + [("age", wrong) for wrong in (0, -1, True, nan, inf, "", "5", "1w", "-1h", "0s", [])]
    + [("age", timedelta(0)), ("age", timedelta(seconds=-1))],
)
def test_wrong_limits_are_refused(name: str, value: object) -> None:
    """A limit that is none is refused by name, with the value."""
    with pytest.raises(InvalidOption, match=f"^{name}={re.escape(repr(value))} is not possible"):
        Keep(**{name: value})


def test_no_limit_is_refused() -> None:
    """Something must bound what is kept."""
    with pytest.raises(InvalidOption, match="give rows, age or bytes"):
        Keep(rows=None)


def test_a_number_is_a_number_of_rows() -> None:
    """Where a Keep is asked for, a number stands for so many rows."""
    keep = Keep(age="1h")
    assert Keep.of(5) == Keep(rows=5)
    assert Keep.of(keep) is keep
    for wrong in (0, 2.5, True, None, "all"):
        with pytest.raises(InvalidOption, match="keep=.*or a Keep"):
            Keep.of(wrong)
