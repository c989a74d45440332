"""recording/segment.py, seal.py, journal.py and tail.py: from the spool to the dataset."""

import shutil
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from livestream_nb import Recording
from livestream_nb.hits.digest import Digest
from livestream_nb.hits.repeats import Spell
from livestream_nb.recording import tail
from livestream_nb.recording.folder import Folder
from livestream_nb.recording.raw import raw_path, read_raw
from livestream_nb.recording.seal import seal
from livestream_nb.recording.segment import read_all
from livestream_nb.recording.spool import Reader
from tests.tape import (
    ABOUT,
    SECOND,
    T0,
    Tape,
    at,
    check_same,
    fill,
    lows,
    opened,
    piece,
    record,
    stopped,
)

WINDOW = 1_000_000
HOUR = 3_600.0


def sealed_hits(folder: Path) -> dict[str, list[int | None]]:
    """The ids in each file of hits, by hour."""
    return {
        f"{path.parents[1].name} {path.parent.name}": pl.read_parquet(
            path, hive_partitioning=False
        )["hitIdLow"].to_list()
        for path in sorted((folder / "hits").rglob("*.parquet"))
    }


def test_a_segment_is_read_as_it_was_written(tmp_path: Path) -> None:
    """What is read back from the spool is what the writer has in memory, in every part."""
    tape = fill(Tape(tmp_path))
    kept = tape.recorder._segment
    digest = Digest(ABOUT.resolved, traced=True)
    found = read_all(Folder(tmp_path).segment(kept.number), kept.number, digest)
    assert_frame_equal(found.frame(), kept.frame())
    assert_frame_equal(found.seconds(), kept.seconds())
    assert_frame_equal(found.repeats(), kept.repeats())
    for name in ("number", "hits", "alive", "entries", "rejected", "missed"):
        assert getattr(found, name) == getattr(kept, name)
    assert (found.hits, len(found.rejected), found.repeats().height) == (8, 2, 1)
    spooled = Folder(tmp_path).segment(kept.number).read_bytes()
    bounds = found.frame().select("hitIdLow", "start", "end").rows()
    for low, start, end in bounds:
        assert f'"hitIdLow": {low or "null"},' in spooled[start:end].decode()
    tape.close()


def test_a_segment_counts_whenever_it_was(tmp_path: Path) -> None:
    """Hits that came decades before others, by a clock that was wrong, are counted like them."""
    tape = Tape(tmp_path)
    tape.take(piece(1, at=T0 - 9e8), piece(2, 3), piece(4, at=T0 + 9e8), piece(5, at=T0)).close()
    counted = Recording(tmp_path).throughput()
    assert counted.select("time", "hits").rows() == [
        (at(T0 - 9e8), 1),
        (at(T0), 3),
        (at(T0 + 9e8), 1),
    ]


def test_damage_is_told(tmp_path: Path) -> None:
    """What a damaged stretch of the spool held is missing, all else is there, and it is said."""
    tape = Tape(tmp_path).take(piece(1), piece(2, at=T0 + 1), piece(3, at=T0 + 2))
    tape.kill()
    spool = Folder(tmp_path).segment(1)
    spool.write_bytes(spool.read_bytes().replace(b'"p2"', b'"p!"'))
    found = Recording(tmp_path)
    assert lows(found.lazy()) == [1, 3]
    [reason] = found.quarantine()["reason"]
    assert "bytes of the spool were damaged and could not be read" in reason
    assert int(reason.split()[0]) > len(record(2))


def test_sealed_by_the_hour_in_which_adobe_received(tmp_path: Path) -> None:
    """Each file holds the hits of an hour of receivedTimeGMT, by it; without one, of arrival."""
    fill(Tape(tmp_path)).close()
    hours = {"date=2026-04-13 hour=07": [6], "date=2026-04-13 hour=11": [1, 2, 3, 4]}
    assert sealed_hits(tmp_path) == hours | {"date=2026-04-13 hour=12": [5, None, 7]}
    for path in sorted((tmp_path / "hits").rglob("*.parquet")):
        hits = pl.read_parquet(path, hive_partitioning=False)
        assert hits["receivedTimeGMT"].is_sorted()
        names = pl.read_ndjson(read_raw(raw_path(path)))["pageName"]
        assert names.to_list() == hits["pageName"].to_list()


def test_a_clock_set_back_over_the_hour(tmp_path: Path) -> None:
    """When the clock goes back over an hour, and again, every hit is there once, and counted."""
    tape = Tape(tmp_path).enter(opened())
    for number, moment in enumerate([T0 - 1, T0 + 1, T0 - HOUR, T0, T0 - 2, T0 + HOUR, T0 - 2]):
        tape.take(piece(number, number + 1, at=moment)).beat()
        if number % 3 == 2:
            tape.seal()
    tape.enter(stopped(T0)).close()
    found = Recording(tmp_path)
    assert lows(found.lazy()) == [*range(8)]
    check_same(found, tape.batches)
    assert found.hits()["arrived"].is_sorted()


