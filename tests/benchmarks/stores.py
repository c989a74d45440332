"""What people do without recordings: hits in a file of their own, asked by other libraries."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.benchmarks.client import Measured, Task, measured
from tests.benchmarks.peers import frame, row

COUNTRY = "usa"
TOP = 10
SUMMARY = """
    SELECT hour(receivedTimeGMT AT TIME ZONE 'UTC') AS hour, pageName, count(*) AS hits
    FROM read_parquet(?, hive_partitioning = false)
    WHERE receivedTimeGMT >= make_timestamptz(?) AND receivedTimeGMT < make_timestamptz(?)
      AND geoCountry = ?
    GROUP BY ALL ORDER BY hits DESC, hour, pageName LIMIT ?
"""


def answered(ask: Callable[[], list[tuple[Any, ...]]]) -> Measured:
    """Measure a question, and tell the answer."""
    found: list[tuple[Any, ...]] = []

    def work() -> int:
        found.extend(ask())
        return len(found)

    return measured(work) | {"answer": found}


def size_of(path: Path) -> int:
    """Bytes of a file, or of all files of a folder."""
    files = [path] if path.is_file() else path.rglob("*")
    return sum(each.stat().st_size for each in files if each.is_file())


def gzipped(rate: str, hits: str) -> Task:
    """Bytes of the records in one gzip file, one a line."""
    return lambda: _written(rate, hits, _gzip)


def table(rate: str, hits: str) -> Task:
    """Bytes of one Parquet file with the default columns."""
    return lambda: _written(rate, hits, lambda path, records: _parquet(path, records, raw=False))


def raw_table(rate: str, hits: str) -> Task:
    """Bytes of one Parquet file with the default columns and one of the records."""
    return lambda: _written(rate, hits, lambda path, records: _parquet(path, records, raw=True))


def _written(rate: str, hits: str, write: Callable[[Path, list[bytes]], None]) -> Measured:
    from tests.benchmarks.recordings import pieces

    records = [line for each in pieces(float(rate), int(hits)) for line in each.block.splitlines()]
    with TemporaryDirectory(prefix="livestream-stored-") as made:
        write(Path(made, "hits"), records)
        return {"hits": len(records), "bytes": size_of(Path(made, "hits"))}


def _gzip(path: Path, records: list[bytes]) -> None:
    with gzip.open(path, "wb") as file:
        file.writelines(record + b"\n" for record in records)


def _parquet(path: Path, records: list[bytes], *, raw: bool) -> None:
    import polars as pl

    hits = frame([row(json.loads(record)) for record in records])
    if raw:
        hits = hits.with_columns(raw=pl.Series([record.decode() for record in records]))
    hits.write_parquet(path)


def by_duckdb(folder: str, began: str, first: str, end: str) -> Task:
    """The summary of a recording that began then (Unix seconds), by SQL on its files."""
    import duckdb

    moments = [1_000_000 * (int(began) + 3_600 * int(hour)) for hour in (first, end)]
    said = [f"{folder}/hits/*/*/*.parquet", *moments, COUNTRY, TOP]
    return lambda: answered(lambda: duckdb.execute(SUMMARY, said).fetchall())


def by_pandas(path: str, first: str, end: str) -> Task:
    """The summary of records, one a line."""
    import pandas as pd

    def read() -> int:
        hits = pd.read_json(path, lines=True)
        hour = pd.to_datetime(hits["receivedTimeGMT"], unit="s", utc=True).dt.hour
        chosen = hits[hour.between(int(first), int(end) - 1) & (hits["geoCountry"] == COUNTRY)]
        chosen.assign(hour=hour).groupby(["hour", "pageName"]).size().nlargest(TOP)
        return len(hits)

    return lambda: measured(read)


TASKS: dict[str, Callable[..., Task]] = {
    "gzip": gzipped,
    "table": table,
    "raw_table": raw_table,
    "duckdb": by_duckdb,
    "pandas": by_pandas,
}
