"""What one stream's packed bytes hold, handed on as blocks of complete records."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from livestream_nb.errors import CorruptStream
from livestream_nb.protocol.framing import Gunzip, Overlong, Records
from livestream_nb.worker import Worker

if TYPE_CHECKING:
    from concurrent.futures import Future

AHEAD = 2  # pieces that may wait while one is being digested


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
    """Unpacks one stream, and has another thread cut and digest what there is meanwhile.

    Its methods are called one after the other. They do no more with a piece than to unpack it: that
    needs no interpreter, which the other thread can use.

    Parameters
    ----------
    connection : int
        Number of the connection.
    opened : float
        When it was opened, in Unix seconds of service time.
    deliver : callable
        Takes a `Delivery`; what it raises is raised here, too, a little later.
    worker : Worker
        The thread on which it does so.

    Attributes
    ----------
    connection, opened
        As given.
    """

    def __init__(self, connection: int, opened: float, deliver: Deliver, worker: Worker) -> None:
        self.connection = connection
        self.opened = opened
        self._deliver = deliver
        self._worker = worker
        self._waiting: deque[Future[None]] = deque()
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
                self._digest(partial(self._cut, piece, arrived))
        except CorruptStream as damage:
            self._damage = damage
            raise

    def close(self, arrived: float) -> None:
        """The stream has ended: hand on what is left, and wait until all of it is digested."""
        self._digest(partial(self._end, arrived))
        while self._waiting:
            self._waiting.popleft().result()

    def _digest(self, job: Callable[[], None]) -> None:
        while len(self._waiting) > AHEAD:
            self._waiting.popleft().result()
        self._waiting.append(self._worker.submit(job))

    def _cut(self, piece: bytes, arrived: float) -> None:
        self._hand_on(self._records.cut(piece), arrived)

    def _end(self, arrived: float) -> None:
        self._hand_on(self._records.close(), arrived)

    def _hand_on(self, block: bytes, arrived: float) -> None:
        overlong = tuple(self._records.overlong)
        self._records.overlong.clear()
        if block or overlong:
            self._deliver(Delivery(block, overlong, self.connection, self.opened, arrived))
