"""One stream of the simulator: to be read, to be broken, and to be held against the truth."""

from dataclasses import replace
from typing import Any
from weakref import WeakSet

import polars as pl

from livestream_nb.reader import Reader
from livestream_nb.simulator.faults import Faults
from livestream_nb.simulator.frames import truth_frame
from livestream_nb.simulator.host import Host
from livestream_nb.simulator.server import Served
from livestream_nb.simulator.service import Range
from livestream_nb.simulator.share import WHOLE


class SimulatedStream(Faults):
    """One stream of a simulator.

    Parameters
    ----------
    served, host
        The stream, and the service that it is part of.
    simulator : SimulatedStream, optional
        The one that it is a further stream of: it must stay alive for as long as this does.

    Attributes
    ----------
    readers : WeakSet of Reader
        Those that the simulator's streams gave, and that are still referred to.
    """

    def __init__(
        self, served: Served, host: Host, simulator: "SimulatedStream | None" = None
    ) -> None:
        super().__init__(served, host)
        self._simulator = simulator
        self.readers: WeakSet[Reader] = WeakSet() if simulator is None else simulator.readers

    @property
    def stream_url(self) -> str:
        """The stream's URL, without a query."""
        return f"{self._host.origin}/api/1/stream/{self._served.stream.name}"

    @property
    def token(self) -> str:
        """A bearer token that the service lets in: the same until it expires."""
        host = self._host
        return host.ask(lambda: host.tokens.current(host.now()))

    def truth(self) -> pl.DataFrame:
        """Every hit that has entered the log since the first connect, in order.

        Columns: hitIdHigh, hitIdLow, visIdHigh, visIdLow (UInt64), timeGMT, logged (Datetime µs
        UTC; when it entered the log), partition (UInt8; its slot, of those that there are now),
        connections (List of UInt32; each that it was written to, as often as it was), delivered
        (UInt32; how many those are). Takes about 3 µs a hit.
        """
        now, slots, ranges = self._host.ask(self._given)
        hits = self._served.hits
        identities, logged = hits.truth(now)
        given = [
            (each.connection, hits.numbers(each.share, each.first, each.end)) for each in ranges
        ]
        return truth_frame(identities, logged, slots, given)

    def reader(self, **options: Any) -> Reader:
        """A Reader of this stream, on this clock; ``options`` are a Reader's.

        It keeps the simulator alive for as long as it is used itself.
        """
        given: dict[str, Any] = {"token": lambda: self.token, "clock": self._host.clock}
        reader = Reader(self.stream_url, **(given | options))
        self.readers.add(reader)
        return reader

    def __repr__(self) -> str:
        hits, connections = self._host.ask(self._counts)
        return f"<{type(self).__name__} {self.stream_url}: {hits:,} hits, {connections} open>"

    def _given(self) -> tuple[float, int, list[Range]]:
        stream = self._served.stream
        return self._host.now(), stream.slots, [replace(each) for each in stream.ranges]

    def _counts(self) -> tuple[int, int]:
        return self._served.hits.logged(WHOLE, self._host.now()), len(self._served.stream.open)
