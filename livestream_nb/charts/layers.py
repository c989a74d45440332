"""Rows become layers: the two panels, drawn alike in a still picture and in the live view."""

import altair as alt

from livestream_nb.charts.looks import (
    BLACK,
    CONNECTIONS,
    HEIGHT,
    LANE,
    LOOKS,
    WIDTH,
    Scene,
    heading,
    legend,
    side_axis,
    time_axis,
)

TOLD = ("state", "sentence", "from", "to", "lasted", "HTTP", "attempt", "connection")


def both_panels(throughput: alt.Data, states: alt.Data, scene: Scene) -> alt.VConcatChart:
    """Stack the throughput above the timeline; bands tell why the upper one has gaps."""
    upper = throughput_panel(throughput, scene, states=states)
    lower = timeline_panel(states, scene)
    apart = alt.Resolve(
        scale=alt.ScaleResolveMap(color="independent", fill="independent", shape="independent")
    )
    return alt.VConcatChart(vconcat=[upper, lower], spacing=12, resolve=apart)


def throughput_panel(
    rows: alt.Data, scene: Scene, *, states: alt.Data | None = None
) -> alt.LayerChart:
    """Draw the steps of :func:`throughput_rows`.

    With states it is the upper of two panels: bands show where a connection was not streaming, and
    the lower panel has the time labels.
    """
    clock = scene.axis_title if states is None else None
    layers = [_area(rows, scene, clock), _cut(rows, scene, clock), _hover(rows, scene, clock)]
    layers.append(_note(scene))
    if states is not None:
        layers.insert(0, _bands(states, scene))
    title = heading("Hits per second", scene)
    frame = alt.ViewBackground(stroke=alt.ExprRef(scene.faint))
    return alt.LayerChart(layer=layers, width=WIDTH, height=HEIGHT, title=title, view=frame)


def timeline_panel(states: alt.Data, scene: Scene) -> alt.LayerChart:
    """Draw the bars of :func:`state_rows`, one lane per connection, each with shape and words."""
    inside = _visible(states, scene).encode(
        x=time_axis(scene, "left", title=scene.axis_title), y=_lane(scene)
    )
    layers = [_bars(inside, scene), _shapes(inside), _words(inside)]
    height, title = LANE * scene.connections, heading("Connection", scene)
    frame = alt.ViewBackground(stroke=alt.ExprRef(scene.faint))
    return alt.LayerChart(layer=layers, width=WIDTH, height=height, title=title, view=frame)


def _area(rows: alt.Data, scene: Scene, clock: str | None) -> alt.Chart:
    known = list(range(1, scene.connections + 1))
    hue = (
        alt.Color("connection:O")
        .scale(domain=known, range=list(CONNECTIONS[: scene.connections]))
        .legend(None if scene.connections == 1 else legend(scene, scene.connections))
    )
    chart: alt.Chart = (
        alt.Chart(rows)
        .mark_area(interpolate="step-after", clip=True, fillOpacity=0.4, line={"strokeWidth": 1.5})
        .encode(
            x=time_axis(scene, title=clock),
            y=_rate(scene),
            y2="base:Q",
            color=hue,
            detail="run:N",
        )
    )
    return chart


def _rate(scene: Scene) -> alt.Y:
    axis = side_axis(scene, grid=True)
    reach = alt.Scale(domain=alt.ExprRef(f"[0, {scene.ceiling}]"), nice=4)
    return alt.Y("top:Q", title=None, axis=axis, scale=reach)


def _cut(rows: alt.Data, scene: Scene, clock: str | None) -> alt.Chart:
    """Name the highest step where the panel cuts it off: it mostly follows a gap."""
    ink = alt.ExprRef(scene.ink)
    chart: alt.Chart = (
        alt.Chart(rows)
        .transform_filter(f"datum.time >= {scene.start} && datum.time < datum.until")
        .transform_joinaggregate(highest="max(top)")
        .transform_filter(f"datum.top === datum.highest && datum.top > {scene.ceiling}")
        .transform_calculate(words="'▲ ' + format(datum.top, ',.0f')")
        .mark_text(clip=True, align="right", baseline="top", dx=-5, y=5, fontSize=11, color=ink)
        .encode(x=time_axis(scene, title=clock), text="words:N")
    )
    return chart


