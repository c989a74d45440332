"""Slots of one client waiting for their turn, as in `livestream_nb.connection.queue`. Pure."""

from collections import deque
from math import isfinite

from livestream_nb.lab.agenda import Agenda, Process, Steps
from livestream_nb.policy import APART, Turns


class Queue:
    """Lets one slot at a time connect, when its turn has come.

    Attributes
    ----------
    turns : Turns
        Who may connect when.
    """

    def __init__(self, agenda: Agenda, connections: int) -> None:
        self.turns = Turns(connections)
        self._agenda = agenda
        self._taken = False
        self._waiting: deque[Process] = deque()

    def left(self) -> float:
        """How long it is until the next turn; infinite while that is not known."""
        return self.turns.due - self._agenda.now

    def told(self) -> float | None:
        """The same for the timeline: None when it depends on the slots before."""
        left = self.left()
        return left if isfinite(left) and (left > APART or not self._taken) else None

    def take(self, process: Process) -> Steps:
        """Wait for a turn, and take it."""
        if self._taken:
            self._waiting.append(process)
            yield None
        self._taken = True
        while (left := self.left()) > 0:
            yield self._agenda.now + left
        self.turns.began()

    def give(self) -> None:
        """Let the next one have its turn."""
        self.turns.answered(self._agenda.now)
        self._taken = bool(self._waiting)
        if self._waiting:
            self._agenda.at(self._agenda.now, self._waiting.popleft().go_on)
