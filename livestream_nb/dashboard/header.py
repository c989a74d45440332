"""The top of the dashboard, of plain widgets: state, moment, reason, figures, Start and Stop."""

from collections.abc import Callable

import ipywidgets

from livestream_nb.dashboard import words
from livestream_nb.dashboard.snapshot import ENDED, Snapshot


class Header:
    """Shows a snapshot in words; each part is sent only when it changes."""

    def __init__(self, *, start: Callable[[], None], stop: Callable[[], None]) -> None:
        self._badge, self._moment = ipywidgets.HTML(), ipywidgets.HTML()
        self._reason, self._figures = ipywidgets.HTML(), ipywidgets.HTML()
        self._start = _button("Start", "play", "Connect and read", start)
        self._stop = _button("Stop", "stop", "Close the connection; what was received stays", stop)
        row = {"flex_flow": "row wrap", "align_items": "center"}
        state = ipywidgets.HBox(
            [self._badge, self._moment],
            layout=ipywidgets.Layout(**row, flex="1 1 380px", grid_gap="12px"),
        )
        buttons = ipywidgets.HBox(
            [self._start, self._stop], layout=ipywidgets.Layout(flex="0 0 auto")
        )
        top = ipywidgets.HBox([state, buttons], layout=ipywidgets.Layout(**row))
        self.widget = ipywidgets.VBox(
            [top, self._figures, self._reason],
            layout=ipywidgets.Layout(grid_gap="10px"),
        )

    def show(self, snapshot: Snapshot) -> None:
        """Show this snapshot."""
        ended = snapshot.status.state in ENDED
        self._badge.value = words.badge(snapshot.status.state)
        self._moment.value = words.moment_html(snapshot)
        self.tell(snapshot.status.reason)
        self._figures.value = words.figures_html(snapshot)
        self._start.disabled = not ended
        self._stop.disabled = ended

    def tell(self, sentence: str) -> None:
        """Show this sentence as the reason."""
        self._reason.value = words.sentence_html(sentence)


def _button(label: str, icon: str, tip: str, action: Callable[[], None]) -> ipywidgets.Button:
    button = ipywidgets.Button(
        description=label, icon=icon, tooltip=tip, layout=ipywidgets.Layout(width="88px")
    )
    button.on_click(lambda _: action())
    return button
