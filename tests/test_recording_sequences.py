"""livestream_nb.recording: whatever comes, and whenever it ends, a recording has what came."""

import json
import os
import shutil
from collections import Counter
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from threading import Thread

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livestream_nb import Recording
from livestream_nb.hits.batch import Batch
from livestream_nb.hits.columns import resolve
from livestream_nb.hits.intake import Intake
from livestream_nb.hits.piece import Piece
from livestream_nb.hits.records import Rejected
from livestream_nb.hits.repeats import Spell
from livestream_nb.recording import recorder
from tests.tape import ABOUT, T0, Tape, check_same, left_over, lows, piece

DAY = 86_400.0
SPELLS = [Spell(1, T0 - 1), Spell(2, T0 - 0.5), Spell(2, T0 + 3)]

received = st.sampled_from(
    [None, T0, T0 + 3_599.5, T0 + 3_600, T0 - 9e8, 0, 253_402_300_799, str(int(T0)), "soon", 1e15]
)
hits = st.fixed_dictionaries(
    {
        "hitIdHigh": st.sampled_from([1, 1, 1, 2, 2**64 - 1, None]),
        "hitIdLow": st.one_of(st.integers(0, 9), st.sampled_from([2**64 - 1, None, "7", -1])),
        "receivedTimeGMT": received,
    },
    optional={
        "pageName": st.one_of(st.text(max_size=6), st.integers(), st.none()),
        "geoCountry": st.sampled_from(["che", "jpn", ""]),
        "browser": st.text(max_size=4),
        "evars": st.just({"evars": {"eVar1": "a", "campaign": "c"}}),
        "products": st.just([{"name": "Shoe", "units": 1}]),
        "more": st.sampled_from([{"a": [1]}, 1e300, "\ud83d", [[[]]]]),
    },
)
records = st.one_of(
    hits.map(lambda hit: json.dumps(hit).encode()),
    hits.map(lambda hit: json.dumps(hit, ensure_ascii=False).encode(errors="surrogatepass")),
    st.sampled_from([b"{cut", b"[]", b"null", b"\xff", b'{"error":"x"}', b"", b"  ", b"\0", b"\r"]),
)
blocks = st.lists(st.tuples(records, st.sampled_from([b"\n", b"\r\n"])), max_size=6).map(
    lambda lines: b"".join(part for line in lines for part in line)
)
refused = st.lists(st.builds(Rejected, st.binary(max_size=9), st.just("too long")), max_size=2)
pieces = st.builds(
    lambda block, spell, later, rejected: (block, spell, later, tuple(rejected)),
    blocks,
    st.sampled_from(SPELLS),
    st.sampled_from([0.0, 0.25, 1.0, 1.0, 1.0, 600.0, 3_600.0, -0.5, -7_200.0, 3 * DAY, -4e8, 4e8]),
    refused,
)
steps = st.lists(
    st.one_of(
        pieces, pieces, pieces, st.sampled_from(["look", "open", "beat", "end", "kill", "lazy"])
    ),
    max_size=10,
)


@pytest.fixture(scope="module", autouse=True)
def quick() -> Iterator[None]:
    """Segments are tiny, and nothing is synced: no power fails here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recorder, "SEGMENT_BYTES", 400)
        patch.setattr(os, "fsync", lambda _: None)
        yield


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A new folder for every sequence."""
    base = tmp_path_factory.mktemp("sequences")
    return (base / str(number) for number in count())


def test_followed_while_it_is_written(folders: Iterator[Path]) -> None:
    """Whoever follows while another thread writes and seals sees each hit once, at every look."""
    tape, many = Tape(next(folders)), range(120)
    writing = Thread(target=lambda: tape.take(*(piece(low, low // 2, at=T0 + low) for low in many)))
    found, looks = Recording(tape.path).follow(), [0]
    writing.start()
    while writing.is_alive():
        with found._asked() as content:
            told, seen = content.sums().hits, lows(content.hits())
        assert seen == [*range(told)]
        assert told >= looks[-1]
        looks.append(told)
    writing.join()
    check_same(found, tape.batches)
    assert len(set(looks)) > 3
    tape.close()


class Truth:
    """What came, as a reader that never ended would have it, with these columns."""

    def __init__(self, columns: str | None = None) -> None:
        self.intake = Intake(resolve(columns) if columns else ABOUT.resolved)
        self.batches: list[Batch] = [Batch(self.intake.buffer.hits(), 1, T0)]

    def take(self, piece: Piece) -> None:
        self.batches.append(self.intake.take(piece).batch)


def rows(frames: list[pl.DataFrame]) -> Counter[str]:
    """The rows of frames in any order."""
    return Counter(repr(row) for frame in frames for row in frame.rows())


def check_all(recording: Recording, truth: Truth, whole: Truth) -> None:
    """A recording has what came, also in columns that are not recorded."""
    check_same(recording, truth.batches)
    every, frames = recording.hits(columns="all"), [batch.frame for batch in whole.batches]
    assert every.schema == frames[0].schema
    assert rows([every]) == rows(frames)


@settings(deadline=None, max_examples=25)
@given(steps, st.booleans())
def test_a_recording_has_what_came(
    folders: Iterator[Path], sequence: list[object], follows: bool
) -> None:
    """Hits, counts and quarantine are those of what came, whoever ends or is killed, and when.

    So it is for who follows at any moment, and for who opens it after the end; and columns that
    are not recorded are what reading them from the start would have given.
    """
    folder = next(folders)
    truth, whole = Truth(), Truth("all")
    tape, now = Tape(folder), T0
    follower = Recording(folder).follow()
    for step in sequence:
        match step:
            case "look":
                check_same(follower, truth.batches)
            case "open":
                tape.settle()
                check_all(Recording(folder), truth, whole)
            case "beat":
                tape.beat()
            case "end":
                tape.close()
                tape.open()
            case "kill":
                tape.kill()
                tape = Tape(folder)
            case "lazy":
                tape.settle().idle()
            case block, spell, later, rejected:
                now += later
                piece = Piece(block, spell, now, rejected)
                tape.take(piece)
                truth.take(piece)
                whole.take(piece)
    if follows:
        check_same(follower, truth.batches)
    tape.kill()
    check_all(Recording(folder), truth, whole)
    assert left_over(folder) == []
    check_same(follower, truth.batches)
    follower.close()
    shutil.rmtree(folder)
