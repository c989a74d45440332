"""What a reader answers about its stream, in frames.

Every question is answered from what is held at that moment: the rows and counters of one buffer,
and one journal of the connections.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from livestream_nb import gaps, measures
from livestream_nb.batches import AsyncBatches, Batches
from livestream_nb.checks import check_count, seconds_in
from livestream_nb.clock import Clock
from livestream_nb.hits.buffer import Buffer
from livestream_nb.session import Session


class Answers:
    """The questions that a reader answers."""

    clock: Clock
    _session: Session

    @property
    def _buffer(self) -> Buffer:
        buffer = self._session.intake.buffer
        buffer.expire(self.clock.utc())
        return buffer

    def hits(
        self,
        last: str | timedelta | None = None,
        columns: str | Sequence[str] | None = None,
    ) -> pl.DataFrame:
        """The hits that are held, in the order of their arrival.

        What comes later does not change the frame. It costs no copy, so asking often is fine.

        Parameters
        ----------
        last : str or timedelta, optional
            Only those that arrived in the last "30s", "5m", "1h" of service time.
        columns : str or sequence of str, optional
            Only these columns, of those that the reader keeps.

        Returns
        -------
        DataFrame
            A row per hit under Adobe's own field names; ids UInt64, times Datetime µs UTC.

        Raises
        ------
        UnknownColumn
            When the reader does not keep such a column.
        """
        return self._buffer.hits(since=self._since(last), columns=columns)

    def lazy(self) -> pl.LazyFrame:
        """The hits that are held now as a LazyFrame: to filter and select before anything runs."""
        return self.hits().lazy()

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """The hits that are held now, for any library that reads Arrow: ``pyarrow.table(reader)``.

        The Arrow PyCapsule interface; pandas, DuckDB and pyarrow know it.
        """
        # A struct's parts are handed over as they lie; a frame's would be joined before.
        return self.hits().to_struct().__arrow_c_stream__(requested_schema)

    def batches(self, *, rows: int = 10_000, columns: str | Sequence[str] | None = None) -> Batches:
        """Iterate over the hits, those that are held and then each as it arrives, once each.

        Waits for more until the reader is stopped; see `livestream_nb.batches.Batches`.

        Parameters
        ----------
        rows : int
            Rows of a frame at most; it has at least 1.
        columns : str or sequence of str, optional
            Only these columns, of those that the reader keeps.
        """
        return Batches(self._session, rows, columns)

    def abatches(
        self, *, rows: int = 10_000, columns: str | Sequence[str] | None = None
    ) -> AsyncBatches:
        """The same as :meth:`batches` for ``async for``: the kernel stays free meanwhile."""
        return AsyncBatches(self._session, rows, columns)

    def fields(self) -> pl.DataFrame:
        """What the stream carries, also beside the columns of the frame: from a sample.

        Looking into every value would cost many times what reading the wanted columns does, so
        few records are looked into, for about 1 % of the reader's work: the first 100, then 2 per
        second and one in 2,048. ``sampled`` says how many it were.

        Returns
        -------
        DataFrame
            A row per key, the most often filled first: ``field`` (String, such as
            ``products[].name``), ``types`` (String), ``filled`` (Float64, share of the sampled
            records), ``distinct`` (UInt64, estimated), ``example``, ``column`` (String: by what
            name to ask for it; null: it is in no column), ``in_frame`` (Boolean), ``meaning``
            (String), ``sampled`` (UInt32).
        """
        return self._session.intake.fields()

    def sample(self, n: int = 1) -> list[dict[str, Any]]:
        """The newest records as they came, each a dict with everything in it; the newest last.

        Parameters
        ----------
        n : int
            How many at most. The newest 1,000 are held, or as many as are in 8 MiB.

        Raises
        ------
        InvalidOption
            When ``n`` is not a whole number of at least 1.
        """
        check_count("n", n, "records")
        return self._session.intake.sample(n)

    def throughput(self, every: str = "1s", last: str | timedelta | None = None) -> pl.DataFrame:
        """What arrived in each interval: see `livestream_nb.measures.throughput`."""
        since, now = self._since(last), self.clock.utc()
        return measures.throughput(
            self._session.intake.buffer.counts(since),
            self._session.timeline.states(),
            every=every,
            since=None if since is None else _moment(since),
            now=_moment(now),
        )

    def lag(self, every: str = "1s", last: str | timedelta | None = None) -> pl.DataFrame:
        """How late hits came in each interval: see `livestream_nb.measures.lag`."""
        since = self._since(last)
        return measures.lag(
            self._session.intake.buffer.delays(since),
            every=every,
            since=None if since is None else _moment(since),
        )

    def timeline(self) -> pl.DataFrame:
        """The states of each connection, oldest first.

        Returns
        -------
        DataFrame
            ``connection`` (UInt8), ``state`` (Enum), ``started``, ``ended`` (Datetime µs UTC; null
            while open), ``seconds`` (Float64, service time), ``reason`` (String) and ``status``
            (Int16, HTTP) that say why the state began, ``attempt`` (UInt32, since the stream was
            last open), ``sentence`` (String), ``heard`` (Datetime µs UTC: when bytes last came by a
            connection that may have been dead since).
        """
        return self._session.timeline.frame(self.clock.utc())

    def gaps(self) -> pl.DataFrame:
        """The outages and what they may have cost: see `livestream_nb.gaps.gaps`."""
        now = self.clock.utc()
        timeline, buffer = self._session.timeline.frame(now), self._session.intake.buffer
        return gaps.gaps(timeline, buffer.seconds(), buffer.repeats(), now=_moment(now))

    def quarantine(self) -> pl.DataFrame:
        """The latest records that could not be read, with their text and the reason.

        Returns
        -------
        DataFrame
            ``arrived`` (Datetime µs UTC), ``connection`` (UInt8), ``reason``, ``text`` (String),
            ``raw`` (Binary).
        """
        return self._session.intake.buffer.quarantine()

    def _values(self, column: str, last: str | timedelta | None = None) -> pl.Series:
        return self.hits(last, [column])[column]

    def _recent_counts(self, since: float) -> list[tuple[int, int, int]]:
        return self._session.intake.buffer.recent_counts(since)

    def _recent_delays(self, since: float) -> list[tuple[int, float, int]]:
        return self._session.intake.buffer.recent_delays(since)

    @property
    def _now(self) -> datetime:
        return _moment(self.clock.utc())

    @property
    def _grain(self) -> float:
        # Hits are handed on up to a fifth of a real second after they came.
        return 0.3 * self.clock.rate

    def _since(self, last: str | timedelta | None) -> float | None:
        return None if last is None else self.clock.utc() - seconds_in("last", last)


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
