"""The live view: one widget that says what there is to see, in traits; its scripts show it.

The Vega specification is built once. After that an update sends rows only, as columns of bytes, and
the scripts insert and remove what changed. Traits hold the latest of everything, so a second view
or a reloaded page starts with it. What the viewer does comes back as a message, and is done
elsewhere: one thread writes the traits.
"""

from array import array
from collections.abc import Callable, Sequence
from hashlib import sha256
from math import nan
from pathlib import Path
from typing import TypeVar

import anywidget
import traitlets

from livestream_nb.charts import bundle
from livestream_nb.charts.bundle import live_spec
from livestream_nb.charts.looks import axis_title
from livestream_nb.charts.runs import Late, Step
from livestream_nb.charts.states import State
from livestream_nb.dashboard import words
from livestream_nb.dashboard.drawing import Drawing
from livestream_nb.dashboard.scale import SPANS
from livestream_nb.dashboard.snapshot import Snapshot

FOLDER = Path(__file__).parent / "script"
SCRIPTS = ("dom", "header", "controls", "rows", "charts", "live")
_Rows = TypeVar("_Rows")
CODES = {
    "time": "I",
    "until": "I",
    "base": "f",
    "top": "f",
    "connection": "B",
    "median": "f",
    "p95": "f",
}
VALUES = {name for name, code in CODES.items() if code == "f"}


class LiveView(anywidget.AnyWidget):
    """What a person sees of a reader.

    Parameters
    ----------
    snapshot : Snapshot
        What to show first.
    columns : list of str
        Whose top values can be chosen.
    name : str
        What the view is of, for who cannot see it.
    act : callable
        Called with each message of the viewer: ``do`` (start, stop, span, column), ``value``.

    Traits
    ------
    scripts, scripts_name : bytes, str
        The browser's part with Vega, packed by gzip; and its digest.
    spec : dict
        Vega-Lite, over the named data ``throughput``, ``states`` and ``delay``.
    throughput, delay : dict
        Their columns as bytes, times as ms after ``origin``.
    states : dict
        ``names`` of the columns, ``rows``, and the ``sentences`` that rows refer to by number.
    head, top, choices : dict
        The head, the top values, and what can be chosen and is: in words.
    live : dict
        ``at`` (Unix ms of service time), ``rate``, ``beat`` (how many updates), ``resting``
        (whether there will be none any more), and the ``signals`` of the specification.
    """

    _esm = (FOLDER / "loader.js").read_text(encoding="utf-8")
    _css = (FOLDER / "style.css").read_text(encoding="utf-8")
    scripts = traitlets.Bytes().tag(sync=True)
    scripts_name = traitlets.Unicode().tag(sync=True)
    name = traitlets.Unicode().tag(sync=True)
    spec = traitlets.Dict().tag(sync=True)
    throughput = traitlets.Dict().tag(sync=True)
    delay = traitlets.Dict().tag(sync=True)
    states = traitlets.Dict().tag(sync=True)
    head = traitlets.Dict().tag(sync=True)
    top = traitlets.Dict().tag(sync=True)
    choices = traitlets.Dict().tag(sync=True)
    live = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        snapshot: Snapshot,
        columns: list[str],
        name: str,
        act: Callable[[dict[str, object]], None],
    ) -> None:
        self._drawing = Drawing(snapshot)
        self._made: dict[str, tuple[object, dict[str, object]]] = {}
        self._columns = columns
        spec = live_spec(axis_title(snapshot.window), snapshot.status.connections)
        scripts = bundle.packed(script())
        super().__init__(
            scripts=scripts,
            scripts_name=sha256(scripts).hexdigest(),
            name=name,
            spec=spec,
            **self._state(snapshot, 0),
        )
        self.on_msg(lambda _widget, message, _buffers: act(message))

    def show(self, snapshot: Snapshot) -> None:
        """Send what has changed, in one message."""
        state = self._state(snapshot, self.live["beat"] + 1)
        with self.hold_sync():
            for trait, value in state.items():
                setattr(self, trait, value)

    def beat(self) -> None:
        """Say that the kernel is still there, and nothing has changed."""
        self.live = self.live | {"beat": self.live["beat"] + 1}

    def rest(self) -> None:
        """Say that no update will come any more, and nothing can be asked for."""
        self.live = self.live | {"resting": True}

    def tell(self, sentence: str) -> None:
        """Show this sentence as the reason."""
        self.head = self.head | {"reason": sentence}

    def _state(self, snapshot: Snapshot, beat: int) -> dict[str, object]:
        """All traits that change; what is made of the same rows is the same."""
        drawing = self._drawing
        drawing.take(snapshot)
        return {
            "throughput": self._once("throughput", drawing.throughput, packed),
            "delay": self._once("delay", drawing.delay, packed),
            "states": self._once("states", drawing.states, packed_states),
            "head": words.head(snapshot),
            "top": self._once("top", snapshot.top, lambda _: words.top(snapshot)),
            "choices": {
                "spans": list(SPANS.items()),
                "span": snapshot.scale.span,
                "columns": self._columns,
                "column": snapshot.column,
            },
            "live": {
                "at": snapshot.now.timestamp() * 1_000,
                "rate": snapshot.rate,
                "beat": beat,
                "resting": False,
                "signals": drawing.signals(snapshot),
            },
        }

    def _once(
        self, trait: str, rows: _Rows, make: Callable[[_Rows], dict[str, object]]
    ) -> dict[str, object]:
        known = self._made.get(trait)
        if known is None or known[0] is not rows:
            known = self._made[trait] = (rows, make(rows))
        return known[1]


def script() -> str:
    """The browser's part: its files are one module, without imports."""
    parts = [(FOLDER / f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS]
    return "\n".join(parts)


def packed(rows: Sequence[Step] | Sequence[Late]) -> dict[str, object]:
    """Return columns as bytes of 32 and 8 bits; times as ms after the first, ``origin``."""
    if not rows:
        return {"origin": 0, "time": b"", "until": b""}
    origin = min(row.time for row in rows)
    columns = dict(zip(type(rows[0])._fields, zip(*rows, strict=True), strict=True))
    for name in ("time", "until"):
        columns[name] = tuple(moment - origin for moment in columns[name])
    for name in VALUES & columns.keys():
        columns[name] = tuple(nan if value is None else value for value in columns[name])
    return {
        "origin": origin,
        **{name: array(CODES[name], values).tobytes() for name, values in columns.items()},
    }


def packed_states(rows: Sequence[State]) -> dict[str, object]:
    """Return names of columns and rows, in which each sentence is a number: the same are many."""
    number: dict[str, int] = {}
    place = State._fields.index("sentence")
    told = [
        (*row[:place], number.setdefault(row.sentence, len(number)), *row[place + 1 :])
        for row in rows
    ]
    return {"names": State._fields, "rows": told, "sentences": list(number)}
