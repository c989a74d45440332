"""The claim on a stream: one process reads it, and knows when its slots were last held.

Livestream needs about 60 seconds to notice that a connection is gone (KA-16598). Whoever connects
must therefore know when the last connection ended, also after a kernel restart or a kill. Within
a process the end is remembered per slot; between processes a file tells it per stream. The file
says ``open`` before a request is sent and is written again every few seconds while one lasts, so a
successor knows the end of a killed process to within one such interval.
"""

import logging
import os
import socket
import threading
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Self

from livestream_nb.clock import Clock
from livestream_nb.connection.floor import EVERY, Floor
from livestream_nb.connection.state import UNUSABLE, Record, Store, clear_away, state_directory
from livestream_nb.errors import StreamBusy

log = logging.getLogger("livestream_nb")

INTERVAL = 5.0
MOST_WRITES = 10.0
UNWRITTEN = (
    "The state of %s could not be written (%s): reading goes on, and it is tried again. Should "
    "this process be killed meanwhile, the next reader may not wait long enough."
)

_floors: dict[str, Floor] = {}
_warned: set[Path] = set()


class Claim:
    """The right to read a stream, held by this process until :meth:`release`; thread-safe.

    Made by :meth:`take`. Slots are numbered from 1; moments and durations are service seconds. In
    a process forked from the owner a claim does nothing: it stays with the parent.
    """

    def __init__(self, stream: str, clock: Clock, store: Store | None) -> None:
        self._stream = stream
        self._clock = clock
        self._store = store
        self._floor = _floors.setdefault(stream, Floor())
        self._owner = os.getpid()
        self._open: set[int] = set()
        self._unsaved = False
        self._complained = False
        self._writing = threading.Lock()

    @classmethod
    def take(cls, stream: str, clock: Clock, *, exclusive: bool = True) -> Self:
        """Claim a stream, and learn when it was last read.

        Where no state can be kept, the claim knows of this process only, and a `RuntimeWarning`
        says so once. Waits up to half a second for another owner to let go.

        Parameters
        ----------
        stream : str
            The stream's key: host, port if there is one, and name.
        clock : Clock
            The time of :meth:`last_end` and of `interval`.
        exclusive : bool
            Whether to refuse when another process reads the stream. If not, such a claim knows of
            this process only and leaves the other's state alone.

        Raises
        ------
        StreamBusy
            When another live process holds the claim.
        """
        directory = state_directory()
        store = Store(directory, stream)
        try:
            store.acquire()
        except TimeoutError:
            if exclusive:
                raise StreamBusy(_busy(stream, _holder(store))) from None
            return cls(stream, clock, None)
        except UNUSABLE as error:
            _warn(directory, error)
            return cls(stream, clock, None)
        claim = cls(stream, clock, store)
        try:
            claim._inherit(store)
            claim._write(store)
        except OSError as error:
            claim._let_go()
            _warn(directory, error)
        else:
            clear_away(directory, clock.wall())
        return claim

    @property
    def interval(self) -> float:
        """Service seconds between refreshes: 5, and never more than ten writes a real second."""
        return max(INTERVAL, self._clock.rate / MOST_WRITES)

    def last_end(self, slot: int) -> float | None:
        """When that slot was last held, on ``clock.monotonic()``; None when nothing is known.

        Of a connection of another process nobody knows the slot: it counts for all of them.
        """
        end = self._floor.last_end(slot)
        return None if end is None else end * self._clock.rate

    def began(self, slot: int) -> None:
        """A request is about to be sent; on disk when this returns. It may block."""
        self._open.add(slot)
        self._save()

    def ended(self, slot: int, *, holds: bool) -> None:
        """A request or its connection is over; quick. The file follows with the next refresh.

        Parameters
        ----------
        slot : int
            Its number.
        holds : bool
            Whether the service may believe for a while that the slot is still held.
        """
        if holds:
            self._floor.ended(slot, self._now())
        self._open.discard(slot)
        self._unsaved = True

    def refresh(self) -> None:
        """Tell the file that connections are still open, or that they ended. It may block."""
        if self._open or self._unsaved:
            self._save()

    def release(self) -> None:
        """Write the end and let the next owner in; idempotent.

        A slot that nobody said :meth:`ended` of counts as held until now.
        """
        if self._owner != os.getpid():
            return
        for slot in tuple(self._open):
            self.ended(slot, holds=True)
        with self._writing:
            if self._unsaved:
                self._try_to_write()
            self._let_go()

    def _now(self) -> float:
        return self._clock.real(self._clock.monotonic())

    def _inherit(self, store: Store) -> None:
        wall = self._clock.wall()
        try:
            record = store.read()
        except ValueError:
            end: float | None = wall  # nobody knows what stood here: be careful
        else:
            known = record is None or (not record.open and record == self._floor.written)
            end = None if record is None or known else record.end(wall)
        if end is not None:
            self._floor.ended(EVERY, self._now() - (wall - end))

    def _save(self) -> None:
        if self._owner != os.getpid():  # and the lock may have been forked while it was held
            return
        with self._writing:
            self._try_to_write()

    def _try_to_write(self) -> None:
        if self._store is None:
            return
        try:
            failure = None if self._write(self._store) else "it is held open elsewhere"
        except OSError as error:
            failure = str(error)
        if failure and not self._complained:
            self._complained = True
            log.warning(UNWRITTEN, self._stream, failure)

    def _write(self, store: Store) -> bool:
        self._unsaved = False  # first: an end that comes meanwhile is for the next time
        record, done = self._record(), False
        try:
            done = store.write(record)
        finally:
            if done:
                self._floor.written = record
            else:
                self._unsaved = True
        return done

    def _record(self) -> Record:
        wall, busy = self._clock.wall(), bool(self._open)
        latest = self._floor.latest()
        end = None if latest is None else wall - (self._now() - latest)
        return Record(
            stream=self._stream,
            host=socket.gethostname(),
            pid=os.getpid(),
            open=busy,
            seen=wall if busy else end,
            interval=self._clock.real(self.interval),
        )

    def _let_go(self) -> None:
        store, self._store = self._store, None
        if store is not None:
            with suppress(OSError):  # a lock that cannot be let go still ends with this process
                store.release()


def _holder(store: Store) -> Record | None:
    with suppress(OSError, ValueError):
        return store.read()
    return None


def _busy(stream: str, holder: Record | None) -> str:
    who = "Another process"
    if holder is not None:
        mine = (holder.host, holder.pid) == (socket.gethostname(), os.getpid())
        who = f"This process ({holder.pid})" if mine else f"Process {holder.pid} on {holder.host}"
    return (
        f"{who} already reads {stream}: two readers of one stream would take each other's slots. "
        "Stop that one first, or give exclusive=False to read beside it all the same."
    )


def _warn(directory: Path, error: Exception) -> None:
    if directory in _warned:
        return
    _warned.add(directory)
    warnings.warn(
        f"No state can be kept in {directory} ({type(error).__name__}: {error}): the wait after a "
        "connection is known to this process only. After a kernel restart Livestream may be asked "
        "too soon and answer 409, and another process that reads the same stream goes unnoticed. "
        "Set LIVESTREAM_NB_STATE to a directory that can be written.",
        RuntimeWarning,
        stacklevel=3,
    )
