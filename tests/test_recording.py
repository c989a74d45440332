"""recorded.py and history.py: a recording is asked like the reader that made it."""

from datetime import timedelta
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pytest
from polars.testing import assert_frame_equal

from livestream_nb import Reader, Recording, Simulator
from livestream_nb.errors import InvalidOption, RecordingError, UnknownColumn
from livestream_nb.hits.decode import Decoder
from livestream_nb.hits.quarantine import KEPT_BYTES
from livestream_nb.recording import recorder
from tests.plain import until
from tests.tape import T0, Tape, lows, opened, piece, stopped

SOON = 20.0
COLUMNS = ["default", "evar5", "products", "mvvar1"]

pytestmark = pytest.mark.usefixtures("minute")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("recorded") / "rec"


@pytest.fixture(scope="module")
def reader(folder: Path) -> Reader:
    """A reader that has recorded a drop, repeats and malformed records, and was stopped."""
    with pytest.MonkeyPatch.context() as patch, Simulator(speed=60, seed=5) as simulator:
        patch.setattr(recorder, "SEGMENT_BYTES", 2_500_000)
        with simulator.reader(columns=COLUMNS, record_to=folder) as reader:
            reader.wait(hits=500, timeout=SOON)
            for _ in range(3):
                simulator.malform()
            until(lambda: reader.status.quarantined)
            simulator.drop()
            reader.wait(state="cooldown", timeout=SOON).wait(state="streaming", timeout=SOON)
            until(lambda: reader.status.duplicates)
            reader.wait(hits=reader.status.hits + 500, timeout=SOON)
    return reader


@pytest.fixture(scope="module")
def recording(reader: Reader, folder: Path) -> Recording:
    return Recording(folder)


def test_the_same_hits(reader: Reader, recording: Recording) -> None:
    """Every hit that the reader has, once, with the same values and types, by arrival."""
    hits = recording.hits()
    assert_frame_equal(hits, reader.hits(), check_row_order=False)
    assert hits["arrived"].is_sorted()
    assert len(recording._content.sealed.files) > 2
    assert pl.DataFrame(pa.table(recording)).equals(hits)
    assert duckdb.sql("SELECT count(*) FROM hits").fetchall() == [(hits.height,)]


@pytest.mark.parametrize("every", ["1s", "10s", "1m"])
def test_the_same_measures(every: str, reader: Reader, recording: Recording) -> None:
    """Throughput and lag of any interval are the reader's, to the number."""
    assert_frame_equal(recording.throughput(every), reader.throughput(every))
    assert_frame_equal(recording.lag(every), reader.lag(every))


def test_the_same_story(reader: Reader, recording: Recording) -> None:
    """Timeline, gaps and quarantine tell the same."""
    assert_frame_equal(recording.timeline().drop("seconds"), reader.timeline().drop("seconds"))
    assert_frame_equal(recording.gaps(), reader.gaps())
    assert recording.gaps()["verdict"].to_list() == ["covered"]
    whole = recording.quarantine()
    shortened = whole.with_columns(pl.col("raw").bin.slice(0, KEPT_BYTES))
    assert_frame_equal(shortened.drop("text"), reader.quarantine().drop("text"))
    assert whole.height == reader.status.quarantined > 0
    texts = [raw.decode(errors="backslashreplace") for raw in whole["raw"]]
    assert whole["text"].to_list() == texts


def test_the_same_status(reader: Reader, recording: Recording) -> None:
    """The counters of the status are the reader's; it says that this is a recording."""
    told, status = recording.status, reader.status
    for name in ("hits", "bytes", "duplicates", "quarantined", "connects", "transitions"):
        assert getattr(told, name) == getattr(status, name)
    assert (told.state, told.recording.state) == ("stopped", "stopped")
    assert told.reason == "A recording; nobody records to it now."
    assert told.since == status.since
    assert repr(recording) == (
        f"<Recording demo in {recording.path}: as it was when looked at, {told.hits:,} hits, "
        f"{told.duplicates:,} duplicates, {told.quarantined:,} quarantined>"
    )
    assert (recording.name, recording.mask) == ("demo", None)


