"""recording/spool.py and frames.py: what was appended comes back whole, or not at all."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livestream_nb.connection.timeline import Phase, Transition
from livestream_nb.hits.piece import Piece
from livestream_nb.hits.records import Rejected
from livestream_nb.hits.repeats import Spell
from livestream_nb.protocol.status import Cause
from livestream_nb.recording import frames
from livestream_nb.recording.missed import Missed
from livestream_nb.recording.spool import HEAD, MAGIC, Frame, Kind, Reader, Writer
from tests.room import little_room


def packed(one: Frame) -> bytes:
    """A frame as it stands in a segment."""
    return b"".join(one.parts())


payloads = st.one_of(
    st.binary(max_size=60),
    st.binary(max_size=20).map(lambda some: packed(Frame(Kind.BLOCK, 1, 0.0, 0.0, some))),
    st.sampled_from([b"", MAGIC, MAGIC * 9, b"\0" * 40]),
)
any_frame = st.builds(
    Frame,
    st.sampled_from(Kind),
    st.integers(0, 255),
    st.floats(allow_nan=False),
    st.floats(0, 4e9),
    payloads,
)
some_frames = st.lists(any_frame, min_size=1, max_size=8)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "00000001.spool"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Callable[[bytes], Path]:
    """Where a segment of these bytes is."""
    numbers = iter(range(10**6))
    folder = tmp_path_factory.mktemp("spool")

    def write(content: bytes = b"") -> Path:
        path = folder / f"{next(numbers):08}.spool"
        path.write_bytes(content)
        return path

    return write


def read(path: Path, *, final: bool = True) -> tuple[list[Frame], int]:
    """The frames of a segment, and how many of its bytes are damaged."""
    reader = Reader(path)
    found = [frame for _, frame in reader.frames(final=final)]
    reader.close()
    return found, reader.damaged


def frame(text: bytes, arrived: float = 1.0) -> Frame:
    return Frame(Kind.BLOCK, 1, 0.5, arrived, text)


@given(some_frames)
def test_frames_come_back(place: Callable[[bytes], Path], appended: list[Frame]) -> None:
    """Every frame comes back exactly, and its payload lies where appending said."""
    path = place()
    path.unlink()
    writer = Writer(path)
    begins = [writer.append(each) for each in appended]
    writer.close()
    reader = Reader(path)
    assert [*reader.frames()] == [*zip(begins, appended, strict=True)]
    spooled = reader.bytes()
    assert [*reader.frames()] == []
    for at, each in zip(begins, appended, strict=True):
        assert spooled[at : at + len(each.payload)] == each.payload
    assert (writer.size, reader.damaged) == (len(spooled), 0)
    reader.close()


@given(some_frames, st.lists(st.integers(0, 900), max_size=6))
def test_each_frame_is_read_once_while_it_is_written(
    place: Callable[[bytes], Path], appended: list[Frame], looks: list[int]
) -> None:
    """Whoever looks at any moments, amid a frame as well, sees every frame once, in order."""
    content = b"".join(packed(each) for each in appended)
    path = place()
    reader, found = Reader(path), []
    for size in [*sorted(looks), len(content)]:
        path.write_bytes(content[:size])
        found += [each for _, each in reader.frames()]
    assert (found, reader.damaged) == (appended, 0)
    reader.close()


@pytest.mark.parametrize("text", [b"", b"the last one", MAGIC * 3])
def test_cut_at_every_byte_of_the_last_frame(place: Callable[[bytes], Path], text: bytes) -> None:
    """Of a segment that ends amid a frame all others are there; the half one is damage."""
    before = [frame(b"first"), frame(b"second")]
    whole = b"".join(packed(each) for each in before)
    last = packed(frame(text))
    for size in range(len(last)):
        path = place(whole + last[:size])
        assert read(path) == (before, size)
        assert read(path, final=False) == (before, 0)
    assert read(place(whole + last)) == ([*before, frame(text)], 0)


@given(some_frames, st.integers(0, 2000), st.integers(0, 120), st.binary(max_size=80))
def test_a_damaged_stretch_is_passed_over(
    place: Callable[[bytes], Path], appended: list[Frame], begin: int, size: int, instead: bytes
) -> None:
    """Whatever stands where a stretch was, frames that it does not touch are there; it is told."""
    parts = [packed(each) for each in appended]
    content = b"".join(parts)
    end = min(begin, len(content)) + size
    spoiled = content[:begin] + instead + content[end:]
    ends = [sum(map(len, parts[: number + 1])) for number in range(len(parts))]
    before = [one for one, last in zip(appended, ends, strict=True) if last <= begin]
    after = [
        one
        for one, part, last in zip(appended, parts, ends, strict=True)
        if last - len(part) >= max(end, begin + 1)
    ]
    found, damaged = read(place(spoiled))
    assert found[: len(before)] == before
    assert found[len(found) - len(after) :] == after
    assert damaged == len(spoiled) - sum(len(packed(each)) for each in found)


@pytest.mark.parametrize("at", range(4, HEAD))
def test_every_byte_of_the_head_counts(place: Callable[[bytes], Path], at: int) -> None:
    """A head with a single bit turned, wherever it is, is no frame's."""
    spoiled = bytearray(packed(frame(b"spoiled")))
    spoiled[at] ^= 1
    assert read(place(spoiled + packed(frame(b"whole")))) == ([frame(b"whole")], len(spoiled))


