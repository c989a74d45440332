"""Steps that follow each other, as rows: they are added at the end and let go at the beginning.

Pure; times are milliseconds of shown time (see :mod:`livestream_nb.charts.window`). Two rows end an
unbroken run of steps: one without width (``until`` equals ``time``), which gives the last its
width, and one after it without values, at which the line breaks.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from typing import Generic, NamedTuple, Self, TypeVar


class Step(NamedTuple):
    """What came by a connection in one step: from ``base`` to ``top`` hits per second, in ms."""

    time: int
    until: int
    connection: int
    base: float | None
    top: float | None

    def ends(self) -> "tuple[Step, Step]":
        """The two rows that end a run after this one."""
        end = self.until
        return self._replace(time=end), Step(end + 1, end, self.connection, None, None)


class Late(NamedTuple):
    """How late hits came in one step, in ms and in seconds of delay."""

    time: int
    until: int
    median: float | None
    p95: float | None

    def ends(self) -> "tuple[Late, Late]":
        """The two rows that end a run after this one."""
        return self._replace(time=self.until), Late(self.until + 1, self.until, None, None)


class Spells:
    """When some connection was open, in ms."""

    def __init__(self, spells: Iterable[tuple[int, int]] = ()) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        for start, end in sorted(spells):
            if self._ends and start <= self._ends[-1]:
                self._ends[-1] = max(self._ends[-1], end)
            else:
                self._starts.append(start)
                self._ends.append(end)

    def cut(self, start: int, end: int) -> tuple[int, int]:
        """From the first moment within that is open to the last; as given when none is."""
        first, last = bisect_right(self._ends, start), bisect_left(self._starts, end) - 1
        if first > last:
            return start, end
        return max(start, self._starts[first]), min(end, self._ends[last])


_Row = TypeVar("_Row", Step, Late)


class _Runs(Generic[_Row]):
    """Rows in unbroken runs."""

    def __init__(self) -> None:
        self._rows: list[_Row] = []
        self._latest: dict[int, _Row] = {}

    def rows(self) -> list[_Row]:
        """All rows; every run is ended."""
        ends: list[_Row] = []
        for row in self._latest.values():
            ends += row.ends()
        return self._rows + ends

    def let_go(self, before: int) -> None:
        """Forget what ended by that moment."""
        self._rows = [row for row in self._rows if row.until > before]
        self._latest = {key: row for key, row in self._latest.items() if row.until > before}

    def _follow(self, row: _Row, connection: int = 0) -> None:
        before = self._latest.get(connection)
        if before is not None and before.until != row.time:
            self._rows += before.ends()
        self._latest[connection] = row
        self._rows.append(row)


class Stack(_Runs[Step]):
    """What connections brought, one on the other."""

    def add(self, bins: Iterable[tuple[int, int, int, float]], width: int, spells: Spells) -> Self:
        """Stack what is of one time.

        ``bins`` are time in ms, connection, hits and seconds, sorted by the first two; they begin
        with a new time. A step covers only what is open of its ``width`` (ms), and so does its
        rate.
        """
        start = end = now = -1
        long = base = 0.0
        for time, connection, hits, seconds in bins:
            if time != now:
                now, (start, end), base = time, spells.cut(time, time + width), 0.0
                long = max(1.0, (end - start) / 1_000)
            top = base + hits / min(long, seconds)
            self._follow(Step(start, end, connection, base, top), connection)
            base = top
        return self


class Line(_Runs[Late]):
    """How late hits came."""

    def add(self, delays: Iterable[tuple[int, float, float]], width: int) -> Self:
        """Join what follows without a gap: time in ms, median and p95, sorted by time."""
        for time, median, p95 in delays:
            self._follow(Late(time, time + width, median, p95))
        return self
