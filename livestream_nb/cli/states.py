"""What happens to a reader, told line by line."""

from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from livestream_nb.reader import Reader

SHAPES = {
    "connecting": "◇",
    "streaming": "▶",
    "stalled": "◫",
    "cooldown": "◔",
    "stopped": "■",
    "failed": "✕",
}
STYLES = {"streaming": "green", "cooldown": "yellow", "failed": "red"}


class Narrator:
    """Prints every change of state as a line, above a progress bar with the counts.

    Parameters
    ----------
    reader : Reader
        Whose.
    progress : Progress
        Where to.
    """

    def __init__(self, reader: Reader, progress: Progress) -> None:
        self._reader = reader
        self._progress = progress
        self._task = progress.add_task("", total=1.0)
        self._told = 0
        self._trouble = ""

    def tick(self, done: float | None) -> None:
        """Tell what is new, and how much of it is done, from 0 to 1; None: nobody knows."""
        timeline = self._reader.timeline()
        for row in timeline[self._told :].iter_rows(named=True):
            since = (row["started"] - timeline["started"][0]).total_seconds()
            self._progress.console.print(state_line(row["state"], since, row["sentence"]))
        self._told = timeline.height
        self._tell_trouble()
        status = self._reader.status
        counts = f"{status.hits:,} hits, {status.duplicates:,} duplicates"
        total = None if done is None else 1.0
        self._progress.update(self._task, completed=done or 0.0, total=total, description=counts)

    def _tell_trouble(self) -> None:
        recording = self._reader.status.recording
        trouble = "" if recording is None or recording.state != "interrupted" else recording.reason
        if trouble != self._trouble:
            self._trouble = trouble
            self._progress.console.print(trouble or "Recording again.", style="bold yellow")


def state_line(state: str, since: float, sentence: str) -> Table:
    """One change of state: when, in service minutes and seconds; what; why."""
    line = Table.grid(padding=(0, 2))
    for width in (6, 12):
        line.add_column(width=width)
    line.add_column(overflow="fold")
    time = f"{int(since) // 60:3d}:{int(since) % 60:02d}"
    word = Text(f"{SHAPES[state]} {state}", STYLES.get(state, "cyan"))
    line.add_row(Text(time, "dim"), word, Text(sentence))
    return line
