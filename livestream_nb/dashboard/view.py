"""The dashboard: the live view of one reader, kept fresh by one pump until it is closed."""

import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Protocol

from livestream_nb.dashboard.live import LiveView
from livestream_nb.dashboard.pump import Pump
from livestream_nb.dashboard.snapshot import Shown, Snapshot, Watch, look
from livestream_nb.dashboard.static import mimebundle
from livestream_nb.errors import LivestreamError
from livestream_nb.notebook import is_watched

PER_SECOND = 4
BEAT_EVERY = 8

log = logging.getLogger("livestream_nb")


class Dashboard:
    """The live view of a reader.

    Parameters
    ----------
    reader : Shown
        What to show; it may be started or not.
    like : Dashboard, optional
        Another one, whose choices of the viewer are taken over.

    Attributes
    ----------
    reader : Shown
        What it shows.
    widget : LiveView
        The view. Displaying it again gives a further view of the same.
    """

    def __init__(self, reader: Shown, like: "Dashboard | None" = None) -> None:
        self.reader = reader
        self._watch = Watch(reader)
        if like is not None:
            self._watch.choose(**like.choices)
        self._shown = self._watch.look()
        self._resting = 0
        self.widget = LiveView(
            self._shown, self._watch.columns, f"Live view: {reader.name}", self._act
        )
        self._pump = Pump(self._refresh, 1 / PER_SECOND, self._failed)

    @property
    def choices(self) -> dict[str, object]:
        """What the viewer chose: ``span`` and ``column``."""
        return {"span": self._watch.span, "column": self._watch.column}

    @property
    def closed(self) -> bool:
        """Whether the view is gone, by :meth:`close` or with its widget."""
        return self.widget.comm is None

    @property
    def ended(self) -> bool:
        """Whether the view is gone or at rest, so that nothing new will be seen in it."""
        return self.closed or bool(self.widget.live["resting"])

    def close(self) -> None:
        """End the pump and remove the view from the page; the reader goes on."""
        self._pump.close()
        self.widget.layout.close()
        self.widget.close()

    def rest(self) -> None:
        """End the pump and leave the view on the page as it is now, for good."""
        self._pump.close()
        self._refresh()
        self.widget.rest()

    def __repr__(self) -> str:
        return f"<Dashboard of {self.reader!r}>"

    def _repr_mimebundle_(self, **_: object) -> dict[str, Any]:
        still = mimebundle(self._shown, repr(self.reader))
        if not is_watched():
            return still
        view = {"version_major": 2, "version_minor": 0, "model_id": self.widget.model_id}
        return {**still, "application/vnd.jupyter.widget-view+json": view}

    def _act(self, message: Mapping[str, object]) -> None:
        """Do what the viewer asked for; whatever else a message holds changes nothing."""
        value = message.get("value")
        actions: dict[object, Callable[[], object]] = {
            "start": self.reader.start,
            "stop": self.reader.stop,
            "span": partial(self._watch.choose, span=value),
            "column": partial(self._watch.choose, column=value),
        }
        action = actions.get(message.get("do"))
        if action is not None:
            self._pump.ask(action)

    def _failed(self, error: Exception) -> None:
        """Say so in the view; what nobody foresaw is logged once, and never in its own words."""
        name = type(error).__name__
        foreseen = isinstance(error, LivestreamError)
        sentence = str(error) if foreseen else f"Something went wrong in this view: {name}."
        if not foreseen and self.widget.head["reason"] != sentence:
            log.error("The live view of %s met with %s.", self.reader.name, name)
        self.widget.tell(sentence)

    def _refresh(self) -> None:
        if self.closed:
            self.close()
            return
        snapshot = self._watch.look()
        if not _alike(snapshot, self._shown):
            self.widget.show(snapshot)
            self._shown, self._resting = snapshot, 0
            return
        self._resting += 1
        if self._resting % BEAT_EVERY == 0:
            self.widget.beat()


class Drawn(Shown, Protocol):
    """What has a view of its own."""

    def dashboard(self) -> Dashboard:
        """That view, the same one every time."""


def _alike(one: Snapshot, other: Snapshot) -> bool:
    """Whether nothing to be seen differs."""
    return all(
        getattr(one, part) == getattr(other, part)
        for part in ("status", "window", "scale", "column", "held")
    ) and all(
        getattr(one, part) is getattr(other, part) for part in ("throughput", "lag", "timeline")
    )


def shown(reader: "Drawn") -> dict[str, Any]:
    """What a cell shows of a reader: its live view, or a picture if nobody is there to look."""
    if is_watched():
        return reader.dashboard()._repr_mimebundle_()
    return dict(mimebundle(look(reader), repr(reader)))
