"""The panel of states: a lane per connection; what went wrong above it, the floor below it.

In a lane, the bars are the states. A flag above a bar says what brought the state about, when
something went wrong. The bracket below is the floor: the 60 seconds that Livestream needs to notice
that a connection is gone. It is closed at its end if it was waited out, and open where a request
was sent earlier.
"""

from typing import Any

import altair as alt

from livestream_nb.charts.axes import frame, heading, legend, side_axis, time_axis
from livestream_nb.charts.looks import BAR, BLACK, LANE, LOOKS, WIDTH, Scene

TOLD = ("state", "sentence", "from", "to", "lasted", "HTTP", "attempt", "connection")
FLAG = -23
BRACKET = 18
LETTER = 6.4
EDGE = 75
FAR = 9_999
BY_TIME: dict[str, Any] = {
    "groupby": ["connection"],
    "sort": [alt.SortField("time", order="ascending")],
}


def timeline_panel(states: alt.Data, scene: Scene, *, labels: bool = True) -> alt.LayerChart:
    """Draw the bars of :func:`state_rows`, one lane per connection, each with shape and words."""
    known = list(range(1, scene.connections + 1))
    axis = side_axis(scene, grid=False, labels=scene.connections > 1)
    lane = alt.Y("connection:O", title=None, axis=axis).scale(
        domain=known, paddingInner=0, paddingOuter=0
    )
    base = alt.Chart().encode(
        x=time_axis(scene, "left", labels=labels),
        y=lane,
        tooltip=[alt.Tooltip(field, type="nominal") for field in TOLD],
    )
    layers = [
        _bars(base, scene),
        _shapes(base),
        _words(base),
        *_brackets(base, scene),
        _flags(base, scene),
    ]
    return alt.LayerChart(
        data=states,
        transform=_visible(scene),
        layer=layers,
        width=WIDTH,
        height=LANE * scene.connections,
        title=heading("Connection", scene),
        view=frame(scene),
    )


def _bars(base: alt.Chart, scene: Scene) -> alt.Chart:
    hue = alt.Scale(domain=list(LOOKS), range=[look.colour for look in LOOKS.values()])
    chart: alt.Chart = base.mark_bar(clip=True, strokeWidth=1, height=BAR).encode(
        x2="right:Q",
        fill=alt.Fill("state:N", legend=legend(scene, len(LOOKS)), scale=hue),
        stroke=alt.Stroke("state:N", legend=None, scale=hue),
    )
    return chart


def _shapes(base: alt.Chart) -> alt.Chart:
    paths = alt.Scale(domain=list(LOOKS), range=[look.path for look in LOOKS.values()])
    chart: alt.Chart = (
        base.transform_filter("datum.room > 18")
        .mark_point(filled=True, size=80, opacity=1, xOffset=12, color=BLACK)
        .encode(shape=alt.Shape("state:N", scale=paths))
    )
    return chart


def _words(base: alt.Chart) -> alt.Chart:
    chart: alt.Chart = (
        base.transform_filter(f"datum.room > 28 + {LETTER} * length(datum.state)")
        .mark_text(align="left", dx=23, fontSize=11, color=BLACK)
        .encode(text="state:N")
    )
    return chart


def _flags(base: alt.Chart, scene: Scene) -> alt.Chart:
    """Say what went wrong: as a sign, with a word where its neighbours leave room for that.

    What goes wrong again and again is one sign with a count. At the right edge the word stands to
    the left of the sign.
    """
    at_edge = f"datum.at > {scene.width} - {EDGE}"
    chart: alt.Chart = (
        _repeated(
            base.transform_filter(f"datum.flag !== null && datum.time >= {scene.start}"), scene
        )
        .transform_window(before="lag(time)", after="lead(time)", **BY_TIME)
        .transform_calculate(left_free=_free(scene, "before"), right_free=_free(scene, "after"))
        .transform_calculate(
            flagged=f"{at_edge} ? (datum.left_free > 2 * {EDGE} ? datum.word + ' ▼' : '▼') : "
            f"datum.right_free > {_needed('word')} ? '▼ ' + datum.word : '▼'"
        )
        .mark_text(
            align=alt.ExprRef(f"{at_edge} ? 'right' : 'left'"),
            dx=alt.ExprRef(f"{at_edge} ? 5 : -5"),
            yOffset=FLAG,
            fontSize=11,
            color=alt.ExprRef(scene.ink),
        )
        .encode(text="flagged:N")
    )
    return chart


