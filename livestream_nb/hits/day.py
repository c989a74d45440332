"""The last day of rows that tell of single seconds, whatever the buffer of hits evicts."""

from math import inf

import polars as pl

from livestream_nb.hits.rolling import Rolling

KEPT_SECONDS = 86_400
# Rows of the largest part that is joined; older than a day, they are forgotten together.
_LARGEST_PART = 4_096


class Day:
    """Rows with a ``time``, appended at the end, forgotten after a day. Not safe between threads.

    Parameters
    ----------
    schema : dict of str to polars.DataType
        The rows' columns; ``time`` is Datetime µs UTC.
    """

    def __init__(self, schema: dict[str, pl.DataType]) -> None:
        self._rows = Rolling(schema, largest=_LARGEST_PART)
        self._latest = 0

    def see(self, second: int) -> None:
        """The day ends with this Unix second, or with a later one seen before."""
        self._latest = max(self._latest, second)

    def append(self, rows: pl.DataFrame) -> None:
        """Add rows, of any order, and forget the oldest."""
        latest = rows["time"].to_physical().max()
        self._rows.append(rows, latest if isinstance(latest, int) else 0)
        self._rows.drop_before((self._latest - KEPT_SECONDS + 1) * 1e6, exactly=False)

    def rows(self, *others: pl.DataFrame, since: float | None = None) -> pl.DataFrame:
        """The rows of the last day, and these others, all that are of that moment or later.

        Parameters
        ----------
        others : polars.DataFrame
            Rows of the same columns that are not appended yet.
        since : float, optional
            Unix seconds; all of the day when omitted.
        """
        begin = self._latest - KEPT_SECONDS + 1
        moment = 1e6 * (begin if since is None else max(begin, since))
        parts = [part.frame for part in self._rows.parts() if part.last >= moment]
        return self._rows.together([*parts, *others]).filter(pl.col("time").to_physical() >= moment)

    @property
    def newest(self) -> float:
        """The Unix second of the newest rows that were appended."""
        return max((part.last for part in self._rows.parts()), default=-inf) / 1e6

    @property
    def height(self) -> int:
        """Rows that are held, also those that will be forgotten with their neighbours."""
        return self._rows.height
