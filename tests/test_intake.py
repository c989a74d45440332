import gzip
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from livestream_nb.errors import InvalidOption
from livestream_nb.hits.columns import resolve
from livestream_nb.hits.digest import Digested
from livestream_nb.hits.intake import Intake
from livestream_nb.hits.piece import Piece
from livestream_nb.hits.records import Rejected
from livestream_nb.hits.repeats import Spell

REAL_DAY = Path(__file__).parents[2] / "shared" / "traffic" / "zwitchdev-2015-07-13.ndjson.gz"
T0 = 1_776_081_600.0
FIRST = Spell(0, T0 - 1)


def lines(*ids: int) -> bytes:
    return b"".join(json.dumps({"hitIdHigh": 1, "hitIdLow": n}).encode() + b"\r\n" for n in ids)


def counted(digested: Digested) -> tuple[int, int, int]:
    """New hits, duplicates and rejected records."""
    batch = digested.batch
    return batch.frame.height, batch.duplicates, len(batch.rejected)


def test_a_block_goes_all_the_way() -> None:
    """A block's new hits become rows, repeats are dropped, the rest is quarantined; all counted."""
    intake = Intake(resolve(None))
    first = intake.take(Piece(lines(1, 2), FIRST, T0))
    second = intake.take(Piece(lines(2, 3, 3) + b"{cut\r\n", Spell(1, T0), T0 + 1))
    assert (counted(first), counted(second)) == ((2, 0, 0), (1, 2, 1))
    assert intake.buffer.hits()["hitIdLow"].to_list() == [1, 2, 3]
    assert intake.buffer.hits()["connection"].to_list() == [0, 0, 1]
    assert intake.buffer.quarantine()["text"].to_list() == ["{cut"]
    counts = intake.buffer.seconds().select("connection", "hits", "duplicates", "quarantined")
    assert counts.rows() == [(0, 2, 0, 0), (1, 1, 2, 1)]


def test_repeats_reach_the_buffer() -> None:
    """The buffer tells whose hits came again, and when; a spell that repeats its own tells none."""
    intake = Intake(resolve(None))
    second = Spell(1, T0 + 70.25)
    intake.take(Piece(lines(1, 2, 2), FIRST, T0))
    intake.take(Piece(lines(2, 3, 3), second, T0 + 70.5))
    intake.take(Piece(lines(2, 3), second, T0 + 72))
    opened, time = (datetime.fromtimestamp(moment, UTC) for moment in (T0 - 1, T0 + 70.5))
    assert intake.buffer.repeats().rows() == [(0, opened, time)]


def test_totals_tell_what_was_taken() -> None:
    """The totals add up over blocks: bytes, hits without id, unreadable values."""
    intake = Intake(resolve(["geoDMA"]))
    odd = b'{"pageName":"home","geoDMA":"none"}\n'
    for _ in range(2):
        intake.take(Piece(lines(1) + odd, FIRST, T0))
    totals = intake.buffer.totals()
    assert totals.hits == totals.rows == 3
    assert totals.bytes == 2 * len(lines(1) + odd)
    assert (totals.duplicates, totals.without_id) == (1, 2)
    assert totals.unreadable == {"geoDMA": 2}


def test_a_record_refused_before_is_quarantined() -> None:
    """A record that framing refused is kept and counted like any other that is no hit."""
    intake = Intake(resolve(None))
    refused = Rejected(b"x" * 100_000, "longer than 4 MiB")
    intake.take(Piece(b"", Spell(2, T0), T0, (refused,)))
    [row] = intake.buffer.quarantine().rows(named=True)
    assert (row["reason"], row["connection"], len(row["raw"])) == ("longer than 4 MiB", 2, 65_536)
    assert intake.buffer.totals().quarantined == 1
    assert intake.buffer.seconds()["quarantined"].to_list() == [1]


def test_keep_and_window_are_passed_on() -> None:
    """`keep` bounds the rows, `window` the ids that are remembered."""
    intake = Intake(resolve(None), keep=2, dedupe=4)
    for n in range(40):
        intake.take(Piece(lines(n), FIRST, T0))
    assert intake.buffer.hits()["hitIdLow"].to_list() == [38, 39]
    assert intake.buffer.totals().evicted == 38
    assert counted(intake.take(Piece(lines(0, 39), FIRST, T0))) == (1, 1, 0)


@pytest.mark.parametrize("options", [{"keep": 0}, {"dedupe": 0}])
def test_wrong_options_are_refused_at_once(options: dict[str, int]) -> None:
    """A wrong option is refused when the intake is made."""
    with pytest.raises(InvalidOption):
        Intake(resolve(None), **options)


def test_the_real_day_in_pieces_with_repeats() -> None:
    """The real day, in pieces that overlap as after reconnects, is held once and whole."""
    if not REAL_DAY.exists():
        pytest.skip(f"the recording of a real day is not beside this checkout: {REAL_DAY}")
    records = gzip.decompress(REAL_DAY.read_bytes()).splitlines(keepends=True)
    intake = Intake(resolve(None))
    for start in range(0, len(records), 50):
        intake.take(Piece(b"".join(records[start : start + 70]), FIRST, T0 + start))
    frame, totals = intake.buffer.hits(), intake.buffer.totals()
    assert (totals.hits, totals.quarantined, totals.duplicates) == (592, 0, 220)
    assert frame.select("hitIdHigh", "hitIdLow").n_unique() == frame.height == 592
    assert frame.select("visIdHigh", "visIdLow").n_unique() == 338
