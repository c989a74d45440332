"""What one stream's packed bytes hold, handed on as blocks of complete records."""

from collections.abc import Callable
from dataclasses import dataclass

from livestream_nb.errors import CorruptStream
from livestream_nb.protocol.framing import Gunzip, Overlong, Records


@dataclass(frozen=True)
class Delivery:
    """What one connection received: a block of records, and those too long to keep.

    ``opened`` and ``arrived`` are Unix seconds of service time.
    """

    block: bytes
    overlong: tuple[Overlong, ...]
    connection: int
    opened: float
    arrived: float


Deliver = Callable[[Delivery], None]


class Unpacking:
    """Unpacks one stream; its methods are called one after the other.

    Parameters
    ----------
    connection : int
        Number of the connection.
    opened : float
        When it was opened, in Unix seconds of service time.
    deliver : callable
        Takes a `Delivery`, each before the next one is unpacked.

    Attributes
    ----------
    connection, opened
        As given.
    """

    def __init__(self, connection: int, opened: float, deliver: Deliver) -> None:
        self.connection = connection
        self.opened = opened
        self._deliver = deliver
        self._gunzip = Gunzip()
        self._records = Records()
        self._damage: CorruptStream | None = None

    def feed(self, packed: bytes, arrived: float) -> None:
        """Hand on the records that end in these bytes.

        Raises
        ------
        CorruptStream
            When the bytes, or those before, are not gzip, or are damaged.
        """
        if self._damage:
            raise self._damage
        try:
            for piece in self._gunzip.feed(packed):
                self._hand_on(self._records.cut(piece), arrived)
        except CorruptStream as damage:
            self._damage = damage
            raise

    def close(self, arrived: float) -> None:
        """The stream has ended: hand on what is left."""
        self._hand_on(self._records.close(), arrived)

    def _hand_on(self, block: bytes, arrived: float) -> None:
        overlong = tuple(self._records.overlong)
        self._records.overlong.clear()
        if block or overlong:
            self._deliver(Delivery(block, overlong, self.connection, self.opened, arrived))
