"""When hits enter the log of a lab's stream: evenly, so that no hit has to be made."""

from livestream_nb.simulator.share import WHOLE, Share
from livestream_nb.simulator.tempo import Tempo


class Traffic:
    """The hits of a stream, as numbers.

    Parameters
    ----------
    rate : float
        Hits per service second, of all slots together; visitors are dealt to the slots in turn.

    Attributes
    ----------
    tempo : Tempo
        When there are more of them, or none.
    """

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self.tempo = Tempo(0.0)

    def logged(self, share: Share, now: float) -> int:
        """How many hits of a share the log holds."""
        whole = max(0, int(self.tempo.elapsed(now) * self.rate))
        return (whole - share.slot + share.slots - 1) // share.slots

    def last(self, now: float) -> float:
        """When the last hit entered the log; the beginning, when none has."""
        whole = self.logged(WHOLE, now)
        return self.tempo.moments([whole / self.rate])[0] if whole else 0.0
