"""The still twin of the dashboard, for places without widgets: text, an HTML table, a PNG."""

import struct
import zlib
from base64 import b64encode
from collections.abc import Iterable, Iterator
from copy import deepcopy
from html import escape

import vl_convert

from livestream_nb.charts.bundle import live_spec
from livestream_nb.charts.looks import axis_title
from livestream_nb.dashboard.drawing import Drawing
from livestream_nb.dashboard.snapshot import Snapshot
from livestream_nb.dashboard.words import facts, told, top_rows

PIXELS_PER_POINT = 1.5


def mimebundle(snapshot: Snapshot, text: str) -> dict[str, str]:
    """Return a snapshot as ``text/plain``, ``text/html`` and ``image/png`` (base64)."""
    picture = b64encode(png(snapshot)).decode("ascii")
    return {"text/plain": text, "text/html": html(snapshot, picture), "image/png": picture}


def png(snapshot: Snapshot) -> bytes:
    """Return the charts as a PNG on white."""
    spec = deepcopy(live_spec(axis_title(snapshot.window), snapshot.status.connections))
    drawing = Drawing(snapshot)
    values = drawing.signals(snapshot)
    for parameter in spec["params"]:
        parameter["value"] = values.get(parameter["name"], parameter["value"])
    rows = {
        "throughput": [step._asdict() for step in drawing.throughput],
        "delay": [step._asdict() for step in drawing.delay],
        "states": [state._asdict() for state in drawing.states],
    }
    spec |= {"background": "white", "padding": 10}
    spec["datasets"] = {**spec.get("datasets", {}), **rows}
    return repacked(vl_convert.vegalite_to_png(spec, scale=PIXELS_PER_POINT))


def repacked(image: bytes) -> bytes:
    """Return the same PNG, compressed well: the renderer's is several times as large."""
    chunks = list(_chunks(image))
    pixels = b"".join(data for kind, data in chunks if kind == b"IDAT")
    packed = (b"IDAT", zlib.compress(zlib.decompress(pixels)))
    before = [chunk for chunk in chunks if chunk[0] not in {b"IDAT", b"IEND"}]
    return image[:8] + b"".join(map(_chunk, [*before, packed, (b"IEND", b"")]))


def _chunks(image: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 8
    while at < len(image):
        length, kind = struct.unpack_from(">I4s", image, at)
        yield kind, image[at + 8 : at + 8 + length]
        at += length + 12


def _chunk(chunk: tuple[bytes, bytes]) -> bytes:
    kind, data = chunk
    checksum = struct.pack(">I", zlib.crc32(kind + data))
    return struct.pack(">I", len(data)) + kind + data + checksum


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
