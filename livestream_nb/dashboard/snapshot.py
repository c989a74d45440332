"""One look at a reader: everything that a view shows of one moment. Widgets are elsewhere."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil, inf
from typing import TYPE_CHECKING, Any, Protocol

import polars as pl

from livestream_nb import measures
from livestream_nb.charts.window import Window
from livestream_nb.dashboard import steps
from livestream_nb.dashboard.scale import SPANS, Question, Scale, window_at
from livestream_nb.dashboard.steps import Delay, Second, Spell
from livestream_nb.status import ENDED

if TYPE_CHECKING:
    from collections.abc import Callable

    from livestream_nb.clock import Clock
    from livestream_nb.status import Status

USUAL_COLUMN = "pageName"
LEAST_REST = 1.9
REST = 20.0


class Shown(Protocol):
    """What a view shows: a reader, or a recording."""

    tz: str

    @property
    def name(self) -> str:
        """The stream's name."""

    @property
    def clock(self) -> "Clock":
        """Service time."""

    @property
    def _now(self) -> datetime:
        """The last moment that there can be anything to tell of."""

    @property
    def status(self) -> "Status":
        """As :attr:`Reader.status`."""

    def start(self) -> object:
        """What the viewer asks for by Start."""

    def stop(self) -> None:
        """What the viewer asks for by Stop."""

    def lazy(self) -> pl.LazyFrame:
        """As :meth:`Reader.lazy`."""

    def _values(self, column: str, last: str | timedelta | None = None) -> pl.Series:
        """The values of a column, of the hits that ``Reader.hits(last)`` has, in any order."""

    def timeline(self) -> pl.DataFrame:
        """As :meth:`Reader.timeline`."""

    def _recent_counts(self, since: float) -> list[tuple[int, int, int]]:
        """Second (Unix time), connection and hits, of seconds that begin then or later."""

    def _recent_delays(self, since: float) -> list[tuple[int, float, int]]:
        """Second (Unix time), delay and hits, of the same."""


@dataclass(frozen=True)
class Snapshot:
    """What a view shows.

    Attributes
    ----------
    status : Status
        As :attr:`Reader.status`.
    now : datetime
        Service time of the look.
    rate : float
        Service seconds per real second.
    window : Window
        The span of the charts.
    scale : Scale
        How long it is, and in what steps.
    throughput, lag : list
        Hits and delays of each complete step: see `livestream_nb.dashboard.steps`.
    timeline : polars.DataFrame
        As :meth:`Reader.timeline` returns it.
    spells : list
        When connections were open, by the timeline.
    column : str
        Whose top values are shown.
    top : polars.DataFrame
        Them: ``value``, ``hits``, ``share``; see `livestream_nb.measures.top`.
    held : int
        Of how many hits: those of the span that are held.
    pace : float or None
        Hits per second of late; None while no connection is open.
    delay : float or None
        Seconds from collection to arrival of the hits of late; None when none came.
    """

    status: "Status"
    now: datetime
    rate: float
    window: Window
    scale: Scale
    throughput: list[Second]
    lag: list[Delay]
    timeline: pl.DataFrame
    spells: list[Spell]
    column: str
    top: pl.DataFrame
    held: int
    pace: float | None
    delay: float | None


