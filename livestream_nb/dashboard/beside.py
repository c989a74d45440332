"""Live views beside each other: to compare readers while they read."""

import json
import struct
from base64 import b64decode, b64encode
from collections.abc import Sequence
from typing import Any

import ipywidgets

from livestream_nb.charts.painter import PIXELS_PER_POINT
from livestream_nb.charts.renderer import renderer
from livestream_nb.dashboard.view import Dashboard, Drawn, shown
from livestream_nb.notebook import is_watched

LEAST_WIDTH = "360px"
PNG_SIZE = 16  # where width and height stand in a PNG

_boxes: dict[tuple[Dashboard, ...], ipywidgets.Box] = {}


class SideBySide:
    """Readers beside each other, or below each other where there is no room."""

    def __init__(self, *readers: Drawn) -> None:
        self._readers = readers

    def __repr__(self) -> str:
        return "\n".join(map(repr, self._readers))

    def _repr_mimebundle_(self, **_: object) -> dict[str, Any]:
        bundles = [shown(reader) for reader in self._readers]
        style = "display:flex;flex-wrap:wrap;gap:24px"
        cells = (
            f"<div style='flex:1 1 {LEAST_WIDTH}'>{each['text/html']}</div>" for each in bundles
        )
        still = {
            "text/plain": repr(self),
            "text/html": f"<div style='{style}'>{''.join(cells)}</div>",
            "image/png": _beside([each["image/png"] for each in bundles]),
        }
        if not is_watched():
            return still
        box = _box(tuple(reader.dashboard() for reader in self._readers))
        view = {"version_major": 2, "version_minor": 0, "model_id": box.model_id}
        return {**still, "application/vnd.jupyter.widget-view+json": view}


def side_by_side(*readers: Drawn) -> SideBySide:
    """Show the dashboards of these readers beside each other, as the last line of a cell."""
    return SideBySide(*readers)


def _box(dashboards: tuple[Dashboard, ...]) -> ipywidgets.Box:
    """The box of these, the same one every time; those whose dashboards are all gone go too."""
    for empty in [each for each in _boxes if all(dashboard.closed for dashboard in each)]:
        box = _boxes.pop(empty)
        box.layout.close()
        box.close()
    if dashboards not in _boxes:
        for dashboard in dashboards:
            dashboard.widget.layout.flex = f"1 1 {LEAST_WIDTH}"
        row = ipywidgets.Layout(flex_flow="row wrap", grid_gap="24px")
        _boxes[dashboards] = ipywidgets.Box([each.widget for each in dashboards], layout=row)
    return _boxes[dashboards]


def _beside(pictures: Sequence[str]) -> str:
    """Draw these pictures as one, all of them PNG in base64."""
    marks, left, height = [], 0.0, 0.0
    for picture in pictures:
        pixels = struct.unpack_from(">II", b64decode(picture[:64]), PNG_SIZE)
        wide, high = (each / PIXELS_PER_POINT for each in pixels)
        place: dict[str, object] = {"x": left, "y": 0, "width": wide, "height": high}
        place |= {"url": f"data:image/png;base64,{picture}", "smooth": False}
        enter = {name: {"value": value} for name, value in place.items()}
        marks.append({"type": "image", "encode": {"enter": enter}})
        left, height = left + wide, max(height, high)
    spec = {"width": left, "height": height, "background": "white", "marks": marks}
    return b64encode(renderer().draw(json.dumps(spec))).decode("ascii")
