"""What becomes of a client in a lab, in columns: a day of a client that hurries has many states."""

from array import array
from enum import IntEnum
from math import nan
from typing import NamedTuple

from livestream_nb.connection.timeline import Phase
from livestream_nb.protocol.status import Cause
from livestream_nb.simulator.share import Share

PHASES = tuple(Phase)
CAUSES = tuple(Cause)
_PHASE = {phase: place for place, phase in enumerate(PHASES)}
_CAUSE = {cause: place for place, cause in enumerate(CAUSES)}


class Told(IntEnum):
    """Which kind of sentence tells of a state."""

    PLAIN = 0
    EXPLAINED = 1
    GAVE_UP = 2
    IDLE = 3
    HELD = 4


class Why(NamedTuple):
    """Why a state begins.

    ``times`` is how many failures in a row had this cause, ``ago`` how many seconds ago the slot's
    last connection was lost, and ``detail`` what the service said.
    """

    cause: Cause
    status: int | None = None
    times: int = 0
    ago: float | None = None
    detail: str = ""


class Receipt(NamedTuple):
    """Hits that a connection brought in a row: offsets in a share, from ``first`` up to ``end``.

    Those that were in the log by ``since`` came then, the others as they entered the log. Of the
    first, ``repeated`` had come before; ``proof`` is by which slot, and a connection opened when,
    some of them had. Times are service seconds since the beginning.
    """

    slot: int
    opened: float
    since: float
    until: float
    share: Share
    first: int
    end: int
    repeated: int
    proof: tuple[int, float] | None


class Record:
    """The states of a client's slots, and what they received.

    Attributes
    ----------
    at, waits, ago : array of float
        Of each state: when it began, how long it waits, and how long ago the loss was; nan: not.
    slot, state, cause, told, detail : array of int
        Its slot from 1; which of `PHASES`, `CAUSES`, `Told` and ``details``.
    status, attempt, times : array of int
        Its HTTP status or 0, its attempt, and how many in a row had this cause.
    details : list of str
        What the service said.
    receipts : list of Receipt
        What came.
    """

    def __init__(self) -> None:
        self.at, self.waits, self.ago = array("d"), array("d"), array("d")
        self.slot, self.state, self.cause = array("B"), array("B"), array("B")
        self.told, self.detail = array("B"), array("B")
        self.status, self.attempt, self.times = array("h"), array("L"), array("L")
        self.details: list[str] = []
        self.receipts: list[Receipt] = []

    def __len__(self) -> int:
        """How many states there were."""
        return len(self.at)

    def enter(
        self,
        slot: int,
        state: Phase,
        why: Why,
        now: float,
        *,
        attempt: int,
        told: Told = Told.PLAIN,
        wait: float | None = None,
    ) -> None:
        """Note that a slot enters a state."""
        self.at.append(now)
        self.waits.append(nan if wait is None else wait)
        self.ago.append(nan if why.ago is None else why.ago)
        self.slot.append(slot)
        self.state.append(_PHASE[state])
        self.cause.append(_CAUSE[why.cause])
        self.told.append(told)
        self.detail.append(self._known(why.detail))
        self.status.append(why.status or 0)
        self.attempt.append(attempt)
        self.times.append(why.times)

    def _known(self, detail: str) -> int:
        if detail not in self.details:
            self.details.append(detail)
        return self.details.index(detail)
