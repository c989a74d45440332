"""The charts that people ask for: small frames in, altair charts out."""

from datetime import datetime, timedelta

import altair as alt
import polars as pl

from livestream_nb.charts.layers import both_panels, throughput_panel, timeline_panel
from livestream_nb.charts.looks import Scene
from livestream_nb.charts.rows import ceiling, shortest_step, state_rows, throughput_rows
from livestream_nb.charts.window import Window


def throughput_chart(
    frame: pl.DataFrame,
    *,
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
    rows = throughput_rows(frame, window, every)
    return throughput_panel(_inline(rows), _scene(window, frame, rows))


def timeline_chart(
    frame: pl.DataFrame,
    *,
    now: datetime | None = None,
    tz: str = "UTC",
    window: Window | None = None,
) -> alt.LayerChart:
    """Draw the states of each connection as a lane of labelled bars.

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
    return timeline_panel(_inline(state_rows(frame, window)), scene)


def stream_chart(
    throughput: pl.DataFrame,
    timeline: pl.DataFrame,
    *,
    now: datetime | None = None,
    tz: str = "UTC",
    window: Window | None = None,
    every: float | None = None,
) -> alt.VConcatChart:
    """Draw throughput above the timeline on one time axis; the arguments are those of the two."""
    window = window or Window.around(
        *_span(throughput, every), timeline["started"], timeline["ended"], now=now, tz=tz
    )
    rows = throughput_rows(throughput, window, every, timeline)
    states = state_rows(timeline, window)
    return both_panels(_inline(rows), _inline(states), _scene(window, timeline, rows))


def live_chart(window: Window, *, connections: int = 1) -> alt.VConcatChart:
    """Draw both panels over named data, for a view that sets rows and parameters itself.

    The data are called ``throughput`` and ``states``; the parameters ``window_start`` and
    ``window_end`` (ms of shown time), ``ink`` and ``faint`` (colours), ``note`` (a text in
    place of missing rows) and ``ceiling`` (hits per second). The window gives the axis its format
    and its zone.
    """
    chart = both_panels(
        alt.NamedData("throughput"), alt.NamedData("states"), Scene.live(window, connections)
    )
    return chart.add_params(
        alt.param(name="window_start", value=window.shown(window.start)),
        alt.param(name="window_end", value=window.shown(window.end)),
        alt.param(name="ink", value="#333333"),
        alt.param(name="faint", value="#dddddd"),
        alt.param(name="note", value=""),
        alt.param(name="ceiling", value=1),
    )


def connections_of(frame: pl.DataFrame) -> int:
    """Return how many connections a frame speaks of, at least one."""
    most = frame["connection"].max()
    return most if isinstance(most, int) and most else 1


def _span(throughput: pl.DataFrame, every: float | None) -> tuple[pl.Series, pl.Series]:
    """Return when the steps begin and when they end."""
    step = timedelta(seconds=every or shortest_step(throughput))
    return throughput["time"], throughput["time"] + step


def _scene(window: Window, frame: pl.DataFrame, rows: pl.DataFrame) -> Scene:
    note = "" if rows.height else "no hits in this span"
    return Scene.still(window, connections_of(frame), note=note, ceiling=ceiling(rows))


def _inline(rows: pl.DataFrame) -> alt.InlineData:
    return alt.InlineData(values=rows.to_dicts())