def _repeated(flags: alt.Chart, scene: Scene) -> alt.Chart:
    """Keep the first of those that are the same and too near for words; ``word`` has the count."""
    apart = f"({_free(scene, 'earlier')}) > {_needed('flag')}"
    chart: alt.Chart = (
        flags.transform_window(earlier="lag(time)", same="lag(flag)", **BY_TIME)
        .transform_calculate(begins=f"datum.same !== datum.flag || {apart} ? 1 : 0")
        .transform_window(run="sum(begins)", **BY_TIME)
        .transform_joinaggregate(many="count()", groupby=["connection", "run"])
        .transform_filter("datum.begins")
        .transform_calculate(
            word="datum.many > 1 ? datum.flag + ' ×' + format(datum.many, ',') : datum.flag"
        )
    )
    return chart


def _free(scene: Scene, neighbour: str) -> str:
    """How many pixels it is to the flag at that moment, if there is one."""
    distance = _pixels(scene, f"abs(datum.time - datum.{neighbour})")
    return f"datum.{neighbour} === null ? {FAR} : {distance}"


def _pixels(scene: Scene, milliseconds: str) -> str:
    return f"({milliseconds}) / ({scene.end} - {scene.start}) * {scene.width}"


def _needed(field: str) -> str:
    """How many pixels a sign and this word take."""
    return f"16 + {LETTER} * length(datum.{field})"


def _brackets(base: alt.Chart, scene: Scene) -> list[alt.Chart]:
    ink = alt.ExprRef(scene.ink)
    end = f"min(datum.floor, {scene.end})"
    floors = base.transform_filter(f"datum.floor !== null && datum.floor > {scene.start}")
    line = floors.mark_rule(clip=True, yOffset=BRACKET, color=ink).encode(x2="floor:Q")
    begins = _edge(floors.transform_filter(f"datum.time >= {scene.start}"), ink)
    kept = floors.transform_filter(f"datum.kept && datum.floor <= {scene.end}")
    closed = _edge(kept, ink).encode(x="floor:T")
    said = (
        floors.transform_calculate(
            shown=f"({end} - datum.left) / ({scene.end} - {scene.start}) * {scene.width}",
            middle=f"({end} + datum.left) / 2",
        )
        .transform_filter(f"datum.shown > {LETTER} * length(datum.waited)")
        .mark_text(yOffset=BRACKET + 8, fontSize=10, color=ink)
        .encode(x="middle:T", text="waited:N")
    )
    return [line, begins, closed, said]


def _edge(floors: alt.Chart, ink: alt.ExprRef) -> alt.Chart:
    chart: alt.Chart = floors.mark_tick(
        orient="vertical", size=6, thickness=1, yOffset=BRACKET - 3, color=ink
    )
    return chart


def _visible(scene: Scene) -> list[alt.Transform]:
    """Cut each state to the window, tell its story in the tooltip, and its width in pixels."""
    calculated = {
        "left": f"max(datum.time, {scene.start})",
        "right": f"min(datum.until, {scene.end})",
        "room": _pixels(scene, "datum.right - datum.left"),
        "at": _pixels(scene, f"datum.left - {scene.start}"),
        "from": f"utcFormat(datum.time, '{scene.clock}')",
        "to": f"datum.ended === null ? 'now' : utcFormat(datum.ended, '{scene.clock}')",
        "lasted": "format((datum.until - datum.time) / 1000, ',.1f') + ' s'",
    }
    return [
        alt.CalculateTransform(
            calculate=f"datum.ended === null ? {scene.now} : datum.ended", **{"as": "until"}
        ),
        alt.FilterTransform(f"datum.until >= {scene.start} && datum.time <= {scene.end}"),
        *(
            alt.CalculateTransform(calculate=sum_, **{"as": name})
            for name, sum_ in calculated.items()
        ),
    ]
