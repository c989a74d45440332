"""One self-contained page about a stream: facts and charts, to be opened anywhere and offline.

Each chart is in the page twice: as a picture, which shows where scripts are off, and as a
specification, which Vega (inside the page) makes interactive. A content policy in the page forbids
every request.
"""

import json
from base64 import b64encode
from collections.abc import Mapping
from datetime import datetime
from html import escape
from io import StringIO
from types import MappingProxyType
from zoneinfo import ZoneInfo

import altair as alt
import polars as pl

from livestream_nb.charts.bundle import bundle

SCRIPT = """
for (const figure of document.querySelectorAll("figure")) {
  const spec = JSON.parse(figure.querySelector("script").textContent);
  const plot = figure.querySelector("div");
  vegaEmbed(plot, spec, {
    actions: false, logLevel: 1, mode: "vega-lite", renderer: "svg", tooltip: { theme: "report" },
  });
}
"""
POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline' 'unsafe-eval'"
)
STYLE = """
:root { color-scheme: light; }
body { max-width: 860px; margin: 40px auto; padding: 0 24px; background: #ffffff; color: #222222;
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", "Liberation Sans", sans-serif; }
h1 { margin: 0 0 20px; font-size: 24px; line-height: 1.25; }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: 14px 28px;
  margin: 0 0 28px; }
dt { color: #595959; font-size: 13px; }
dd { margin: 0; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
dl .wide { grid-column: 1 / -1; }
h2 { margin: 0 0 10px; font-size: 17px; }
section { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 4px 24px 4px 0; text-align: left; white-space: nowrap; }
th { color: #595959; font-size: 13px; font-weight: normal; }
td { border-top: 1px solid #e0e0e0; }
figure { margin: 0 0 28px; overflow-x: auto; }
img { max-width: 100%; }
#vg-tooltip-element.report-theme { max-width: 360px; padding: 8px 10px; border: 1px solid #bdbdbd;
  background: #ffffff; font: 12px/17px system-ui, "Liberation Sans", sans-serif; }
#vg-tooltip-element.report-theme td { vertical-align: top; }
#vg-tooltip-element.report-theme td.value { max-height: none; }
@media print { body { margin: 0; max-width: none; } }
"""
LONG = 40
Chart = alt.LayerChart | alt.VConcatChart


def report_html(
    title: str,
    facts: Mapping[str, str],
    charts: Mapping[str, Chart],
    tables: Mapping[str, pl.DataFrame] = MappingProxyType({}),
    *,
    tz: str = "UTC",
) -> str:
    """Return the page.

    Parameters
    ----------
    title : str
        The page's heading.
    facts : mapping of str to str
        What to state above the charts, by name, in this order; all of it is shown as text.
    charts : mapping of str to altair charts
        By what they show, in words.
    tables : mapping of str to polars.DataFrame
        By their headings; small ones, for every row is shown.
    tz : str
        The time zone of their times.

    Returns
    -------
    str
        HTML of about 1 MB, nearly all of it Vega; it asks for nothing from elsewhere.
    """
    figures = "".join(_figure(told, chart) for told, chart in charts.items())
    found = "".join(_table(heading, frame, tz) for heading, frame in tables.items())
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>"
        f"<body><main><h1>{escape(title)}</h1><dl>{_facts(facts)}</dl>{figures}{found}</main>"
        f'<script type="module">{bundle(SCRIPT)}</script></body></html>'
    )


def _facts(facts: Mapping[str, str]) -> str:
    return "".join(
        f'<div class="{_width(value)}"><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>'
        for name, value in facts.items()
    )


def _width(value: str) -> str:
    return "wide" if len(value) > LONG else "short"


def _figure(told: str, chart: Chart) -> str:
    """Return the chart as a picture in an element that its script replaces."""
    svg = StringIO()
    chart.save(svg, format="svg")
    picture = b64encode(svg.getvalue().encode()).decode("ascii")
    spec = json.dumps(chart.to_dict()).replace("<", "\\u003c")
    return (
        f'<figure><div><img alt="{escape(told)}" src="data:image/svg+xml;base64,{picture}"></div>'
        f'<script type="application/json">{spec}</script></figure>'
    )


def _table(heading: str, frame: pl.DataFrame, tz: str) -> str:
    names = "".join(f"<th>{escape(name.replace('_', ' '))}</th>" for name in frame.columns)
    rows = "".join(
        "<tr>" + "".join(f"<td>{escape(_cell(value, tz))}</td>" for value in row) + "</tr>"
        for row in frame.iter_rows()
    )
    none = "" if frame.height else "<p>None.</p>"
    table = f"<table><thead><tr>{names}</tr></thead><tbody>{rows}</tbody></table>"
    return f"<section><h2>{escape(heading)}</h2>{none or table}</section>"


def _cell(value: object, tz: str) -> str:
    match value:
        case None:
            return "–"
        case datetime():
            return f"{value.astimezone(ZoneInfo(tz)):%Y-%m-%d %H:%M:%S}"
        case int() | float():
            return f"{value:,.1f}" if isinstance(value, float) else f"{value:,}"
    return str(value)
