"""The still twin of the dashboard, for places without widgets: text, an HTML table, a PNG."""

import json
from base64 import b64encode
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from livestream_nb.charts.bundle import live_spec
from livestream_nb.charts.looks import axis_title
from livestream_nb.charts.renderer import renderer
from livestream_nb.dashboard.drawing import Drawing
from livestream_nb.dashboard.snapshot import Snapshot
from livestream_nb.dashboard.words import facts, told, top_rows


def mimebundle(snapshot: Snapshot, text: str) -> dict[str, str]:
    """Return a snapshot as ``text/plain``, ``text/html`` and ``image/png`` (base64)."""
    picture = b64encode(png(snapshot)).decode("ascii")
    return {"text/plain": text, "text/html": html(snapshot, picture), "image/png": picture}


def png(snapshot: Snapshot) -> bytes:
    """Return the charts as a PNG on white."""
    return renderer().draw(json.dumps(still(snapshot)))


def still(snapshot: Snapshot) -> dict[str, Any]:
    """Return the charts as a specification that holds its rows and values."""
    spec = live_spec(axis_title(snapshot.window), snapshot.status.connections)
    drawing = Drawing(snapshot)
    values = drawing.signals(snapshot)
    rows = {
        "throughput": [step._asdict() for step in drawing.throughput],
        "delay": [step._asdict() for step in drawing.delay],
        "states": [state._asdict() for state in drawing.states],
    }
    return spec | {
        "background": "white",
        "padding": 10,
        "signals": [_with(each, values) for each in spec["signals"]],
        "data": [_with(each, rows, "values") for each in spec["data"]],
        "marks": [_seen(panel) for panel in spec["marks"]],
    }


def _with(part: dict[str, Any], known: Mapping[str, object], key: str = "value") -> dict[str, Any]:
    """A part of a specification, with what is known by its name."""
    name = part["name"]
    return part | {key: known[name]} if name in known else part


def _seen(panel: dict[str, Any]) -> dict[str, Any]:
    """A panel without what is there to point at only: drawing that takes most of the time."""
    marks = (mark for mark in panel["marks"] if _opacity(mark) != {"value": 0})
    return panel | {"marks": list(marks)}


def _opacity(mark: dict[str, Any]) -> object:
    return mark.get("encode", {}).get("update", {}).get("opacity")


def html(snapshot: Snapshot, picture: str) -> str:
    """Return the status as a table, a picture (base64 of a PNG), and the top values as a table."""
    named = ((name, value) for name, value in facts(snapshot).items())
    top = (row[:3] for row in top_rows(snapshot))
    return (
        _table(named)
        + f'<img alt="{escape(told(snapshot))}" '
        + f'style="max-width:100%" src="data:image/png;base64,{picture}">'
        + (f"<p>Top values of {escape(snapshot.column)}</p>{_table(top)}" if snapshot.held else "")
    )


def _table(rows: Iterable[tuple[str, ...]]) -> str:
    return "<table>" + "".join(map(_row, rows)) + "</table>"


def _row(row: tuple[str, ...]) -> str:
    first, *others = row
    cells = "".join(f"<td style='text-align:left'>{escape(cell)}</td>" for cell in others)
    return f"<tr><th style='text-align:left'>{escape(first)}</th>{cells}</tr>"
