"""Parquet files: written whole or not at all, and read as they were written."""

import os
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from livestream_nb.errors import RecordingError
from livestream_nb.recording.files import ASIDE, settle

ROWS_PER_GROUP = 65_536
MAGIC = b"PAR1"


def write_parquet(frame: pl.DataFrame, path: Path) -> None:
    """Write a file aside, with zstd and statistics, sync it, and put it in its place.

    Raises
    ------
    OSError
        When that is not possible.
    """
    aside = path.with_name(path.name + ASIDE)
    with aside.open("wb") as file:
        frame.write_parquet(
            file, compression="zstd", statistics=True, row_group_size=ROWS_PER_GROUP
        )
        file.flush()
        os.fsync(file.fileno())
    settle(aside, path)


def read(paths: list[Path], schema: Mapping[str, pl.DataType]) -> pl.LazyFrame:
    """Files of these columns, none of them opened before something is asked.

    Parameters
    ----------
    paths : list of Path
        In the order of the rows.
    schema : mapping of str to polars.DataType
        The columns of every one.
    """
    if not paths:
        return pl.LazyFrame(schema=schema)
    return pl.scan_parquet(
        paths, schema=schema, extra_columns="ignore", hive_partitioning=False, glob=False
    )


def is_whole(path: Path) -> bool:
    """Whether a file begins and ends as Parquet does: not when it was cut short."""
    try:
        with path.open("rb") as file:
            head = file.read(len(MAGIC))
            file.seek(-len(MAGIC), os.SEEK_END)
            return head == file.read() == MAGIC
    except OSError:
        return False


def collect(lazy: pl.LazyFrame, path: Path) -> pl.DataFrame:
    """The rows of a query over files of the recording in that folder.

    Raises
    ------
    RecordingError
        When one of them cannot be read.
    """
    try:
        return lazy.collect()
    except (pl.exceptions.PolarsError, OSError) as error:
        first = str(error).partition("\n")[0]
        raise RecordingError(
            f"A file of the recording {path} cannot be read ({first}): it is damaged, or was not "
            "written by livestream_nb. Restore that file, or take it away; the others are whole."
        ) from error
