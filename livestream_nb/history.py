"""The questions that a recording answers, from its files and the segments of its spool."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from livestream_nb import gaps, measures
from livestream_nb.checks import check_count, seconds_in
from livestream_nb.connection.timeline import Timeline
from livestream_nb.hits.catalogue import Catalogue
from livestream_nb.hits.columns import SETS, Column, resolve
from livestream_nb.hits.delays import by_bucket, in_seconds
from livestream_nb.hits.records import Rejected, parse
from livestream_nb.recording.content import Content
from livestream_nb.recording.records import STAMPS, timed, with_columns

LOOKED_INTO = 20
"""Segments of which records are sampled, 100 of each."""


class History:
    """The questions that a recording answers: those that a reader does."""

    @property
    def path(self) -> Path:
        """The recording's folder."""
        raise NotImplementedError

    def _asked(self) -> AbstractContextManager[Content]:
        """The content for one question: what other threads ask waits meanwhile."""
        raise NotImplementedError

    @property
    def _now(self) -> datetime:
        """The moment that ``last`` counts back from, and until when open states last."""
        raise NotImplementedError

    def lazy(self, columns: str | Sequence[str] | None = None) -> pl.LazyFrame:
        """The hits as a LazyFrame: only the columns and files that a query needs are read.

        Parameters
        ----------
        columns : str or sequence of str, optional
            Recorded columns when omitted; or names and sets as a Reader's ``columns``. What is not
            recorded is made of the raw records, which takes much longer.

        Returns
        -------
        LazyFrame
            A row per hit, by segments of some minutes and within them by ``receivedTimeGMT``.

        Raises
        ------
        UnknownColumn
            When no hit has such a column.
        RecordingError
            When a column is not recorded, and no raw records are kept.
        """
        with self._asked() as content:
            return self._lazy(content, columns, None)

    def _lazy(
        self, content: Content, columns: str | Sequence[str] | None, since: float | None
    ) -> pl.LazyFrame:
        if columns is None:
            return content.hits(since)
        names, made = _chosen(columns, content)
        if not made:
            return content.hits(since).select(names)
        hits = with_columns(content, made, since)
        if since is not None:
            hits = hits.filter(pl.col("arrived") >= moment_at(since))
        return hits.select(names)

    def hits(
        self,
        last: str | timedelta | None = None,
        columns: str | Sequence[str] | None = None,
    ) -> pl.DataFrame:
        """The hits, in the order of their arrival; all in memory: for many, see :meth:`lazy`.

        Parameters
        ----------
        last : str or timedelta, optional
            Only those that arrived in the last "30s", "5m", "1h" of service time, counted from the
            end of the recording, or from now while it is followed.
        columns : str or sequence of str, optional
            As for :meth:`lazy`.

        Returns
        -------
        DataFrame
            As :meth:`Reader.hits`.
        """
        with self._asked() as content:
            names = None if columns is None else _chosen(columns, content)[0]
            wanted = None if names is None else list(dict.fromkeys([*names, "arrived"]))
            lazy = self._lazy(content, wanted, self._since(last))
        hits = content.collect(lazy)
        ordered = hits.sort("arrived", maintain_order=True)
        return ordered if names is None else ordered.select(names)

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """The hits, for any library that reads Arrow: ``pyarrow.table(recording)``."""
        return self.hits().to_struct().__arrow_c_stream__(requested_schema)

    def throughput(self, every: str = "1s", last: str | timedelta | None = None) -> pl.DataFrame:
        """What arrived in each interval: see `livestream_nb.measures.throughput`."""
        with self._asked() as content:
            since = self._since(last)
            return measures.throughput(
                content.seconds(since),
                timeline_of(content).states(),
                every=every,
                since=None if since is None else moment_at(since),
                now=self._now,
            )

    def lag(self, every: str = "1s", last: str | timedelta | None = None) -> pl.DataFrame:
        """How late hits came in each interval: see `livestream_nb.measures.lag`."""
        with self._asked():
            since = self._since(last)
            moment = None if since is None else moment_at(since)
            return measures.lag(self._delays(since), every=every, since=moment)

    def _delays(self, since: float | None) -> pl.DataFrame:
        with self._asked() as content:
            counted = by_bucket(content.hits(since))
        return content.collect(in_seconds(counted))

    def timeline(self) -> pl.DataFrame:
        """The states of each connection, oldest first: see :meth:`Reader.timeline`."""
        with self._asked() as content:
            return timeline_of(content).frame(self._now.timestamp())

    def gaps(self) -> pl.DataFrame:
        """The outages and what they may have cost: see `livestream_nb.gaps.gaps`."""
        with self._asked() as content:
            return gaps.gaps(self.timeline(), content.seconds(), content.repeats(), now=self._now)

    def quarantine(self) -> pl.DataFrame:
        """All records that could not be read: see :meth:`Reader.quarantine`."""
        with self._asked() as content:
            rows = content.quarantine()
        texts = [raw.decode(errors="backslashreplace") for raw in rows["raw"]]
        text = pl.Series("text", texts, dtype=pl.String)
        return rows.with_columns(text).select("arrived", "connection", "reason", "text", "raw")

    def fields(self) -> pl.DataFrame:
        """What the stream carries, also beside the columns: see :meth:`Reader.fields`.

        It is made from 100 records of each of 20 segments, spread over the recording.
        """
        with self._asked() as content:
            catalogue = Catalogue(content.about.resolved)
            for number, found in enumerate(timed(content, most=LOOKED_INTO)):
                catalogue.offer([line for _, line in found], number * 60.0)
        return catalogue.frame()

    def sample(self, n: int = 1) -> list[dict[str, Any]]:
        """The newest records as they came, each a dict; the newest last.

        Raises
        ------
        InvalidOption
            When ``n`` is not a whole number of at least 1.
        RecordingError
            When the recording keeps no raw records.
        """
        check_count("n", n, "records")
        newest: list[bytes] = []
        with self._asked() as content:
            for found in timed(content, newest_first=True):
                newest = [line for _, line in found] + newest
                if len(newest) >= n:
                    break
        read = (parse(line) for line in newest[-n:])
        return [record for record in read if not isinstance(record, Rejected)]

    def records(self) -> list[bytes]:
        """All raw records, in the order in which Adobe's collection received them; in memory.

        Raises
        ------
        RecordingError
            When the recording keeps no raw records.
        """
        with self._asked() as content:
            found = [pair for part in timed(content, "receivedTimeGMT") for pair in part]
        return [line for _, line in sorted(found, key=lambda pair: pair[0])]

    def _values(self, column: str, last: str | timedelta | None = None) -> pl.Series:
        with self._asked() as content:
            lazy = self._lazy(content, [column], self._since(last))
        return content.collect(lazy)[column]

    def _since(self, last: str | timedelta | None) -> float | None:
        return None if last is None else self._now.timestamp() - seconds_in("last", last)

    def _recent_counts(self, since: float) -> list[tuple[int, int, int]]:
        with self._asked() as content:
            seconds = content.seconds(since)
        return seconds.select(pl.col("time").dt.epoch("s"), "connection", "hits").rows()

    def _recent_delays(self, since: float) -> list[tuple[int, float, int]]:
        delays = self._delays(since).filter(pl.col("time") >= moment_at(since))
        return delays.with_columns(pl.col("time").dt.epoch("s")).rows()


def _chosen(columns: str | Sequence[str], content: Content) -> tuple[list[str], list[Column]]:
    """The names that were asked for, and the columns among them that are not recorded."""
    given = [columns] if isinstance(columns, str) else list(columns)
    asked = resolve(given)
    if SETS.keys().isdisjoint(given):
        names = list(dict.fromkeys(given))
    else:
        names = [*(column.name for column in asked), *STAMPS]
    made = [each for each in asked if each.name in names and each.name not in content.schema]
    return names, made


def timeline_of(content: Content) -> Timeline:
    """The journal of the connections."""
    timeline = Timeline()
    for entry in content.entries():
        timeline.record(entry)
    return timeline


def moment_at(at: float) -> datetime:
    """A moment in Unix seconds as a datetime in UTC."""
    return datetime.fromtimestamp(at, UTC)
