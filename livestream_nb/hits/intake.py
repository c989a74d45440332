"""The way of a block: decoded, duplicates dropped, into the buffer.

One thread calls it; the buffer may be read from any.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from livestream_nb.hits.buffer import Batch, Buffer
from livestream_nb.hits.columns import Column
from livestream_nb.hits.decode import Decoder
from livestream_nb.hits.dedupe import Dedupe
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
    keep : int
        Rows that the buffer holds at most.
    window : int
        Hit ids that are remembered at least, to tell duplicates.

    Attributes
    ----------
    buffer : Buffer
        Where everything goes.

    Raises
    ------
    InvalidOption
        When ``keep`` or ``window`` is not a whole number of at least 1.
    """

    def __init__(
        self,
        columns: Sequence[Column],
        keep: int = 1_000_000,
        window: int = 1_000_000,
    ) -> None:
        self._decoder = Decoder(columns)
        self._dedupe = Dedupe(window)
        self._nothing = pl.DataFrame(schema=self._decoder.schema)
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
