"""Parquet files: written whole or not at all, and read as they were written."""

import os
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

import polars as pl

from livestream_nb.errors import RecordingError
from livestream_nb.recording.files import write

ROWS_PER_GROUP = 65_536
MAGIC = b"PAR1"


def write_parquet(frame: pl.DataFrame, path: Path) -> None:
    """Write a file with zstd and statistics, whole or not at all.

    It is made in memory: polars would wrap what the system says of a full disk in other errors.

    Raises
    ------
    OSError
        When that is not possible.
    """
    made = BytesIO()
    frame.write_parquet(made, compression="zstd", statistics=True, row_group_size=ROWS_PER_GROUP)
    write(path, made.getbuffer())


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
            begin = file.seek(-len(MAGIC), os.SEEK_END)
            return head == file.read() == MAGIC and begin > len(MAGIC)
    except OSError:
        return False


def collect(
    lazy: pl.LazyFrame, paths: list[Path], schema: Mapping[str, pl.DataType], folder: Path
) -> pl.DataFrame:
    """The rows of a query over files of a recording.

    Parameters
    ----------
    lazy : polars.LazyFrame
        The query.
    paths : list of Path
        What it reads.
    schema : mapping of str to polars.DataType
        The columns of every file.
    folder : Path
        The recording's folder.

    Raises
    ------
    RecordingError
        When one of them cannot be read.
    """
    try:
        return lazy.collect()
    except (pl.exceptions.PolarsError, OSError) as error:
        spoiled = (str(path) for path in paths if not _can_be_read(path, schema))
        named = next(spoiled, f"A file of the recording {folder}")
        first = str(error).partition("\n")[0]
        raise RecordingError(
            f"{named} cannot be read ({first}): it is damaged, or was not written by "
            "livestream_nb. Restore that file, or take it away; the others are whole."
        ) from error


def _can_be_read(path: Path, schema: Mapping[str, pl.DataType]) -> bool:
    try:
        read([path], schema).collect()
    except (pl.exceptions.PolarsError, OSError):
        return False
    return True