def test_the_same_pictures(reader: Reader, recording: Recording, tmp_path: Path) -> None:
    """The charts are the reader's, datum by datum, and a page tells of the recording."""
    for name in ("throughput_chart", "lag_chart", "top_chart"):
        one, other = (getattr(each, name)().to_json() for each in (recording, reader))
        assert one == other
    assert "streaming" in recording.timeline_chart().to_json()
    page = recording.report(tmp_path / "page.html").read_text()
    assert "Gaps" in page
    for fact in (f"{reader.status.hits:,}", "A recording; nobody records to it now.", "made by"):
        assert fact in page


def test_fields_and_sample(reader: Reader, recording: Recording) -> None:
    """The catalogue knows the reader's fields, and the sample is of the newest records."""
    fields = recording.fields()
    assert fields.schema == reader.fields().schema
    often = reader.fields().filter(pl.col("filled") > 0.2)
    assert set(often["field"]) <= set(fields["field"])
    newest = recording.sample(5)
    assert [each["hitIdLow"] for each in newest] == recording.hits()["hitIdLow"].to_list()[-5:]
    assert {"evars", "userAgent"} <= newest[0].keys()
    for wrong in (0, 1.5, True):
        with pytest.raises(InvalidOption, match="n="):
            recording.sample(wrong)


