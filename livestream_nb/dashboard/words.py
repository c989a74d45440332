"""A snapshot in words: pure, and plain text; whoever makes HTML of it escapes it."""

from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from livestream_nb.charts.looks import LOOKS
from livestream_nb.charts.names import shown
from livestream_nb.clock import duration
from livestream_nb.dashboard.snapshot import Snapshot
from livestream_nb.status import ENDED

LONG_SILENCE = 10.0
RECORDING = {"recording": "on", "interrupted": "interrupted", "stopped": "ended"}


class Moment(NamedTuple):
    """A text with a duration in it: until a moment ahead, or since one that is past.

    In the browser the duration ticks.
    """

    text: str
    at: datetime | None = None
    ahead: bool = False

    def told(self, now: datetime) -> str:
        """The text, with the duration as of now."""
        if self.at is None:
            return self.text
        left = (self.at - now) if self.ahead else (now - self.at)
        return self.text.format(duration(left.total_seconds()))


def moments(snapshot: Snapshot) -> list[Moment]:
    """Return what a person asks next: until when, or since when."""
    status = snapshot.status
    if status.next_attempt is not None:
        return [Moment("next attempt in {}", status.next_attempt, ahead=True)]
    if status.since is None:
        return []
    if status.state in ENDED:
        zone = ZoneInfo(snapshot.window.tz)
        return [Moment(f"since {status.since.astimezone(zone):%H:%M:%S}")]
    said = [Moment("for {}", status.since)]
    silent = status.silent_for or 0.0
    if status.state == "streaming" and silent >= max(LONG_SILENCE, snapshot.rate):
        heard = datetime.fromtimestamp(snapshot.now.timestamp() - silent, snapshot.now.tzinfo)
        said.append(Moment("nothing for {}", heard))
    return said


def moment(snapshot: Snapshot) -> str:
    """Return the moments as one text."""
    return " · ".join(each.told(snapshot.now) for each in moments(snapshot))


def figures(snapshot: Snapshot) -> dict[str, str]:
    """Return the counters, by name."""
    counted = snapshot.status.counted()
    hits, pace = counted.pop("hits"), snapshot.pace
    rates = {"hits/s": "–" if pace is None else f"{pace:,.1f}", "delay": delay(snapshot.delay)}
    fast = {} if snapshot.rate == 1 else {"clock speed": f"{snapshot.rate:g}×"}
    recording = snapshot.status.recording
    kept = {} if recording is None else {"recording": RECORDING[recording.state]}
    return {"hits": hits, **rates, **counted, **kept, **fast}


def delay(seconds: float | None) -> str:
    """Return how late hits come; short delays with a tenth of a second.

    A delay below zero tells of a clock that goes wrong.
    """
    if seconds is None:
        return "–"
    late = round(seconds, 1)
    said = f"{abs(late):.1f} s" if abs(late) < 10 else duration(abs(seconds))
    return f"−{said}" if late < 0 else said


def facts(snapshot: Snapshot) -> dict[str, str]:
    """Return what the head of a view says, by name."""
    status = snapshot.status
    state = " ".join(part for part in (status.state, moment(snapshot)) if part)
    return {"state": state, "reason": status.reason, **figures(snapshot)}


def head(snapshot: Snapshot) -> dict[str, object]:
    """Return what the head of the live view shows; moments in Unix milliseconds."""
    status = snapshot.status
    look = LOOKS[status.state]
    wait = None
    if status.next_attempt is not None and status.since is not None:
        wait = {"since": _ms(status.since), "until": _ms(status.next_attempt)}
    return {
        "state": status.state,
        "colour": look.colour,
        "path": look.path,
        "reason": status.reason,
        "ended": status.state in ENDED,
        "moments": [
            {"text": each.text, "at": each.at and _ms(each.at), "ahead": each.ahead}
            for each in moments(snapshot)
        ],
        "wait": wait,
        "figures": list(figures(snapshot).items()),
        "told": told(snapshot),
        "change": status.transitions,
    }


def told(snapshot: Snapshot) -> str:
    """Return what the charts show, for who cannot see them."""
    return (
        "Hits per second, states of the connections and delay of hits, "
        f"the last {snapshot.scale.named}. "
        f"Now: {snapshot.status.state}."
    )


def top_rows(snapshot: Snapshot) -> list[tuple[str, str, str, float]]:
    """Return the top values: name, hits, share, all in words, and the length of a bar, 0 to 1."""
    found = snapshot.top.select("value", "hits", "share").rows()
    longest = max((hits for _, hits, _ in found), default=1)
    return [
        (shown(value), f"{hits:,}", f"{share:.1%}", hits / longest) for value, hits, share in found
    ]


def top_note(snapshot: Snapshot) -> str:
    """Return what the top values are of."""
    if not snapshot.held:
        return "No hits in this span."
    nothing = "" if snapshot.top.height else f"None has a value of {snapshot.column}: "
    return f"{nothing}{snapshot.held:,} hits of the last {snapshot.scale.named}."


def top(snapshot: Snapshot) -> dict[str, object]:
    """Return what the live view shows of the top values."""
    return {"rows": top_rows(snapshot), "told": top_note(snapshot)}


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1_000)
