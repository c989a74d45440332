"""The raw records of a recording: to look at, to replay, and to make further columns of."""

import sys
from collections.abc import Iterator, Sequence
from math import ceil
from pathlib import Path
from typing import NamedTuple

import polars as pl
import zstandard
from polars.io.plugins import register_io_source

from livestream_nb.errors import RecordingError
from livestream_nb.hits.columns import resolve
from livestream_nb.hits.decode import Decoder, schema_of
from livestream_nb.hits.fields import Column
from livestream_nb.hits.lines import BOUNDS, Lines
from livestream_nb.recording.content import Content
from livestream_nb.recording.parquet import collect, read
from livestream_nb.recording.raw import raw_path, read_raw

STAMPS = ("arrived", "connection")
IDS = ("hitIdHigh", "hitIdLow")
ROW = "row number"


def check_raw(content: Content) -> None:
    """Refuse to look for records in a recording that keeps none.

    Raises
    ------
    RecordingError
        When it keeps none.
    """
    if not content.about.raw:
        raise RecordingError(
            f"The recording {content.folder.path} keeps no raw records (raw=False), so there are "
            f"only its columns: {', '.join(content.schema)}."
        )


def lines_of(path: Path, many: int) -> Lines:
    """The records of a file of so many sealed hits, in the order of its rows.

    Raises
    ------
    RecordingError
        When they cannot be read, or are not as many.
    """
    source = raw_path(path)
    try:
        lines = Lines(read_raw(source))
    except (OSError, zstandard.ZstdError) as error:
        raise RecordingError(
            f"The records {source} cannot be read ({error}): restore that file. The recorded "
            f"columns of these hits are whole, in {path}."
        ) from error
    if len(lines) != many:
        raise _strangers(path)
    return lines


def spooled_lines(content: Content, number: int) -> list[bytes]:
    """The records of the hits of a segment that is in the spool, in the order of arrival."""
    spooled = content.tail.spooled(number)
    bounds = content.tail.segments[number].frame().select(BOUNDS.keys())
    return [spooled[start:end].rstrip(b"\r") for start, end in bounds.iter_rows()]


def timed(
    content: Content,
    by: str = "arrived",
    *,
    newest_first: bool = False,
    most: int | None = None,
) -> Iterator[list[tuple[int, bytes]]]:
    """The records with a moment of each (Unix µs), a segment at a time, in the order of that.

    Parameters
    ----------
    content : Content
        Of which recording.
    by : str
        A column of moments; where it says none, the moment is that of arrival.
    newest_first : bool
        Whether the newest segment comes first.
    most : int, optional
        Only so many segments, spread over the recording.

    Raises
    ------
    RecordingError
        When no raw records are kept, or they cannot be read.
    """
    check_raw(content)
    numbers = sorted({*content.sealed.files, *content.tail.segments}, reverse=newest_first)
    if most is not None:
        numbers = numbers[:: max(1, ceil(len(numbers) / most))]
    for number in numbers:
        pairs = (
            (moment, bytes(line))
            for moments, lines in _parts(content, number, by)
            for moment, line in zip(moments.to_physical(), lines, strict=True)
        )
        yield sorted(pairs, key=lambda pair: pair[0])


def _parts(
    content: Content, number: int, by: str
) -> Iterator[tuple[pl.Series, Sequence[bytes | memoryview]]]:
    """The moments of a segment's hits, and their records."""
    moment = pl.col(by).fill_null(pl.col("arrived"))
    if number in content.tail.segments:
        hits = content.tail.segments[number].frame()
        yield hits.select(moment).to_series(), spooled_lines(content, number)
        return
    schema = {name: content.schema[name] for name in dict.fromkeys((by, "arrived"))}
    for path in content.sealed.files[number]:
        asked = read([path], schema).select(moment)
        times = collect(asked, [path], schema, content.folder.path).to_series()
        yield times, lines_of(path, times.len())