def _hover(rows: alt.Data, scene: Scene, clock: str | None) -> alt.Chart:
    """Cover each step with a transparent bar: an area itself has only one tooltip."""
    chart: alt.Chart = (
        alt.Chart(rows)
        .transform_calculate(
            at=f"utcFormat(datum.time, '{scene.clock}')", rate="datum.top - datum.base"
        )
        .mark_rect(clip=True, opacity=0)
        .encode(
            x=time_axis(scene, title=clock),
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
    chart: alt.Chart = (
        _visible(states, scene)
        .transform_filter("datum.state !== 'streaming'")
        .mark_rect(clip=True, opacity=0.15)
        .encode(
            x=time_axis(scene, "left"),
            x2="right:Q",
            y=alt.value(0),
            y2=alt.value(HEIGHT),
            fill=alt.Fill("state:N", legend=None, scale=_colours()),
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


def _lane(scene: Scene) -> alt.Y:
    known = list(range(1, scene.connections + 1))
    axis = side_axis(scene, grid=False, labels=scene.connections > 1)
    return alt.Y("connection:O", title=None, axis=axis).scale(
        domain=known, paddingInner=0.2, paddingOuter=0.1
    )


def _bars(inside: alt.Chart, scene: Scene) -> alt.Chart:
    chart: alt.Chart = inside.mark_bar(clip=True, strokeWidth=1).encode(
        x2="right:Q",
        fill=alt.Fill("state:N", legend=legend(scene, len(LOOKS)), scale=_colours()),
        stroke=alt.Stroke("state:N", legend=None, scale=_colours()),
    )
    return chart


def _shapes(inside: alt.Chart) -> alt.Chart:
    paths = alt.Scale(domain=list(LOOKS), range=[look.path for look in LOOKS.values()])
    chart: alt.Chart = (
        inside.transform_filter("datum.room > 18")
        .mark_point(filled=True, size=80, opacity=1, xOffset=12, color=BLACK)
        .encode(shape=alt.Shape("state:N", scale=paths))
    )
    return chart


def _words(inside: alt.Chart) -> alt.Chart:
    """Say as much inside the bar as its pixels hold: state and cause, the state, or nothing."""
    chart: alt.Chart = (
        inside.transform_calculate(
            full="datum.why === 'opened' ? datum.state : datum.state + ' · ' + datum.why"
        )
        .transform_calculate(
            label="datum.room > 32 + 6.4 * length(datum.full) ? datum.full"
            " : datum.room > 28 + 6.4 * length(datum.state) ? datum.state : ''"
        )
        .mark_text(align="left", dx=23, fontSize=11, color=BLACK)
        .encode(text="label:N")
    )
    return chart


def _colours() -> alt.Scale:
    return alt.Scale(domain=list(LOOKS), range=[look.colour for look in LOOKS.values()])


def _visible(states: alt.Data, scene: Scene) -> alt.Chart:
    """Cut each state to the window, tell its story in the tooltip, and its width in pixels."""
    texts = {
        "from": f"utcFormat(datum.time, '{scene.clock}')",
        "to": f"datum.ended === null ? 'now' : utcFormat(datum.ended, '{scene.clock}')",
        "lasted": "format((datum.until - datum.time) / 1000, ',.1f') + ' s'",
    }
    chart: alt.Chart = (
        alt.Chart(states)
        .transform_calculate(until=f"datum.ended === null ? {scene.end} : datum.ended")
        .transform_filter(f"datum.until >= {scene.start} && datum.time <= {scene.end}")
        .transform_calculate(
            left=f"max(datum.time, {scene.start})", right=f"min(datum.until, {scene.end})"
        )
        .transform_calculate(
            room=f"(datum.right - datum.left) / ({scene.end} - {scene.start}) * {scene.width}"
        )
        .transform_calculate(**texts)
        .encode(tooltip=[alt.Tooltip(field, type="nominal") for field in TOLD])
    )
    return chart
