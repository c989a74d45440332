"""How things look: Okabe–Ito colours, shapes, sizes and axes, in one place."""

from collections.abc import Mapping
from dataclasses import dataclass

import altair as alt

from livestream_nb.charts.window import Window

WIDTH = 720
HEIGHT = 170
LANE = 34
MARGIN = 48

BLACK = "#111111"
CONNECTIONS = (
    "#0072B2",
    "#CC79A7",
    "#56B4E9",
    "#009E73",
    "#F0E442",
    "#D55E00",
    "#E69F00",
    "#999999",
)


@dataclass(frozen=True)
class Look:
    """How a state is drawn: an Okabe–Ito colour, and a shape as an SVG path within ±1."""

    colour: str
    path: str


LOOKS: Mapping[str, Look] = {
    "streaming": Look("#009E73", "M-0.7,-0.9L0.9,0L-0.7,0.9Z"),
    "connecting": Look("#56B4E9", "M-0.9,-0.8L0,0L-0.9,0.8ZM0.05,-0.8L0.95,0L0.05,0.8Z"),
    "stalled": Look("#F0E442", "M-0.8,-0.9L0.8,-0.9L-0.8,0.9L0.8,0.9Z"),
    "cooldown": Look(
        "#E69F00",
        "M-0.8,-0.9L-0.2,-0.9L-0.2,0.9L-0.8,0.9ZM0.2,-0.9L0.8,-0.9L0.8,0.9L0.2,0.9Z",
    ),
    "stopped": Look("#999999", "M-0.8,-0.8L0.8,-0.8L0.8,0.8L-0.8,0.8Z"),
    "failed": Look(
        "#D55E00",
        "M-0.9,-0.6L-0.6,-0.9L0,-0.3L0.6,-0.9L0.9,-0.6L0.3,0"
        "L0.9,0.6L0.6,0.9L0,0.3L-0.6,0.9L-0.9,0.6L-0.3,0Z",
    ),
}


@dataclass(frozen=True)
class Scene:
    """What layers need to know beside their rows.

    All but the axis are Vega expressions. In a still picture they are literals, so that charts can
    be composed freely; in the live view they name the parameters that the browser sets.
    """

    axis_title: str
    clock: str
    connections: int
    start: str
    end: str
    width: str = str(WIDTH)
    ink: str = "'#333333'"
    faint: str = "'#dddddd'"
    note: str = "''"
    ceiling: str = "1"

    @classmethod
    def still(
        cls, window: Window, connections: int, *, note: str = "", ceiling: float = 1.0
    ) -> "Scene":
        """Return the scene of a picture of this window; the note stands where rows are missing."""
        left, right = str(window.shown(window.start)), str(window.shown(window.end))
        return cls(*_axis(window), connections, left, right, note=f"'{note}'", ceiling=str(ceiling))

    @classmethod
    def live(cls, window: Window, connections: int) -> "Scene":
        """Return the scene whose expressions are the live view's parameters."""
        names = ("window_start", "window_end", "width", "ink", "faint", "note", "ceiling")
        return cls(*_axis(window), connections, *names)


def time_axis(scene: Scene, field: str = "time", *, title: str | None = None) -> alt.X:
    """Return the time axis that all panels share; without a title its labels are hidden too."""
    return (
        alt.X(f"{field}:T", title=title)
        .scale(type="utc", domain=alt.ExprRef(f"[{scene.start}, {scene.end}]"))
        .axis(
            format=scene.clock,
            labels=title is not None,
            ticks=title is not None,
            tickCount=alt.ExprRef(f"{scene.width} / 110"),
            labelFontSize=11,
            labelBound=True,
            labelFlush=False,
            labelColor=alt.ExprRef(scene.ink),
            titleColor=alt.ExprRef(scene.ink),
            titleFontWeight="normal",
            tickColor=alt.ExprRef(scene.faint),
            domainColor=alt.ExprRef(scene.faint),
            gridColor=alt.ExprRef(scene.faint),
        )
    )


def side_axis(scene: Scene, *, grid: bool, labels: bool = True) -> alt.Axis:
    """Return a vertical axis of fixed breadth, so that panels align and nothing jumps."""
    return alt.Axis(
        minExtent=MARGIN,
        maxExtent=MARGIN,
        grid=grid,
        labels=labels,
        ticks=False,
        domain=False,
        tickCount=4,
        format=",~f",
        labelFontSize=11,
        labelPadding=8,
        labelColor=alt.ExprRef(scene.ink),
        gridColor=alt.ExprRef(scene.faint),
    )


def legend(scene: Scene, entries: int) -> alt.Legend:
    """Return a legend below its panel, in as many rows as the width needs."""
    return alt.Legend(
        orient="bottom",
        title=None,
        columns=alt.ExprRef(f"{scene.width} < 90 * {entries} ? ceil({entries} / 2) : {entries}"),
        columnPadding=14,
        labelFontSize=11,
        symbolOpacity=1,
        labelColor=alt.ExprRef(scene.ink),
    )


def heading(text: str, scene: Scene) -> alt.TitleParams:
    """Return a panel's title, at its left edge."""
    return alt.TitleParams(
        text, anchor="start", frame="group", fontSize=12, offset=8, color=alt.ExprRef(scene.ink)
    )


def _axis(window: Window) -> tuple[str, str]:
    spans = ((1_800, "%H:%M:%S"), (86_400, "%H:%M"))
    clock = next((form for span, form in spans if window.seconds <= span), "%d %b %H:%M")
    return f"Time ({window.zone})", clock
