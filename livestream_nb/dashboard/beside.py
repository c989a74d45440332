"""Live views beside each other: to compare readers while they read."""

from typing import TYPE_CHECKING, Any

import ipywidgets

from livestream_nb.dashboard.view import Dashboard

if TYPE_CHECKING:
    from livestream_nb.reader import Reader

LEAST_WIDTH = "360px"


class SideBySide:
    """Dashboards beside each other, or below each other where there is no room."""

    def __init__(self, *dashboards: Dashboard) -> None:
        self._dashboards = dashboards

    def __repr__(self) -> str:
        return "\n".join(repr(dashboard.reader) for dashboard in self._dashboards)

    def _repr_mimebundle_(self, **_: object) -> dict[str, Any]:
        bundles = [dashboard._repr_mimebundle_() for dashboard in self._dashboards]
        for dashboard in self._dashboards:
            dashboard.widget.layout.flex = f"1 1 {LEAST_WIDTH}"
        style = "display:flex;flex-wrap:wrap;gap:24px"
        row = ipywidgets.Layout(flex_flow="row wrap", grid_gap="24px")
        box = ipywidgets.Box([each.widget for each in self._dashboards], layout=row)
        cells = (
            f"<div style='flex:1 1 {LEAST_WIDTH}'>{each['text/html']}</div>" for each in bundles
        )
        view = {"version_major": 2, "version_minor": 0, "model_id": box.model_id}
        return {
            "text/plain": repr(self),
            "text/html": f"<div style='{style}'>{''.join(cells)}</div>",
            "application/vnd.jupyter.widget-view+json": view,
        }


def side_by_side(*readers: "Reader") -> SideBySide:
    """Show the dashboards of these readers beside each other, as the last line of a cell."""
    return SideBySide(*(reader.dashboard() for reader in readers))
