"""recording/folder.py: what lies in the folder, who may write there, and what is damaged."""

import json
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
import zstandard

from livestream_nb import Recording
from livestream_nb.errors import InvalidOption, RecordingError, StreamBusy
from livestream_nb.recording import recorder
from livestream_nb.recording.folder import Folder
from livestream_nb.recording.raw import read_raw
from tests.tape import ABOUT, T0, Tape, check_same, left_over, lows, opened, piece, stopped

REPOSITORY = Path(__file__).parents[1]
COLUMNS = ABOUT.columns


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who finds another writer does not wait."""
    monkeypatch.setattr(recorder, "PATIENCE", 0.01)


def recorded(folder: Path, **options: object) -> Tape:
    """Three sealed segments, each with a record that is no hit."""
    tape = Tape(folder, **options).enter(opened())
    for number in range(3):
        block = piece(number, at=T0 + number)
        tape.take(block, piece(at=T0, spell=block.spell)).seal()
        tape.take(type(block)(b"{cut\n", block.spell, T0 + number))
    tape.enter(stopped(T0 + 9)).close()
    return tape


def hits_of(folder: Path, number: int) -> Path:
    (path,) = (folder / "hits").rglob(f"{number:08}.parquet")
    return path


def test_what_is_not_of_a_recording_is_passed_over(tmp_path: Path) -> None:
    """Files of others in the folder are neither read nor touched, wherever they lie."""
    tape = Tape(tmp_path).enter(opened()).take(piece(1)).seal().take(piece(2, at=T0 + 1))
    hour = hits_of(tmp_path, 1).parent
    places = [tmp_path, tmp_path / "spool", tmp_path / "quarantine", tmp_path / "raw", hour]
    places += [hour.parent, tmp_path / "hits", tmp_path / "journal", tmp_path / "journal" / "2026"]
    names = ["notes.txt", "x.spool", "0000001.spool", "00000001.spool.gz", "copy.parquet"]
    names += ["00000001 (copy).parquet", "00000001.ndjson.zst", ".DS_Store", "seconds.parquet"]
    strangers = [place / name for place in places for name in names]
    for path in strangers:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"a stranger")
    check_same(Recording(tmp_path), tape.batches)
    tape.seal().take(piece(3, at=T0 + 2)).kill()
    check_same(Recording(tmp_path), tape.batches)
    Tape(tmp_path).take(piece(4, at=T0 + 3)).close()
    assert lows(Recording(tmp_path).lazy()) == [1, 2, 3, 4]
    assert {path.read_bytes() for path in strangers} == {b"a stranger"}


def test_a_folder_that_holds_something_else(tmp_path: Path) -> None:
    """A folder with anything in it that is no recording is refused, and so is a file; untouched."""
    (tmp_path / "letter.txt").write_text("Dear")
    for place in (tmp_path, tmp_path / "letter.txt"):
        with pytest.raises(InvalidOption, match=r"^record_to='.*give a new or empty folder"):
            Tape(place)
        with pytest.raises(RecordingError, match=r"^There is no recording in .*record_to="):
            Recording(place)
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


@pytest.mark.parametrize("begun", [[], ["writer.lock"], ["writer.lock", "recording.json.aside"]])
def test_begun_and_ended_at_once(begun: list[str], tmp_path: Path) -> None:
    """A folder that a recorder had only begun to make can be recorded to."""
    for name in begun:
        (tmp_path / name).write_bytes(b"{")
    Tape(tmp_path).take(piece(1)).close()
    assert lows(Recording(tmp_path).lazy()) == [1]
    assert left_over(tmp_path) == []


def test_its_folders_were_not_made(tmp_path: Path) -> None:
    """A recording of which nothing but its description was made is one without hits."""
    Tape(tmp_path).close()
    for name in ("spool/next", "spool", "quarantine", "journal"):
        path = tmp_path / name
        path.rmdir() if path.is_dir() else path.unlink(missing_ok=True)
    found = Recording(tmp_path)
    assert found.hits().is_empty()
    assert found.quarantine().is_empty()
    assert found.timeline().is_empty()
    Tape(tmp_path).take(piece(1)).close()
    assert lows(Recording(tmp_path).lazy()) == [1]


@pytest.mark.parametrize(
    ("name", "one", "other", "told"),
    [
        ("stream", "here/demo", "here/shop", "stream is 'here/demo' there, not 'here/shop'"),
        ("columns", ["browser", *COLUMNS], COLUMNS, "that are not asked for: browser"),
        ("columns", COLUMNS, ["browser", *COLUMNS], "are asked for that it has not: browser"),
        ("raw", True, False, "raw is True there, not False"),
        ("mask", None, {"key": "abc"}, "mask is None there, not of the key abc"),
    ],
)
def test_another_recording(
    name: str, one: object, other: object, told: str, tmp_path: Path
) -> None:
    """A recording is gone on with only as it was begun; what differs is named with both values."""
    Tape(tmp_path, **{name: one}).take(piece(1)).close()
    with pytest.raises(InvalidOption) as refused:
        Tape(tmp_path, **{name: other})
    assert told in str(refused.value)
    Tape(tmp_path, **{name: one}, connections=4, version="9").take(piece(1, 2)).close()
    assert lows(Recording(tmp_path).lazy()) == [1, 2]


def test_columns_in_another_order(tmp_path: Path) -> None:
    """The order of the columns may change from one reader to the next: they are told by name."""
    other = [*COLUMNS[:-2], *COLUMNS[:-3:-1]]
    for number, columns in enumerate((COLUMNS, other, COLUMNS)):
        Tape(tmp_path, columns=columns).take(piece(number, number + 1, at=T0 + number)).close()
        found = Recording(tmp_path)
        assert found.hits().columns == [*columns, "arrived", "connection"]
        assert found.hits()["pageName"].to_list() == [f"p{low}" for low in range(number + 2)]


def test_two_writers_in_one_process(tmp_path: Path) -> None:
    """The second one that would record to a folder is refused; the first goes on."""
    tape = Tape(tmp_path).take(piece(1))
    with pytest.raises(StreamBusy, match=r"give another folder, or .*follow\(\)"):
        Tape(tmp_path)
    tape.take(piece(2, at=T0 + 1)).close()
    Tape(tmp_path).take(piece(3, at=T0 + 2)).close()
    assert lows(Recording(tmp_path).lazy()) == [1, 2, 3]


PROGRAM = """
import sys
from pathlib import Path
from tests.tape import Tape, piece
tape = Tape(Path(sys.argv[1]))
for line in sys.stdin:
    tape.take(piece(int(line)))
    print("taken", flush=True)
