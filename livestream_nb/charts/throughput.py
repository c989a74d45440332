"""The panel of hits per second: stacked by connection, gaps left empty."""

import altair as alt

from livestream_nb.charts.axes import frame, heading, height_of, legend, time_axis
from livestream_nb.charts.looks import CONNECTIONS, HEIGHT, LOOKS, WIDTH, Scene


def throughput_panel(
    rows: alt.Data, scene: Scene, *, states: alt.Data | None = None
) -> alt.LayerChart:
    """Draw the steps of :func:`throughput_rows`.

    With states it is the upper of several panels: bands show where a connection was not
    streaming, and the lowest panel has the time labels.
    """
    x = time_axis(scene, labels=states is None)
    layers = [_area(rows, scene, x), _cut(rows, scene, x), _hover(rows, scene, x), _note(scene)]
    if states is not None:
        layers.insert(0, _bands(states, scene))
    title = heading("Hits per second", scene)
    return alt.LayerChart(layer=layers, width=WIDTH, height=HEIGHT, title=title, view=frame(scene))


def _area(rows: alt.Data, scene: Scene, x: alt.X) -> alt.Chart:
    known = list(range(1, scene.connections + 1))
    hue = (
        alt.Color("connection:O")
        .scale(domain=known, range=list(CONNECTIONS[: scene.connections]))
        .legend(None if scene.connections == 1 else legend(scene, scene.connections, "connection"))
    )
    chart: alt.Chart = (
        alt.Chart(rows)
        .mark_area(interpolate="step-after", clip=True, fillOpacity=0.4, line={"strokeWidth": 1.5})
        .encode(
            x=x,
            y=height_of(scene, "top", scene.ceiling),
            y2="base:Q",
            color=hue,
        )
    )
    return chart


def _cut(rows: alt.Data, scene: Scene, x: alt.X) -> alt.Chart:
    """Name the highest step where the panel cuts it off: it mostly follows a gap."""
    ink = alt.ExprRef(scene.ink)
    chart: alt.Chart = (
        alt.Chart(rows)
        .transform_filter(
            f"datum.top > {scene.ceiling} && datum.time >= {scene.start}"
            " && datum.time < datum.until"
        )
        .transform_joinaggregate(highest="max(top)")
        .transform_filter("datum.top === datum.highest")
        .transform_calculate(words="'▲ ' + format(datum.top, ',.0f')")
        .mark_text(clip=True, align="right", baseline="top", dx=-5, y=5, fontSize=11, color=ink)
        .encode(x=x, text="words:N")
    )
    return chart


def _hover(rows: alt.Data, scene: Scene, x: alt.X) -> alt.Chart:
    """Cover each step with a transparent bar: an area itself has only one tooltip."""
    chart: alt.Chart = (
        alt.Chart(rows)
        .transform_filter("datum.until > datum.time")
        .transform_calculate(
            at=f"utcFormat(datum.time, '{scene.clock}')", rate="datum.top - datum.base"
        )
        .mark_rect(clip=True, opacity=0)
        .encode(
            x=x,
            x2="until:Q",
            y=alt.value(0),
            y2=alt.value(HEIGHT),
            tooltip=[
                alt.Tooltip("at:N", title="time"),
                alt.Tooltip("rate:Q", title="hits/s", format=",.1f"),
                alt.Tooltip("connection:O"),
            ],
        )
    )
    return chart


def _bands(states: alt.Data, scene: Scene) -> alt.Chart:
    hue = alt.Scale(domain=list(LOOKS), range=[look.colour for look in LOOKS.values()])
    chart: alt.Chart = (
        alt.Chart(states)
        .transform_filter("datum.state !== 'streaming'")
        .transform_calculate(until=f"datum.ended === null ? {scene.now} : datum.ended")
        .mark_rect(clip=True, opacity=0.18 / scene.connections)
        .encode(
            x=time_axis(scene, labels=False),
            x2="until:Q",
            y=alt.value(0),
            y2=alt.value(HEIGHT),
            fill=alt.Fill("state:N", legend=None, scale=hue),
        )
    )
    return chart


def _note(scene: Scene) -> alt.Chart:
    middle = alt.ExprRef(f"{scene.width} / 2")
    ink, text = alt.ExprRef(scene.ink), alt.ExprRef(scene.note)
    chart: alt.Chart = alt.Chart(alt.InlineData(values=[{}])).mark_text(
        x=middle, y=HEIGHT / 2, fontSize=13, color=ink, text=text
    )
    return chart
