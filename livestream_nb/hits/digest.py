"""From pieces of a stream to batches: decoded, duplicates dropped. One thread calls it."""

from collections.abc import Sequence
from typing import NamedTuple

import polars as pl

from livestream_nb.hits.batch import Batch
from livestream_nb.hits.decode import Decoder
from livestream_nb.hits.dedupe import Dedupe
from livestream_nb.hits.fields import Column
from livestream_nb.hits.known import Known
from livestream_nb.hits.lines import BOUNDS, Lines
from livestream_nb.hits.piece import Piece

# Frames are indexed by names rather than asked to select or drop: these cost as much as some hits.
_BOUNDS = list(BOUNDS)


class Digested(NamedTuple):
    """What was made of a piece.

    Attributes
    ----------
    batch : Batch
        What it brought.
    lines : Lines
        Its records as they came.
    where : polars.DataFrame or None
        ``start`` and ``end`` (UInt32): where in the block the record of each row of the batch
        lies; None unless that was asked for.
    """

    batch: Batch
    lines: Lines
    where: pl.DataFrame | None


class Digest:
    """Decodes blocks of records, and drops hits that came before.

    Parameters
    ----------
    columns : sequence of Column
        The wanted columns, as :func:`livestream_nb.hits.columns.resolve` gives them.
    dedupe : int
        Hits that are remembered at least, to tell duplicates.
    traced : bool
        Whether to say where in the block the rows are from.

    Attributes
    ----------
    schema : dict of str to polars.DataType
        The columns of the batches' frames.

    Raises
    ------
    InvalidOption
        When ``dedupe`` is not a whole number of at least 1.
    """

    def __init__(
        self, columns: Sequence[Column], dedupe: int = 1_000_000, *, traced: bool = False
    ) -> None:
        self._decoder = Decoder(columns)
        self._dedupe = Dedupe(dedupe)
        self._traced = traced
        self.schema = self._decoder.schema
        self._columns = list(self.schema)

    def know(self, known: Known) -> None:
        """From now on hits count as duplicates, too, that were recorded before."""
        self._dedupe.know(known)

    def take(self, piece: Piece) -> Digested:
        """Make a batch of a piece."""
        block, spell, arrived = piece.block, piece.spell, piece.arrived
        decoded = self._decoder.decode(block, connection=spell.connection, arrived=arrived)
        frame = decoded.frame
        if self._traced:
            frame = frame.hstack(decoded.lines.bounds(frozenset(decoded.misses)))
        nameless = self._dedupe.without_id
        fresh = self._dedupe.fresh(frame, spell)
        batch = Batch(
            fresh.frame[self._columns] if self._traced else fresh.frame,
            spell.connection,
            arrived,
            size=len(block) + sum(len(each.raw) for each in piece.rejected),
            duplicates=fresh.dropped,
            repeated=fresh.repeated,
            without_id=self._dedupe.without_id - nameless,
            rejected=decoded.rejected + piece.rejected,
            unreadable=decoded.unreadable,
        )
        where = fresh.frame[_BOUNDS] if self._traced else None
        return Digested(batch, decoded.lines, where)
