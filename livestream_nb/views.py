"""What can be drawn of a stream, and the page that tells of it: from its frames, at any moment."""

import sys
from collections.abc import Mapping
from datetime import datetime, timedelta
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import polars as pl

from livestream_nb import measures
from livestream_nb.checks import check_count, seconds_in
from livestream_nb.errors import InvalidOption

if TYPE_CHECKING:
    import altair as alt

    from livestream_nb.charts.window import Window

REPORTED = ("pageName", "referrer", "geoCountry", "campaign")
GAPS = ("lost_at", "resumed_at", "seconds", "verdict", "estimated_hits")


class Course(Protocol):
    """Whatever has the course of a stream, the zone to show it in, and a last moment."""

    tz: str

    @property
    def _now(self) -> datetime:
        """The moment that ``last`` counts back from."""

    @property
    def _end(self) -> datetime:
        """The last moment that there is something to tell of."""

    @property
    def _grain(self) -> float:
        """Seconds that a step should have at least, for what comes to be spread evenly."""

    def throughput(self, every: str = "1s", last: str | timedelta | None = None) -> pl.DataFrame:
        """As :meth:`Reader.throughput`."""

    def timeline(self) -> pl.DataFrame:
        """As :meth:`Reader.timeline`."""


class Source(Course, Protocol):
    """Whatever has the hits of a stream, too, and what else there is to tell of it."""

    def _facts(self) -> Mapping[str, str]:
        """What there is to say in words and numbers, by name."""

    def lazy(self) -> pl.LazyFrame:
        """As :meth:`Reader.lazy`."""

    def _values(self, column: str, last: str | timedelta | None = None) -> pl.Series:
        """The values of a column, of the hits that ``Reader.hits(last)`` has, in any order."""

    def lag(self, every: str = "1s", last: str | timedelta | None = None) -> pl.DataFrame:
        """As :meth:`Reader.lag`."""

    def gaps(self) -> pl.DataFrame:
        """As :meth:`Reader.gaps`."""


class CourseViews:
    """The charts of a stream's course: hits per second, and the states of the connections.

    They are altair charts of the moment: to show, to compose (``a & b``), to save. As altair's own
    renderer asks the internet for its scripts, ``alt.renderers.enable("png")`` shows them offline.
    """

    def throughput_chart(
        self: Course, last: str | timedelta | None = None, every: str | None = None
    ) -> "alt.LayerChart":
        """Hits per second, stacked by connection; a gap is a gap, never a line at zero.

        Parameters
        ----------
        last : str or timedelta, optional
            Only the last "30s", "5m", "1h" of service time; all of the last day when omitted.
        every : str, optional
            The interval of a step, in whole seconds; when omitted it fits the span.
        """
        from livestream_nb.charts.pictures import throughput_chart

        window, step = _span(self, last, every)
        frame = self.throughput(every=f"{step}s", last=last)
        return throughput_chart(frame, timeline=self.timeline(), window=window, every=step)

    def timeline_chart(self: Course, last: str | timedelta | None = None) -> "alt.LayerChart":
        """The states of each connection, what went wrong, and the minute after each loss.

        Parameters
        ----------
        last : str or timedelta, optional
            As for :meth:`throughput_chart`.
        """
        from livestream_nb.charts.pictures import timeline_chart

        return timeline_chart(self.timeline(), window=_span(self, last)[0])


