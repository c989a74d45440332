"""The span of a time axis.

Vega knows no zone but UTC and the viewer's own, so a chart's times are *shown* times: Unix
milliseconds moved by the wanted zone's offset and shown as if they were UTC. One window has one
offset, that of its end, so that its axis never jumps; the axis title names it.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property

import polars as pl

from livestream_nb.checks import time_zone

EMPTY_SPAN = timedelta(minutes=1)


@dataclass(frozen=True)
class Window:
    """The span of a time axis, and the zone that it is shown in.

    Attributes
    ----------
    start, end : datetime
        Where the axis begins and ends.
    tz : str
        The zone, an IANA name.
    until : datetime or None
        How far anything is known, when the axis goes on further.
    """

    start: datetime
    end: datetime
    tz: str = "UTC"
    until: datetime | None = None

    @classmethod
    def around(cls, *times: pl.Series, now: datetime | None = None, tz: str = "UTC") -> "Window":
        """Return the window that just holds these times (Datetime, UTC) and ``now``."""
        known = pl.concat([t.cast(pl.Datetime("us", "UTC")) for t in times]).drop_nulls().to_list()
        known += [] if now is None else [now]
        if not known:
            known = [datetime(1970, 1, 1, tzinfo=UTC)]
        first, last = min(known), max(known)
        return cls(first, last if last > first else first + EMPTY_SPAN, tz)

    @property
    def now(self) -> datetime:
        """How far anything is known."""
        return self.until or self.end

    @cached_property
    def offset(self) -> timedelta:
        """How far the zone's clocks are ahead of UTC at the window's end."""
        return self.end.astimezone(time_zone(self.tz)).utcoffset() or timedelta()

    def shown(self, moment: datetime) -> int:
        """Return a moment as milliseconds of shown time."""
        return round(moment.timestamp() * 1_000) + self.shift

    @property
    def shift(self) -> int:
        """The offset in milliseconds."""
        return round(self.offset.total_seconds() * 1_000)

    @property
    def seconds(self) -> float:
        """How long the window lasts."""
        return (self.end - self.start).total_seconds()

    @property
    def zone(self) -> str:
        """The zone in words, with its offset from UTC where that is not plain."""
        if not self.offset:
            return "UTC"
        minutes = round(self.offset.total_seconds() / 60)
        sign = "+" if minutes > 0 else "−"
        return f"{self.tz}, UTC{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
