"""How a recording is doing."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class RecordingStatus:
    """How a recording is doing.

    Attributes
    ----------
    path : Path
        Its folder.
    state : str
        ``recording``, ``interrupted`` or ``stopped``.
    reason : str
        What that means, in a sentence.
    hits : int
        New hits recorded since the reader was made.
    missed : int
        New hits that were received while it was interrupted: they are not in the recording, not
        even those that come again later, for the reader knows them.
    """

    path: Path
    state: str
    reason: str
    hits: int
    missed: int

    def told(self) -> str:
        """The state in a word or two, with what was missed."""
        states = {"interrupted": "recording interrupted", "stopped": "recorded"}
        missed = f", {self.missed:,} not recorded" if self.missed else ""
        return f"{states.get(self.state, self.state)}{missed}"
