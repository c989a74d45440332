"""The simulator as a notebook meets it: a Livestream service of one's own, to read and to break."""

import weakref
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Literal, Self
from zlib import crc32

import polars as pl

from livestream_nb import notebook
from livestream_nb.checks import check_positive, check_switch, check_whole
from livestream_nb.clock import Clock
from livestream_nb.errors import InvalidOption
from livestream_nb.hit_files import raw_records
from livestream_nb.hits.schema import schema_json
from livestream_nb.protocol.request import STREAM_NAME
from livestream_nb.recorded import Recording
from livestream_nb.simulated import SimulatedStream
from livestream_nb.simulator.delivery import Pattern
from livestream_nb.simulator.faults import Faults
from livestream_nb.simulator.frames import log_frame
from livestream_nb.simulator.host import Host
from livestream_nb.simulator.http.tokens import LIFETIME
from livestream_nb.simulator.journal import Entry
from livestream_nb.simulator.options import (
    LOOPBACK,
    check_address,
    check_scenario,
    hit_source,
    model_rules,
)
from livestream_nb.simulator.replay import Replay
from livestream_nb.simulator.scenarios import Call, play, story
from livestream_nb.simulator.server import Served
from livestream_nb.simulator.traffic import Traffic

DEMO = "demo"
SEED = 16598


