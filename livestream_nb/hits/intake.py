"""The way of a piece: decoded, duplicates dropped, into the buffer; a look at what it carries.

One thread calls it; the buffer, the catalogue and the newest records may be asked for from any.
"""

from collections.abc import Sequence
from threading import Lock
from typing import Any

import polars as pl

from livestream_nb.hits.buffer import Buffer
from livestream_nb.hits.catalogue import Catalogue
from livestream_nb.hits.columns import Column
from livestream_nb.hits.digest import Digest, Digested
from livestream_nb.hits.keep import Keep
from livestream_nb.hits.known import Known
from livestream_nb.hits.newest import Newest
from livestream_nb.hits.piece import Piece


class Intake:
    """Turns pieces of a stream into rows of a buffer.

    Parameters
    ----------
    columns : sequence of Column
        The wanted columns, as :func:`livestream_nb.hits.columns.resolve` gives them.
    keep : int or Keep
        What the buffer holds at most.
    dedupe : int
        Hits that are remembered at least, to tell duplicates.
    traced : bool
        Whether to say of each row where its record lies in its block.

    Attributes
    ----------
    buffer : Buffer
        Where everything goes.

    Raises
    ------
    InvalidOption
        When ``keep`` or ``dedupe`` is not a whole number of at least 1, nor ``keep`` a Keep.
    """

    def __init__(
        self,
        columns: Sequence[Column],
        keep: int | Keep = Keep(),  # noqa: B008  # frozen
        dedupe: int = 1_000_000,
        *,
        traced: bool = False,
    ) -> None:
        self._digest = Digest(columns, dedupe, traced=traced)
        self._newest = Newest()
        self._catalogue = Catalogue(columns)
        self._looking = Lock()
        self.buffer = Buffer(self._digest.schema, keep)

    def know(self, known: Known) -> None:
        """From now on hits count as duplicates, too, that were recorded before."""
        self._digest.know(known)

    def take(self, piece: Piece) -> Digested:
        """Take in a piece, and say what was made of it."""
        digested = self._digest.take(piece)
        self._newest.add(digested.lines)
        with self._looking:
            self._catalogue.offer(digested.lines, piece.arrived)
        self.buffer.append(digested.batch)
        return digested

    def fields(self) -> pl.DataFrame:
        """The keys seen in a sample of the records: see :meth:`Catalogue.frame`."""
        with self._looking:
            return self._catalogue.frame()

    def sample(self, n: int) -> list[dict[str, Any]]:
        """The newest records as they came: see :meth:`Newest.records`."""
        return self._newest.records(n)
