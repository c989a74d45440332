"""The panel of top values: a bar for each, with its name on it and its count beside it."""

import altair as alt

from livestream_nb.charts.axes import heading
from livestream_nb.charts.looks import BLUE, ROW, WIDTH, Scene

COUNT = 120
SHARE = 54


def top_panel(rows: alt.Data, scene: Scene, title: str, many: int) -> alt.LayerChart:
    """Draw ``many`` rows of ``rank``, ``name``, ``hits`` and ``share``; the first is the longest.

    The name stands on the bar, not at an axis: names may be as long as an address, and alike.
    """
    ink = alt.ExprRef(scene.ink)
    base = alt.Chart(rows).encode(
        y=alt.Y("rank:O", axis=None).scale(paddingInner=0.15, paddingOuter=0.05),
        tooltip=[
            alt.Tooltip("name:N", title="value"),
            alt.Tooltip("hits:Q", format=","),
            alt.Tooltip("share:Q", title="share of hits", format=".1%"),
        ],
    )
    reach = alt.Scale(domainMin=0, range=[0, WIDTH - COUNT])
    bars = base.mark_bar(color=BLUE, opacity=0.25).encode(x=alt.X("hits:Q", axis=None, scale=reach))
    names = base.mark_text(
        align="left",
        dx=6,
        fontSize=12,
        limit=WIDTH - COUNT - 12,
        color=ink,
    ).encode(x=alt.value(0), text="name:N")
    counts = base.mark_text(align="right", fontSize=12, color=ink).encode(
        x=alt.value(WIDTH - SHARE), text=alt.Text("hits:Q", format=",")
    )
    shares = base.mark_text(align="right", fontSize=12, color=ink).encode(
        x=alt.value(WIDTH), text=alt.Text("share:Q", format=".1%")
    )
    return alt.LayerChart(
        layer=[bars, names, counts, shares],
        width=WIDTH,
        height=ROW * max(1, many),
        title=heading(title, scene),
        view=alt.ViewBackground(stroke=None),
    )