class Simulator(SimulatedStream):
    """A real HTTP service on this machine that behaves like Livestream, and can be broken.

    It serves from construction to :meth:`stop`, which also happens at the end of a ``with`` block,
    when the object is no longer referred to, when the cell of a notebook that made it is run again,
    and when the interpreter ends. The model it follows is our own: Adobe publishes no internals.
    The simulator is at the same time its main stream, ``demo``; :meth:`stream` gives others.

    Parameters
    ----------
    port : int
        Where to listen; 0 picks a free port.
    host : str
        The IP address to listen on. One that is not of loopback lets others in.
    rate : float
        Hits per service second, on average over a day. Without effect on a replay.
    record_size : int, optional
        Bytes of a made-up record, on average: 2,000 to 4,000; None: about 2,500, of all sizes.
    hits : str, Path or Recording, optional
        What to replay instead of made-up hits: a recording, or a file of records (``.ndjson``,
        plain or packed by gzip or zstd). The records keep their own times, and are held in memory;
        the first connect starts it.
    pace : "original" or float, optional
        How a replay's hits follow each other: as recorded, also when omitted, or all in so many
        service seconds.
    loop : bool
        Whether a replay begins again when it is over: with the same records, under new hit ids.
    scenario : str
        What goes wrong, and when, counted from the first connect: ``calm``, ``launch-day``,
        ``flaky-network``, ``churn-trap``, ``migration-night``, ``token-expiry``, ``quiet-suite``,
        ``hostile-data`` or ``long-outage``.
    speed : float
        Service seconds in one real second. Every other duration is in service seconds.
    seed : int
        What the made-up hits, and the chances of a scenario, are drawn from.
    notice : float
        How long a slot stays taken after its client has vanished.
    retention : float
        How old a hit may be to be sent to a client that comes back.
    restarts : bool
        Whether an attempt that meets such a slot makes it stay taken for ``notice`` again.
    quiet_after : float, optional
        After so long without a hit new connections get 503; None: never.
    token_lifetime : float
        How long a token is valid.
    records_per_chunk : int
        At the most; fewer when fewer are there.
    records_per_member : int, optional
        After so many records a new gzip member begins; None: never.
    records_per_blank : int, optional
        After so many records an empty one is sent; None: never.

    Attributes
    ----------
    stream_url : str
        The URL of its stream, without a query.
    token : str
        A bearer token that the service lets in; another one for each simulator.
    token_url, client_id, client_secret : str
        Where, and with what, a client asks for a token of its own.
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
        host: str = LOOPBACK,
        rate: float = 50.0,
        record_size: int | None = None,
        hits: str | Path | Recording | None = None,
        pace: Literal["original"] | float | None = None,
        loop: bool = False,
        scenario: str = "calm",
        speed: float = 1.0,
        seed: int = SEED,
        notice: float = 55.0,
        retention: float = 300.0,
        restarts: bool = True,
        quiet_after: float | None = None,
        token_lifetime: float = LIFETIME,
        records_per_chunk: int = 256,
        records_per_member: int | None = None,
        records_per_blank: int | None = 500,
    ) -> None:
        check_whole("port", port, 0, 65_535)
        check_address(host)
        check_scenario(scenario)
        check_positive("speed", speed)
        check_whole("seed", seed, 0, 2**63 - 1)
        check_positive("token_lifetime", token_lifetime)
        self._rules = model_rules(notice, retention, restarts, quiet_after, speed)
        self._pattern = Pattern(records_per_chunk, records_per_member, records_per_blank)
        self._seed = seed
        source = hit_source(seed, rate, record_size, _recorded(hits), pace, loop)
        self.clock = Clock(rate=speed)
        service = Host(
            self.clock, address=host, port=port, schema=schema_json(), lifetime=token_lifetime
        )
        self._finalizer = weakref.finalize(self, service.stop)
        served = service.serve(DEMO, lambda: source, rules=self._rules, pattern=self._pattern)
        super().__init__(served, service)
        _script(story(scenario, seed), served, service)
        notebook.made(self)

    @property
    def token_url(self) -> str:
        """Where a client asks for a token, as at Adobe's identity service."""
        return f"{self._host.origin}/ims/token/v3"

    @property
    def client_id(self) -> str:
        """The client that may ask for tokens."""
        return self._host.tokens.client_id

    @property
    def client_secret(self) -> str:
        """What that client proves itself with."""
        return self._host.tokens.client_secret

    @property
    def log(self) -> pl.DataFrame:
        """What the service did, in order of time; the newest 100,000 entries are kept.

        Columns: number (UInt32; in order of noting), time (Datetime µs UTC, service time), event,
        stream (null: of none), connection (UInt32; counts from 1), slot (UInt8), status (Int16;
        the answer's), detail.

        Events are of connections: ``connected``, ``refused``, ``left`` (the client went),
        ``dropped``, ``cut``, ``reset``, ``stopped``; of slots: ``restarted`` and ``freed`` (a
        ghost's time), ``committed``, ``moved`` and ``ignored`` (what came of a ``reset=``); of the
        service: ``migrating``, ``migrated``, ``enabled``, ``issued``, ``expired``, ``failing``,
        ``redirecting``; of hits: ``quiet``, ``spiking``, ``drifted``; and faults of the bytes:
        ``corrupted``, ``stalled``, ``sliced``, ``bombed``, ``malformed``, ``duplicated``,
        ``reordered``, ``repacked``.
        """
        return self.log_since(0)

    def log_since(self, number: int) -> pl.DataFrame:
        """The entries of :attr:`log` that were noted after the one of that number."""
        return log_frame(self._host.ask(lambda: self._entries(number)))

    def stream(
        self,
        name: str,
        *,
        rate: float = 50.0,
        hits: str | Path | Recording | None = None,
        pace: Literal["original"] | float | None = None,
        loop: bool = False,
        enabled: bool = True,
    ) -> SimulatedStream:
        """Serve one more stream, with hits of its own, or give the one of that name.

        Arguments are those of the simulator, and without effect on a stream that is there. One
        that is not ``enabled`` answers 424, until 15 minutes after ``GET /api/2/enable/<name>``.
        """
        if not (isinstance(name, str) and STREAM_NAME.fullmatch(name)):
            right = "give a name of letters, digits, '.', '_' and '-'"
            raise InvalidOption.value("name", name, right)
        check_switch("enabled", enabled)

        def source() -> Traffic | Replay:
            seed = self._seed + crc32(name.encode())
            return hit_source(seed, rate, None, _recorded(hits), pace, loop)

        served = self._host.serve(
            name, source, rules=self._rules, pattern=self._pattern, enabled=enabled
        )
        return SimulatedStream(served, self._host, self)

    def stop(self) -> None:
        """End every connection, and the service; :attr:`log` and :meth:`truth` stay readable."""
        self._finalizer()

    def close(self) -> None:
        """Stop it, and close the readers that it gave."""
        for reader in tuple(self.readers):
            reader.close()
        self.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def __repr__(self) -> str:
        hits, connections = self._host.ask(self._counts)
        state = "serving" if self._finalizer.alive else "stopped"
        return (
            f"<Simulator {self.stream_url} {state}: {hits:,} hits, {connections} open, "
            f"speed {self.clock.rate:g}>"
        )

    def _entries(self, number: int) -> list[Entry]:
        self._host.advance()
        return self._host.journal.entries(number)


def _recorded(hits: object) -> tuple[Sequence[bytes], str] | None:
    """The records to replay, and what they are from."""
    if hits is None:
        return None
    if not isinstance(hits, str | Path | Recording):
        raise InvalidOption.value("hits", hits, "give a Recording, or the path of a recording")
    return raw_records(hits), str(hits.path if isinstance(hits, Recording) else hits)


def _script(calls: Iterator[Call], served: Served, host: Host) -> None:
    faults = Faults(served, host)

    def do(call: Call) -> None:
        getattr(faults, call.verb)(**call.options)

    host.at_first(served, partial(play, calls, do, now=host.now, later=host.later))
