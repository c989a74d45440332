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


def lines_of(path: Path) -> Lines:
    """The records of a file of sealed hits, in the order of its rows.

    Raises
    ------
    RecordingError
        When they cannot be read.
    """
    source = raw_path(path)
    try:
        return Lines(read_raw(source))
    except (OSError, zstandard.ZstdError) as error:
        raise RecordingError(
            f"The records {source} cannot be read ({error}): restore that file. The recorded "
            f"columns of these hits are whole, in {path}."
        ) from error


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
        hits = collect(read([path], schema).select(moment), content.folder.path)
        yield hits.to_series(), lines_of(path)


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
    make = _Maker(content, columns)
    parts = [*make.parts(since)]

    def source(
        wanted: list[str] | None, predicate: pl.Expr | None, n_rows: int | None, _size: int | None
    ) -> Iterator[pl.DataFrame]:
        left = sys.maxsize if n_rows is None else n_rows
        for part in parts:
            if left > 0:
                frame = make(part, predicate).head(left)
                left -= frame.height
                yield frame.select(wanted or schema.keys())

    return register_io_source(source, schema=schema)


class _Part(NamedTuple):
    """Hits, and where their records are: a file of sealed hits has them beside it."""

    path: Path
    hits: pl.DataFrame | None = None
    lines: Sequence[bytes | memoryview] = ()


class _Maker:
    """Makes columns of raw records."""

    def __init__(self, content: Content, columns: Sequence[Column]) -> None:
        self._content = content
        self._names = [column.name for column in columns]
        self._decoder = Decoder(resolve(self._names))

    def parts(self, since: float | None) -> Iterator[_Part]:
        """All hits by where their records are; those in the spool will not stay there."""
        content = self._content
        for path in content.sealed.paths(since):
            yield _Part(path)
        for number, segment in content.tail.segments.items():
            hits = segment.frame().select(content.schema.keys())
            yield _Part(content.folder.segment(number), hits, spooled_lines(content, number))

    def __call__(self, part: _Part, predicate: pl.Expr | None) -> pl.DataFrame:
        """The hits with the made columns, those of them that the filter lets through."""
        hits = part.hits
        if hits is None:
            hits = collect(read([part.path], self._content.schema), self._content.folder.path)
        early = predicate is not None and set(predicate.meta.root_names()) <= set(hits.columns)
        kept = hits.with_row_index(ROW)
        if early and predicate is not None:
            kept = kept.filter(predicate)
        frame = kept.drop(ROW).hstack(self._made(part, kept[ROW].to_list()))
        return frame if early or predicate is None else frame.filter(predicate)

    def _made(self, part: _Part, rows: Sequence[int]) -> pl.DataFrame:
        """The columns of these rows."""
        lines: Sequence[bytes | memoryview] = ()
        if rows:
            lines = lines_of(part.path) if part.hits is None else part.lines
        block = b"\n".join([lines[row] for row in rows if row < len(lines)])
        made = self._decoder.decode(block, connection=0, arrived=0.0).frame.select(self._names)
        if made.height != len(rows):
            raise RecordingError(
                f"The records of {part.path} are not those of its hits: restore the files of raw/."
            )
        return made