class Views(CourseViews):
    """All charts of a stream, and the page that tells of it."""

    def lag_chart(
        self: Source, last: str | timedelta | None = None, every: str | None = None
    ) -> "alt.LayerChart":
        """How late hits came: the median as a line, and an area up to the 95th percentile.

        Parameters
        ----------
        last, every
            As for :meth:`throughput_chart`.
        """
        from livestream_nb.charts.pictures import lag_chart

        window, step = _span(self, last, every)
        return lag_chart(self.lag(every=f"{step}s", last=last), window=window, every=step)

    def top_chart(
        self: Source,
        column: str = "pageName",
        last: str | timedelta | None = None,
        n: int = 10,
    ) -> "alt.LayerChart":
        """The values of a column that most hits have, of those hits that are held.

        Parameters
        ----------
        column : str
            One of the columns that are kept, of single values or of lists of them.
        last : str or timedelta, optional
            Only hits that arrived in the last "30s", "5m", "1h" of service time.
        n : int
            How many values at most.

        Raises
        ------
        UnknownColumn
            When there is no such column.
        InvalidOption
            When the column holds structs, such as ``products``, or ``n`` is no count.
        """
        from livestream_nb.charts.pictures import top_chart

        return top_chart(_top(self, column, last, n), f"Hits by {column}")

    def report(self: Source, path: str | Path, title: str = "A Livestream, as received") -> Path:
        """Write one page about the stream, to be opened anywhere, offline: about 1 MB.

        It has the charts, the counters, the gaps and the top values of pageName, referrer,
        geoCountry and campaign, as far as these columns are kept.

        Parameters
        ----------
        path : str or Path
            The file; one that is there is replaced.
        title : str
            The page's heading.

        Returns
        -------
        Path
            The file.
        """
        target = Path(path)
        target.write_text(page(self, title, self._facts()), encoding="utf-8")
        return target


def expect_a_look() -> None:
    """Begin to draw if this is a notebook: whoever makes a reader there looks at it soon."""
    if "ipykernel" in sys.modules:
        begin_drawing()


def begin_drawing() -> None:
    """Begin the process that draws pictures: it takes half a second to be ready."""
    from livestream_nb.charts.renderer import renderer

    renderer().begin()


def page(source: Source, title: str, facts: Mapping[str, str]) -> str:
    """One page about a stream, as :meth:`Views.report` writes it, with these facts."""
    from livestream_nb.charts.pictures import stream_chart, top_chart
    from livestream_nb.report import Chart, report_html

    window, step = _span(source, None)
    every = f"{step}s"
    stream = stream_chart(
        source.throughput(every), source.timeline(), source.lag(every), window=window, every=step
    )
    kept = source.lazy().collect_schema()
    tops = {f"Hits by {name}": _top(source, name) for name in REPORTED if name in kept}
    charts: dict[str, Chart] = {
        "Hits per second, the states of the connections, and the delay of hits": stream
    }
    charts |= {title: top_chart(found, title) for title, found in tops.items() if found.height}
    return report_html(title, facts, charts, {"Gaps": source.gaps().select(GAPS)}, tz=source.tz)


def _span(
    source: Course, last: str | timedelta | None, every: str | None = None
) -> tuple["Window", int]:
    """The window to draw, and seconds per step: as given, or some hundred steps."""
    from livestream_nb.charts.window import Window

    # A Source's own parts: they are no questions that a user asks.
    # To the next whole second, so that charts asked for together have the same axis.
    exact = source._end if last is None else source._now  # noqa: SLF001
    end = datetime.fromtimestamp(ceil(exact.timestamp()), exact.tzinfo)
    first = source.timeline()["started"].min()
    begun = first if isinstance(first, datetime) and first < end else end - timedelta(minutes=1)
    start = begun if last is None else end - timedelta(seconds=seconds_in("last", last))
    window = Window(start, end, source.tz, until=exact)
    if every is not None:
        return window, int(seconds_in("every", every))
    return window, measures.fitting_step(window.seconds, source._grain)  # noqa: SLF001


def _top(
    source: Source, column: str, last: str | timedelta | None = None, n: int = 10
) -> pl.DataFrame:
    check_count("n", n, "values")
    values = source._values(column, last)  # noqa: SLF001
    if not measures.has_single_values(values.dtype):
        right = "give a column of single values, or of lists of them"
        raise InvalidOption.value("column", column, right)
    return measures.top(values, n)
