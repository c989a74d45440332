"""recording/recorder.py: whatever the system refuses interrupts the recording, and nothing else."""

import errno
from collections.abc import Iterator
from pathlib import Path

import pytest
from polars.testing import assert_frame_equal

from livestream_nb import Clock, Recording, Simulator
from livestream_nb.hits.piece import Piece
from livestream_nb.hits.records import Rejected
from livestream_nb.hits.repeats import Spell
from livestream_nb.recording import recorder
from livestream_nb.recording.spool import Writer
from tests.plain import until
from tests.room import Disk, Limit, disk, limit, little_room, plain_folder, plain_user
from tests.tape import (
    FIRST,
    IDS,
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

SOON = 20.0
BROKEN = OSError(errno.EIO, "Input/output error")
Place = Disk | Limit


@pytest.fixture(params=[disk, limit], ids=["full", "limited"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """Somewhere that can be without room: a disk of its own, or by a limit to files."""
    with request.param(tmp_path / "disk") as made:
        yield made


def test_a_full_disk_interrupts_nothing_else(tmp_path: Path) -> None:
    """The stream and the buffer go on, the recording says that it is interrupted, and resumes.

    What was missed is counted, all else is there once, and nothing half.
    """
    with disk(tmp_path / "disk", 16 * 1024 * 1024) as room, Simulator(speed=20, rate=10) as sim:
        folder = room.path / "rec"
        with sim.reader(record_to=folder) as reader:
            reader.wait(hits=50, timeout=SOON)
            room.fill()
            until(lambda: reader.status.recording.state == "interrupted")
            reader.wait(hits=reader.status.hits + 100, timeout=SOON)
            status = reader.status
            assert status.state == "streaming"
            assert f"{folder} cannot be written to (No space left on device)" in status.reason
            assert status.reason.endswith("Reading goes on, and it is tried again every second.")
            room.free()
            until(lambda: reader.status.recording.state == "recording")
            reader.wait(hits=reader.status.hits + 100, timeout=SOON)
        status = reader.status
        told = Recording(folder).status
        missed = told.recording.missed
        assert missed == status.recording.missed > 0
        assert told.counted()["not recorded"] == status.counted()["not recorded"] == f"{missed:,}"
        assert told.hits == status.recording.hits == status.hits - missed
        recorded = Recording(folder).hits()
        assert recorded.select(IDS).n_unique() == recorded.height == told.hits
        assert (
            recorded.join(reader.hits(), on=recorded.columns, nulls_equal=True).height == told.hits
        )
        timelines = Recording(folder).timeline(), reader.timeline()
        assert_frame_equal(*(each.drop("seconds") for each in timelines))
        assert left_over(folder) == []


def test_full_while_something_is_spooled(place: Place) -> None:
    """No room for what comes: it is missed, and counted; with room again all else is recorded."""
    folder = place.path / "rec"
    tape = Tape(folder).enter(opened()).take(piece(1, 2))
    place.fill(folder.joinpath("spool", "00000001.spool").stat().st_size)
    many = range(100, 300)
    tape.take(piece(*many, at=T0 + 1), piece(*many, 3, at=T0 + 2)).beat()
    missed = tape.recorder.status.missed
    assert missed in (200, 201)
    place.free()
    tape.beat().enter(stopped(T0 + 3)).take(piece(4, at=T0 + 4))
    assert tape.told == ("recording", 203 - missed + 1, missed)
    tape.close()
    found = Recording(folder)
    assert lows(found.lazy()) == ([1, 2, 4] if missed == 201 else [1, 2, 3, 4])
    assert found.status.recording.missed == missed
    assert found._content.missed()[0].why in ("No space left on device", "File too large")
    assert left_over(folder) == []


def test_full_while_a_segment_is_sealed(place: Place) -> None:
    """No room for what the spool becomes: recording goes on, it is said, and sealed later."""
    folder = place.path / "rec"
    tape = Tape(folder).enter(opened()).take(*(piece(n, at=T0 + n) for n in range(99)))
    place.fill()
    tape.seal()
    place.free()
    status = tape.recorder.status
    assert (status.state, status.missed) == ("recording", 0)
    assert "its spool is not sealed" in status.reason
    assert "cannot be written to" in status.reason
    assert left_over(folder) == ["00000001.spool"]
    tape.take(piece(100, at=T0 + 100)).beat().settle()
    assert tape.recorder.status.reason == f"Recording to {folder}."
    assert left_over(folder) == ["00000002.spool"]
    tape.close()
    check_same(Recording(folder), tape.batches)
    assert left_over(folder) == []


def test_full_when_it_ends(place: Place) -> None:
    """What cannot be sealed at the end stays in the spool: read as it is, and sealed some time."""
    folder = place.path / "rec"
    tape = Tape(folder).enter(opened()).take(*(piece(n, at=T0 + n) for n in range(99)))
    tape.enter(stopped(T0 + 99))
    place.fill()
    tape.close()
    with pytest.warns(RuntimeWarning, match="could not be sealed .*nothing of it is lost"):
        found = Recording(folder)
    check_same(found, tape.batches)
    assert found.timeline()["reason"].to_list() == ["opened", "asked"]
    place.free()
    assert left_over(folder) == ["00000001.spool"]
    check_same(Recording(folder), tape.batches)
    assert left_over(folder) == []


def test_full_from_the_start(place: Place) -> None:
    """Nothing at all can be written: it begins as soon as something can."""
    folder = place.path / "rec"
    place.fill()
    tape = Tape(folder).enter(opened()).take(piece(1, 2))
    assert tape.told == ("interrupted", 0, 2)
    assert left_over(place.path) == []
    tape.beat()
    place.free()
    tape.beat().take(piece(3, at=T0 + 1))
    assert tape.told == ("recording", 1, 2)
    tape.close()
    assert lows(Recording(folder).lazy()) == [3]
    assert Recording(folder).timeline()["reason"].to_list()[0] == "opened"


def test_hardly_any_room(tmp_path: Path) -> None:
    """With too little room to go on, it goes on interrupted, and at the end tells what it lacks."""
    with disk(tmp_path / "disk") as room:
        tape = Tape(room.path / "rec").enter(opened()).take(piece(1))
        room.fill()
        tape.take(piece(*range(100, 200), at=T0 + 1)).beat()
        room.fill(leave=recorder.ROOM // 2)
        tape.beat().take(piece(2, at=T0 + 2)).enter(stopped(T0 + 3))
        assert tape.told == ("interrupted", 1, 101)
        tape.close()
        found = Recording(room.path / "rec")
        assert (lows(found.lazy()), found.status.recording.missed) == ([1], 101)
        assert found.timeline()["reason"].to_list() == ["opened", "asked"]


def test_the_right_to_write_is_lost() -> None:
    """When the folder must not be written to any more, and then may: missed between, else whole."""
    with plain_folder() as parent, plain_user():
        folder = parent / "rec"
        tape = Tape(folder).enter(opened()).take(piece(1))
        parts = [folder, *(path for path in folder.rglob("*") if path.is_dir())]
        for path in parts:
            path.chmod(0o555)
        tape.seal().take(piece(2, at=T0 + 1)).beat()
        assert tape.told == ("interrupted", 1, 1)
        assert "(Permission denied): make room, or give the right" in tape.recorder.status.reason
        assert left_over(folder) == ["00000001.spool"]
        for path in parts:
            path.chmod(0o755)
        tape.beat().take(piece(3, at=T0 + 2)).close()
        assert lows(Recording(folder).lazy()) == [1, 3]
        assert Recording(folder).status.recording.missed == 1
        assert left_over(folder) == []


def test_a_folder_that_may_only_be_read() -> None:
    """Who has no right to write reads the spool as it is, and is told whether it is recorded to."""
    with plain_folder() as parent:
        tape = Tape(parent / "rec").enter(opened()).take(piece(1)).seal().take(piece(2, at=T0 + 9))
        with plain_user():
            found = Recording(parent / "rec")
            check_same(found, tape.batches)
            assert found.status.recording.state == "stopped"  # its last sign of life is long ago
        tape.kill()
        now = Clock().utc()
        tape = Tape(parent / "rec", rate=1.0).enter(opened(Spell(1, now))).take(piece(3, at=now))
        with plain_user():
            assert Recording(parent / "rec").status.recording.state == "recording"
        tape.enter(stopped(now)).close()
        with plain_user():
            assert Recording(parent / "rec").status.recording.state == "stopped"


def test_an_interruption_in_which_nothing_came(tmp_path: Path) -> None:
    """Interrupted while nothing came, it resumes, and lacks nothing."""
    tape = Tape(tmp_path).enter(opened()).take(piece(1))
    tape.recorder._interrupt(BROKEN)
    tape.beat().take(piece(2, at=T0 + 1)).close()
    assert lows(Recording(tmp_path).lazy()) == [1, 2]
    assert left_over(tmp_path) == []
    assert Recording(tmp_path)._content.missed() == []


def test_each_interruption_is_told_once(tmp_path: Path) -> None:
    """What was missed in several interruptions is told of each, and not again."""
    tape = Tape(tmp_path)
    for number in range(0, 9, 3):
        tape.take(piece(number, at=T0 + number))
        tape.recorder._interrupt(BROKEN)
        tape.take(*[piece(number + 1, at=T0 + number + more) for more in range(1, 3)]).beat()
    tape.take(piece(0, 9, at=T0 + 20)).close()
    found = Recording(tmp_path)
    assert lows(found.lazy()) == [0, 3, 6, 9]
    assert found.status.recording.missed == tape.recorder.status.missed == 3
    told = [(each.since - T0, each.until - T0, each.hits) for each in found._content.missed()]
    assert told == [(1, 2, 1), (4, 5, 1), (7, 8, 1)]


def test_a_piece_is_recorded_or_missed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a piece of which a part could not be written nothing is there, also for who recovers."""
    tape = Tape(tmp_path).take(piece(1))
    odd = Piece(record(2) + b"\n", FIRST, T0 + 1, (Rejected(b"x" * 500, "too long"),))
    with monkeypatch.context() as patch:
        little_room(patch, 400)
        tape.take(odd)
    assert tape.told == ("interrupted", 1, 1)
    tape.beat().take(piece(3, at=T0 + 2)).kill()
    assert lows(Recording(tmp_path).lazy()) == [1, 3]
    assert Recording(tmp_path).status.quarantined == 0


def test_a_journal_that_cannot_be_read(tmp_path: Path) -> None:
    """A damaged file of the journal holds up sealing alone: it is named; all is sealed later."""
    tape = Tape(tmp_path).enter(opened()).take(piece(1)).seal()
    (spoiled,) = tmp_path.glob("journal/*/seconds.parquet")
    whole = spoiled.read_bytes()
    spoiled.write_bytes(whole[:-20])
    for number in range(2, 12):
        tape.take(piece(number, at=T0 + number)).seal()
    assert str(spoiled) in tape.recorder.status.reason
    tape.close()
    spoiled.write_bytes(whole)
    check_same(Recording(tmp_path), tape.batches)
    assert left_over(tmp_path) == []


def test_the_disk_fails_to_sync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the system cannot bring the spool to the disk, that interrupts, and is tried again."""
    tape = Tape(tmp_path).take(piece(1))

    def refuse(spool: Writer) -> None:
        raise BROKEN

    with monkeypatch.context() as patch:
        patch.setattr(Writer, "sync", refuse)
        tape.recorder.sync()
    tape.take(piece(2, at=T0 + 1))
    assert tape.told == ("interrupted", 1, 1)
    tape.beat().close()
    assert lows(Recording(tmp_path).lazy()) == [1]
