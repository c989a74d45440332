"""The charts that people ask for: small frames in, altair charts out."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import altair as alt
import polars as pl

from livestream_nb.charts.delay import delay_panel
from livestream_nb.charts.looks import Scene
from livestream_nb.charts.names import shown
from livestream_nb.charts.rows import (
    ceiling,
    delay_rows,
    latest,
    shortest_step,
    throughput_rows,
)
from livestream_nb.charts.runs import Late, Step
from livestream_nb.charts.states import State, state_rows
from livestream_nb.charts.throughput import throughput_panel
from livestream_nb.charts.timeline import timeline_panel
from livestream_nb.charts.top import top_panel
from livestream_nb.charts.window import Window

NOTHING = "no hits in this span"


def throughput_chart(
    frame: pl.DataFrame,
    *,
    timeline: pl.DataFrame | None = None,
    tz: str = "UTC",
    window: Window | None = None,
    every: float | None = None,
) -> alt.LayerChart:
    """Draw hits per second over time, stacked by connection, gaps left empty.

    Parameters
    ----------
    frame : polars.DataFrame
        As :meth:`Reader.throughput` returns it: ``time`` Datetime("us", "UTC"), ``connection``
        UInt8, ``hits`` UInt64, one row per step in which the connection was connected.
    timeline : polars.DataFrame, optional
        As :meth:`Reader.timeline` returns it: steps end where connections do.
    tz : str
        The time zone that the axis shows, an IANA name.
    window : Window, optional
        The span of the time axis; that of the frame, when omitted.
    every : float, optional
        Seconds that one row covers; the shortest distance between rows, when omitted.

    Raises
    ------
    InvalidOption
        When no time zone has this name.
    """
    window = window or Window.around(*_span(frame, every), tz=tz)
    rows = throughput_rows(frame, window, every, timeline)
    scene = Scene.still(window, connections_of(frame), note=_note(rows), ceiling=ceiling(rows))
    return throughput_panel(_inline(rows), scene)


def timeline_chart(
    frame: pl.DataFrame,
    *,
    now: datetime | None = None,
    tz: str = "UTC",
    window: Window | None = None,
) -> alt.LayerChart:
    """Draw the states of each connection as a lane of labelled bars.

    A flag above a bar says what went wrong; the bracket below is the minute that Livestream needs
    to notice a lost connection, closed where it was waited out.

    Parameters
    ----------
    frame : polars.DataFrame
        As :meth:`Reader.timeline` returns it.
    now : datetime, optional
        Where a state that is still open ends; the last time in the frame, when omitted.
    tz : str
        The time zone that the axis shows, an IANA name.
    window : Window, optional
        The span of the time axis; from the first state to ``now``, when omitted.

    Raises
    ------
    InvalidOption
        When no time zone has this name.
    """
    window = window or Window.around(frame["started"], frame["ended"], now=now, tz=tz)
    scene = Scene.still(window, connections_of(frame))
    return timeline_panel(_states(frame, window), scene)


def lag_chart(
    frame: pl.DataFrame,
    *,
    tz: str = "UTC",
    window: Window | None = None,
    every: float | None = None,
) -> alt.LayerChart:
    """Draw how late hits come: the median as a line, and an area up to the 95th percentile.

    Parameters
    ----------
    frame : polars.DataFrame
        As :meth:`Reader.lag` returns it: ``time`` Datetime("us", "UTC"), ``median`` and ``p95``
        Float64 (seconds), one row per step in which hits came.
    tz, window, every
        As for :func:`throughput_chart`.

    Raises
    ------
    InvalidOption
        When no time zone has this name.
    """
    window = window or Window.around(*_span(frame, every), tz=tz)
    rows = delay_rows(frame, window, every)
    return delay_panel(_inline(rows), Scene.still(window, latest=latest(rows)))


def top_chart(frame: pl.DataFrame, title: str = "Hits by value") -> alt.LayerChart:
    """Draw a bar for each value, with its name, its hits and their share.

    Parameters
    ----------
    frame : polars.DataFrame
        ``value``, ``hits`` and ``share``, the most frequent first, as
        :func:`livestream_nb.analysis.top` returns them.
    title : str
        The chart's title.
    """
    rows = [
        {"rank": rank, "name": shown(str(value)), "hits": hits, "share": share}
        for rank, (value, hits, share) in enumerate(
            frame.select("value", "hits", "share").iter_rows(), start=1
        )
    ]
    scene = Scene("", "", 1, "0", "1", "1")
    return top_panel(alt.InlineData(values=rows), scene, title, len(rows))


def stream_chart(
    throughput: pl.DataFrame,
    timeline: pl.DataFrame,
    lag: pl.DataFrame | None = None,
    *,
    now: datetime | None = None,
    tz: str = "UTC",
    window: Window | None = None,
    every: float | None = None,
) -> alt.VConcatChart:
    """Draw throughput, timeline and delay on one time axis; the arguments are those of the three.

    Without ``lag`` there are the first two only.
    """
    window = window or Window.around(
        *_span(throughput, every), timeline["started"], timeline["ended"], now=now, tz=tz
    )
    rows = throughput_rows(throughput, window, every, timeline)
    delays = None if lag is None else delay_rows(lag, window, every)
    scene = Scene.still(
        window,
        connections_of(timeline),
        note=_note(rows),
        ceiling=ceiling(rows),
        latest=1.0 if delays is None else latest(delays),
    )
    late = None if delays is None else _inline(delays)
    return stacked(_inline(rows), _states(timeline, window), late, scene)


def live_chart(axis_title: str, connections: int = 1) -> alt.VConcatChart:
    """Draw all panels over named data, for a view that sets rows and parameters itself.

    The data are called ``throughput``, ``states`` and ``delay``; the parameters ``window_start``,
    ``window_end`` and ``now`` (ms of shown time), ``ink`` and ``faint`` (colours), ``note`` (a text
    in place of missing rows), ``ceiling`` (hits per second) and ``latest`` (seconds).
    """
    throughput, states, delay = map(alt.NamedData, ("throughput", "states", "delay"))
    chart = stacked(throughput, states, delay, Scene.live(axis_title, connections))
    first = {"ink": "#333333", "faint": "#dddddd", "note": "", "ceiling": 1, "latest": 1}
    first |= {"window_start": 0, "window_end": 1, "now": 1}
    parameters = (alt.param(name=name, value=value) for name, value in first.items())
    # A canvas has no parts to describe; the view says in words what it shows.
    live: alt.VConcatChart = chart.add_params(*parameters).configure(aria=False)
    return live


def stacked(
    throughput: alt.Data, states: alt.Data, delay: alt.Data | None, scene: Scene
) -> alt.VConcatChart:
    """Stack the panels; bands tell why the uppermost has gaps."""
    panels = [
        throughput_panel(throughput, scene, states=states),
        timeline_panel(states, scene, labels=delay is None),
    ]
    if delay is not None:
        panels.append(delay_panel(delay, scene))
    apart = alt.Resolve(
        scale=alt.ScaleResolveMap(color="independent", fill="independent", shape="independent")
    )
    return alt.VConcatChart(vconcat=panels, spacing=12, resolve=apart)


def connections_of(frame: pl.DataFrame) -> int:
    """Return how many connections a frame speaks of, at least one."""
    most = frame["connection"].max()
    return most if isinstance(most, int) and most else 1


def _span(frame: pl.DataFrame, every: float | None) -> tuple[pl.Series, pl.Series]:
    """Return when the steps begin and when they end."""
    step = timedelta(seconds=every or shortest_step(frame))
    return frame["time"], frame["time"] + step


def _note(steps: Sequence[Step]) -> str:
    return "" if steps else NOTHING


def _inline(steps: Sequence[Step] | Sequence[Late] | Sequence[State]) -> alt.InlineData:
    return alt.InlineData(values=[step._asdict() for step in steps])


def _states(timeline: pl.DataFrame, window: Window) -> alt.InlineData:
    return _inline(state_rows(timeline, window))
