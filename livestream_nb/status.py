"""How a reader is doing, at one moment."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from math import inf

from livestream_nb.connection.timeline import Phase, Transition
from livestream_nb.hits.batch import Totals
from livestream_nb.protocol.status import Cause
from livestream_nb.recording.status import RecordingStatus
from livestream_nb.session import Session

MOST_TELLING_FIRST = (
    Phase.COOLDOWN,
    Phase.STALLED,
    Phase.CONNECTING,
    Phase.STREAMING,
    Phase.STOPPED,
    Phase.FAILED,
)

ENDED = ("stopped", "failed")
WAITING = (Phase.COOLDOWN, Phase.STALLED, Phase.CONNECTING)
NOT_STARTED = Transition(0, Phase.STOPPED, 0.0, Cause.ASKED, "Not started yet.")
STARTING = Transition(0, Phase.CONNECTING, 0.0, Cause.ASKED, "Starting.")


@dataclass(frozen=True)
class Status:
    """How a reader is doing, at one moment.

    Attributes
    ----------
    state : str
        ``connecting``, ``streaming``, ``stalled``, ``cooldown``, ``stopped`` or ``failed``; of
        several connections, the one that a person should know of first. ``failed`` only when all
        have ended: what became of a single one is in ``reason``.
    since : datetime or None
        When that state began (UTC service time); None until something has happened after a start.
    silent_for : float or None
        Service seconds since bytes last came; None while nothing is open.
    next_attempt : datetime or None
        When the next connect comes (UTC service time), while waiting for it.
    reason : str
        Why that state began, what it means, and what comes next, in sentences.
    hits : int
        Distinct hits received since the reader was made.
    bytes : int
        Bytes of records received, unpacked.
    duplicates, quarantined : int
        Repeated hits that were left out, and records that could not be read.
    unreadable : mapping of str to int
        By column, values that were there but could not be read and are null.
    without_id : int
        Hits without an id, which may be duplicates.
    rows, evicted : int
        Hits in the buffer, and older ones that it had to let go.
    connects : int
        Requests sent.
    behind : bool
        Whether receiving pauses because digesting has fallen behind.
    cause : str
        ``reason`` in one word, as in the timeline.
    http_status : int or None
        The HTTP status that brought the state about.
    connections : int
        How many slots of the stream it reads, or would.
    transitions : int
        How many changes of state there were, of all connections.
    recording : RecordingStatus or None
        How the recording is doing, if it is recorded: see `livestream_nb.recording.recorder`.
    """

    state: str
    since: datetime | None
    silent_for: float | None
    next_attempt: datetime | None
    reason: str
    hits: int
    bytes: int
    duplicates: int
    quarantined: int
    unreadable: Mapping[str, int]
    without_id: int
    rows: int
    evicted: int
    connects: int
    behind: bool
    cause: str
    http_status: int | None
    connections: int
    transitions: int
    recording: RecordingStatus | None = None

    def counted(self) -> dict[str, str]:
        """The counters in words, by name; some are told of only when there is something to tell."""
        rare = {
            "unreadable values": sum(self.unreadable.values()),
            "hits without id": self.without_id,
            "not recorded": self.recording.missed if self.recording else 0,
        }
        always = {
            "hits": self.hits,
            "duplicates": self.duplicates,
            "quarantined": self.quarantined,
            "evicted": self.evicted,
            "connects": self.connects,
        }
        told = always | {name: many for name, many in rare.items() if many}
        return {name: f"{many:,}" for name, many in told.items()}


def status_of(session: Session) -> Status:
    """The status of a session now."""
    entries = session.timeline.entries()
    starting = session.starting
    now = session.plan.clock.utc()
    session.intake.buffer.expire(now)
    heard, recorder = session.heard, session.ingest.recorder
    status = _status(
        () if starting else entries,
        session.intake.buffer.totals(),
        STARTING if starting else NOT_STARTED,
        now=now,
        connections=session.plan.request.connections,
        recording=None if recorder is None else recorder.status,
    )
    return replace(
        status,
        silent_for=None if heard is None else session.plan.clock.monotonic() - heard,
        connects=session.connects,
        behind=session.behind,
        transitions=len(entries),
    )


def status_of_recording(
    entries: Sequence[Transition],
    totals: Totals,
    recording: RecordingStatus,
    *,
    now: float,
    live: bool,
    connections: int,
) -> Status:
    """The status of a recording: of its reader while it is live, else that it is one."""
    failed = any(entry.state is Phase.FAILED for entry in entries[-1:])
    ended = Phase.FAILED if failed else Phase.STOPPED
    resting = Transition(0, ended, now, Cause.ASKED, recording.reason)
    told = entries if live else [resting]
    status = _status(
        told, totals, NOT_STARTED, now=now, connections=connections, recording=recording
    )
    connects = sum(entry.state is Phase.CONNECTING for entry in entries)
    return replace(status, connects=connects, transitions=len(entries))


def _status(
    entries: Sequence[Transition],
    totals: Totals,
    otherwise: Transition,
    *,
    now: float,
    connections: int,
    recording: RecordingStatus | None,
) -> Status:
    latest = {entry.connection: entry for entry in entries}.values()
    telling = min(latest, key=_rank, default=otherwise)
    reason = _reason(telling, latest, now)
    if recording is not None and recording.state == "interrupted":
        reason = f"{reason} {recording.reason}"
    return Status(
        state=telling.state.value,
        since=_moment(telling.at) if telling.at else None,
        silent_for=None,
        next_attempt=_moment(telling.until) if telling.until else None,
        reason=reason,
        hits=totals.hits,
        bytes=totals.bytes,
        duplicates=totals.duplicates,
        quarantined=totals.quarantined,
        unreadable=totals.unreadable,
        without_id=totals.without_id,
        rows=totals.rows,
        evicted=totals.evicted,
        connects=0,
        behind=False,
        cause=telling.reason.value,
        http_status=telling.status,
        connections=connections,
        transitions=len(entries),
        recording=recording,
    )


def _reason(telling: Transition, latest: Collection[Transition], now: float) -> str:
    told = telling.told(now)
    others = [entry for entry in latest if entry.state is Phase.FAILED and entry is not telling]
    if len(latest) > 1 and telling.state in WAITING:
        told = f"Connection {telling.connection}: {told}"
    return " ".join([told, *(f"Connection {each.connection}: {each.sentence}" for each in others)])


def _rank(entry: Transition) -> tuple[int, float]:
    """By state; of those that wait, the one that tries next."""
    return MOST_TELLING_FIRST.index(entry.state), inf if entry.until is None else entry.until


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
