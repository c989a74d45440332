"""A recorder without a stream: pieces go through it as a reader's do, in the test's own thread."""

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from operator import add
from pathlib import Path

import polars as pl
from msgspec import structs
from polars.testing import assert_frame_equal

from livestream_nb import Recording
from livestream_nb.connection.timeline import Phase, Transition
from livestream_nb.hits.batch import Batch
from livestream_nb.hits.columns import resolve
from livestream_nb.hits.intake import Intake
from livestream_nb.hits.piece import Piece
from livestream_nb.hits.records import Rejected
from livestream_nb.hits.repeats import Spell
from livestream_nb.protocol.status import Cause
from livestream_nb.recording.about import About
from livestream_nb.recording.folder import Folder
from livestream_nb.recording.recorder import Recorder

T0 = 1_776_081_600.0
FIRST = Spell(1, T0 - 1)
SECOND = Spell(1, T0 + 1_000)
IDS = ["hitIdHigh", "hitIdLow"]
ABOUT = About(
    stream="livestream.adobe.net/demo",
    name="demo",
    columns=[column.name for column in resolve(["pageName", "geoCountry"])],
    raw=True,
    mask=None,
    rate=1e-9,  # for whoever follows it, time stands still
    origin=T0 + 9_000,
    connections=1,
    version="0.9",
)


def about(**options: object) -> About:
    """What a recording says of itself, but for these options."""
    return structs.replace(ABOUT, **options)


def record(low: int | None, received: float | None = T0, **more: object) -> bytes:
    """A hit as it comes; its browser, which is in no column, has the name of its page."""
    hit = {"hitIdHigh": 1, "hitIdLow": low, "receivedTimeGMT": received}
    return json.dumps(hit | {"pageName": f"p{low}", "browser": f"p{low}"} | more).encode()


def piece(*lows: int, at: float = T0, spell: Spell = FIRST, **more: object) -> Piece:
    """A block of hits, received by Adobe a second before they came."""
    lines = (record(low, at - 1, **more) + b"\r\n" for low in lows)
    return Piece(b"".join(lines), spell, at)


def opened(spell: Spell = FIRST) -> Transition:
    """That a connection is open."""
    return Transition(spell.connection, Phase.STREAMING, spell.opened, Cause.OPENED, "Open.")


def stopped(at: float, connection: int = 1) -> Transition:
    """That a connection was stopped."""
    return Transition(connection, Phase.STOPPED, at, Cause.ASKED, "You stopped it.")


def at(moment: float) -> datetime:
    """That moment in UTC."""
    return datetime.fromtimestamp(moment, UTC)


class Tape:
    """What a reader does with what it receives. Its clock stands at ``now``.

    Parameters
    ----------
    folder : Path
        Where to record.
    options
        What the recording says of itself, where it is not as `ABOUT`.
    """

    def __init__(self, folder: Path, **options: object) -> None:
        said = about(**options)
        self.path = folder
        self.now = T0
        self.recorder = Recorder(Folder(folder), said, 1_000_000, self)
        self.intake = Intake(said.resolved, traced=True)
        self.batches: list[Batch] = []
        self.open()

    def utc(self) -> float:
        return self.now

    def open(self) -> "Tape":
        self._know(self.recorder.open())
        return self

    def take(self, *pieces: Piece) -> "Tape":
        for each in pieces:
            self.now = each.arrived
            self.recorder.write(each)
            digested = self.intake.take(each)
            self.recorder.note(digested)
            self.batches.append(digested.batch)
        return self

    def enter(self, *entries: Transition) -> "Tape":
        for each in entries:
            self.recorder.enter(each)
        return self

    def beat(self) -> "Tape":
        self._know(self.recorder.beat())
        return self

    def _know(self, known: object) -> None:
        if known is not None:
            self.intake.know(known)

    def idle(self) -> "Tape":
        """From now on nothing is sealed."""
        self.recorder._sealer.go_on = lambda: None
        return self

    def roll(self) -> "Tape":
        """End the segment."""
        self.recorder._roll()
        return self

    @property
    def told(self) -> tuple[str, int, int]:
        """What the recorder says of itself: its state, the hits that it has, and those missed."""
        status = self.recorder.status
        return status.state, status.hits, status.missed

    def seal(self) -> "Tape":
        """End the segment, and wait until it is sealed, or cannot be."""
        return self.roll().settle()

    def settle(self) -> "Tape":
        """Wait for the thread that seals."""
        sealer = self.recorder._sealer
        if sealer is not None and sealer._work is not None:
            sealer._work.result()
        return self

    def close(self) -> None:
        self.recorder.close()

    def kill(self) -> None:
        """Do nothing any more, as a process that is killed."""
        self.settle()
        self.recorder._sealer._worker.close()
        self.recorder._sealer = None
        if self.recorder._lock is not None:
            self.recorder._lock.release()


OVERLONG = Rejected(b"x" * 90, "longer than 4 MiB")


def fill(tape: Tape) -> Tape:
    """Something of everything: repeats, hours, a malformed record, hits that say little."""
    tape.enter(opened()).take(piece(1, 2, 3), piece(3, 4, at=T0 + 0.5))
    tape.enter(stopped(T0 + 90), opened(SECOND))
    odd = b"\r\n".join([b"{cut", record(None), record(5, None), record(6, T0 - 5 * 3_600), b""])
    tape.take(Piece(odd, SECOND, T0 + 1_001, (OVERLONG,)))
    return tape.take(piece(4, 7, at=T0 + 1_002, spell=SECOND))


def lows(hits: pl.DataFrame | pl.LazyFrame) -> list[int]:
    """The ids of hits, sorted."""
    return hits.lazy().select("hitIdLow").collect()["hitIdLow"].sort().to_list()


def left_over(folder: Path) -> list[str]:
    """Half files, and what is in the spool still."""
    return sorted(path.name for path in folder.rglob("*") if path.suffix in (".aside", ".spool"))


def check_same(recording: Recording, batches: Sequence[Batch]) -> None:
    """A recording has what these batches brought: nothing more, and each thing once."""
    hits = pl.concat([each.frame for each in batches])
    assert_frame_equal(recording.hits(), hits, check_row_order=False)
    counts: defaultdict[tuple[datetime, int], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for each in batches:
        added = each.frame.height, each.size, each.duplicates, len(each.rejected)
        key = datetime.fromtimestamp(each.arrived // 1, UTC), each.connection
        counts[key] = list(map(add, counts[key], added))
    counted = {row[:2]: list(row[2:]) for row in recording.throughput().rows()}
    assert {key: each for key, each in counted.items() if any(each)} == {
        key: each for key, each in counts.items() if any(each)
    }
    status = recording.status
    told = [status.hits, status.bytes, status.duplicates, status.quarantined]
    assert told == [sum(column) for column in zip(*counts.values(), strict=True)]
    rejected = Counter(
        (round(each.arrived * 1e6), each.connection, one.reason, one.raw)
        for each in batches
        for one in each.rejected
    )
    found = recording.quarantine().with_columns(pl.col("arrived").to_physical()).drop("text")
    assert Counter(found.rows()) == rejected
