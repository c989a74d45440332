"""The live view: one widget that says what there is to see, in traits; its scripts show it.

The Vega specification is built once. After that an update sends rows only, as columns of bytes, and
the scripts insert and remove what changed. Traits hold the latest of everything, so a second view
or a reloaded page starts with it. What the viewer does comes back as a message, and is done
elsewhere: one thread writes the traits.
"""

from array import array
from collections.abc import Callable
from pathlib import Path

import anywidget
import polars as pl
import traitlets

from livestream_nb.charts.bundle import bundle, live_spec
from livestream_nb.charts.looks import axis_title
from livestream_nb.dashboard import words
from livestream_nb.dashboard.drawing import Drawing, signals
from livestream_nb.dashboard.snapshot import SPANS, Snapshot

FOLDER = Path(__file__).parent / "script"
SCRIPTS = ("dom", "header", "controls", "rows", "charts", "live")
CODES = {
    "time": "I",
    "until": "I",
    "base": "f",
    "top": "f",
    "connection": "B",
    "median": "f",
    "p95": "f",
    "run": "H",
}


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

    _esm = traitlets.Unicode().tag(sync=True)
    _css = (FOLDER / "style.css").read_text(encoding="utf-8")
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
        self._drawing = Drawing()
        self._sent: dict[str, tuple[pl.DataFrame, dict[str, object]]] = {}
        self._columns = columns
        spec = live_spec(axis_title(snapshot.window), snapshot.status.connections)
        super().__init__(_esm=bundle(script()), name=name, spec=spec, **self._state(snapshot, 0))
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
        rows = self._drawing.rows(snapshot)
        for name, frame in rows.items():
            if name not in self._sent or self._sent[name][0] is not frame:
                self._sent[name] = (
                    frame,
                    packed_states(frame) if name == "states" else packed(frame),
                )
        return {
            **{name: sent for name, (_, sent) in self._sent.items()},
            "head": words.head(snapshot),
            "top": {"rows": words.top_rows(snapshot), "told": words.top_note(snapshot)},
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
                "signals": signals(snapshot, rows),
            },
        }


def script() -> str:
    """The browser's part: its files are one module, without imports."""
    parts = [(FOLDER / f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS]
    return "\n".join(parts)


def packed(rows: pl.DataFrame) -> dict[str, object]:
    """Return columns as bytes of 32, 16 and 8 bits; times as ms after the first, ``origin``."""
    first = rows["time"].min()
    origin = first if isinstance(first, int) else 0
    columns = {name: rows[name].to_list() for name in rows.columns}
    for name in ("time", "until"):
        columns[name] = [moment - origin for moment in columns[name]]
    return {
        "origin": origin,
        **{name: array(CODES[name], values).tobytes() for name, values in columns.items()},
    }


def packed_states(rows: pl.DataFrame) -> dict[str, object]:
    """Return names of columns and rows, in which each sentence is a number: the same are many."""
    sentences = list(dict.fromkeys(rows["sentence"]))
    number = {sentence: index for index, sentence in enumerate(sentences)}
    told = pl.Series("sentence", [number[sentence] for sentence in rows["sentence"]], pl.Int64)
    return {
        "names": rows.columns,
        "rows": rows.with_columns(told).rows(),
        "sentences": sentences,
    }
