"""Files of hits: recordings, JSON lines (plain, gzip or zstd) and Parquet; one or many."""

import glob
import gzip
import os
import warnings
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING

import polars as pl
import zstandard

from livestream_nb.errors import InvalidOption, RecordingError
from livestream_nb.hits.columns import Column, resolve
from livestream_nb.hits.decode import Decoder, schema_of
from livestream_nb.hits.fields import COLUMNS
from livestream_nb.recorded import Recording
from livestream_nb.recording.folder import ABOUT

if TYPE_CHECKING:
    from livestream_nb.hits.records import Rejected

GZIP, ZSTD, PARQUET = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PAR1"
SUFFIXES = (".ndjson", ".jsonl", ".ndjson.gz", ".jsonl.gz", ".ndjson.zst", ".jsonl.zst", ".parquet")
KINDS = "give a recording, or a file of Livestream records, one JSON object per line: .ndjson"
BLOCK = 4 * 1024 * 1024
BROKEN = (OSError, EOFError, zlib.error, zstandard.ZstdError)
_STAMPS = {"arrived": pl.Datetime("us", "UTC"), "connection": pl.UInt8()}


def read_hits(
    path: str | Path | Iterable[str | Path], columns: str | Sequence[str] | None = None
) -> pl.DataFrame:
    """Hits from files, with the columns and dtypes of a reader.

    Parameters
    ----------
    path : str, Path, or several of them
        A recording; a file of JSON lines (``.ndjson``, plain or packed by gzip or zstd) or a
        Parquet file that holds a reader's hits; a folder of such, with all that is below it; or a
        glob, such as ``"days/*.ndjson.gz"``.
    columns : str or sequence of str, optional
        As a Reader's ``columns``. When omitted: of records the default columns, of a recording
        those that it has, of a Parquet file those that it has.

    Returns
    -------
    DataFrame
        A row per hit, in the order of the files, and as in them; repeats are not dropped. When a
        file does not say when its hits ``arrived``, and by which ``connection``, that is null.
        A `RuntimeWarning` counts the records that are no hits.

    Raises
    ------
    RecordingError
        When there is no such file, or it cannot be read, or lacks a column that is asked for.
    UnknownColumn
        When no hit has such a column.
    """
    wanted = resolve(columns)
    frames = [_hits(each, columns, wanted) for each in _sources(path)]
    return pl.concat(frames, how="diagonal")


def raw_records(source: str | Path | Recording) -> list[bytes]:
    """The records of a file or a recording as they are, without line endings; none is blank.

    Those of a recording are in the order in which Adobe's collection received them.

    Raises
    ------
    RecordingError
        When there is none, or it cannot be read.
    """
    recording = source if isinstance(source, Recording) else None
    if recording is None and isinstance(source, str | Path) and (Path(source) / ABOUT).exists():
        recording = Recording(source)
    if recording is not None:
        records = recording.records()
    else:
        records = [
            line.strip() for block in _blocks(Path(str(source))) for line in block.split(b"\n")
        ]
        records = [record for record in records if record]
    if not records:
        named = source if recording is None else recording.path
        raise RecordingError(f"The recording {named} holds no hits: {KINDS}, or .ndjson.gz.")
    return records


def _sources(path: str | Path | Iterable[str | Path]) -> list[Path]:
    given = list(path) if isinstance(path, Iterable) and not isinstance(path, str) else [path]
    found = [each for one in given for each in _expanded(one)]
    if not found:
        raise RecordingError(f"There are no hits at {path}: {KINDS}, .ndjson.gz or .parquet.")
    return found


def _expanded(given: object) -> list[Path]:
    if not isinstance(given, str | Path) or not str(given):
        raise InvalidOption.value("path", given, "give paths of files, folders or globs")
    path = Path(given).expanduser()
    if path.exists():
        return sorted(_below(path)) if path.is_dir() else [path]
    found = sorted(map(Path, glob.glob(str(path), recursive=True)))  # noqa: PTH207  # may be absolute
    return [each for one in found for each in (_below(one) if one.is_dir() else [one])]