def test_who_brought_what_is_recorded(tmp_path: Path) -> None:
    """The repeats of a recorded hit prove that the outage since is covered, however long it was."""
    others = (Spell(2, T0 - 30), Spell(1, T0 - 50))
    tape = Tape(tmp_path).enter(*map(opened, others), stopped(T0 - 40), opened())
    tape.take(piece(1), piece(2, at=T0 + 1, spell=others[0])).close()
    tape = Tape(tmp_path).enter(opened(SECOND), opened(SECOND._replace(connection=2)))
    tape.take(piece(1, 3, at=SECOND.opened + 1, spell=SECOND)).close()
    gaps = Recording(tmp_path).gaps().filter(pl.col("seconds") > HOUR / 4)
    assert gaps.select("connection", "verdict").rows() == [(1, "covered"), (2, "likely lost")]


def test_the_end_of_what_goes_on(tmp_path: Path) -> None:
    """`last` counts back from the last hits of a recording that goes on, though all are sealed."""
    tape = Tape(tmp_path).enter(opened()).take(piece(1), piece(2, at=T0 + 500.5)).seal()
    found = Recording(tmp_path)
    assert lows(found.hits(last="5s")) == [2]
    assert found.throughput(last="1m")["hits"].sum() == 1
    tape.enter(stopped(T0 + 500.75)).close()
    assert Recording(tmp_path).status.since == at(T0 + 500.75)


def test_sealed_at_this_very_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who begins to look just as a segment is sealed knows its hits when they come again."""
    tape = Tape(tmp_path).take(piece(1)).idle()
    tape.roll().take(piece(2, at=T0 + 1)).roll().take(piece(2, 3, at=T0 + 2))
    second = tape.recorder._sealer._waiting[1]

    def late(path: Path) -> Reader:
        if path == second.spool.path and path.exists():
            seal(Folder(tmp_path), second.segment, raw=True)
        return Reader(path)

    monkeypatch.setattr(tail, "Reader", late)
    check_same(Recording(tmp_path), tape.batches)
    assert not second.spool.path.exists()
    tape.kill()


def test_begun_since_the_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is made of a segment that was begun after the look does not count yet."""
    tape, look = Tape(tmp_path).take(piece(1)).seal(), tail.Tail.look
    made = Folder(tmp_path).sealed()[1][0]

    def and_then(looking: tail.Tail) -> None:
        look(looking)
        tape.take(piece(2, at=T0 + 1))
        shutil.copy(made, made.with_stem("00000002"))

    monkeypatch.setattr(tail.Tail, "look", and_then)
    assert lows(Recording(tmp_path).lazy()) == [1]
    tape.kill()


def test_who_looks_seldom_sees_all(tmp_path: Path) -> None:
    """Segments that came and went between two looks are known, hits and ids."""
    tape = Tape(tmp_path).enter(opened()).take(piece(1))
    found = Recording(tmp_path).follow()
    check_same(found, tape.batches)
    for number in range(2, 6):
        tape.seal().take(piece(number, at=T0 + number))
    check_same(found, tape.batches)
    tape.seal().take(piece(*range(9), at=T0 + 9))
    check_same(found, tape.batches)
    assert [*found._content.tail.segments] == [6]
    made = found.hits(columns=["pageName", "browser"])
    assert made["browser"].to_list() == made["pageName"].to_list()
    tape.close()
    check_same(found, tape.batches)


def test_the_journal_is_by_days(tmp_path: Path) -> None:
    """Seconds, states and repeats lie in the folder of their day, and come back in order."""
    day = timedelta(days=1).total_seconds()
    tape = Tape(tmp_path)
    for number in range(3):
        spell = Spell(1, T0 + number * day)
        tape.enter(opened(spell), opened(spell._replace(connection=2)))
        tape.take(piece(number, at=spell.opened + 1, spell=spell))
        tape.seal().enter(stopped(spell.opened + 2), stopped(spell.opened + 2, 2))
    tape.close()
    days = sorted(path.name for path in (tmp_path / "journal").iterdir())
    assert days == ["2026-04-13", "2026-04-14", "2026-04-15"]
    found = Recording(tmp_path)
    timeline = found.timeline()
    assert timeline["connection"].to_list() == [1, 2] * 6
    assert timeline["started"].is_sorted()
    assert lows(found.lazy()) == [0, 1, 2]
    assert found.status.hits == 3
