"""A whole service that is running: its sockets, its streams, its tokens and its journal."""

import os
import socket
from collections.abc import Callable
from ipaddress import ip_address

from livestream_nb.clock import Clock
from livestream_nb.errors import PortInUse
from livestream_nb.simulator.delivery import Pattern
from livestream_nb.simulator.hitlog import HitLog
from livestream_nb.simulator.http.face import Face
from livestream_nb.simulator.http.tokens import Tokens
from livestream_nb.simulator.journal import Journal
from livestream_nb.simulator.replay import Replay
from livestream_nb.simulator.rules import Rules
from livestream_nb.simulator.server import Served, Server
from livestream_nb.simulator.service import Stream
from livestream_nb.simulator.traffic import Traffic


class Host:
    """Serves streams at an address from construction to :meth:`stop`.

    Parameters
    ----------
    clock : Clock
        Service time.
    address : str
        The IP address to listen on.
    port : int
        Where to listen; 0 picks a free port. A second listener, for redirects, has another one.
    schema : bytes
        The JSON schema of a hit.
    lifetime : float
        Service seconds for which a token is valid.

    Attributes
    ----------
    origin : str
        The URL of the service, without a path.

    Raises
    ------
    PortInUse
        When the port is taken, or the address is not this machine's.
    """

    def __init__(
        self, clock: Clock, *, address: str, port: int, schema: bytes, lifetime: float
    ) -> None:
        self.clock = clock
        self.now = _steady(clock)
        self.tokens = Tokens(lifetime)
        self.journal = Journal()
        listeners = _listen(address, port), _listen(address, 0)
        origins = _origin(listeners[0]), _origin(listeners[1])
        self.origin = origins[0]
        self.face = Face(self.tokens, self.journal, schema=schema, origins=origins)
        self._served: dict[str, Served] = {}
        self._firsts: dict[str, Callable[[], None]] = {}
        self._server = Server(
            listeners, self.face, now=self.now, real=clock.real, began=self._begin
        )
        self.ask, self.later = self._server.ask, self._server.later

    def serve(
        self,
        name: str,
        source: Callable[[], Traffic | Replay],
        *,
        rules: Rules,
        pattern: Pattern,
        enabled: bool = True,
    ) -> Served:
        """Serve one more stream, with the hits that ``source`` makes, or the one of this name."""
        if name not in self._served:
            hits = HitLog(source())
            stream = Stream(hits.logged, name, rules=rules, enabled=enabled, journal=self.journal)
            self._served[name] = served = Served(stream, hits, pattern)
            self._server.add(served)
        return self._served[name]

    def stop(self) -> None:
        """End every connection, and the service; without effect once that is done."""
        self._server.stop()

    def advance(self) -> None:
        """Let everything happen that time alone brings about. Within ``ask`` only."""
        for served in self._served.values():
            served.stream.advance(self.now())

    def at_first(self, served: Served, act: Callable[[], None]) -> None:
        """Call ``act``, in the server's thread, when the stream has its first connection."""
        self._firsts[served.stream.name] = act

    def _begin(self, name: str) -> None:
        act = self._firsts.get(name)
        if act is not None:
            act()


def _steady(clock: Clock) -> Callable[[], float]:
    start = clock.utc() - clock.monotonic()
    return lambda: start + clock.monotonic()


def _listen(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        return socket.create_server((address, port), family=family)
    except OSError as error:
        raise PortInUse(
            f"Port {port} of {address} cannot be served on ({_why(error)}): another program may "
            "have it. Use another port, or port=0 for any free one."
        ) from error


def _origin(listener: socket.socket) -> str:
    address, port, *_ = listener.getsockname()
    if ip_address(address).is_unspecified:
        address = "::1" if ":" in address else "127.0.0.1"
    return f"http://[{address}]:{port}" if ":" in address else f"http://{address}:{port}"


def _why(error: OSError) -> str:
    return os.strerror(error.errno) if error.errno else str(error)