tape.close()
"""


def test_two_writers_in_two_processes(tmp_path: Path) -> None:
    """A folder that another process records to is refused, and can be read meanwhile."""
    pipe = subprocess.PIPE
    run = [sys.executable, "-c", PROGRAM, str(tmp_path)]
    with subprocess.Popen(run, stdin=pipe, stdout=pipe, text=True, cwd=REPOSITORY) as process:
        print(1, file=process.stdin, flush=True)
        assert process.stdout.readline() == "taken\n"
        with pytest.raises(StreamBusy):
            Tape(tmp_path)
        found = Recording(tmp_path).follow()
        assert lows(found.lazy()) == [1]
        assert found.status.recording.state == "recording"
        print(2, file=process.stdin, flush=True)
        assert process.stdout.readline() == "taken\n"
        assert lows(found.lazy()) == [1, 2]
        process.communicate()
    assert found.status.recording.state == "stopped"
    Tape(tmp_path).take(piece(2, 3, at=T0 + 1)).close()
    assert lows(found.lazy()) == [1, 2, 3]


def described(folder: Path, **changes: object) -> None:
    """Change what a recording says of itself."""
    path = folder / "recording.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.mark.parametrize("more", [{}, {"columns": {"pageName": "text"}, "stream": None}])
def test_a_newer_layout(more: dict[str, object], tmp_path: Path) -> None:
    """A recording of a later layout, whatever else it says, names the version that reads it."""
    recorded(tmp_path)
    described(tmp_path, format=2, version="7.1", **more)
    for ask in (Recording, Tape):
        with pytest.raises(RecordingError, match=r"has layout 2, .* use version 7\.1 or later"):
            ask(tmp_path)


@pytest.mark.parametrize(
    "changes",
    [{"columns": ["hitIdHigh", "pageNames"]}, {"rate": 0}, {"rate": "fast"}, {"stream": 5}],
)
def test_a_description_that_says_nonsense(changes: dict[str, object], tmp_path: Path) -> None:
    """What a recording cannot say of itself is refused, with the file that says so."""
    recorded(tmp_path)
    described(tmp_path, **changes)
    for ask in (Recording, Tape):
        with pytest.raises(RecordingError, match=r"recording\.json is not what .* wrote"):
            ask(tmp_path)


@pytest.mark.parametrize("content", [b"", b"{", b"null", b"\xff\xfe", b'{"format": 1}'])
def test_a_damaged_description(content: bytes, tmp_path: Path) -> None:
    """A description that is damaged is refused by name, and left as it is."""
    recorded(tmp_path)
    (tmp_path / "recording.json").write_bytes(content)
    for ask in (Recording, Tape):
        with pytest.raises(
            RecordingError, match=r"recording\.json is not what .*restore that file"
        ):
            ask(tmp_path)
    assert (tmp_path / "recording.json").read_bytes() == content


@pytest.mark.parametrize("size", [0, 3, 4, 100, -4])
def test_hits_that_were_cut_short(size: int, tmp_path: Path) -> None:
    """A file of hits that was cut short is left out, and named in a warning; others are read."""
    recorded(tmp_path)
    spoiled = hits_of(tmp_path, 2)
    spoiled.write_bytes(spoiled.read_bytes()[:size])
    with pytest.warns(RuntimeWarning, match=f"Left out, because cut short.* {spoiled}"):
        found = Recording(tmp_path)
    assert lows(found.lazy()) == lows(found.hits(columns=["hitIdLow", "browser"])) == [0, 2]
    assert len(found.sample(9)) == 2
    assert found.status.hits == 3
    Tape(tmp_path).take(piece(2, 5, at=T0 + 20)).close()
    with pytest.warns(RuntimeWarning, match="Left out"):
        assert lows(Recording(tmp_path).lazy()) == [0, 2, 5]


def test_parquet_of_something_else(tmp_path: Path) -> None:
    """A file that is whole, but not of a recording, is named by whoever needs it."""
    recorded(tmp_path)
    for path, ask in (
        (hits_of(tmp_path, 2), "hits"),
        (tmp_path / "quarantine" / "00000002.parquet", "quarantine"),
    ):
        whole = path.read_bytes()
        pl.DataFrame({"hitIdLow": ["text"], "raw": [1.5]}).write_parquet(path)
        with pytest.raises(RecordingError, match=f"^{path} cannot be read .*Restore that file"):
            getattr(Recording(tmp_path), ask)()
        path.write_bytes(whole)
    path = next((tmp_path / "journal").rglob("entries.parquet"))
    pl.DataFrame({"segment": [1]}).write_parquet(path)
    with pytest.raises(RecordingError, match=f"^{path} cannot be read"):
        Recording(tmp_path)


def test_raw_records_that_are_gone(tmp_path: Path) -> None:
    """Records that are missing, damaged, or of other hits are named; recorded columns are read."""
    recorded(tmp_path)
    path = next((tmp_path / "raw").rglob("00000002.ndjson.zst"))
    whole = path.read_bytes()
    more = zstandard.compress(read_raw(path) * 2)
    contents = (None, "No such file"), (whole[:-9], "cut short"), (more, "are not those of")
    for content, said in contents:
        path.unlink() if content is None else path.write_bytes(content)
        found = Recording(tmp_path)
        for ask in (
            lambda found=found: found.hits(columns=["browser"]),
            lambda found=found: found.sample(9),
            lambda found=found: found.fields(),
        ):
            with pytest.raises(RecordingError, match=f"The records .*00000002.*{said}"):
                ask()
        assert lows(found.hits()) == [0, 1, 2]
        path.write_bytes(next((tmp_path / "raw").rglob("00000003.ndjson.zst")).read_bytes())
    with pytest.raises(RecordingError, match="are not those of"):
        Recording(tmp_path).hits(columns=["browser"])


def test_who_looks_keeps_no_writer_away(tmp_path: Path) -> None:
    """Any number of notebooks may look at the same moment; a writer that comes is let in."""
    recorded(tmp_path)
    folder = Folder(tmp_path)
    with folder.alone() as alone:
        assert alone
        with folder.alone() as second:
            assert second is False
    looking = [Recording(tmp_path).follow() for _ in range(3)]
    tape = Tape(tmp_path).take(piece(7, at=T0 + 30))
    assert [lows(each.lazy()) for each in looking] == [[0, 1, 2, 7]] * 3
    tape.close()
