"""What a stream brought at one moment, before anything is made of it."""

from dataclasses import dataclass

from livestream_nb.hits.records import Rejected
from livestream_nb.hits.repeats import Spell


@dataclass(frozen=True)
class Piece:
    r"""What one connection brought at a moment.

    Attributes
    ----------
    block : bytes
        Complete records separated by ``\n`` or ``\r\n``; may be empty.
    spell : Spell
        The open connection that it came by.
    arrived : float
        When it reached this machine, in Unix seconds.
    rejected : tuple of Rejected
        Records that were refused before they could be decoded.
    """

    block: bytes
    spell: Spell
    arrived: float
    rejected: tuple[Rejected, ...] = ()
