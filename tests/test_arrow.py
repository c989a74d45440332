"""Frames of hits in other libraries, by the Arrow PyCapsule interface."""

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from livestream_nb.answers import Answers
from livestream_nb.hits.batch import Batch
from livestream_nb.hits.buffer import Buffer
from livestream_nb.hits.columns import resolve
from livestream_nb.hits.decode import Decoder

ROOT = Path(__file__).parent.parent
T0 = 1_776_081_600.0
HIGH = [2**64 - 1, 2**63, 2**63 - 1, 2**53 + 1, 0]
RECORD = b'{"hitIdHigh":%d,"hitIdLow":%d,"timeGMT":%d,"pageName":"page %d of a long name"}'


class Frames(Answers):
    """A reader of a buffer that was filled before."""

    def __init__(self, buffer: Buffer) -> None:
        self._held = buffer

    @property
    def _buffer(self) -> Buffer:
        return self._held


@pytest.fixture
def buffer() -> Buffer:
    return filled()


def filled() -> Buffer:
    decoder = Decoder(resolve(["pageName"]))
    buffer = Buffer(decoder.schema)
    for part in range(3):
        lines = [RECORD % (high, part, T0 + part, part) for high in HIGH]
        decoded = decoder.decode(b"\n".join(lines), connection=1, arrived=T0 + part + 0.25)
        buffer.append(Batch(decoded.frame, 1, T0 + part + 0.25))
    return buffer


@pytest.fixture(params=["frame", "reader"])
def hits(request: pytest.FixtureRequest, buffer: Buffer) -> object:
    return buffer.hits() if request.param == "frame" else Frames(buffer)


def addresses(column: pa.ChunkedArray | pl.Series) -> list[int]:
    """Where the values of a column's parts lie in memory."""
    chunks = column.get_chunks() if isinstance(column, pl.Series) else column.chunks
    newest = {"compat_level": pl.CompatLevel.newest()}
    arrays = [
        chunk.to_arrow(**newest) if isinstance(chunk, pl.Series) else chunk for chunk in chunks
    ]
    return [array.buffers()[1].address for array in arrays]


def test_pyarrow_takes_frames(hits: object, buffer: Buffer) -> None:
    """pyarrow has every id exactly, and times in UTC."""
    table = pa.table(hits)
    assert table["hitIdHigh"].type == pa.uint64()
    assert table["hitIdHigh"].to_pylist() == HIGH * 3
    assert table["timeGMT"].type == pa.timestamp("us", "UTC")
    assert table["timeGMT"][5].as_py() == datetime.fromtimestamp(T0 + 1, UTC)
    assert table["pageName"].to_pylist() == buffer.hits()["pageName"].to_list()


@pytest.mark.parametrize("name", ["hitIdHigh", "timeGMT", "arrived", "connection", "pageName"])
def test_pyarrow_copies_nothing(name: str, buffer: Buffer) -> None:
    """Numbers, times and texts lie where the reader has them, part by part; texts are views."""
    column = pa.table(Frames(buffer))[name]
    assert addresses(column) == addresses(buffer.hits()[name])
    assert column.num_chunks == 3
    assert name != "pageName" or column.type == pa.string_view()


@pytest.mark.parametrize("name", ["hitIdHigh", "timeGMT", "pageName"])
def test_a_frame_of_one_part_is_not_copied(name: str, buffer: Buffer) -> None:
    """What lies together in a frame lies there for pyarrow, too."""
    frame, _, _ = buffer.after(0, 100)
    assert addresses(pa.table(frame)[name]) == addresses(frame[name])


@pytest.mark.parametrize("read", [pd.DataFrame.from_arrow, lambda hits: pa.table(hits).to_pandas()])
def test_pandas_takes_frames(read: Callable[[object], pd.DataFrame], hits: object) -> None:
    """pandas has every id exactly, as uint64, and times in UTC."""
    frame = read(hits)
    assert frame["hitIdHigh"].dtype == "uint64"
    assert frame["hitIdHigh"].tolist() == HIGH * 3
    assert frame["timeGMT"].dtype == pd.DatetimeTZDtype("us", "UTC")
    assert frame["timeGMT"][5] == pd.Timestamp(T0 + 1, unit="s", tz="UTC")
    assert frame["pageName"][14] == "page 2 of a long name"


def test_pandas_copies_nothing(buffer: Buffer) -> None:
    """With Arrow's own types, values in pandas lie where the reader has them."""
    typed = pa.table(Frames(buffer)).to_pandas(types_mapper=pd.ArrowDtype)
    for name in ("hitIdHigh", "pageName"):
        inside = typed[name].array.__arrow_array__()
        assert addresses(inside) == addresses(buffer.hits()[name])


DUCKDB = """
import duckdb, json
from tests.test_arrow import Frames, filled

buffer = filled()
with duckdb.connect() as database:
    database.execute("SET TimeZone='UTC'")
    for hits in (buffer.hits(), Frames(buffer)):
        ask = "SELECT max(hitIdHigh), count(*), epoch_us(max(timeGMT)) FROM hits"
        print(json.dumps(database.sql(ask).fetchall()[0]))
        one = "SELECT typeof(hitIdHigh), typeof(timeGMT), typeof(pageName) FROM hits LIMIT 1"
        print(json.dumps(database.sql(one).fetchall()[0]))
        print(json.dumps(database.sql("SELECT * FROM hits").pl().equals(buffer.hits())))
"""


def test_duckdb_takes_frames_and_readers() -> None:
    """DuckDB queries what Python calls by a name: ids exactly, times in UTC, and back."""
    # In a process of its own: at its end DuckDB writes about the memory of others.
    done = subprocess.run(
        [sys.executable, "-c", DUCKDB], capture_output=True, text=True, cwd=ROOT, check=True
    )
    expected = [
        [2**64 - 1, 15, int(T0 + 2) * 1_000_000],
        ["UBIGINT", "TIMESTAMP WITH TIME ZONE", "VARCHAR"],
        True,
    ]
    assert [json.loads(line) for line in done.stdout.splitlines()] == expected * 2


def test_there_and_back(hits: object, buffer: Buffer) -> None:
    """What comes back from the others is what went there."""
    frame = buffer.hits()
    assert pl.DataFrame(pa.table(hits)).equals(frame)
    assert pl.DataFrame(hits).equals(frame)
