"""Virtual time: what is to happen when, and processes that wait for it. Pure.

A process is a generator. It yields the moment at which it goes on, or None to wait until someone
lets it go on with a value. Nothing ever waits for real.
"""

from collections.abc import Callable, Generator
from heapq import heappop, heappush
from itertools import count
from typing import Any

Steps = Generator[float | None, Any, None]


class Agenda:
    """What is to happen, by time; of equal times, what was asked for first.

    Attributes
    ----------
    now : float
        Service seconds since the beginning.
    """

    def __init__(self) -> None:
        self.now = 0.0
        self._due: list[tuple[float, int, Callable[[], object]]] = []
        self._order = count()

    def at(self, moment: float, act: Callable[[], object]) -> None:
        """Have something done at a moment, or at once when that has passed."""
        heappush(self._due, (max(moment, self.now), next(self._order), act))

    def run(self, until: float) -> None:
        """Let everything happen that is due by then."""
        due = self._due
        while due and due[0][0] <= until:
            self.now, _, act = heappop(due)
            act()
        self.now = until


class Process:
    """A generator that lives in virtual time; it begins at once."""

    def __init__(self, agenda: Agenda, steps: Steps) -> None:
        self._agenda = agenda
        self._steps = steps
        agenda.at(agenda.now, self.go_on)

    def go_on(self, value: object = None) -> None:
        """Let it go on, to where it waits again."""
        try:
            moment = self._steps.send(value)
        except StopIteration:
            return
        if moment is not None:
            self._agenda.at(moment, self.go_on)

    def end(self) -> None:
        """End it wherever it waits; what it asked for will find it gone."""
        self._steps.close()
