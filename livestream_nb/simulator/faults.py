"""What can be done to a stream, and to the service around it: every fault as a verb."""

from collections.abc import Callable

from livestream_nb.checks import (
    check_count,
    check_positive,
    check_seconds,
    check_switch,
    check_whole,
)
from livestream_nb.simulator.delivery import Delivery
from livestream_nb.simulator.dirt import KINDS, check_kind
from livestream_nb.simulator.host import Host
from livestream_nb.simulator.server import Served

MOST_HITS = 100_000


class Faults:
    """One stream of a service, to be broken on purpose.

    Every verb may be called at any time and from any thread. Durations are service seconds. A verb
    that acts on connections acts on all that are open, or on the one whose number is given, and
    returns how many that were. What was done is in the log.

    Every verb raises InvalidOption for an argument that is not possible.
    """

    def __init__(self, served: Served, host: Host) -> None:
        self._served = served
        self._host = host

    def drop(self, ghost: float | None = None, connection: int | None = None) -> int:
        """End connections in good order, as a server that shuts down does.

        The slot stays taken for ``ghost`` seconds, ``notice`` when omitted.
        """
        return self._end("dropped", Delivery.drop, ghost, connection)

    def cut(self, ghost: float | None = None, connection: int | None = None) -> int:
        """End connections in the middle of a chunk; ``ghost`` as for :meth:`drop`."""
        return self._end("cut", Delivery.cut, ghost, connection)

    def reset(self, ghost: float | None = None, connection: int | None = None) -> int:
        """End connections by TCP reset, losing what was under way; ``ghost`` as for `drop`."""
        return self._end("reset", Delivery.reset, ghost, connection)

    def corrupt(self, connection: int | None = None) -> int:
        """Damage the gzip of the next chunk, so that nothing after it can be read."""
        return self._do("corrupted", "the gzip is damaged", Delivery.corrupt, connection)

    def stall(self, seconds: float = 60.0, connection: int | None = None) -> int:
        """Send nothing for a while, and then everything that is due."""
        check_seconds("seconds", seconds)
        detail = f"nothing is sent for {seconds:g} s"
        return self._do("stalled", detail, lambda each: each.stall(seconds), connection)

    def slice(self, seconds: float = 5.0, connection: int | None = None) -> int:
        """Write one byte at a time for a while."""
        check_seconds("seconds", seconds)
        detail = f"byte by byte for {seconds:g} s"
        return self._do("sliced", detail, lambda each: each.slice(seconds), connection)

    def bomb(self, megabytes: float = 200.0, connection: int | None = None) -> int:
        """Send one record of that size, which takes few bytes on the wire."""
        check_positive("megabytes", megabytes)
        size = int(megabytes * 1_000_000)
        detail = f"a record of {size:,} bytes"
        return self._do("bombed", detail, lambda each: each.bomb(size), connection)

    def malform(self, kind: str | None = None, connection: int | None = None) -> int:
        """Send a line that is no hit.

        ``kind`` is "json" (bad JSON), "utf8" (bytes that are no text), "truncated", "long" (10 MB),
        "nested" (100,000 deep) or "error" (a JSON error object); None: one of each.
        """
        kinds = KINDS if kind is None else (kind,)
        for each in kinds:
            check_kind(each)
        return max(self._malform(each, connection) for each in kinds)

    def duplicate(self, count: int = 100, connection: int | None = None) -> int:
        """Send the last so many hits once more, at most 100,000."""
        check_whole("count", count, 1, MOST_HITS)
        detail = f"the last {count:,} hits once more"
        return self._do("duplicated", detail, lambda each: each.duplicate(count), connection)

    def reorder(self, count: int = 100, connection: int | None = None) -> int:
        """Send the next so many hits in another order, at most 100,000."""
        check_whole("count", count, 1, MOST_HITS)
        detail = f"the next {count:,} hits"
        return self._do("reordered", detail, lambda each: each.reorder(count), connection)

    def new_member(self, connection: int | None = None) -> int:
        """Begin a new gzip member, as after a restart behind a proxy."""
        detail = "a new gzip member begins"
        return self._do("repacked", detail, Delivery.new_member, connection)

    def drift(self, seconds: float = 60.0) -> None:
        """Let hits have new, missing and retyped fields for a while."""
        check_seconds("seconds", seconds)
        detail = f"hits of {seconds:g} s have other fields"
        self._change("drifted", detail, lambda now: self._served.hits.drift(seconds, now))

    def go_quiet(self, seconds: float | None = None) -> None:
        """Let no hits enter the log for a while, or any more. Connections stay open."""
        if seconds is not None:
            check_seconds("seconds", seconds)
        lasting = "" if seconds is None else f" for {seconds:g} s"
        self._tempo("quiet", f"no hits enter the log{lasting}", 0.0, seconds)

    def spike(self, factor: float = 10.0, seconds: float = 60.0) -> None:
        """Let so many times as many hits enter the log for a while."""
        check_positive("factor", factor)
        check_seconds("seconds", seconds)
        self._tempo("spiking", f"{factor:g} times the hits for {seconds:g} s", factor, seconds)

    def migrate(self, seconds: float = 120.0, retry_after: bool = False) -> None:
        """Answer new connections with 503 for a while; open ones read on.

        With ``retry_after`` the answer says how long that is.
        """
        check_seconds("seconds", seconds)
        check_switch("retry_after", retry_after)
        stream = self._served.stream
        self._host.ask(lambda: stream.migrate(seconds, self._host.now(), retry_after=retry_after))

    def redirect(self, to: str | None = "second", status: int = 302) -> None:
        """Redirect requests for any stream of the service from now on.

        ``to`` is "second" (the service's other port), "loop" (and from there back again),
        "foreign" (another host), "downgraded" (Adobe's host, by plain http), a full URL, or None:
        no longer. ``status`` is 301, 302, 303, 307 or 308.
        """
        self._host.ask(lambda: self._host.face.redirect(to, self._host.now(), status))

    def refuse(
        self, status: int = 503, seconds: float = 60.0, retry_after: float | None = None
    ) -> None:
        """Answer requests for any stream of the service with a status for a while.

        ``status`` is 403, 429, 500, 502, 503 or 504; ``retry_after`` is sent with it.
        """
        face, now = self._host.face, self._host.now
        self._host.ask(lambda: face.refuse(status, seconds, now(), retry_after))

    def expire_tokens(self) -> None:
        """Let no token of the service that was issued so far be valid any more."""
        self._host.ask(lambda: self._host.face.expire_tokens(self._host.now()))

    def fail_tokens(self, seconds: float = 60.0, status: int = 503) -> None:
        """Let the token service answer 500 or 503 for a while."""
        self._host.ask(lambda: self._host.face.fail_tokens(seconds, self._host.now(), status))

    def _end(
        self,
        how: str,
        end: Callable[[Delivery], None],
        ghost: float | None,
        connection: int | None,
    ) -> int:
        if ghost is not None:
            check_seconds("ghost", ghost)

        def close(delivery: Delivery) -> None:
            self._served.stream.close(delivery.connection, self._host.now(), how, ghost)
            end(delivery)

        return self._each(close, connection)

    def _do(
        self,
        event: str,
        detail: str,
        do: Callable[[Delivery], None],
        connection: int | None,
    ) -> int:
        def note(delivery: Delivery) -> None:
            do(delivery)
            number = delivery.connection
            self._served.stream.note(event, detail, self._host.now(), connection=number)

        return self._each(note, connection)

    def _malform(self, kind: str, connection: int | None) -> int:
        return self._do("malformed", kind, lambda each: each.malform(kind), connection)

    def _each(self, do: Callable[[Delivery], None], connection: int | None) -> int:
        if connection is not None:
            check_count("connection", connection, "a connection")

        def each() -> int:
            chosen = [
                delivery
                for delivery in self._served.open_deliveries()
                if connection in (None, delivery.connection)
            ]
            for delivery in chosen:
                do(delivery)
            return len(chosen)

        return self._host.ask(each)

    def _tempo(self, event: str, detail: str, factor: float, seconds: float | None) -> None:
        hits = self._served.hits
        self._change(event, detail, lambda now: hits.change_tempo(factor, seconds, now))

    def _change(self, event: str, detail: str, change: Callable[[float], None]) -> None:
        def noted() -> None:
            now = self._host.now()
            change(now)
            self._served.stream.note(event, detail, now)

        self._host.ask(noted)