def _below(folder: Path) -> Iterator[Path]:
    """The recordings and files of hits in a folder."""
    for root, folders, names in os.walk(folder):
        if ABOUT in names:
            folders.clear()
            yield Path(root)
        else:
            yield from (Path(root, name) for name in names if name.endswith(SUFFIXES))


def _hits(path: Path, columns: object, wanted: Sequence[Column]) -> pl.DataFrame:
    names = [*(column.name for column in wanted), *_STAMPS]
    if path.is_dir():
        recording = Recording(path)
        return recording.hits(columns=None if columns is None else names)
    if _magic(path) == PARQUET:
        return _parquet(path, None if columns is None else names)
    return _decoded(path, wanted)


def _parquet(path: Path, names: Sequence[str] | None) -> pl.DataFrame:
    try:
        frame = pl.read_parquet(path, hive_partitioning=False)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise _unreadable(path, error) from error
    missing = [name for name in names or ("hitIdHigh", "hitIdLow") if name not in frame.columns]
    if missing:
        raise RecordingError(
            f"{path} has no column {missing[0]!r}: ask for those that it has "
            f"({', '.join(frame.columns)}), or give the file that it was made from."
        )
    dtypes = {name: column.dtype for name, column in COLUMNS.items()} | _STAMPS
    known = [pl.col(name).cast(dtypes[name]) for name in frame.columns if name in dtypes]
    return frame.with_columns(known).select(names or frame.columns)


def _decoded(path: Path, wanted: Sequence[Column]) -> pl.DataFrame:
    decoder, frames, lines = Decoder(wanted), [], 0
    rejected: list[Rejected] = []
    for block in _blocks(path):
        decoded = decoder.decode(block, connection=0, arrived=0.0)
        frames.append(decoded.frame)
        rejected += decoded.rejected
        lines += len(decoded.lines)
    if not lines:
        raise RecordingError(f"{path} holds no hits: {KINDS}, .ndjson.gz or .parquet.")
    if rejected:
        warnings.warn(
            f"{len(rejected):,} of the {lines:,} records in {path} are no hits, and left out; the "
            f"first is {rejected[0].reason}.",
            RuntimeWarning,
            stacklevel=4,
        )
    unknown = (pl.lit(None, dtype).alias(name) for name, dtype in _STAMPS.items())
    return pl.concat(frames).with_columns(unknown).select(schema_of(wanted).keys())


def _blocks(path: Path) -> Iterator[bytes]:
    """The content of a file of lines in blocks of whole ones."""
    rest = b""
    try:
        for chunk in _chunks(path):
            whole, newline, after = (rest + chunk).rpartition(b"\n")
            if newline:
                yield whole
            rest = after
    except BROKEN as error:
        raise _unreadable(path, error) from error
    yield rest


def _chunks(path: Path) -> Iterator[bytes]:
    """The content of a file, unpacked as its first bytes say that it is packed."""
    magic = _magic(path)
    with path.open("rb") as file:
        if magic == ZSTD:
            yield from _unpacked(file)
            return
        unpacked = gzip.GzipFile(fileobj=file) if magic.startswith(GZIP) else file
        while chunk := unpacked.read(BLOCK):
            yield chunk


def _unpacked(file: IO[bytes]) -> Iterator[bytes]:
    """The content of a file packed by zstd; `EOFError` when it was cut short."""
    unpacker = None
    while packed := file.read(BLOCK):
        while packed:
            unpacker = unpacker or zstandard.ZstdDecompressor().decompressobj()
            yield unpacker.decompress(packed)
            packed = unpacker.unused_data
            unpacker = None if unpacker.eof else unpacker
    if unpacker is not None:
        raise EOFError("it was cut short")


def _magic(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(len(PARQUET))
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> RecordingError:
    said = getattr(error, "strerror", None) or str(error).partition("\n")[0]
    return RecordingError(
        f"The recording {path} cannot be read ({said}): {KINDS}, .ndjson.gz or .parquet."
    )
