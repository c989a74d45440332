"""Charts of the policy lab: small frames in, altair charts out."""

from collections.abc import Sequence
from datetime import datetime

import altair as alt
import polars as pl

from livestream_nb.charts.looks import BLACK, BLUE, LOOKS, MARGIN, WIDTH
from livestream_nb.charts.names import shown

ROW = 30
LANE = 26
INK = "#333333"
LEAST = {"%": 0.01}
"""How far the scale of colours goes at least: what is next to nothing looks like it."""
MEASURES = {
    "lost_share": ("Hits lost", ".2%"),
    "delivered": ("Hits delivered", ".2%"),
    "downtime": ("Seconds without a connection", ",.0f"),
    "longest_outage": ("Longest outage, in seconds", ",.0f"),
    "connects": ("Requests", ",.0f"),
    "refused": ("Answers 409", ",.0f"),
    "unavailable": ("Answers 503", ",.0f"),
    "gave_up": ("Days on which it gave up", ".0%"),
    "lost": ("Hits lost", ",.0f"),
    "duplicates": ("Duplicates", ",.0f"),
}


def lost_chart(summary: pl.DataFrame, title: str) -> alt.LayerChart:
    """Draw the share of hits that each policy lost, the least first, with its interval.

    Parameters
    ----------
    summary : polars.DataFrame
        ``policy`` (String), ``lost_share``, ``lost_share_low``, ``lost_share_high`` (Float64).
    title : str
        What stands above.
    """
    columns = ["policy", *(f"lost_share{end}" for end in ("", "_low", "_high"))]
    rows = [
        {**row, "policy": shown(row["policy"]), "said": _said(*(row[name] for name in columns[1:]))}
        for row in summary.select(columns).iter_rows(named=True)
    ]
    order = [row["policy"] for row in rows]
    # Half of the axis is for the first hundredth: a good policy is told from a perfect one.
    scale = alt.Scale(type="symlog", constant=0.002, domain=[0, 1])
    ticks = alt.Axis(format=".1~%", values=[0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1], grid=True)
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        y=alt.Y("policy:N", sort=order, title=None, axis=alt.Axis(labelLimit=220))
    )
    x = alt.X("lost_share:Q", scale=scale, axis=ticks, title="Share of hits lost")
    line = base.mark_rule(strokeWidth=5, opacity=0.35, color=BLUE).encode(
        x=alt.X("lost_share_low:Q", scale=scale, axis=ticks, title="Share of hits lost"),
        x2="lost_share_high:Q",
    )
    dot = base.mark_point(filled=True, size=90, opacity=1, color=BLUE).encode(
        x=x, tooltip=["policy:N", "said:N"]
    )
    right = alt.ExprRef("datum.lost_share > 0.3 ? 'right' : 'left'")
    away = alt.ExprRef("datum.lost_share > 0.3 ? -10 : 10")
    words = base.mark_text(align=right, dx=away, dy=-9, fontSize=10, color=INK).encode(
        x=x, text="said:N"
    )
    return _layers([line, dot, words], title, WIDTH - 160, ROW * len(rows))


def sweep_chart(summary: pl.DataFrame, parameter: str, measure: str) -> alt.LayerChart:
    """Draw a measure against the values of a parameter, with its interval.

    Parameters
    ----------
    summary : polars.DataFrame
        The parameter, and ``measure``, ``measure_low``, ``measure_high`` (Float64).
    """
    title, form = _titled(measure)
    columns = [parameter, measure, f"{measure}_low", f"{measure}_high"]
    numbers = summary.schema[parameter].is_numeric()
    kind = "Q" if numbers else "O"
    order = None if numbers else summary[parameter].cast(pl.String).to_list()
    x = alt.X(f"{parameter}:{kind}", title=_named(parameter), sort=order, scale=_reach(kind))
    y = alt.Scale(zero=False, nice=True)
    axis = alt.Axis(format=form.replace(".2", ".3~"))
    base = alt.Chart(alt.InlineData(values=summary.select(columns).to_dicts())).encode(x=x)
    band = (base.mark_area if numbers else base.mark_bar)(opacity=0.25, color=BLUE).encode(
        y=alt.Y(f"{measure}_low:Q", scale=y, axis=axis, title=title), y2=f"{measure}_high:Q"
    )
    line = base.mark_line(color=BLUE, point=alt.OverlayMarkDef(color=BLUE, size=60)).encode(
        y=alt.Y(f"{measure}:Q", scale=y, axis=axis, title=title),
        tooltip=[
            f"{parameter}:{kind}",
            *(alt.Tooltip(name, type="quantitative", format=form) for name in columns[1:]),
        ],
    )
    return _layers([band, line], f"{title} by {_named(parameter)}", WIDTH - 60, 240)


def heat_chart(summary: pl.DataFrame, across: str, up: str, measure: str) -> alt.LayerChart:
    """Draw a measure by the values of two parameters, as colour and as number.

    Parameters
    ----------
    summary : polars.DataFrame
        Both parameters, and ``measure`` (Float64).
    """
    title, form = _titled(measure)
    words = summary.select(pl.col(across, up).map_batches(_ordinal), measure)
    highest = max(LEAST.get(form[-1], 1.0), *words[measure].to_list())
    rows = words.with_columns(dark=pl.col(measure) > highest / 4).to_dicts()
    orders = {name: words[name].unique(maintain_order=True).to_list() for name in (across, up)}
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        x=alt.X(f"{across}:O", sort=orders[across], title=_named(across)).axis(labelAngle=0),
        y=alt.Y(f"{up}:O", sort=orders[up][::-1], title=_named(up)),
    )
    hue = alt.Scale(scheme="cividis", reverse=True, type="sqrt", domain=[0, highest])
    cells = base.mark_rect().encode(
        color=alt.Color(f"{measure}:Q", scale=hue, title=None, legend=alt.Legend(format=form)),
        tooltip=[
            f"{across}:N",
            f"{up}:N",
            alt.Tooltip(measure, type="quantitative", format=form),
        ],
    )
    text = base.mark_text(fontSize=11).encode(
        text=alt.Text(f"{measure}:Q", format=form),
        color=alt.condition("datum.dark", alt.value("#ffffff"), alt.value(BLACK)),
    )
    wide = max(360, min(WIDTH - 120, 72 * len(orders[across])))
    return _layers([cells, text], title, wide, 34 * len(orders[up]))


