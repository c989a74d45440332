"""The way of a block: decoded, duplicates dropped, into the buffer; a look at what it carries.

One thread calls it; the buffer, the catalogue and the newest records may be asked for from any.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

import polars as pl

from livestream_nb.hits.buffer import Batch, Buffer
from livestream_nb.hits.catalogue import Catalogue
from livestream_nb.hits.columns import Column
from livestream_nb.hits.decode import Decoder
from livestream_nb.hits.dedupe import Dedupe
from livestream_nb.hits.keep import Keep
from livestream_nb.hits.newest import Newest
from livestream_nb.hits.records import Rejected
from livestream_nb.hits.repeats import Spell


@dataclass(frozen=True)
class Taken:
    """What became of a block: how many new hits, duplicates and rejected records it held."""

    hits: int
    duplicates: int
    quarantined: int


class Intake:
    """Turns blocks of records into rows of a buffer.

    Parameters
    ----------
    columns : sequence of Column
        The wanted columns, as :func:`livestream_nb.hits.columns.resolve` gives them.
    keep : int or Keep
        What the buffer holds at most.
    dedupe : int
        Hits that are remembered at least, to tell duplicates.

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
    ) -> None:
        self._decoder = Decoder(columns)
        self._dedupe = Dedupe(dedupe)
        self._nothing = pl.DataFrame(schema=self._decoder.schema)
        self._newest = Newest()
        self._catalogue = Catalogue(columns)
        self._looking = Lock()
        self.buffer = Buffer(self._decoder.schema, keep)

    def take(self, block: bytes, *, spell: Spell, arrived: float) -> Taken:
        r"""Take in a block.

        Parameters
        ----------
        block : bytes
            Complete records separated by ``\n`` or ``\r\n``.
        spell : Spell
            The open connection that it came by.
        arrived : float
            When it reached this machine, in Unix seconds.
        """
        decoded = self._decoder.decode(block, connection=spell.connection, arrived=arrived)
        self._newest.add(decoded.lines)
        with self._looking:
            self._catalogue.offer(decoded.lines, arrived)
        without_id = self._dedupe.without_id
        fresh = self._dedupe.fresh(decoded.frame, spell)
        self.buffer.append(
            Batch(
                fresh.frame,
                spell.connection,
                arrived,
                size=len(block),
                duplicates=fresh.dropped,
                repeated=fresh.repeated,
                without_id=self._dedupe.without_id - without_id,
                rejected=decoded.rejected,
                unreadable=decoded.unreadable,
            )
        )
        return Taken(fresh.frame.height, fresh.dropped, len(decoded.rejected))

    def reject(self, raw: bytes, reason: str, *, spell: Spell, arrived: float) -> None:
        """Put into quarantine a record that was refused before it could be decoded.

        Parameters
        ----------
        raw : bytes
            The record, or its beginning.
        reason : str
            Why it was refused, in plain words.
        spell : Spell
            The open connection that it came by.
        arrived : float
            When it reached this machine, in Unix seconds.
        """
        rejected = (Rejected(raw, reason),)
        self.buffer.append(
            Batch(self._nothing, spell.connection, arrived, size=len(raw), rejected=rejected)
        )

    def fields(self) -> pl.DataFrame:
        """The keys seen in a sample of the records: see :meth:`Catalogue.frame`."""
        with self._looking:
            return self._catalogue.frame()

    def sample(self, n: int) -> list[dict[str, Any]]:
        """The newest records as they came: see :meth:`Newest.records`."""
        return self._newest.records(n)
