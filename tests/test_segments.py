"""recording/segment.py, seal.py, journal.py and tail.py: from the spool to the dataset."""

import errno
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from livestream_nb import Recording
from livestream_nb.hits.digest import Digest
from livestream_nb.hits.piece import Piece
from livestream_nb.hits.records import Rejected
from livestream_nb.hits.repeats import Spell
from livestream_nb.recording import tail
from livestream_nb.recording.folder import Folder
from livestream_nb.recording.raw import raw_path, read_raw
from livestream_nb.recording.seal import recover, seal
from livestream_nb.recording.segment import read_all
from livestream_nb.recording.spool import Reader
from tests.tape import (
    ABOUT,
    FIRST,
    T0,
    Tape,
    check_same,
    left_over,
    lows,
    opened,
    piece,
    record,
    stopped,
)

WINDOW = 1_000_000
HOUR = 3_600.0
SECOND = Spell(1, T0 + 1_000)
OVERLONG = Rejected(b"x" * 90, "longer than 4 MiB")


def at(moment: float) -> datetime:
    return datetime.fromtimestamp(moment, UTC)


def fill(tape: Tape) -> Tape:
    """Something of everything: repeats, hours, a malformed record, hits that say little."""
    tape.enter(opened()).take(piece(1, 2, 3), piece(3, 4, at=T0 + 0.5))
    tape.enter(stopped(T0 + 90), opened(SECOND))
    odd = b"\r\n".join([b"{cut", record(None), record(5, None), record(6, T0 - 5 * HOUR), b""])
    tape.take(Piece(odd, SECOND, T0 + 1_001, (OVERLONG,)))
    return tape.take(piece(4, 7, at=T0 + 1_002, spell=SECOND))


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


class Killed(BaseException):
    """The process ends here: nothing handles it."""


FULL = OSError(errno.ENOSPC, "No space left on device")


