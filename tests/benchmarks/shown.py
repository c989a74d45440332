"""The kernel's part of the dashboard's benchmark: a reader with ten full minutes, and a meter.

It is a real `Reader` that no network feeds: records of the simulator's traffic go through its own
intake, and states into its own timeline, for the minutes that have passed and then as time goes on.
Every 12 seconds a connection is made, streams, stalls and is lost, so that 600 seconds have 200
states, and hits in all but some of these seconds. Nothing of the dashboard is imported here.
"""

from dataclasses import dataclass
from statistics import fmean
from time import process_time, thread_time, time
from typing import TYPE_CHECKING

from livestream_nb import Reader
from livestream_nb.clock import Clock
from livestream_nb.connection.sentences import MEANING
from livestream_nb.connection.timeline import Phase, Transition
from livestream_nb.hits.piece import Piece
from livestream_nb.hits.repeats import Spell
from livestream_nb.protocol.status import Cause
from livestream_nb.simulator.share import WHOLE
from livestream_nb.simulator.traffic import Traffic

if TYPE_CHECKING:
    from livestream_nb.dashboard.view import Dashboard

TICK = 0.2  # seconds: as often as a reader hands on what came
ROUND = 60  # ticks
TOGETHER = 10  # hits of a tick
STATES = {
    0: (Phase.CONNECTING, Cause.WAITED, None),
    3: (Phase.STREAMING, Cause.OPENED, 200),
    52: (Phase.STALLED, Cause.SILENT, None),
    58: (Phase.COOLDOWN, Cause.DROPPED, None),
}
STREAMING = range(3, 52)
KINDS = ("timeline", "throughput", "lag", "top")


class Paced(Clock):
    """The machine's time; it may be made to pass faster, and says nothing of that: its rate is 1.

    So a view that is refreshed five times as often has the same to do each time.
    """

    def __init__(self) -> None:
        super().__init__()
        self._from, self._real, self._pace = self.origin, self.origin, 1.0

    def hurry(self, pace: float) -> None:
        """Pass so many times as fast from now on."""
        self._from, self._real, self._pace = self.utc(), time(), pace

    def utc(self) -> float:
        return self._from + (time() - self._real) * self._pace

    def monotonic(self) -> float:
        return self.utc()


class Filled:
    """A reader that has read for so many seconds, and goes on when it is told to."""

    def __init__(self, seconds: float = 600) -> None:
        self.clock = Paced()
        self.reader = Reader(
            "http://127.0.0.1:9/api/1/stream/filled", token="benchmark", clock=self.clock
        )
        self._traffic = Traffic(seed=1, rate=TOGETHER / TICK)
        self._begin, self._tick, self._hits = self.clock.utc() - seconds, 0, 0
        self.go_on()

    def go_on(self) -> None:
        """Take in what has come until now."""
        ticks = int((self.clock.utc() - self._begin) / TICK)
        while self._tick <= ticks:
            self._take(self._begin + self._tick * TICK, self._tick % ROUND)
            self._tick += 1

    def _take(self, now: float, place: int) -> None:
        session = self.reader._session
        if place in STATES:
            phase, cause, status = STATES[place]
            until = now + (ROUND - place) * TICK if phase is Phase.COOLDOWN else None
            said = MEANING[cause].format("1 s")
            session.timeline.record(Transition(1, phase, now, cause, said, status, 1, until))
        if place in STREAMING:
            first, self._hits = self._hits, self._hits + TOGETHER
            records = self._traffic.records(first, self._hits, WHOLE, [now] * TOGETHER)
            block = b"\r\n".join([*records, b""])
            session.intake.take(Piece(block, Spell(1, self._begin), now))


@dataclass(frozen=True)
class Update:
    """One refresh of a view: which of its parts were new, and its processor time in ms.

    ``thread`` is that of the pump's thread, ``process`` that of all threads meanwhile.
    """

    kind: str
    thread: float
    process: float


class Meter:
    """Measures every refresh of a dashboard from now on; before each, the reader goes on."""

    def __init__(self, filled: Filled) -> None:
        self.filled = filled
        self.dashboard: Dashboard = filled.reader.dashboard()
        self.updates: list[Update] = []
        self._pump = self.dashboard._pump
        self._pump._work = self._refresh

    def begin(self, pace: float = 1.0) -> None:
        """Measure anew, with time and the pump so many times as fast."""
        from livestream_nb.dashboard.view import PER_SECOND

        self.filled.clock.hurry(pace)
        self._pump._every = 1 / (PER_SECOND * pace)
        self.updates.clear()
        self._pump.ask(lambda: None)

    def pause(self) -> None:
        """No updates until :meth:`begin`."""
        self._pump._every = 3_600.0

    @property
    def total(self) -> int:
        """How many hits the view will say there are, once nothing new comes."""
        return self.filled.reader.status.hits

    def _refresh(self) -> None:
        self.filled.go_on()
        watch = self.dashboard._watch
        before, chosen = dict(watch._answers), watch._counted
        began = thread_time(), process_time()
        self.dashboard._refresh()
        thread, process = thread_time() - began[0], process_time() - began[1]
        new = [name for name in KINDS if watch._answers[name] is not before[name]]
        kind = "choice" if watch._counted != chosen else " and ".join(new) or "head"
        self.updates.append(Update(kind, 1e3 * thread, 1e3 * process))

    def figures(self) -> dict[str, object]:
        """What was measured: means and the highest, and by kind of update."""
        updates = tuple(self.updates)
        kinds = sorted({each.kind for each in updates})
        return {
            "updates": len(updates),
            "mean": fmean(each.thread for each in updates),
            "highest": max(each.thread for each in updates),
            "process": fmean(each.process for each in updates),
            "kinds": {
                kind: (len(times), fmean(times))
                for kind in kinds
                if (times := [each.thread for each in updates if each.kind == kind])
            },
        }


def left() -> dict[str, int]:
    """How many threads of the package and how many widgets there are."""
    import threading

    from ipywidgets.widgets.widget import _instances

    names = [each.name for each in threading.enumerate()]
    threads = sum(name.startswith("livestream") for name in names)
    return {"threads": threads, "widgets": len(_instances)}
