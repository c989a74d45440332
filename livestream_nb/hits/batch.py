"""What one block brought to the buffer, and what all of them did."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from livestream_nb.hits.records import Rejected
from livestream_nb.hits.repeats import Spell


@dataclass(frozen=True)
class Batch:
    """What one block brought.

    Attributes
    ----------
    frame : polars.DataFrame
        The new hits, in the buffer's schema.
    connection : int
        Number of the connection that it came by, 0 to 255.
    arrived : float
        When it reached this machine, in Unix seconds.
    size : int
        Bytes of the block.
    duplicates : int
        Hits that were dropped as seen before.
    repeated : frozenset of Spell
        The earlier spells that had brought some of these.
    without_id : int
        Hits among the new ones that have no id, and so may be duplicates.
    rejected : tuple of Rejected
        Records that are no hits.
    unreadable : mapping of str to int
        By column, values that were there but could not be read.
    """

    frame: pl.DataFrame
    connection: int
    arrived: float
    size: int = 0
    duplicates: int = 0
    repeated: frozenset[Spell] = frozenset()
    without_id: int = 0
    rejected: tuple[Rejected, ...] = ()
    unreadable: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Totals:
    """Counts since the buffer was made; ``rows`` is what it holds now.

    Attributes
    ----------
    hits : int
        New hits: ``rows + evicted``.
    bytes : int
        Bytes of all blocks, uncompressed.
    duplicates : int
        Hits dropped as seen before.
    quarantined : int
        Records that are no hits, also those that the quarantine no longer holds.
    evicted : int
        Hits that had to make room.
    rows : int
        Hits that are held.
    without_id : int
        New hits without an id.
    unreadable : mapping of str to int
        By column, values that were there but could not be read and are null.
    """

    hits: int = 0
    bytes: int = 0
    duplicates: int = 0
    quarantined: int = 0
    evicted: int = 0
    rows: int = 0
    without_id: int = 0
    unreadable: Mapping[str, int] = field(default_factory=dict)
