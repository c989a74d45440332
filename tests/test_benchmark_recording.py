"""benchmarks/recording.py: what it records, makes up and asks is what it says; nothing is timed."""

import os
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from livestream_nb import Recording
from livestream_nb.recording.parquet import ROWS_PER_GROUP
from tests.benchmarks import recorded, recordings, stores
from tests.benchmarks.feed import served
from tests.benchmarks.packing import prepare
from tests.benchmarks.recording import END, FIRST, FULL, QUICK
from tests.benchmarks.recording_figures import ASKED, READING, STORED, Figures, report

pytestmark = pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity"), reason="the benchmark pins processes to cores: Linux only"
)
HITS, FILES, SECONDS = 4_800, 48, 5
IDS = ["hitIdHigh", "hitIdLow"]


@pytest.fixture(scope="module")
def few() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recordings, "BASE", 1_000)
        yield


@pytest.fixture(scope="module")
def day(few: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "day"
    recordings.a_day(folder, HITS, FILES)
    return folder


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    prepare(tmp_path, "bulk", 256)
    with served(tmp_path) as there:
        yield there


def test_a_made_up_day_is_a_recording_of_that_day(day: Path) -> None:
    """It has as many distinct hits as it says, of all hours, each hour's in files of that hour."""
    made = Recording(day)
    hits = made.lazy().collect()
    assert hits.select(IDS).n_unique() == hits.height == HITS
    assert hits.schema == made.lazy().collect_schema()
    hours = hits.group_by(pl.col("receivedTimeGMT").dt.hour()).len()
    assert hours["len"].to_list() == [HITS // 24] * 24
    assert len([*day.glob("hits/date=2026-11-26/hour=*/*.parquet")]) == FILES
    assert made.status.hits == made.throughput("1h")["hits"].sum() == HITS
    assert made.lag("1h")["longest"].max() < 45


def test_hits_of_a_made_up_day_are_in_the_order_of_sealed_ones(day: Path) -> None:
    """Each file is sorted by when its hits were received."""
    for path in day.glob("hits/*/*/*.parquet"):
        assert pl.read_parquet(path)["receivedTimeGMT"].is_sorted()


def test_small_files_are_a_recording_with_a_journal(few: None, tmp_path: Path) -> None:
    """Each segment has a file in its hour, and a hit a second."""
    recordings.small_files(tmp_path / "small", 1_000, SECONDS)
    made = Recording(tmp_path / "small")
    assert made.status.hits == 1_000 * SECONDS
    assert made.lazy().select(pl.len()).collect().item() == 1_000 * SECONDS
    assert made.throughput("1h")["hits"].sum() == 1_000 * SECONDS
    assert {path.name for path in tmp_path.glob("small/hits/*/*")} >= {"hour=00", "hour=01"}


@pytest.mark.parametrize("way", ["columns", "raw"])
def test_a_simulators_traffic_is_recorded(way: str, tmp_path: Path) -> None:
    """What is recorded with a clock that is set are the records that the peers keep."""
    arriving = list(recordings.pieces(100.0, 500))
    assert recordings.record(tmp_path / way, iter(arriving), **recorded.WAYS[way]) == 500
    made = Recording(tmp_path / way)
    lines = [line for each in arriving for line in each.block.splitlines()]
    assert made.lazy().select(IDS).unique().collect().height == len(lines) == 500
    assert way == "columns" or len(made.sample(500)) == 500


def test_a_segment_is_sealed_again_and_again() -> None:
    """All hits of the segment are sealed, every time."""
    assert recorded.sealing("100", "400", "raw")()["hits"] == 400


@pytest.mark.parametrize("name", ["gzip", "table", "raw_table"])
def test_the_peers_keep_the_same_hits(name: str) -> None:
    """A file of all hits is written."""
    told = stores.TASKS[name]("100", "300")()
    assert told["hits"] == 300
    assert told["bytes"] > 0


def test_duckdb_gives_the_answer_that_a_recording_gives(day: Path) -> None:
    """The summary of some hours, and of the whole day, is the same, and not empty."""
    for hours in ((FIRST, END), (0, 24)):
        ours = recorded.TASKS["summary"](day, *hours)()["answer"]
        theirs = stores.TASKS["duckdb"](day, round(recordings.BEGAN), *hours)()["answer"]
        assert ours == theirs
        assert len(ours) == stores.TOP
        assert {hour for hour, _, _ in ours} <= set(range(*hours))


@pytest.mark.parametrize("way", READING)
def test_every_reader_reads_and_records_the_stream(way: str, url: str) -> None:
    """Recording or not, all hits of the feed are read."""
    told = recorded.TASKS["bulk"](f"{url}bulk-256", "256", way)()
    assert told["hits"] == 256
    assert told["sealing"] >= 0


@pytest.mark.parametrize("sizes", [FULL, QUICK])
def test_the_day_is_cut_into_usual_files(sizes) -> None:
    """Files divide the day's hits, and each has those of one hour or less, in one group of rows."""
    assert sizes.files % 24 == 0
    assert sizes.day % sizes.files == 0
    assert sizes.day // sizes.files <= ROWS_PER_GROUP


def test_the_report_tells_of_every_client(capsys: pytest.CaptureFixture[str]) -> None:
    """Every client has a line, and every target one beside its figure."""
    told = {"hits": 10, "seconds": 1.0, "cpu": 1.0, "peak": 10**6, "sealing": 1.0, "bytes": 100}
    told |= {"parts": {"hits": 10, "raw": 10, "journal": 10}, "share": 0.1, "rate": 10.0}
    report(
        Figures(
            QUICK,
            reading=[dict.fromkeys(READING, told)],
            idle=dict.fromkeys(READING, told),
            sealing=dict.fromkeys(READING, told),
            stored=dict.fromkeys(STORED, told),
            asked=[dict.fromkeys(ASKED, told)],
        )
    )
    said = capsys.readouterr().out
    assert all(words in said for each in (READING, STORED, ASKED) for words in each.values())
    ends = [line.rsplit("  ", 1)[-1] for line in said.splitlines()]
    assert {"≥ 0.75", "≤ 200", "≤ 80", "≤ 3", "≤ 1000", "≤ 2"} <= set(ends)
