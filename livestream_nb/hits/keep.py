"""How much is kept: so many hits, of so much time, in so many bytes."""

from dataclasses import dataclass
from datetime import timedelta

from livestream_nb.checks import check_count, is_number, is_whole, seconds_in
from livestream_nb.errors import InvalidOption


@dataclass(frozen=True, init=False)
class Keep:
    """Limits of what a reader holds; all that are given hold together, and the oldest hits go.

    Parameters
    ----------
    rows : int, optional
        Hits at most: a million, unless given; None: as many as the other limits allow.
    age : str, float or timedelta, optional
        How long a hit is held after its arrival, in service time: "30m", "1h", "7d", or seconds.
    bytes : int, optional
        Memory of the rows at most, as counted: every value by its type, of a text 16 bytes and its
        own, of equal texts that were stored together once.

    Attributes
    ----------
    rows : int or None
        As given.
    age : float or None
        In seconds.
    bytes : int or None
        As given.

    Raises
    ------
    InvalidOption
        For a wrong value, or when all three are None.
    """

    rows: int | None
    age: float | None
    bytes: int | None

    def __init__(
        self,
        *,
        rows: int | None = 1_000_000,
        age: str | float | timedelta | None = None,
        bytes: int | None = None,  # noqa: A002  # what it is
    ) -> None:
        if rows is None and age is None and bytes is None:
            raise InvalidOption("Keep() without a limit is not possible: give rows, age or bytes.")
        if rows is not None:
            check_count("rows", rows, "hits")
        if bytes is not None:
            check_count("bytes", bytes, "bytes")
        object.__setattr__(self, "rows", rows)
        object.__setattr__(self, "age", None if age is None else _seconds(age))
        object.__setattr__(self, "bytes", bytes)

    @classmethod
    def of(cls, keep: "int | Keep") -> "Keep":
        """Take a number as so many hits; `InvalidOption` when it is neither that nor a Keep."""
        if isinstance(keep, Keep):
            return keep
        if not is_whole(keep, 1, 2**63 - 1):
            right = 'give a number of hits, 1 or more, or a Keep, as in Keep(rows=None, age="1h")'
            raise InvalidOption.value("keep", keep, right)
        return cls(rows=keep)


def _seconds(age: object) -> float:
    return float(age) if is_number(age) and age > 0 else seconds_in("age", age)