def test_a_damaged_end_waits_for_more(place: Callable[[bytes], Path]) -> None:
    """While a segment is written, damage at its end is told of when a whole frame follows."""
    spoiled = packed(frame(b"spoiled"))[:-1] + b"!"
    path = place(packed(frame(b"first")) + spoiled)
    reader = Reader(path)
    assert [each for _, each in reader.frames()] == [frame(b"first")]
    assert reader.damaged == 0
    with path.open("ab") as file:
        file.write(packed(frame(b"second")))
    assert [each for _, each in reader.frames()] == [frame(b"second")]
    assert reader.damaged == len(spoiled)
    reader.close()


def test_a_removed_segment_is_read_to_its_end(path: Path) -> None:
    """What was appended before a segment was removed can still be read from an open one."""
    writer = Writer(path)
    writer.append(frame(b"first"))
    reader = Reader(path)
    assert len([*reader.frames()]) == 1
    writer.append(frame(b"second"))
    writer.close()
    path.unlink()
    assert [each.payload for _, each in reader.frames()] == [b"second"]
    reader.close()


def test_very_many_frames_at_once(path: Path) -> None:
    """However many frames are appended together, more than the system writes at once: all are."""
    writer, many = Writer(path), [frame(b"%d" % number) for number in range(3_000)]
    writer.append(frame(b"before"))
    begin = writer.append(*many)
    writer.close()
    assert read(path) == ([frame(b"before"), *many], 0)
    assert path.read_bytes()[begin - HEAD :].startswith(packed(many[0]))
    assert writer.size == path.stat().st_size


def test_a_segment_is_never_written_over(path: Path) -> None:
    """A writer refuses a segment that is there."""
    path.write_bytes(b"kept")
    with pytest.raises(FileExistsError):
        Writer(path)
    assert path.read_bytes() == b"kept"


@pytest.mark.parametrize("room", [0, 1, HEAD, HEAD + 3, 90])
def test_frames_are_appended_all_or_none(
    path: Path, room: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the disk is full amid some frames none of them is there; what comes later follows."""
    writer = Writer(path)
    writer.append(frame(b"before"))
    with monkeypatch.context() as patch:
        little_room(patch, room)
        with pytest.raises(OSError, match="No space"):
            writer.append(frame(b"lost, as a whole"), frame(b"and this one, too, which is long"))
        assert path.stat().st_size == writer.size
    begin = writer.append(frame(b"later"), frame(b"and more"))
    writer.close()
    assert read(path) == ([frame(b"before"), frame(b"later"), frame(b"and more")], 0)
    assert path.read_bytes()[begin:].startswith(b"later")


def test_half_a_frame_that_cannot_be_taken_back(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even when half a frame cannot be cut off at once, the next one lies where it is said to."""

    def refuse(*_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    writer = Writer(path)
    writer.append(frame(b"before"))
    with monkeypatch.context() as patch:
        little_room(patch, HEAD + 2)
        patch.setattr(os, "ftruncate", refuse)
        with pytest.raises(OSError, match="error"):
            writer.append(frame(b"lost"))
    begin = writer.append(frame(b"later"))
    writer.close()
    assert read(path) == ([frame(b"before"), frame(b"later")], 0)
    assert path.read_bytes()[begin:] == b"later"


def test_sync_and_close(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what is new is synced; closing syncs, once, and closes also when that fails."""
    writer, synced = Writer(path), []

    def failing(file: int) -> None:
        synced.append(file)
        raise OSError(errno.EIO, "Input/output error")

    writer.append(frame(b"first"))
    writer.sync()
    monkeypatch.setattr(os, "fsync", failing)
    writer.sync()
    assert synced == []
    writer.append(frame(b"second"))
    with pytest.raises(OSError, match="error"):
        writer.close()
    (file,) = synced
    with pytest.raises(OSError, match="Bad file"):
        os.fstat(file)
    writer.close()
    writer.sync()
    assert synced == [file]


def test_a_piece_comes_back() -> None:
    """A piece's records and those that were refused are frames, and these are pieces again."""
    refused = Rejected(b"\0{\xff\0", "longer than 4 MiB: ü")
    given = Piece(b"{}\r\n", Spell(3, 1.25), 7.5, (refused, Rejected(b"", "")))
    block, *others = [*frames.block_frame(given), *frames.rejected_frames(given)]
    assert frames.piece_of(block) == Piece(b"{}\r\n", Spell(3, 1.25), 7.5)
    assert [frames.piece_of(each) for each in others] == [
        Piece(b"", Spell(3, 1.25), 7.5, (each,)) for each in given.rejected
    ]
    assert [*frames.block_frame(Piece(b"", Spell(3, 1.25), 7.5, (refused,)))] == []


def test_entries_and_what_was_missed_come_back() -> None:
    """A change of state, with all that it says, and what was missed are frames, and come back."""
    entry = Transition(2, Phase.COOLDOWN, 5.5, Cause.DROPPED, "Weg – ü.", 409, 3, 65.5, 4.0)
    missed = Missed(1.5, 2.5, 7, 900, "No space left on device")
    assert frames.entry_of(frames.entry_frame(entry)) == entry
    assert frames.missed_of(frames.missed_frame(missed)) == missed
    assert (frames.entry_frame(entry).arrived, frames.missed_frame(missed).arrived) == (5.5, 2.5)
