"""The panel of delay: how late hits come, the median and up to the 95th percentile."""

import altair as alt

from livestream_nb.charts.axes import frame, heading, height_of, time_axis
from livestream_nb.charts.looks import BLUE, HEIGHT, WIDTH, Scene

TITLE = "Delay in seconds: median to 95th percentile"
LOW = 2 * HEIGHT // 3


def delay_panel(rows: alt.Data, scene: Scene, *, labels: bool = True) -> alt.LayerChart:
    """Draw the steps of :func:`delay_rows`."""
    x = time_axis(scene, labels=labels)
    chart = alt.Chart(rows)
    reach = {"x": x, "y": height_of(scene, "p95", scene.latest)}
    late = chart.mark_area(
        interpolate="step-after",
        clip=True,
        color=BLUE,
        fillOpacity=0.25,
        line={"strokeWidth": 0.75, "color": BLUE},
    ).encode(**reach, y2="median:Q")
    usual = chart.mark_line(interpolate="step-after", clip=True, color=BLUE, strokeWidth=2).encode(
        x=x, y=height_of(scene, "median", scene.latest)
    )
    hover = (
        chart.transform_filter("datum.until > datum.time")
        .transform_calculate(at=f"utcFormat(datum.time, '{scene.clock}')")
        .mark_rect(clip=True, opacity=0)
        .encode(
            x=x,
            x2="until:Q",
            y=alt.value(0),
            y2=alt.value(LOW),
            tooltip=[
                alt.Tooltip("at:N", title="time"),
                alt.Tooltip("median:Q", title="median, s", format=",.1f"),
                alt.Tooltip("p95:Q", title="95th percentile, s", format=",.1f"),
            ],
        )
    )
    return alt.LayerChart(
        layer=[late, usual, hover],
        width=WIDTH,
        height=LOW,
        title=heading(TITLE, scene),
        view=frame(scene),
    )