class Watch:
    """Looks at a reader again and again, and asks only for what can have changed.

    When a step is complete, one question is asked with each look, so that no look takes long.

    Parameters
    ----------
    reader : Shown
        What to look at: a reader, or a recording.

    Attributes
    ----------
    columns : list of str
        Whose top values can be shown: those of single values, and of lists of them.
    span, column : int or None, str
        What is chosen; without a span there is one that fits the reader's clock.
    """

    def __init__(self, reader: Shown) -> None:
        self._reader = reader
        schema = reader.lazy().collect_schema()
        shown = [name for name, of in schema.items() if measures.has_single_values(of)]
        counted = {name: of.is_numeric() or of.is_temporal() for name, of in schema.items()}
        self.columns = sorted(shown, key=counted.__getitem__)
        self.column = USUAL_COLUMN if USUAL_COLUMN in self.columns else self.columns[0]
        self.span: int | None = None
        self._known: tuple[int, int] | None = None
        self._story: tuple[Scale, list[float]] | None = None
        self._counted: tuple[Scale, str] | None = None
        self._until: dict[str, int] = {}
        self._due: list[Callable[[Question], None]] = []
        self._answers: dict[str, Any] = {}
        self._top_from = 0.0

    def choose(self, *, span: object = None, column: object = None) -> None:
        """Show this span, or the top values of this column; what there is not changes nothing."""
        if span in SPANS.values():
            self.span = int(str(span))
        if column in self.columns:
            self.column = str(column)

    def look(self) -> Snapshot:
        """Look at it now: some tenths of a millisecond, or a few when something is due."""
        reader, answers = self._reader, self._answers
        status, rate = reader.status, reader.clock.rate
        now = reader._now  # noqa: SLF001  # for views
        scale = Scale.of(rate, status.connections, self.span)
        late = -scale.every if status.state in ENDED else scale.late  # then nothing is to come
        known = (status.transitions, int((now.timestamp() - late) // scale.every))
        if self._known is None or known[0] != self._known[0]:
            answers["timeline"] = reader.timeline()
            answers["spells"] = steps.spells(answers["timeline"])
        window = window_at(now, status, answers["timeline"], scale.span, reader.tz)
        question = Question(scale, window, now, known[1] * scale.every)
        self._ask(question, known, [spell.start for spell in self._answers["spells"][:1]])
        return Snapshot(status, now, rate, window, scale, column=self.column, **answers)

    def _ask(self, question: Question, known: tuple[int, int], began: list[float]) -> None:
        """Ask what is due; with another beginning it is another story: a newer reader's."""
        story, chosen = (question.scale, began), (question.scale, self.column)
        if story != self._story:
            self._story, self._due, self._until = story, [], {}
            self._answers |= {"throughput": [], "lag": []}
            self._throughput(question)
            self._lag(question)
        elif known != self._known:
            self._due = [self._throughput, self._lag]
        if chosen != self._counted or self._real() >= self._top_from:
            self._counted = chosen
            self._top(question)
        elif self._due:
            self._due.pop(0)(question)
        self._known = known

    def _throughput(self, question: Question) -> None:
        new = self._new("throughput", question)
        seconds = self._reader._recent_counts(new.start)  # noqa: SLF001  # for views
        came = steps.counted(seconds, self._answers["spells"], new)
        rows = self._kept("throughput", question, new.start) + came
        open_now = any(spell.end == inf for spell in self._answers["spells"])
        pace = steps.pace(rows, question.scale.every) if open_now else None
        self._answers |= {"throughput": rows, "pace": pace}

    def _lag(self, question: Question) -> None:
        new = self._new("lag", question)
        seconds = self._reader._recent_delays(new.start)  # noqa: SLF001  # for views
        rows = self._kept("lag", question, new.start) + steps.delayed(seconds, new)
        delay = steps.delay(rows, question.scale.every, question.now.timestamp())
        self._answers |= {"lag": rows, "delay": delay}

    def _new(self, what: str, question: Question) -> range:
        """The steps that were not complete when this was asked last, and some before them."""
        every, known = question.scale.every, self._until.get(what, question.first)
        again = ceil(question.scale.unsure / every) * every
        self._until[what] = question.complete
        return range(max(question.first, known - again), question.complete, every)

    def _kept(self, what: str, question: Question, until: int) -> list[Any]:
        """What is known of the steps before, those that are still shown."""
        first = question.first
        return [row for row in self._answers[what] if first <= row.time < until]

    def _top(self, question: Question) -> None:
        """Count, but not so often that it would take more than a twentieth of the time."""
        began = self._real()
        values = self._reader._values(self.column, question.last)  # noqa: SLF001  # for views
        self._answers |= {"top": measures.top(values), "held": values.len()}
        spent = self._real() - began
        self._top_from = began + max(LEAST_REST, REST * spent)

    def _real(self) -> float:
        clock = self._reader.clock
        return clock.real(clock.monotonic())


def look(reader: Shown) -> Snapshot:
    """Look at a reader once."""
    return Watch(reader).look()
