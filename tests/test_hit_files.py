"""livestream_nb.hit_files: whatever holds hits becomes a frame of a reader's columns."""

import gzip
import json
from pathlib import Path

import polars as pl
import pytest
import zstandard

from livestream_nb import Recording, Simulator, read_hits
from livestream_nb.errors import InvalidOption, RecordingError, UnknownColumn
from livestream_nb.hit_files import raw_records
from livestream_nb.hits.columns import resolve
from livestream_nb.hits.decode import schema_of

SHOP = Path(__file__).parents[1] / "data" / "shop-300.ndjson.gz"
IDS = ["hitIdHigh", "hitIdLow"]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording of the sample, as the simulator sends it."""
    folder = tmp_path_factory.mktemp("recorded") / "shop"
    sim = Simulator(hits=SHOP, pace=10.0, speed=20)
    with sim, sim.reader(record_to=folder) as reader:
        reader.wait(hits=300, timeout=30)
    return folder


@pytest.fixture
def lines() -> bytes:
    return gzip.decompress(SHOP.read_bytes())


def parts(content: bytes) -> tuple[bytes, bytes]:
    return content[:9_000], content[9_000:]


def same(one: pl.DataFrame, other: pl.DataFrame) -> bool:
    """Whether these are the same hits, but for how they arrived."""
    stamps = ["arrived", "connection"]
    return one.drop(stamps).sort(IDS).equals(other.drop(stamps).sort(IDS))


@pytest.mark.parametrize(
    ("name", "pack"),
    [
        ("hits.ndjson", bytes),
        ("hits.ndjson.gz", gzip.compress),
        ("hits.ndjson.zst", zstandard.compress),
        ("hits.txt", lambda content: content.replace(b"\r\n", b"\n\n")),
        (
            "hits.gz",
            lambda content: gzip.compress(content[:9_000]) + gzip.compress(content[9_000:]),
        ),
    ],
)
def test_lines_packed_or_not(name: str, pack, lines: bytes, recorded: Path, tmp_path: Path) -> None:
    """JSON lines are read by what they are, not by their name, with a reader's dtypes."""
    (tmp_path / name).write_bytes(pack(lines))
    hits = read_hits(tmp_path / name)
    assert hits.schema == pl.Schema(schema_of(resolve(None)))
    assert hits["arrived"].null_count() == hits["connection"].null_count() == 300
    assert same(hits, Recording(recorded).hits())


def test_columns_are_chosen(lines: bytes, recorded: Path, tmp_path: Path) -> None:
    """What is asked for is there, from records and from a recording alike, in the same order."""
    wanted = ["evar1", "products", "default"]
    (tmp_path / "hits.ndjson").write_bytes(lines)
    hits, again = (read_hits(path, wanted) for path in (tmp_path / "hits.ndjson", recorded))
    assert hits.schema == again.schema == pl.Schema(schema_of(resolve(wanted)))
    assert same(hits, again)
    assert hits["evar1"].null_count() < 300
    with pytest.raises(UnknownColumn, match="pageNam"):
        read_hits(recorded, "pageNam")


def test_a_recording_keeps_its_own_columns(recorded: Path) -> None:
    """Of a recording, all that it has is there when nothing is asked for, with its stamps."""
    hits = read_hits(str(recorded))
    assert hits.equals(Recording(recorded).hits())
    assert hits["arrived"].null_count() == 0


def test_parquet(recorded: Path, tmp_path: Path) -> None:
    """A frame of hits that was written as Parquet comes back, other widths are mended."""
    frame = Recording(recorded).hits()
    odd = frame.with_columns(pl.col("timeGMT").dt.cast_time_unit("ms"), own=pl.lit(1))
    odd.write_parquet(tmp_path / "hits.parquet")
    hits = read_hits(tmp_path / "hits.parquet")
    assert hits.drop("own").equals(frame)
    chosen = read_hits(tmp_path / "hits.parquet", ["pageName"])
    assert chosen.columns == [*(each.name for each in resolve("pageName")), "arrived", "connection"]
    with pytest.raises(RecordingError, match="has no column 'evar5'"):
        read_hits(tmp_path / "hits.parquet", "evar5")


