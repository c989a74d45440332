"""recording/recorder.py: a folder that can be recorded to only later, and by whom."""

from pathlib import Path

import pytest

from livestream_nb import Recording, Simulator
from livestream_nb.errors import InvalidOption
from tests.plain import until
from tests.room import plain_folder, plain_user
from tests.tape import (
    IDS,
    T0,
    Tape,
    lows,
    opened,
    piece,
)

SOON = 20.0


def test_a_drive_that_is_not_there_yet(tmp_path: Path) -> None:
    """A folder that cannot be made interrupts no start; once it can, its earlier hits are known."""
    folder, drive = tmp_path / "rec", tmp_path / "drive"
    Tape(drive).enter(opened()).take(piece(1, 2)).close()
    folder.symlink_to(drive)
    drive.rename(tmp_path / "taken away")
    tape = Tape(folder).take(piece(7, at=T0 + 1)).beat()
    assert tape.told == ("interrupted", 0, 1)
    (tmp_path / "taken away").rename(drive)
    tape.beat().take(piece(1, 2, 3, at=T0 + 2))
    assert tape.told == ("recording", 1, 1)
    assert tape.intake.buffer.totals().duplicates == 2
    tape.close()
    assert lows(Recording(folder).lazy()) == [1, 2, 3]
    assert Recording(folder).status.duplicates == 2


def test_a_reader_begins_before_its_drive(tmp_path: Path) -> None:
    """A reader starts, reads and counts what it misses; it records as soon as the folder is there.

    Of what was recorded before nothing is recorded twice.
    """
    folder, drive, away = tmp_path / "rec", tmp_path / "drive", tmp_path / "away"
    folder.symlink_to(drive)
    drive.mkdir()
    with Simulator(speed=60, rate=20) as simulator:
        with simulator.reader(record_to=folder) as first:
            first.wait(hits=100, timeout=SOON)
        drive.rename(away)
        with simulator.reader(record_to=folder) as reader:
            reader.wait(hits=100, timeout=SOON)
            assert reader.status.recording.state == "interrupted"
            away.rename(drive)
            until(lambda: reader.status.recording.state == "recording")
            reader.wait(hits=reader.status.hits + 100, timeout=SOON)
    status, told = reader.status, Recording(folder).status
    assert told.recording.missed == status.recording.missed >= 100
    assert told.hits == first.status.hits + status.hits - status.recording.missed
    ids = Recording(folder).hits(columns=IDS)
    assert ids.n_unique() == ids.height == told.hits
    timeline = Recording(folder).timeline()
    assert timeline.height == first.timeline().height + reader.timeline().height


def test_a_place_where_nothing_may_be_made() -> None:
    """A folder that cannot be made because of the one around it is made once that is possible."""
    with plain_folder() as parent, plain_user():
        parent.chmod(0o555)
        folder = parent / "of" / "recordings"
        tape = Tape(folder).take(piece(1)).beat()
        assert tape.told == ("interrupted", 0, 1)
        parent.chmod(0o755)
        tape.beat().take(piece(2, at=T0 + 1)).close()
        assert lows(Recording(folder).lazy()) == [2]
        assert Recording(folder).status.recording.missed == 1


def test_another_began_meanwhile(tmp_path: Path) -> None:
    """Who finds another writer when the folder is there again waits for its end, and is told so."""
    folder = tmp_path / "rec"
    folder.symlink_to(tmp_path / "drive")
    tape = Tape(folder).take(piece(1))
    (tmp_path / "drive").mkdir()
    other = Tape(folder).take(piece(2))
    tape.beat().take(piece(3, at=T0 + 1))
    assert tape.told == ("interrupted", 0, 2)
    assert "being recorded to by another reader" in tape.recorder.status.reason
    other.close()
    tape.beat().take(piece(4, at=T0 + 2)).close()
    assert lows(Recording(folder).lazy()) == [2, 4]


def test_something_else_was_put_there_meanwhile(tmp_path: Path) -> None:
    """When the folder that is there again holds something else nothing is touched, and it waits."""
    folder = tmp_path / "rec"
    folder.symlink_to(tmp_path / "drive")
    tape = Tape(folder)
    (tmp_path / "drive").mkdir()
    (folder / "letter.txt").write_text("Dear")
    tape.beat().close()
    with pytest.raises(InvalidOption, match="record_to="):
        tape.open()
    assert [path.name for path in folder.iterdir()] == ["letter.txt"]


def test_started_again_after_it_could_not_begin(tmp_path: Path) -> None:
    """A reader that could not record at first records from the first hit on when started again."""
    folder = tmp_path / "rec"
    folder.symlink_to(tmp_path / "drive")
    tape = Tape(folder).take(piece(1))
    tape.close()
    (tmp_path / "drive").mkdir()
    tape.open().take(piece(2, at=T0 + 1)).close()
    assert lows(Recording(folder).lazy()) == [2]
    assert Recording(folder).status.recording.missed == 1
