"""The still twin of the dashboard, for places without widgets: text, an HTML table, a PNG."""

import struct
import zlib
from base64 import b64encode
from collections.abc import Iterator
from html import escape
from io import BytesIO
from typing import TYPE_CHECKING

from livestream_nb.charts import stream_chart
from livestream_nb.dashboard.snapshot import Snapshot, look
from livestream_nb.dashboard.words import figures, moment

if TYPE_CHECKING:
    from livestream_nb.reader import Reader

PIXELS_PER_POINT = 1.5


def mimebundle(reader: "Reader") -> dict[str, str]:
    """Return a reader as ``text/plain``, ``text/html`` and ``image/png`` (base64)."""
    snapshot = look(reader)
    picture = b64encode(png(snapshot)).decode("ascii")
    return {
        "text/plain": repr(reader),
        "text/html": html(snapshot, picture),
        "image/png": picture,
    }


def png(snapshot: Snapshot) -> bytes:
    """Return both charts as a PNG on white."""
    chart = stream_chart(
        snapshot.throughput,
        snapshot.timeline,
        now=snapshot.now,
        window=snapshot.window,
        every=snapshot.every,
    )
    image = BytesIO()
    chart.properties(background="white", padding=10).save(
        image, format="png", scale_factor=PIXELS_PER_POINT
    )
    return repacked(image.getvalue())


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
    """Return the status as a table above a picture (base64 of a PNG)."""
    rows = "".join(
        f"<tr><th style='text-align:left'>{escape(name)}</th>"
        f"<td style='text-align:left'>{escape(value)}</td></tr>"
        for name, value in facts(snapshot).items()
    )
    return (
        f"<table>{rows}</table>"
        f'<img alt="Hits per second and the states of the connection" '
        f'style="max-width:100%" src="data:image/png;base64,{picture}">'
    )


def facts(snapshot: Snapshot) -> dict[str, str]:
    """Return what the header says, by name."""
    status = snapshot.status
    state = " ".join(part for part in (status.state, moment(snapshot)) if part)
    return {"state": state, "reason": status.reason, **figures(snapshot)}
