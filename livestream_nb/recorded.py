"""A recording as a notebook meets it: the questions of a reader, answered from a folder."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any, Self

import polars as pl

from livestream_nb import gaps, measures
from livestream_nb.checks import check_count, seconds_in, time_zone
from livestream_nb.clock import Clock
from livestream_nb.connection.timeline import Timeline
from livestream_nb.errors import InvalidOption
from livestream_nb.hits.catalogue import Catalogue
from livestream_nb.hits.columns import Column, resolve
from livestream_nb.hits.delays import by_bucket, in_seconds
from livestream_nb.hits.fields import ALWAYS
from livestream_nb.hits.records import Rejected, parse
from livestream_nb.recording.content import Content
from livestream_nb.recording.parquet import collect
from livestream_nb.recording.recorder import RecordingStatus
from livestream_nb.recording.records import arrivals, with_columns
from livestream_nb.status import Status, status_of_recording
from livestream_nb.views import Views, begin_drawing, expect_a_look

if TYPE_CHECKING:
    from livestream_nb.dashboard.view import Dashboard

LOOKED_INTO = 20
"""Segments of which records are sampled, 100 of each."""


class Recording(Views):
    """What a reader has recorded: asked like the reader, and lazily.

    Opening it needs no connection, and loads no hits. When nobody records there, what a killed
    process left in the spool is sealed; else the spool is only read.

    Parameters
    ----------
    path : str or Path
        The folder that ``record_to=`` was given.
    tz : str
        The time zone that views and reports show. Frames are in UTC.

    Raises
    ------
    RecordingError
        When there is no recording, or it cannot be read.

    Notes
    -----
    A killed process costs nothing that it had received. A power cut can cost the last second: so
    often the spool is synced to the disk.
    """

    def __init__(self, path: str | Path, *, tz: str = "UTC") -> None:
        if not isinstance(path, str | Path):
            raise InvalidOption.value("path", path, "give the folder of a recording")
        self.tz = time_zone(tz).key
        self._content = Content(Path(path).expanduser().absolute())
        self._looking = RLock()
        self._following = False
        self._dashboard: Dashboard | None = None
        expect_a_look()

    @property
    def path(self) -> Path:
        """The recording's folder."""
        return self._content.folder.path

    @property
    def name(self) -> str:
        """The stream's name."""
        return self._content.about.name

    @property
    def mask(self) -> dict[str, Any] | None:
        """How values were masked before they were recorded; None: they were not."""
        return self._content.about.mask

    @property
    def clock(self) -> Clock:
        """The clock of the reader that recorded last."""
        return self._content.about.clock

    def follow(self) -> Self:
        """From now on keep up with what is recorded: each question looks what came since.

        It costs the recording process nothing, and no connection: any number of notebooks may
        follow one recording.
        """
        self._following = True
        return self

    def stop(self) -> None:
        """Stay with what is known now."""
        with self._asked():
            self._following = False

    def start(self) -> Self:
        """The same as :meth:`follow`."""
        return self.follow()

    @contextmanager
    def _asked(self) -> Iterator[Content]:
        """The content for one question: what other threads ask waits meanwhile."""
        with self._looking:
            if self._following:
                self._content.look()
            yield self._content

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
            hits = hits.filter(pl.col("arrived") >= _moment(since))
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
        hits = collect(lazy, self.path)
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
                _timeline(content).states(),
                every=every,
                since=None if since is None else _moment(since),
                now=self._end,
            )

    def lag(self, every: str = "1s", last: str | timedelta | None = None) -> pl.DataFrame:
        """How late hits came in each interval: see `livestream_nb.measures.lag`."""
        with self._asked():
            since = self._since(last)
            moment = None if since is None else _moment(since)
            return measures.lag(self._delays(since), every=every, since=moment)

    def _delays(self, since: float | None) -> pl.DataFrame:
        with self._asked() as content:
            counted = by_bucket(content.hits(since))
        return collect(in_seconds(counted), self.path)

    def timeline(self) -> pl.DataFrame:
        """The states of each connection, oldest first: see :meth:`Reader.timeline`."""
        with self._asked() as content:
            return _timeline(content).frame(self._end.timestamp())

    def gaps(self) -> pl.DataFrame:
        """The outages and what they may have cost: see `livestream_nb.gaps.gaps`."""
        with self._asked() as content:
            return gaps.gaps(self.timeline(), content.seconds(), content.repeats(), now=self._end)

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
            for number, found in enumerate(arrivals(content, most=LOOKED_INTO)):
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
            for found in arrivals(content, newest_first=True):
                newest = [line for _, line in found] + newest
                if len(newest) >= n:
                    break
        read = (parse(line) for line in newest[-n:])
        return [record for record in read if not isinstance(record, Rejected)]

    @property
    def status(self) -> Status:
        """How the recording is doing, as a reader's status."""
        with self._asked() as content:
            live, sums = self._is_live, content.sums()
            missed = sum(each.hits for each in content.missed())
            state = "recording" if content.written else "stopped"
            told = RecordingStatus(self.path, state, self._told(live), sums.hits, missed)
            return status_of_recording(
                _timeline(content).entries(),
                sums,
                told,
                now=self._now.timestamp(),
                live=live,
                connections=content.about.connections,
            )

    def _told(self, live: bool) -> str:
        if live:
            return f"Followed while it is recorded to {self.path}."
        if self._content.written:
            return "A recording that goes on, as it was when it was looked at: see follow()."
        return "A recording; nobody records to it now."

    def dashboard(self) -> "Dashboard":
        """The view of this recording: live while it is followed; needs a notebook with widgets."""
        begin_drawing()
        from livestream_nb.dashboard.view import Dashboard

        if self._dashboard is None or self._dashboard.ended:
            self._dashboard = Dashboard(self)
        return self._dashboard

    def close(self) -> None:
        """Let go of the folder, and remove the view from the page."""
        self.stop()
        if self._dashboard is not None:
            self._dashboard.close()
        self._content.tail.close()

    def _repr_mimebundle_(self, **_: object) -> dict[str, Any]:
        from livestream_nb.dashboard.view import shown

        return shown(self)

    def __repr__(self) -> str:
        if not hasattr(self, "_content"):  # a traceback may show one that could not be opened
            return "<Recording, not opened>"
        status = self.status
        doing = f"followed, {status.state}" if self._following else "as it was when looked at"
        return (
            f"<Recording {self.name} in {self.path}: {doing}, {status.hits:,} hits, "
            f"{status.duplicates:,} duplicates, {status.quarantined:,} quarantined>"
        )

    @property
    def _is_live(self) -> bool:
        return self._following and self._content.is_written()

    @property
    def _now(self) -> datetime:
        return _moment(self.clock.utc() if self._is_live else self._content.alive())

    @property
    def _end(self) -> datetime:
        return self._now

    @property
    def _grain(self) -> float:
        return 0.3 * self.clock.rate

    def _facts(self) -> dict[str, str]:
        status = self.status
        about = self._content.about
        mask = "none" if about.mask is None else f"with the key {about.mask['key']}"
        made = {"columns": ", ".join(about.columns), "mask": mask, "made by": about.version}
        return {"state": status.state, "reason": status.reason, **status.counted(), **made}

    def _since(self, last: str | timedelta | None) -> float | None:
        return None if last is None else self._now.timestamp() - seconds_in("last", last)

    def _recent_counts(self, since: float) -> list[tuple[int, int, int]]:
        with self._asked() as content:
            seconds = content.seconds(since)
        return seconds.select(pl.col("time").dt.epoch("s"), "connection", "hits").rows()

    def _recent_delays(self, since: float) -> list[tuple[int, float, int]]:
        delays = self._delays(since).filter(pl.col("time") >= _moment(since))
        return delays.with_columns(pl.col("time").dt.epoch("s")).rows()


def _chosen(columns: str | Sequence[str], content: Content) -> tuple[list[str], list[Column]]:
    """The names that were asked for, and the columns among them that are not recorded."""
    given = [columns] if isinstance(columns, str) else list(columns)
    sets = [name for name in given if name in SETS]
    asked = resolve([name for name in given if name not in STAMPS])
    names = [column.name for column in asked if sets or column.name in given]
    stamps = [name for name in STAMPS if sets or name in given]
    made = [column for column in asked if column.name not in content.schema]
    ordered = sorted(
        [*names, *stamps], key=lambda name: given.index(name) if name in given and not sets else 0
    )
    return ordered, made


def _timeline(content: Content) -> Timeline:
    timeline = Timeline()
    for entry in content.entries():
        timeline.record(entry)
    return timeline


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
