"""Axes, legends and headings: alike in all panels, so that they align and nothing jumps."""

import altair as alt

from livestream_nb.charts.looks import MARGIN, Scene

LEGEND_ENTRY = 92
# Large numbers as 50k: there is room for six letters.
NUMBER = (
    "isNumber(datum.value) ? format(datum.value, datum.value < 1e4 ? ',~f' : '~s') : datum.value"
)


def time_axis(scene: Scene, field: str = "time", *, labels: bool = True) -> alt.X:
    """Return the time axis that all panels share; the lowest has the labels and the title."""
    ink, faint = alt.ExprRef(scene.ink), alt.ExprRef(scene.faint)
    return (
        alt.X(f"{field}:T", title=scene.axis_title if labels else None)
        .scale(type="utc", domain=alt.ExprRef(f"[{scene.start}, {scene.end}]"))
        .axis(
            format=scene.clock,
            labels=labels,
            ticks=labels,
            tickCount=alt.ExprRef(f"{scene.width} / 110"),
            labelFontSize=11,
            labelBound=True,
            labelFlush=False,
            labelSeparation=10,
            labelColor=ink,
            titleColor=ink,
            titleFontWeight="normal",
            tickColor=faint,
            domainColor=faint,
            gridColor=faint,
        )
    )


def side_axis(scene: Scene, *, grid: bool, labels: bool = True) -> alt.Axis:
    """Return a vertical axis of fixed breadth."""
    return alt.Axis(
        minExtent=MARGIN,
        maxExtent=MARGIN,
        grid=grid,
        labels=labels,
        ticks=False,
        domain=False,
        tickCount=4,
        labelExpr=NUMBER,
        labelFontSize=11,
        labelPadding=8,
        labelColor=alt.ExprRef(scene.ink),
        gridColor=alt.ExprRef(scene.faint),
    )


def height_of(scene: Scene, field: str, top: str) -> alt.Y:
    """Return a quantity from zero to ``top``, an expression."""
    reach = alt.Scale(domain=alt.ExprRef(f"[0, {top}]"), nice=4)
    return alt.Y(f"{field}:Q", title=None, axis=side_axis(scene, grid=True), scale=reach)


def frame(scene: Scene) -> alt.ViewBackground:
    """Return the frame of a panel."""
    return alt.ViewBackground(stroke=alt.ExprRef(scene.faint))


def legend(scene: Scene, entries: int, title: str | None = None) -> alt.Legend:
    """Return a legend below its panel, in as many rows as the width needs."""
    return alt.Legend(
        orient="bottom",
        title=title,
        titleFontSize=11,
        titleFontWeight="normal",
        titleColor=alt.ExprRef(scene.ink),
        columns=alt.ExprRef(f"min({entries}, max(1, floor({scene.width} / {LEGEND_ENTRY})))"),
        columnPadding=14,
        labelFontSize=11,
        symbolOpacity=1,
        labelColor=alt.ExprRef(scene.ink),
    )


def heading(text: str, scene: Scene) -> alt.TitleParams:
    """Return a panel's title, at its left edge."""
    return alt.TitleParams(
        text,
        anchor="start",
        frame="group",
        fontSize=12,
        offset=8,
        limit=alt.ExprRef(scene.width),
        color=alt.ExprRef(scene.ink),
    )