@contextmanager
def ending(monkeypatch: pytest.MonkeyPatch, step: int, error: BaseException) -> Iterator[None]:
    """The so-many-th change of files fails; when it is a kill, so do all after it.

    Of a file that was not synced there is half, and nothing of one that was just opened.
    """
    steps = count(1)

    def stepwise(real, name: str):
        def do(*given, **options):
            if given[1:] == ("rb",):
                return real(*given, **options)
            now = next(steps)
            if now == step or (now > step and isinstance(error, Killed)):
                if name == "fsync" and stat.S_ISREG(os.fstat(given[0]).st_mode):
                    os.ftruncate(given[0], os.fstat(given[0]).st_size // 2)
                if name == "open" and now == step:
                    real(*given, **options).close()
                raise error
            return None if name == "fsync" else real(*given, **options)

        return do

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", stepwise(os.fsync, "fsync"))
        for name in ("open", "replace", "unlink", "mkdir"):
            patch.setattr(Path, name, stepwise(getattr(Path, name), name))
        yield


@pytest.fixture(scope="module")
def spooled(tmp_path_factory: pytest.TempPathFactory) -> Tape:
    """A segment is sealed, and one is in the spool, whose process was killed."""
    path = tmp_path_factory.mktemp("killed")
    tape = Tape(path).enter(opened()).take(piece(1, 2), piece(3, at=T0 + 2)).seal()
    tape.take(Piece(b"{cut\n" + record(4, T0 + 8) + b"\n", FIRST, T0 + 9, (OVERLONG,)))
    tape.enter(stopped(T0 + 90), opened(SECOND))
    tape.take(piece(3, 4, 5, at=SECOND.opened + 1, spell=SECOND)).kill()
    return tape


@pytest.mark.parametrize("error", [Killed(), FULL], ids=["killed", "full"])
def test_sealing_may_end_at_every_step(
    error: BaseException, spooled: Tape, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ended before any of its steps, it is begun again: everything is there exactly once.

    Now and then it ends a second time; whoever looks meanwhile sees the same.
    """
    for step in count(1):
        path = shutil.copytree(spooled.path, tmp_path / "ended")
        ends = []
        for again in (step, step // 2)[: 1 + (step % 4 == 0)]:
            with suppress(Killed, OSError), ending(monkeypatch, again, error):
                recover(Folder(path), ABOUT, WINDOW)
                ends.append(again)
        if error is FULL:
            assert [name for name in left_over(path) if name.endswith(".aside")] == []
        if step % 4 == 1:
            lock = Folder(path).lock(patience=0)
            check_same(Recording(path), spooled.batches)
            lock.release()
        found = Recording(path)
        check_same(found, spooled.batches)
        assert found.timeline()["reason"].to_list() == ["opened", "asked", "opened", "killed"]
        assert found.gaps()["verdict"].to_list() == ["covered"]
        assert left_over(path) == []
        shutil.rmtree(path)
        if step in ends:
            break
    assert step > 25


def test_who_brought_what_is_recorded(tmp_path: Path) -> None:
    """The repeats of a recorded hit prove that the outage since is covered, however long it was."""
    others = (Spell(2, T0 - 30), Spell(1, T0 - 50))
    tape = Tape(tmp_path).enter(*map(opened, others), stopped(T0 - 40), opened())
    tape.take(piece(1), piece(2, at=T0 + 1, spell=others[0])).close()
    tape = Tape(tmp_path).enter(opened(SECOND), opened(SECOND._replace(connection=2)))
    tape.take(piece(1, 3, at=SECOND.opened + 1, spell=SECOND)).close()
    gaps = Recording(tmp_path).gaps().filter(pl.col("seconds") > HOUR / 4)
    assert gaps.select("connection", "verdict").rows() == [(1, "covered"), (2, "likely lost")]


def test_several_segments_were_left(tmp_path: Path) -> None:
    """Of several segments that were never sealed each is, with one end of the connection."""
    tape = Tape(tmp_path).idle().enter(opened()).take(piece(1, 2)).roll()
    tape.take(piece(2, 3, at=T0 + 1)).roll().take(piece(1, 3, 4, at=T0 + 2)).kill()
    found = Recording(tmp_path)
    check_same(found, tape.batches)
    assert found.timeline()["started"].to_list() == [at(T0 - 1), at(T0 + 2)]
    assert left_over(tmp_path) == []


def test_what_was_half_sealed_counts_no_more(tmp_path: Path) -> None:
    """Before a segment is sealed anew all that it became is removed, and every half file."""
    tape = Tape(tmp_path).take(Piece(b"{cut\n" + record(1) + b"\n", FIRST, T0)).seal()
    made = Folder(tmp_path).sealed()[1][0]
    tape.take(piece(2, at=T0 + 1)).kill()
    hour = tmp_path / "hits" / "date=2020-01-01" / "hour=00"
    for source, target in (
        (made, hour / "00000002.parquet"),
        (raw_path(made), raw_path(hour / "00000002.parquet")),
        (raw_path(made), raw_path(hour / "00000002.ndjson.zst.aside")),
        (tmp_path / "quarantine" / "00000001.parquet", tmp_path / "quarantine/00000002.parquet"),
    ):
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)
    for place in (tmp_path, tmp_path / "spool", tmp_path / "journal", hour):
        (place / "half.aside").write_bytes(b"half")
    check_same(Recording(tmp_path), tape.batches)
    assert left_over(tmp_path) == []
    assert not [*tmp_path.rglob("*/date=2020-01-01/*/*")]


def test_names_are_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every folder that has a new name in it is synced: a power cut takes no file away."""
    synced, fsync = set(), os.fsync

    def noting(file: int) -> None:
        synced.add(os.fstat(file).st_ino)
        fsync(file)

    monkeypatch.setattr(os, "fsync", noting)
    folder = tmp_path / "of" / "recordings" / "demo"
    tape = fill(Tape(folder))
    spool = (folder / "spool").stat().st_ino
    synced.discard(spool)
    tape.recorder.sync()
    assert spool in synced
    tape.close()
    around = [tmp_path, tmp_path / "of", tmp_path / "of" / "recordings", folder]
    folders = [*around, *(path for path in folder.rglob("*") if path.is_dir())]
    assert [path for path in folders if path.stat().st_ino not in synced] == []


def test_killed_when_all_was_sealed(tmp_path: Path) -> None:
    """A connection that never ended has, also when nothing of it was in the spool; said once."""
    Tape(tmp_path).enter(opened()).take(piece(1, at=T0 + 9.5)).seal().kill()
    for _ in range(2):
        timeline = Recording(tmp_path).timeline()
        assert timeline["reason"].to_list() == ["opened", "killed"]
        assert timeline["started"][1] == at(T0 + 9)
    Tape(tmp_path).enter(opened(Spell(1, T0 + 900)), stopped(T0 + 950)).close()
    assert Recording(tmp_path).gaps()["seconds"].to_list() == [891.0]


def test_a_quiet_stream_shows_signs_of_life(tmp_path: Path) -> None:
    """A recorder says every second that it lives, also after a segment ended: until then it did."""
    tape = Tape(tmp_path).enter(opened()).take(piece(1)).beat()
    for tape.now in (T0 + 700, T0 + 701, T0 + 800):
        tape.beat()
    tape.kill()
    found = Recording(tmp_path)
    assert found.timeline()["started"].to_list() == [at(T0 - 1), at(T0 + 800)]
    assert lows(found.lazy()) == [1]


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
