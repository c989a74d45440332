"""The dashboard: header and charts of one reader, kept fresh by one pump until it is closed."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import ipywidgets

from livestream_nb.dashboard.header import Header
from livestream_nb.dashboard.live import LiveChart
from livestream_nb.dashboard.pump import Pump
from livestream_nb.dashboard.snapshot import look
from livestream_nb.dashboard.static import mimebundle
from livestream_nb.errors import LivestreamError

if TYPE_CHECKING:
    from livestream_nb.reader import Reader

PER_SECOND = 4
BEAT_EVERY = 8


class Dashboard:
    """The live view of a reader.

    Parameters
    ----------
    reader : Reader
        What to show; it may be started or not.

    Attributes
    ----------
    widget : ipywidgets.VBox
        The view. Displaying it again gives a further view of the same widgets.
    """

    def __init__(self, reader: "Reader") -> None:
        self._reader = reader
        self._shown = look(reader)
        self._resting = 0
        self._header = Header(
            start=partial(self._ask, reader.start), stop=partial(self._ask, reader.stop)
        )
        self._header.show(self._shown)
        self._charts = LiveChart(self._shown)
        self.widget = ipywidgets.VBox([self._header.widget, self._charts])
        self._pump = Pump(self._refresh, 1 / PER_SECOND)

    @property
    def closed(self) -> bool:
        """Whether the view is gone, by :meth:`close` or with its widgets."""
        return self.widget.comm is None

    def close(self) -> None:
        """End the pump and remove the view from the page; the reader goes on."""
        self._pump.close()
        _close(self.widget)

    def __repr__(self) -> str:
        return f"<Dashboard of {self._reader!r}>"

    def _repr_mimebundle_(self, **_: object) -> dict[str, Any]:
        still = mimebundle(self._reader)
        view = self.widget._repr_mimebundle_()
        return {**still, **view, "text/plain": still["text/plain"]}

    def _ask(self, action: Callable[[], object]) -> None:
        self._pump.ask(partial(self._do, action))

    def _do(self, action: Callable[[], object]) -> None:
        try:
            action()
        except LivestreamError as refused:
            self._header.tell(str(refused))

    def _refresh(self) -> None:
        if self.closed:
            self._pump.close()
            return
        snapshot = look(self._reader)
        if (snapshot.status, snapshot.window) != (self._shown.status, self._shown.window):
            self._header.show(snapshot)
            self._charts.show(snapshot)
            self._shown, self._resting = snapshot, 0
            return
        self._resting += 1
        if self._resting % BEAT_EVERY == 0:
            self._charts.beat()


def _close(widget: ipywidgets.Widget) -> None:
    for child in getattr(widget, "children", ()):
        _close(child)
    widget.close()
