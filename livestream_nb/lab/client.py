"""A client in virtual time: one consumer of a stream, with all its slots. Pure."""

from livestream_nb.lab.slot import Slot
from livestream_nb.lab.stream import Stream


class Client:
    """One consumer of a stream, which begins at once; ``stream`` is what its slots share."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self._slots = [Slot(number, stream) for number in range(1, stream.connections + 1)]

    def stop(self) -> None:
        """Leave, whatever the stage."""
        for slot in self._slots:
            slot.stop()

    def settle(self) -> None:
        """Account for what open connections have brought until now."""
        for slot in self._slots:
            slot.settle()
