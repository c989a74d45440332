"""The reader: what a notebook holds in its hands. Options in, frames out.

One stream has one session, however often a cell is run: a reader that starts while another of the
same options reads the stream takes over its session, buffer and open connection and all.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from ssl import SSLContext
from typing import TYPE_CHECKING, Any, Self

from livestream_nb.answers import Answers
from livestream_nb.checks import check_switch, time_zone
from livestream_nb.clock import Clock
from livestream_nb.connection.credentials import Credentials
from livestream_nb.connection.network import Network
from livestream_nb.connection.timeline import Phase
from livestream_nb.errors import StreamBusy
from livestream_nb.hits.columns import resolve
from livestream_nb.hits.keep import Keep
from livestream_nb.masking import Mask
from livestream_nb.options import check_clock, check_folder, check_policy, choose_credentials
from livestream_nb.plan import Plan
from livestream_nb.policy import Policy, ReconnectPolicy
from livestream_nb.protocol.request import stream_request
from livestream_nb.session import Session
from livestream_nb.status import ENDED, Status, status_of
from livestream_nb.views import Views, begin_drawing, expect_a_look
from livestream_nb.waiting import Waits

if TYPE_CHECKING:
    from livestream_nb.dashboard.view import Dashboard

_reading: dict[str, "Reader"] = {}
_registry = threading.RLock()


class Reader(Answers, Waits, Views):
    """Reads a Livestream in the background and keeps its hits in polars frames.

    Nothing is sent before :meth:`start`. Connections are kept for as long as they last; after a
    loss the policy waits, by default 60 seconds and up to 10 more, before connecting again.

    Parameters
    ----------
    stream : str
        A stream's full URL, or its name on Adobe's endpoint.
    token : str or callable, optional
        An access token, or a function that returns one.
    credentials : BearerToken or ServerToServer, optional
        Instead of ``token``. When both are left out, the environment is asked:
        ``LIVESTREAM_TOKEN``, or ``LIVESTREAM_CLIENT_ID``, ``LIVESTREAM_CLIENT_SECRET`` and
        ``LIVESTREAM_SCOPES``.
    connections : int
        1 to 8 connections that share the stream; every consumer must use the same number.
    reset : str, optional
        Where the first connect begins: ``smallest`` or ``earliest``, ``largest`` or ``latest``.
        It is sent once, never with a reconnect.
    smoothing : int or bool, optional
        Have the service even out bursts: True, or the bucket's seconds from 1 to 7200.
    columns : str or sequence of str, optional
        Which columns to keep: ``"default"``, ``"documented"``, ``"all"``, names, or a mixture.
        ``livestream-nb columns`` lists what there is.
    keep : int or Keep
        How many hits to keep, for how long, or in how many bytes; what is let go is counted.
    dedupe : int
        How many of the latest hits are remembered, to leave out those that come again.
    policy : Policy
        When to connect again. A cooldown below 60 seconds is refused, except on loopback.
    clock : Clock
        The time that everything is measured in; a simulator's, when reading from one.
    proxy : str, optional
        The URL of an HTTP proxy. When omitted, the usual environment variables count
        (``HTTPS_PROXY``, ``NO_PROXY`` …). This machine itself is never asked by way of a proxy.
    verify : bool, str, Path or SSLContext
        Whose certificates are trusted: True is the well-known authorities; a company's own come
        as a file or directory of PEM certificates, or as an SSLContext. There is no unverified
        mode.
    exclusive : bool
        Whether to refuse a stream that another process of this machine reads. With False one of
        them may meet 409: the service gives each stream only so many connections.
    tz : str
        The time zone that views and reports show. Frames are in UTC.
    seed : int, optional
        Makes the waits of the policy repeatable.
    record_to : str or Path, optional
        A folder to record to, new or with a recording of this stream that is gone on with; see
        `Recording`. Every block is in the folder's spool before it is counted, so that a killed
        kernel costs nothing; it is synced every second, so that a power cut costs one second.
    raw : bool
        Whether a recording keeps the raw records, for columns that nobody asks for yet.
    mask : str or bytes, optional
        A key of your own, 16 bytes or more, by which all that tells persons apart is masked before
        anything is stored: see `livestream_nb.masking`.

    Raises
    ------
    InvalidOption
        For a wrong value, naming it and the right ones; `UnknownColumn` for a column's name.
    MissingCredentials
        When there is neither ``token`` nor ``credentials``, nor anything in the environment.
    """

    def __init__(
        self,
        stream: str,
        *,
        token: str | Callable[[], str] | None = None,
        credentials: Credentials | None = None,
        connections: int = 1,
        reset: str | None = None,
        smoothing: int | bool | None = None,
        columns: str | Sequence[str] | None = None,
        keep: int | Keep = 1_000_000,
        dedupe: int = 1_000_000,
        policy: Policy = ReconnectPolicy(),  # noqa: B008  # frozen
        clock: Clock = Clock(),  # noqa: B008  # frozen
        proxy: str | None = None,
        verify: bool | str | Path | SSLContext = True,
        exclusive: bool = True,
        tz: str = "UTC",
        seed: int | None = None,
        record_to: str | Path | None = None,
        raw: bool = True,
        mask: str | bytes | None = None,
    ) -> None:
        who = choose_credentials(token, credentials)
        del token  # a verbose traceback of what follows would print it
        network = Network.of(proxy, verify)
        del proxy  # and this one, with its password
        hidden = None if mask is None else Mask(mask)
        del mask
        request = stream_request(stream, connections=connections, reset=reset, smoothing=smoothing)
        check_policy(policy, request)
        check_switch("exclusive", exclusive)
        check_switch("raw", raw)
        network.proxy_for(request.base)  # so that one that cannot be used is refused here
        self.tz = time_zone(tz).key
        self.clock = check_clock(clock)
        self._session = Session(
            Plan(
                request=request,
                credentials=who,
                network=network,
                policy=policy,
                clock=clock,
                seed=seed,
                columns=resolve(columns),
                keep=Keep.of(keep),
                dedupe=dedupe,
                exclusive=exclusive,
                record_to=check_folder(record_to),
                raw=raw,
                mask=hidden,
            )
        )
        self._successor: Reader | None = None
        self._dashboard: Dashboard | None = None
        expect_a_look()

    def start(self) -> Self:
        """Read in the background, and return at once; nothing happens when that is so already.

        Raises
        ------
        StreamBusy
            When another reader in this process reads the stream with other options, or another
            process of this machine reads it, or records to the same folder.
        InvalidOption
            When the folder to record to holds something else.
        RecordingError
            When the recording there cannot be read.
        """
        key = self._session.plan.request.key
        with _registry:
            other = _reading.get(key)
            self._take_over(other)
            self._session.start()
            _reading[key] = self
        if other not in (None, self) and other._dashboard is not None:
            other._dashboard.close()
        return self

    def stop(self) -> None:
        """Close the connections; what was received stays. Starting again goes on with it."""
        with _registry:
            key = self._session.plan.request.key
            if self._successor is None:
                self._session.stop()
            if _reading.get(key) is self:
                del _reading[key]

    def close(self) -> None:
        """Stop, and remove the live view from the page."""
        self.stop()
        if self._dashboard is not None:
            self._dashboard.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def status(self) -> Status:
        """How the reader is doing now."""
        status = status_of(self._session)
        if self._successor is None:
            return status
        reason = "A newer reader of the same stream has taken over its connection and its hits."
        return replace(
            status, state=Phase.STOPPED.value, reason=reason, next_attempt=None, silent_for=None
        )

    @property
    def name(self) -> str:
        """The stream's name."""
        return self._session.plan.request.name

    def dashboard(self) -> "Dashboard":
        """The live view of this reader, the same one every time; needs a notebook with widgets."""
        begin_drawing()
        from livestream_nb.dashboard import shelf
        from livestream_nb.dashboard.view import Dashboard

        if self._dashboard is None or self._dashboard.ended:
            key = self._session.plan.request.key
            self._dashboard = Dashboard(self, like=shelf.last(key))
            shelf.put(key, self._dashboard)
        return self._dashboard

    def _repr_mimebundle_(self, **_: object) -> dict[str, Any]:
        from livestream_nb.dashboard.view import shown

        return shown(self)

    def __repr__(self) -> str:
        if not hasattr(self, "_session"):  # a traceback may show one that was refused halfway
            return "<Reader, not made>"
        status = self.status
        recording = "" if status.recording is None else f", {status.recording.told()}"
        return (
            f"<Reader {self.name}: {status.state}, {status.hits:,} hits, "
            f"{status.duplicates:,} duplicates, {status.quarantined:,} quarantined, "
            f"{status.evicted:,} evicted, {status.connects:,} connects{recording}>"
        )

    @property
    def _end(self) -> datetime:
        status = self.status
        return status.since if status.state in ENDED and status.since else self._now

    def _facts(self) -> dict[str, str]:
        status = self.status
        return {"state": status.state, "reason": status.reason, **status.counted()}

    def _take_over(self, other: "Reader | None") -> None:
        self._successor = None
        if other is None or other is self or not other._session.running:
            return
        differing = self._session.plan.differing(other._session.plan)
        if differing:
            raise StreamBusy(
                f"{other!r} already reads this stream with other options "
                f"({', '.join(differing)}): stop() that one first, or give the same options. "
                "Two readers of one stream would take each other's slots."
            )
        self._session = other._session
        other._successor = self
