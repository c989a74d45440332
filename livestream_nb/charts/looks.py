"""How things look: Okabe–Ito colours, shapes and sizes, and the scene that they stand in."""

from collections.abc import Mapping
from dataclasses import dataclass

from livestream_nb.charts.window import Window

WIDTH = 720
HEIGHT = 150
LANE = 64
BAR = 24
MARGIN = 48
ROW = 22

FINE = "%H:%M:%S"
BLACK = "#111111"
BLUE = "#0072B2"
CONNECTIONS = (
    BLUE,
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
    """What panels need to know beside their rows.

    All but the axis are Vega expressions. In a still picture they are literals, so that charts can
    be composed freely; in the live view they name the parameters that the browser sets.
    """

    axis_title: str
    clock: str
    connections: int
    start: str
    end: str
    now: str
    width: str = str(WIDTH)
    ink: str = "'#333333'"
    faint: str = "'#dddddd'"
    note: str = "''"
    ceiling: str = "1"
    latest: str = "1"

    @classmethod
    def still(
        cls,
        window: Window,
        connections: int = 1,
        *,
        note: str = "",
        ceiling: float = 1.0,
        latest: float = 1.0,
    ) -> "Scene":
        """Return the scene of a picture of this window.

        The note stands where rows are missing; ``ceiling`` (hits per second) and ``latest``
        (seconds of delay) are how high the panels reach.
        """
        start, end, now = (
            str(window.shown(moment)) for moment in (window.start, window.end, window.now)
        )
        return cls(
            *_axis(window),
            connections,
            start,
            end,
            now,
            note=f"'{note}'",
            ceiling=str(ceiling),
            latest=str(latest),
        )

    @classmethod
    def live(cls, axis_title: str, connections: int) -> "Scene":
        """Return the scene whose expressions are the live view's parameters."""
        names = ("window_start", "window_end", "now", "width", "ink", "faint", "note")
        return cls(axis_title, FINE, connections, *names, "ceiling", "latest")


def axis_title(window: Window) -> str:
    """Return the title of the time axis, which names the zone."""
    return f"Time ({window.zone})"


def _axis(window: Window) -> tuple[str, str]:
    spans = ((1_800, FINE), (86_400, "%H:%M"))
    clock = next((form for span, form in spans if window.seconds <= span), "%d %b %H:%M")
    return axis_title(window), clock
