"""The simulator as a notebook meets it: a Livestream service of one's own, to read and to break."""

import os
import secrets
import socket
import weakref
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, Self

import polars as pl

from livestream_nb.checks import check_positive, check_seconds, check_switch, check_whole
from livestream_nb.clock import Clock
from livestream_nb.errors import PortInUse
from livestream_nb.reader import Reader
from livestream_nb.simulator.frames import log_frame, truth_frame
from livestream_nb.simulator.hitlog import HitLog
from livestream_nb.simulator.replay import Replay, check_replay
from livestream_nb.simulator.server import Server
from livestream_nb.simulator.service import Entry, Range, Stream
from livestream_nb.simulator.traffic import Traffic

HOST = "127.0.0.1"
PATH = "/api/1/stream/demo"
COMMIT_EVERY = 5.0
IN_SOCKETS = 0.5  # real seconds that bytes may wait in socket buffers


class Simulator:
    """A real HTTP service on this machine that behaves like Livestream, and can be broken.

    It serves from construction to :meth:`stop`, which also happens at the end of a ``with`` block,
    when the object is no longer referred to, and when the interpreter ends. The model it follows
    is our own: Adobe publishes no internals.

    Parameters
    ----------
    port : int
        Where to listen on 127.0.0.1; 0 picks a free port.
    rate : float
        Hits per service second, on average. Without effect on a replay.
    hits : str or Path, optional
        A recording to replay instead of made-up hits: ``.ndjson`` or ``.ndjson.gz``. The records
        keep their own times; the first connect starts it.
    pace : "original" or float
        How a replay's hits follow each other: as recorded, or all in so many service seconds.
    speed : float
        Service seconds in one real second. Every other duration is in service seconds.
    seed : int
        What the made-up hits are drawn from.
    notice : float
        How long a slot stays taken after its client has vanished.
    retention : float
        How old a hit may be to be sent to a client that comes back.
    restarts : bool
        Whether an attempt that meets such a slot makes it stay taken for ``notice`` again.

    Attributes
    ----------
    stream_url : str
        The stream's URL, without a query.
    token : str
        The bearer token that the service lets in; another one for each simulator.
    clock : Clock
        Service time.

    Raises
    ------
    InvalidOption
        When a value is out of its range.
    RecordingError
        When the recording cannot be replayed.
    PortInUse
        When the port is taken.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        rate: float = 50.0,
        hits: str | Path | None = None,
        pace: Literal["original"] | float = "original",
        speed: float = 1.0,
        seed: int = 16598,
        notice: float = 55.0,
        retention: float = 300.0,
        restarts: bool = True,
    ) -> None:
        check_whole("port", port, 0, 65_535)
        check_positive("rate", rate)
        check_replay(hits, pace)
        check_positive("speed", speed)
        check_whole("seed", seed, 0, 2**63 - 1)
        check_seconds("notice", notice)
        check_seconds("retention", retention)
        check_switch("restarts", restarts)
        self.clock = Clock(rate=speed)
        self.token = secrets.token_urlsafe(24)
        self._hits = HitLog(Traffic(seed, rate) if hits is None else Replay(hits, pace))
        self._stream = Stream(
            self._hits.logged,
            notice=notice,
            retention=retention,
            commit_every=COMMIT_EVERY,
            margin=COMMIT_EVERY + IN_SOCKETS * speed,
            restarts=restarts,
        )
        listener = _listen(port)
        self.stream_url = f"http://{HOST}:{listener.getsockname()[1]}{PATH}"
        self._now = _steady(self.clock)
        self._server = Server(
            listener,
            path=PATH,
            token=self.token,
            stream=self._stream,
            hits=self._hits,
            now=self._now,
        )
        self._finalizer = weakref.finalize(self, self._server.stop)

    @property
    def log(self) -> pl.DataFrame:
        """What the service did: time, event, connection, status, detail; oldest first.

        Events: ``connected``, ``refused``, ``left`` (the client went), ``dropped``, ``reset``,
        ``stopped``, ``restarted`` and ``freed`` (a ghost's time), ``committed``, ``quiet``. The
        newest 100,000 are kept. ``time`` is UTC service time; ``connection`` counts from 1.
        """
        return log_frame(self._server.ask(self._entries))

    def truth(self) -> pl.DataFrame:
        """Every hit that has entered the log since the first connect, in order.

        Columns: hitIdHigh, hitIdLow, visIdHigh, visIdLow (UInt64), timeGMT, logged (Datetime µs
        UTC; when it entered the log), delivered (UInt32; how many times it was written to a
        socket). Takes about 10 µs a hit.
        """
        count, ranges = self._server.ask(self._delivered)
        return truth_frame(self._hits.identities(count), ranges)

    def reader(self, **options: Any) -> Reader:
        """A Reader of this stream, on this clock; ``options`` are a Reader's.

        It keeps the simulator alive for as long as it is used itself.
        """
        given: dict[str, Any] = {"token": lambda: self.token, "clock": self.clock}
        return Reader(self.stream_url, **(given | options))

    def drop(self, ghost: float | None = None) -> int:
        """End the open connection in good order, as a server that shuts down does.

        Its slot stays taken for ``ghost`` service seconds, ``notice`` when omitted. Returns how
        many connections were ended.
        """
        return self._end(self._server.drop, ghost)

    def reset(self, ghost: float | None = None) -> int:
        """End the open connection by TCP reset, losing what was under way.

        Its slot stays taken for ``ghost`` service seconds, ``notice`` when omitted. Returns how
        many connections were ended.
        """
        return self._end(self._server.reset, ghost)

    def go_quiet(self) -> None:
        """Let no more hits enter the log. Connections stay open, and nothing comes any more."""
        self._server.ask(self._server.go_quiet)

    def stop(self) -> None:
        """End every connection, and the service; :attr:`log` and :meth:`truth` stay readable."""
        self._finalizer()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def __repr__(self) -> str:
        hits, connections = self._server.ask(self._counts)
        state = "serving" if self._finalizer.alive else "stopped"
        return (
            f"<Simulator {self.stream_url} {state}: {hits:,} hits, {connections} open, "
            f"speed {self.clock.rate:g}>"
        )

    def _end(self, verb: Callable[[float | None], int], ghost: float | None) -> int:
        if ghost is not None:
            check_seconds("ghost", ghost)
        return self._server.ask(lambda: verb(ghost))

    def _entries(self) -> list[Entry]:
        self._stream.advance(self._now())
        return list(self._stream.log)

    def _delivered(self) -> tuple[int, list[Range]]:
        ranges = [replace(given) for given in self._stream.ranges.values()]
        return self._hits.logged(self._now()), ranges

    def _counts(self) -> tuple[int, int]:
        return self._hits.logged(self._now()), len(self._stream.open)


def _steady(clock: Clock) -> Callable[[], float]:
    start = clock.utc() - clock.monotonic()
    return lambda: start + clock.monotonic()


def _listen(port: int) -> socket.socket:
    try:
        return socket.create_server((HOST, port))
    except OSError as error:
        raise PortInUse(
            f"Port {port} of {HOST} cannot be served on ({_why(error)}): another program may "
            "have it. Use another port, or port=0 for any free one."
        ) from error


def _why(error: OSError) -> str:
    return os.strerror(error.errno) if error.errno else str(error)
