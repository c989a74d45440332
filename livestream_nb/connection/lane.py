"""The lane of one connection in the timeline: what it enters, and why."""

from collections.abc import Callable
from dataclasses import dataclass

from livestream_nb.clock import Clock
from livestream_nb.connection.timeline import Phase, Timeline, Transition
from livestream_nb.protocol.status import OK, Cause


@dataclass(frozen=True)
class Why:
    """Why a state begins: one word, a sentence, the HTTP status.

    ``heard`` is when bytes last came by a connection that may have been dead since.
    """

    cause: Cause
    sentence: str
    status: int | None = None
    heard: float | None = None


class Lane:
    """Journals one connection; ``changed`` is told of every entry.

    Attributes
    ----------
    attempt : int
        Requests since the stream was last open.
    """

    def __init__(
        self,
        connection: int,
        timeline: Timeline,
        clock: Clock,
        changed: Callable[[Transition], None],
    ) -> None:
        self.attempt = 0
        self._connection = connection
        self._timeline = timeline
        self._clock = clock
        self._changed = changed

    def enter(self, state: Phase, why: Why, wait: float | None = None) -> Transition:
        """Note that a state begins now; ``wait`` is how long it is until the next attempt."""
        now = self._clock.utc()
        entry = Transition(
            connection=self._connection,
            state=state,
            at=now,
            reason=why.cause,
            sentence=why.sentence,
            status=why.status,
            attempt=self.attempt,
            until=None if wait is None else now + wait,
            heard=why.heard,
        )
        entry = self._timeline.record(entry)
        self._changed(entry)
        return entry

    @property
    def was_open(self) -> bool:
        """Whether it has been open before."""
        mine = (each for each in self._timeline.entries() if each.connection == self._connection)
        return any(entry.status == OK for entry in mine)
