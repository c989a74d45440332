"""recording/seal.py: a segment becomes files once, whatever comes between."""

import errno
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

import pytest

from livestream_nb import Recording
from livestream_nb.hits.piece import Piece
from livestream_nb.hits.repeats import Spell
from livestream_nb.recording.folder import Folder
from livestream_nb.recording.raw import raw_path
from livestream_nb.recording.seal import recover
from tests.tape import (
    ABOUT,
    FIRST,
    OVERLONG,
    SECOND,
    T0,
    Tape,
    at,
    check_same,
    fill,
    left_over,
    lows,
    opened,
    piece,
    record,
    stopped,
)

WINDOW = 1_000_000


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