def test_last_counts_back_from_the_end(recording: Recording) -> None:
    """`last` is of the end of the recording, and the same for hits, throughput and lag."""
    end, hits = recording.status.since, recording.hits()
    moments = hits["arrived"].unique().sort()
    for moment in (moments[-1], moments[len(moments) // 2], moments[0]):
        since = moment - timedelta(milliseconds=1)
        wanted = hits.filter(pl.col("arrived") >= since)
        assert recording.hits(last=end - since).height == wanted.height > 0
        made = recording.hits(last=end - since, columns=["hitIdLow", "userAgent"])
        assert made["hitIdLow"].sort().equals(wanted["hitIdLow"].sort())
        for frame in (recording.throughput(last=end - since), recording.lag(last=end - since)):
            assert frame["time"].is_empty() or frame["time"].min() >= since
    assert recording.hits(last="5h").equals(hits)
    with pytest.raises(InvalidOption, match="last="):
        recording.hits(last="soon")


def test_queries_read_what_they_need(recording: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lazy query reads its columns, and of its files what its filter needs: the plan says so."""
    query = recording.lazy().filter(pl.col("connection") == 1).select("pageName")
    plan = query.explain()
    assert "Parquet SCAN" in plan
    assert f"PROJECT 2/{len(recording._content.schema)} COLUMNS" in plan
    assert 'SELECTION: col("connection") == 1' in plan
    assert query.collect().height == recording.status.hits
    assert recording.lazy(["pageName", "evar5"]).explain().count("PROJECT 2/") == 1
    monkeypatch.setattr(Decoder, "decode", None)
    beside = recording.lazy(["pageName", "userAgent"])
    assert beside.select("pageName").collect().height == recording.status.hits


def test_columns_that_are_not_recorded(reader: Reader, recording: Recording) -> None:
    """Other columns are made of the raw records of just those hits that a filter lets through."""
    wanted = ["userAgent", "hitIdLow", "evar1", "products", "connection"]
    found = recording.lazy(wanted)
    assert found.collect_schema().names() == wanted
    (record,) = recording.sample(1)
    one = found.filter(pl.col("hitIdLow") == record["hitIdLow"]).collect()
    assert one["userAgent"].to_list() == [record["userAgent"]]
    hits = recording.hits(columns=["arrived", "userAgent"])
    assert hits.columns == ["arrived", "userAgent"]
    assert hits.height == reader.status.hits
    assert recording.hits(columns="evar1")["evar1"].dtype == pl.String


@pytest.mark.parametrize("columns", [None, ["hitIdLow", "browser", "arrived"], "all"])
def test_a_lazy_frame_is_one(columns: object, tmp_path: Path) -> None:
    """Whatever is asked of it gives what it gives of the frame in memory, in every order."""
    tape = Tape(tmp_path).enter(opened())
    for number in range(5):
        tape.take(piece(*range(10 * number, 10 * number + 10), at=T0 + number)).roll()
    lazy = Recording(tmp_path).lazy(columns)
    frame = lazy.collect()
    low, browser = pl.col("hitIdLow"), pl.col("pageName" if columns is None else "browser")
    for ask in (
        lambda hits: hits.filter(low > 20).head(3),
        lambda hits: hits.head(23).filter(low > 20),
        lambda hits: hits.head(23).filter(browser > "p2"),
        lambda hits: hits.filter(browser > "p2").head(4),
        lambda hits: hits.filter((low > 7) & (browser != "p9")).slice(3, 8),
        lambda hits: hits.slice(17, 20).select("hitIdLow"),
        lambda hits: hits.filter(low == low.max()),
        lambda hits: hits.filter(browser.is_first_distinct()).tail(3),
        lambda hits: hits.filter(low.shift(1) == 5),
        lambda hits: hits.with_row_index().filter(pl.col("index") == 33).select("index", low),
        lambda hits: hits.select(pl.len()),
        lambda hits: hits.filter(pl.lit(False)).select(browser),
        lambda hits: hits.head(0),
    ):
        assert_frame_equal(ask(lazy).collect(), ask(frame))
    tape.close()


def test_unknown_columns(recording: Recording) -> None:
    """A column that no hit has is refused by name, lazily as well."""
    for ask in (recording.lazy, lambda columns: recording.hits(columns=columns)):
        with pytest.raises(UnknownColumn, match="columns='pageNam'.*the nearest is 'pageName'"):
            ask(["pageNam"])
        with pytest.raises(InvalidOption, match="columns="):
            ask([5])


def test_without_raw_records(tmp_path: Path) -> None:
    """A recording that keeps no raw records says so when they are needed; all else answers."""
    tape = (
        Tape(tmp_path, raw=False).enter(opened()).take(piece(1, 2)).seal().take(piece(3, at=T0 + 1))
    )
    for _ in range(2):
        found = Recording(tmp_path)
        assert lows(found.hits(columns=["hitIdLow", "pageName"])) == [1, 2, 3]
        for ask in (
            found.fields,
            found.sample,
            lambda found=found: found.lazy("all"),
            lambda found=found: found.hits(columns=["browser"]),
        ):
            with pytest.raises(RecordingError, match=r"no raw records \(raw=False\).*pageName"):
                ask()
        tape.close()
    assert not (tmp_path / "raw").exists()


def test_followed(tmp_path: Path) -> None:
    """What is followed keeps up; stopped, it stays as it was; else it is as when it was opened."""
    tape = Tape(tmp_path).enter(opened()).take(piece(1))
    once, live = Recording(tmp_path), Recording(tmp_path).follow()
    early = live.lazy(["hitIdLow", "browser"])
    tape.take(piece(2, at=T0 + 1)).seal().take(piece(3, at=T0 + 2))
    assert (lows(once.lazy()), lows(live.lazy())) == ([1], [1, 2, 3])
    assert live.status.state == "streaming"
    assert live.status.recording.state == "recording"
    assert repr(live).startswith(f"<Recording demo in {tmp_path}: followed, streaming, 3 hits")
    live.stop()
    tape.enter(stopped(T0 + 3)).close()
    assert lows(live.lazy()) == [1, 2, 3]
    assert live.start().status.state == "stopped"
    assert lows(early) == [1]  # a query keeps what it was asked of, though it was sealed since
    live.close()


@pytest.mark.parametrize("wrong", [None, 5, b"rec", ["rec"]])
def test_what_is_no_folder(wrong: object, tmp_path: Path) -> None:
    """What is no path is refused with the value; a place without a recording by name; zones too."""
    with pytest.raises(InvalidOption, match="^path="):
        Recording(wrong)
    with pytest.raises(RecordingError, match=f"There is no recording in {tmp_path / 'none'}"):
        Recording(tmp_path / "none")
    assert not (tmp_path / "none").exists()
    Tape(tmp_path / "rec").close()
    with pytest.raises(InvalidOption, match="tz="):
        Recording(tmp_path / "rec", tz="Mars")