def with_columns(content: Content, columns: Sequence[Column], since: float | None) -> pl.LazyFrame:
    """The hits with columns that are not recorded: they are made of the raw records when asked for.

    Parameters
    ----------
    content : Content
        Of which recording.
    columns : sequence of Column
        The columns to make, none of them recorded.
    since : float, optional
        Only files with hits that came then (Unix seconds) or later.

    Returns
    -------
    polars.LazyFrame
        The recorded columns, then those; a filter by recorded columns is applied first, so that no
        other records are decoded.

    Raises
    ------
    RecordingError
        When the recording keeps no raw records.
    """
    check_raw(content)
    made = schema_of(columns)
    schema = content.schema | {name: made[name] for name in made if name not in STAMPS}
    parts = [*_places(content, since)]

    def source(
        wanted: list[str] | None, predicate: pl.Expr | None, n_rows: int | None, _size: int | None
    ) -> Iterator[pl.DataFrame]:
        left = sys.maxsize if n_rows is None else n_rows  # of the rows before they are filtered
        shown = [*schema] if wanted is None else wanted
        needed = {*shown, *(() if predicate is None else predicate.meta.root_names())}
        make = _Maker(content, [column.name for column in columns if column.name in needed])
        for part in parts:
            hits = make.hits(part)
            yield make(part, hits, left, predicate).select(shown)
            left = max(0, left - hits.height)
            if not left:
                break

    return register_io_source(source, schema=schema)


class _Part(NamedTuple):
    """Hits, and where their records are: a file of sealed hits has them beside it."""

    path: Path
    hits: pl.DataFrame | None = None
    lines: Sequence[bytes | memoryview] = ()


def _places(content: Content, since: float | None) -> Iterator[_Part]:
    """All hits by where their records are; those in the spool will not stay there."""
    for path in content.sealed.paths(since):
        yield _Part(path)
    for number, segment in content.tail.segments.items():
        hits = segment.frame().select(content.schema.keys())
        yield _Part(content.folder.segment(number), hits, spooled_lines(content, number))


class _Maker:
    """Makes columns of raw records."""

    def __init__(self, content: Content, names: Sequence[str]) -> None:
        self._content = content
        self._names = names
        self._decoder = Decoder(resolve(names))

    def hits(self, part: _Part) -> pl.DataFrame:
        """The hits with the recorded columns."""
        if part.hits is not None:
            return part.hits
        content, paths = self._content, [part.path]
        hits = read(paths, content.schema)
        return collect(hits, paths, content.schema, content.folder.path)

    def __call__(
        self, part: _Part, hits: pl.DataFrame, most: int, predicate: pl.Expr | None
    ) -> pl.DataFrame:
        """Of the first hits of a part those that the filter lets through, with the made columns."""
        early = predicate is not None and set(predicate.meta.root_names()) <= set(hits.columns)
        kept = hits.with_row_index(ROW).head(most)
        if early and predicate is not None:
            kept = kept.filter(predicate)
        frame = kept.drop(ROW)
        if self._names:
            frame = frame.hstack(self._made(part, kept, hits.height))
        return frame if early or predicate is None else frame.filter(predicate)

    def _made(self, part: _Part, kept: pl.DataFrame, many: int) -> pl.DataFrame:
        """The columns of those hits that are kept, of so many."""
        lines: Sequence[bytes | memoryview] = part.lines
        if kept.height and part.hits is None:
            lines = lines_of(part.path, many)
        block = b"\n".join([lines[row] for row in kept[ROW]])
        made = self._decoder.decode(block, connection=0, arrived=0.0).frame
        if not made.select(IDS).equals(kept.select(IDS)):
            raise _strangers(part.path)
        return made.select(self._names)


def _strangers(path: Path) -> RecordingError:
    return RecordingError(
        f"The records of {path} are not those of its hits: restore the files of raw/."
    )