def test_folders_and_globs(recorded: Path, lines: bytes, tmp_path: Path) -> None:
    """A folder is read with all below it, a glob as it says, several as given; order is kept."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "one.ndjson").write_bytes(lines)
    (tmp_path / "two.jsonl.gz").write_bytes(gzip.compress(lines))
    (tmp_path / "notes.txt").write_text("no hits")
    assert read_hits(tmp_path).height == 600
    assert read_hits(str(tmp_path / "**" / "*.ndjson")).height == 300
    assert read_hits([tmp_path / "a", recorded]).height == 600
    assert read_hits(recorded.parent).height == 300
    assert read_hits(recorded / "raw/**/*.zst").height == 300
    assert read_hits(recorded / "hits/**/*.parquet").height == 300


def test_what_is_no_hit_is_counted(lines: bytes, tmp_path: Path) -> None:
    """Records that are no hits are left out, and a warning says how many, and why the first."""
    path = tmp_path / "hits.ndjson"
    path.write_bytes(lines + b'{"cut": \n[]\n')
    with pytest.warns(RuntimeWarning, match="2 of the 302 records .* cut short"):
        assert read_hits(path).height == 300


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "holds no hits"),
        (b"\n\r\n", "holds no hits"),
        (gzip.compress(b'{"hitIdHigh":1}' * 999, mtime=0)[:-9], "cannot be read"),
        (zstandard.compress(b'{"hitIdHigh":1}' * 999)[:-9], "cannot be read"),
        (b"PAR1 and no more", "cannot be read"),
    ],
)
def test_what_cannot_be_read(content: bytes, complaint: str, tmp_path: Path) -> None:
    """A file that is empty or cut short is refused by name."""
    path = tmp_path / "hits.ndjson"
    path.write_bytes(content)
    with pytest.raises(RecordingError, match=complaint) as refused:
        read_hits(path)
    assert str(path) in str(refused.value)


def test_nothing_there(tmp_path: Path) -> None:
    """A path without a file, an empty folder and an empty glob are errors, and so is no path."""
    for path in (tmp_path / "none.ndjson", tmp_path, str(tmp_path / "*.gz"), []):
        with pytest.raises(RecordingError, match="no hits at"):
            read_hits(path)
    for odd in (5, None, [None], ""):
        with pytest.raises(InvalidOption, match="path="):
            read_hits(odd)


def test_records_as_they_were(recorded: Path, lines: bytes) -> None:
    """A recording gives back the records that were sent, byte for byte, in the order of time."""
    records = raw_records(recorded)
    assert sorted(records) == sorted(lines.split(b"\r\n")[:-1])
    times = [json.loads(record)["receivedTimeGMT"] for record in records]
    assert times == sorted(times)


def test_replayed_and_recorded_again(recorded: Path, tmp_path: Path) -> None:
    """Recorded, replayed, recorded again: the same hits, in all their columns, the same bytes."""
    first = Recording(recorded)
    sim = Simulator(hits=first, pace=10.0, speed=20)
    with sim, sim.reader(record_to=tmp_path / "again") as reader:
        reader.wait(hits=300, timeout=30)
    again = Recording(tmp_path / "again")
    assert same(first.hits(columns="all"), again.hits(columns="all"))
    assert sorted(again.records()) == sorted(first.records())


def test_a_loop_goes_on_under_new_ids(recorded: Path) -> None:
    """In a loop the records come again, and are other hits: what was received is what was sent."""
    with Simulator(hits=str(recorded), pace=5.0, speed=20, loop=True) as sim:
        with sim.reader() as reader:
            reader.wait(hits=750, timeout=30)
            hits = reader.hits()
        truth = sim.truth().head(hits.height)
    assert hits.n_unique(IDS) == hits.height
    assert hits.select(IDS).sort(IDS).equals(truth.select(IDS).sort(IDS))
    assert hits.n_unique("pageName") == Recording(recorded).hits().n_unique("pageName")
    with pytest.raises(InvalidOption, match="a loop needs a recording"):
        Simulator(loop=True)
    with pytest.raises(InvalidOption, match="loop='yes'"):
        Simulator(hits=recorded, loop="yes")