def timelines_chart(
    rows: pl.DataFrame,
    faults: pl.DataFrame,
    order: Sequence[str],
    start: datetime,
    end: datetime,
) -> alt.LayerChart:
    """Draw how each policy spent its time: a lane for each, below one of what went wrong.

    Parameters
    ----------
    rows : polars.DataFrame
        As of `livestream_nb.lab.lanes.lanes`: ``policy``, ``state`` (String), ``start``, ``end``
        (Datetime µs UTC), ``low``, ``high`` (Float64, 0 to 1).
    faults : polars.DataFrame
        As of `livestream_nb.lab.Result.faults`: ``time`` (Datetime µs UTC), ``fault`` (String),
        ``seconds`` (Float64).
    order : sequence of str
        The policies from above.
    start, end : datetime
        Where the axis begins and ends.
    """
    places = {name: place for place, name in enumerate(order, start=1)}
    lane = pl.col("policy").replace_strict(places, return_dtype=pl.Float64)
    drawn = rows.select(
        pl.col("policy").map_elements(shown, return_dtype=pl.String),
        "state",
        since=pl.col("start").dt.epoch("ms"),
        until=pl.col("end").dt.epoch("ms"),
        top=lane + 0.88 - 0.76 * pl.col("high"),
        bottom=lane + 0.88 - 0.76 * pl.col("low"),
    )
    used = [state for state in LOOKS if state in drawn["state"].unique().to_list()]
    hue = alt.Scale(domain=used, range=[LOOKS[state].colour for state in used])
    domain = [round(moment.timestamp() * 1_000) for moment in (start, end)]
    names = [{"place": place + 0.5, "policy": shown(name)} for name, place in places.items()]
    names.append({"place": 0.5, "policy": "what went wrong"})
    y = alt.Scale(domain=[0, len(order) + 1], reverse=True, nice=False)
    x = alt.X("since:T", title="Time (UTC)", scale=alt.Scale(type="utc", domain=domain))
    x = x.axis(format="%H:%M", grid=False)
    bars = (
        alt.Chart(alt.InlineData(values=drawn.to_dicts()))
        .mark_rect(clip=True)
        .encode(
            x=x,
            x2="until:T",
            y=alt.Y("top:Q", scale=y, axis=None),
            y2="bottom:Q",
            color=alt.Color("state:N", scale=hue, title=None, legend=alt.Legend(orient="bottom")),
            tooltip=["policy:N", "state:N"],
        )
    )
    labels = (
        alt.Chart(alt.InlineData(values=names))
        .mark_text(align="right", x=-8, fontSize=11, color=INK)
        .encode(y=alt.Y("place:Q", scale=y, axis=None), text="policy:N")
    )
    title = "What each policy did, on the same day"
    wrong = _faults(faults, x, y)
    return _layers([bars, wrong, labels], title, WIDTH - 160, LANE * (len(order) + 1))


def _faults(faults: pl.DataFrame, x: alt.X, y: alt.Scale) -> alt.Chart:
    lasted = pl.duration(microseconds=pl.col("seconds").fill_null(0.0) * 1e6)
    rows = faults.select(
        "fault",
        since=pl.col("time").dt.epoch("ms"),
        until=(pl.col("time") + lasted).dt.epoch("ms"),
        top=0.3,
        bottom=0.7,
    )
    chart: alt.Chart = (
        alt.Chart(alt.InlineData(values=rows.to_dicts()))
        .mark_rect(clip=True, color=BLACK, stroke=BLACK, strokeWidth=1)
        .encode(
            x=x,
            x2="until:T",
            y=alt.Y("top:Q", scale=y, axis=None),
            y2="bottom:Q",
            tooltip=["fault:N"],
        )
    )
    return chart


def _layers(layers: list[alt.Chart], title: str, width: int, height: int) -> alt.LayerChart:
    heading = alt.TitleParams(title, anchor="start", frame="group", fontSize=13, color=INK)
    tall = max(height, MARGIN)
    return alt.LayerChart(layer=layers, width=width, height=tall, title=heading)


def _titled(measure: str) -> tuple[str, str]:
    return MEASURES.get(measure, (measure.replace("_", " ").capitalize(), ",.0f"))


def _named(parameter: str) -> str:
    known = ("cooldown", "notice", "jitter", "longest", "retention", "latency", "healthy_after")
    return f"{parameter} (s)" if parameter in known else parameter.replace("_", " ")


def _reach(kind: str) -> alt.Scale:
    return alt.Scale(zero=False, nice=False, padding=12) if kind == "Q" else alt.Scale()


def _ordinal(values: pl.Series) -> pl.Series:
    if values.dtype.is_numeric():
        return pl.Series(values.name, [f"{value:g}" for value in values])
    return values.cast(pl.String)


def _said(mean: float, low: float | None, high: float | None) -> str:
    if low is None or high is None or low == high:
        return f"{mean:.2%}"
    return f"{mean:.2%} ({low:.2%} to {high:.2%})"
